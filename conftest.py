"""Every pytest run knows the pages: the plugin is in tests/pages/plugin.py."""

import os

# As the Makefile has it: one thread, so that no block's time depends on what else is running.
# NumPy and PyTorch read this when they are imported.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")

pytest_plugins = ["tests.pages.plugin"]
