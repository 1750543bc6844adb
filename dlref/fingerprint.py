"""What a training run is started with, in words: where they differ, it is another run."""

import zlib
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from dlref.backend import Array, dtype_name
from dlref.devices import asarray

ROWS = 4096  # at once: a file larger than the memory is read in parts


def fingerprint(**parts: Any) -> dict[str, str]:
    """Each part in words: arrays by a checksum, functions by their name, the rest as it prints.

    >>> fingerprint(batch_size=64, data=(np.zeros(3), np.ones(3)))["batch_size"]
    '64'
    """
    return {name: _in_words(part) for name, part in parts.items()}


def _in_words(part: Any) -> str:
    if isinstance(part, np.random.Generator):
        state = str(part.bit_generator.state).encode()
        return f"{type(part.bit_generator).__name__} with checksum {zlib.crc32(state):08x}"
    if isinstance(part, (tuple, list)):
        return ", ".join(map(_in_words, part))
    if isinstance(part, Mapping):
        if not all(hasattr(value, "shape") for value in part.values()):
            return _in_words(tuple(part.items()))
        checksum = 0
        for array in part.values():
            checksum = _checksum(array, checksum)
        return f"{len(part)} arrays with checksum {checksum:08x}"
    if hasattr(part, "shape") and hasattr(part, "dtype"):
        return f"{dtype_name(part)} {list(part.shape)} with checksum {_checksum(part, 0):08x}"
    return part if isinstance(part, str) else _object_in_words(part)


def _object_in_words(part: Any) -> str:
    if hasattr(part, "__qualname__"):
        return f"{part.__module__}.{part.__qualname__}"
    if isinstance(part, partial):
        return _in_words((part.func, *part.args, *part.keywords.items()))
    text = repr(part)
    if f"0x{id(part):x}" in text.lower():  # where it is in memory, which says nothing
        return _in_words((type(part), *getattr(part, "__dict__", {}).items()))
    return text


def _checksum(array: Array, checksum: int) -> int:
    array = array if array.ndim else array[None]
    for start in range(0, len(array), ROWS):
        checksum = zlib.crc32(asarray(array[start : start + ROWS]), checksum)
    return checksum
