"""Networks that made history, put together from the layers."""
