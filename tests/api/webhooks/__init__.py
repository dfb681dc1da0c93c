"""What the vendors tell us, over HTTP."""
