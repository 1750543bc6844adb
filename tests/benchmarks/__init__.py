"""How fast the training loop is, beside one written by hand. Run: python -m tests.benchmarks."""
