"""pytest imports every module here for its examples; JAX is there for `make bench` only."""

import importlib.util

collect_ignore = [] if importlib.util.find_spec("jax") else ["with_jax.py"]
