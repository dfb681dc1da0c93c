"""Read models on real databases."""
