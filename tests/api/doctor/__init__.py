"""The checks of `orders doctor`."""
