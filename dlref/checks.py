"""Errors that name the value and the remedy, raised before anything is changed.

Shapes, dtypes and devices are checked always, values wherever the data is on the CPU. Each
check begins with the comparison that nearly always settles it, since a training step of a small
net, 60 µs, makes a dozen of them.
"""

import math
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import numpy as np

from dlref.backend import (
    Array,
    device_of,
    dtype_name,
    is_like,
    is_plainly_finite,
    is_writable,
    namespace,
    on_cpu,
)

FLOATS = ("float32", "float64")
# what check_named tells to pass instead
PARAMS = "they are net.params"
GRADS = "they are the second that backward gives, `_, grads = net.backward(...)`"


def check_float(what: str, x: Array) -> None:
    """Raise unless ``x`` is a float array with at least one element."""
    namespace(x)  # a list or a number raises here
    if dtype_name(x) not in FLOATS or 0 in x.shape:
        _explain(what, x, tuple(x.shape), like=x)
    if x.ndim == 0:  # NumPy's functions would return numbers that are no arrays
        raise ValueError(f"{what} must have at least one dimension: use reshape(x, (1,))")


def check_rows(what: str, x: Array, columns: int, like: Array) -> None:
    """Raise unless ``x`` is (..., columns), of the library, device and dtype of ``like``."""
    if not is_like(x, like) or x.ndim < 2 or x.shape[-1] != columns or 0 in x.shape:
        before = max(1, getattr(x, "ndim", 0) - 1)
        words = f"({'N' if before == 1 else '...'}, {columns})"
        _explain(what, x, (*[-1] * before, columns), like, words)


def check_channels(
    what: str, x: Array, channels: int, like: Array, *, ndims: tuple[int, ...]
) -> None:
    """Raise unless ``x`` is (N, channels, ...) with so many dimensions, and like ``like``."""
    if not is_like(x, like) or x.ndim not in ndims or x.shape[1] != channels or 0 in x.shape:
        ndim = x.ndim if getattr(x, "ndim", 0) in ndims else ndims[-1]
        words = f"(N, {channels})" if ndim == 2 else f"(N, {channels}, H, W)"
        _explain(what, x, (-1, channels, *[-1] * (ndim - 2)), like, words)


def check_mask(what: str, mask: Array, shape: tuple[int, int, int], like: Array) -> None:
    """Raise unless ``mask`` is an array of bools of this shape, or of it without the first axis."""
    namespace(mask)
    check_device(what, mask, like)
    if dtype_name(mask) != "bool":
        raise TypeError(f"{what} must be bool, True where it may look, got {dtype_name(mask)}")
    if mask.shape not in (shape, shape[1:]):
        raise ValueError(f"{what} must have shape {shape} or {shape[1:]}, got {tuple(mask.shape)}")


def check_device(what: str, x: Array, like: Array) -> None:
    """Raise unless ``x`` is of the library of ``like``, and on a device of the same name."""
    if namespace(x) is not namespace(like) or device_of(x) != device_of(like):
        raise ValueError(
            f'{what} is on "{device_of(x)}", but meets an array on "{device_of(like)}": '
            f'move it with dlref.asarray(x, "{device_of(like)}")'
        )


def check_generator(who: str, rng: Any) -> None:
    """Raise unless ``rng`` is a ``numpy.random.Generator``."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"{who}: rng must be numpy.random.default_rng(seed), got {rng!r}")


def check_training(who: str, training: Any) -> None:
    """Raise unless ``training`` is a generator or ``None``; ``False`` would not be ``None``."""
    if training is not None and not isinstance(training, np.random.Generator):
        raise TypeError(
            f"{who}: training must be numpy.random.default_rng(seed) in training, and None in use, "
            f"got {training!r}"
        )


def check_array(what: str, x: Array, shape: tuple[int, ...], like: Array) -> None:
    """Raise unless ``x`` has this shape, and the library, device and dtype of ``like``."""
    if not is_like(x, like) or x.shape != shape:
        _explain(what, x, tuple(shape), like)


def check_finite(what: str, x: Array) -> None:
    """Raise unless ``x`` is a float array with at least one element and without NaN or infinity.

    The values of an array on a GPU are not read.
    """
    if is_plainly_finite(x):
        return
    check_float(what, x)
    if getattr(x, "requires_grad", False):
        raise ValueError(f"{what} must not require PyTorch's own gradients: pass x.detach()")
    xp = namespace(x)
    if not on_cpu(x) or bool(xp.all(xp.isfinite(x))):
        return
    index = first_false(xp.isfinite(x))
    raise ValueError(
        f"{what} must be finite, got {float(x[index])} at index {index}: "
        "look for NaN in the data, or for a learning rate that is too high"
    )


def check_probabilities(what: str, x: Array) -> None:
    """Raise unless every element is in [0, 1]; the values of an array on a GPU are not read."""
    check_finite(what, x)
    xp = namespace(x)
    if on_cpu(x) and not (float(xp.min(x)) >= 0 and float(xp.max(x)) <= 1):
        wrong = float(xp.min(x)) if float(xp.min(x)) < 0 else float(xp.max(x))
        raise ValueError(f"{what} must be in [0, 1], got {wrong}")


def check_named(what: str, arrays: Any, remedy: str) -> None:
    """Raise unless ``arrays`` maps names to arrays."""
    if not isinstance(arrays, (dict, MappingProxyType, Mapping)):  # two that are told at once
        raise TypeError(f"{what} must map names to arrays, got {type(arrays).__name__}: {remedy}")


def check_writable(what: str, x: Array) -> None:
    """Raise unless ``x -= 1`` changes the array itself."""
    if not is_writable(x):
        raise ValueError(f"{what} cannot be written in place: pass a copy")


def check_number(what: str, value: float, low: float, high: float = math.inf) -> float:
    """Return ``value`` as a float; raise unless it is a finite number in [low, high)."""
    if type(value) is float and low <= value < high:
        return value
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{what} must be a number, got {value!r}")
    if not (math.isfinite(value) and low <= value < high):
        upper = "" if math.isinf(high) else f" and below {high}"
        bounds = f"at least {low}{upper}" if math.isfinite(value) else "finite"
        raise ValueError(f"{what} must be {bounds}, got {value}")
    return float(value)


def check_installed(who: str, package: str) -> None:
    """Raise unless a package that dlref can do without is there."""
    if sys.modules.get(package) is None and find_spec(package) is None:
        raise ImportError(f"{who} needs {package}, which is not installed: pip install {package}")


def check_size(what: str, size: int, low: int = 1) -> int:
    """Return ``size`` as Python's int, since NumPy's small ones overflow.

    Raise unless it is a whole number of at least ``low``.
    """
    if isinstance(size, bool) or not isinstance(size, Integral):
        raise TypeError(f"{what} must be a whole number, got {size!r}")
    if size < low:
        raise ValueError(f"{what} must be at least {low}, got {size}")
    return int(size)


def first_false(holds: Array) -> tuple[int, ...]:
    """The index of the first bool that is False; one must be."""
    xp = namespace(holds)
    first = int(xp.argmin(xp.reshape(xp.astype(holds, xp.int64), (-1,))))
    return tuple(map(int, np.unravel_index(first, tuple(holds.shape))))


def _fits(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    return len(shape) == len(expected) and all(
        wanted in (length, -1) for length, wanted in zip(shape, expected, strict=True)
    )


def _explain(what: str, x: Any, shape: tuple[int, ...], like: Array, words: str = "") -> None:
    """Raise the error that says what is wrong with ``x``, if anything is."""
    check_device(what, x, like)
    if not _fits(x.shape, shape):
        raise ValueError(f"{what} must have shape {words or shape}, got {tuple(x.shape)}")
    if 0 in x.shape:
        raise ValueError(f"{what} has shape {tuple(x.shape)}: an empty batch has no mean")
    wanted = dtype_name(like) if dtype_name(like) in FLOATS else "float32"
    if dtype_name(x) != wanted:
        raise TypeError(
            f"{what} must be {wanted}, got {dtype_name(x)}: convert it with "
            f'dlref.asarray(x, "{device_of(like)}", dtype="{wanted}")'
        )
