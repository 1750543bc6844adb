"""The layers: each a class with its forward pass and, next to it, its backward pass."""
