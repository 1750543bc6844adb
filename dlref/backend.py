"""What differs between NumPy and PyTorch when they compute; no layer knows which of them it has.

Every layer, loss and optimizer is written once, over the Python array API standard
(https://data-apis.org/array-api/): operators, and the functions of ``namespace(x)``.
Where arrays live is in ``devices.py``, and PyTorch's own kernels are in ``kernels.py``.
"""

import sys
from collections.abc import Callable
from math import isfinite
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""A NumPy array, a PyTorch tensor, or any other array of the array API standard."""


def device_of(x: Array) -> str:
    """The device word of an array: ``"numpy"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.

    >>> device_of(np.zeros(3))
    'numpy'
    """
    return str(x.device.type) if hasattr(x.device, "type") else "numpy"


def namespace(x: Array) -> Any:
    """The array API functions of the library that ``x`` belongs to.

    Looking the type up in a dict takes 0.06 µs; ``array_api_compat.array_namespace`` takes
    over 1 µs, and a training step of a small net asks ten times.

    Raises:
        TypeError: ``x`` is no array; the error says how to make it one.
    """
    try:
        return _NAMESPACES[type(x)]
    except KeyError:
        return _find_namespace(x)


def is_integer(x: Array) -> bool:
    """Whether ``x`` holds whole numbers, such as labels or the numbers of tokens."""
    xp = namespace(x)  # a list or a number raises here
    return dtype_name(x) not in ("float32", "float64") and xp.isdtype(x.dtype, "integral")


def dtype_name(x: Array) -> str:
    """The dtype's name without its library: ``"float32"`` for ``torch.float32`` too.

    >>> dtype_name(np.zeros(3))
    'float64'
    """
    key = (type(x), x.dtype)  # dtypes of two libraries may not be compared
    name = _DTYPE_NAMES.get(key)
    if name is None:
        name = _DTYPE_NAMES[key] = str(x.dtype).rpartition(".")[2]
    return name


def on_cpu(x: Array) -> bool:
    """Whether values can be read without stalling a GPU."""
    return isinstance(x, np.ndarray) or device_of(x) in ("numpy", "cpu")


def is_like(x: Array, like: Array) -> bool:
    """Whether both are of one type, dtype and device. (All NumPy arrays are on one device.)"""
    return (
        type(x) is type(like)
        and x.dtype == like.dtype
        and (type(x) is np.ndarray or x.device == like.device)
    )


def is_plainly_finite(x: Array) -> bool:
    """Whether one BLAS call shows that ``x`` is a float array without NaN or infinity.

    A sum of squares is not finite where an element is not. False means that a closer look is
    needed: the sum also overflows where elements are huge, and only NumPy arrays and PyTorch's
    tensors on the CPU are asked.
    """
    if type(x) is np.ndarray:
        return (
            x.dtype in _NUMPY_FLOATS
            and x.size > 0
            and isfinite(np.vdot(x, x))  # unlike x.dot, without a warning of overflow
        )
    torch = sys.modules.get("torch")
    if torch is None or type(x) is not torch.Tensor or x.device.type != "cpu":
        return False
    if x.requires_grad or x.dtype not in (torch.float32, torch.float64) or x.numel() == 0:
        return False
    flat = x.reshape(-1)  # torch.isfinite alone takes many times as long
    return isfinite(torch.dot(flat, flat).item())


def where_positive(values: Array, x: Array) -> Array:
    """``values`` where x > 0, else 0, of finite numbers.

    >>> print(where_positive(np.array([1.0, 2.0, 3.0]), np.array([-1.0, 0.0, 1.0])))
    [0. 0. 3.]
    """
    if isinstance(x, np.ndarray):
        return values * (x > 0)
    if hasattr(x, "detach"):  # PyTorch's own: a product with bools takes eight times as long
        import torch

        return torch.ops.aten.threshold_backward(values, x, 0)
    return values * namespace(x).astype(x > 0, x.dtype)


def affine(x: Array, weight: Array, bias: Array) -> Array:
    """x @ weight + bias, of matrices (N, D) and (D, M) and a row (M,).

    >>> print(affine(np.ones((2, 3)), np.ones((3, 1)), np.array([0.5])).T)
    [[3.5 3.5]]
    """
    if not isinstance(x, np.ndarray) and hasattr(x, "addmm"):
        return bias.addmm(x, weight)  # PyTorch's, in one pass over memory less
    y = x @ weight
    y += bias  # in place: y is ours, and a second array of its size would cost time
    return y


def row_max(x: Array) -> Array:
    """The largest number of each row (..., C), as (..., 1): what to subtract before ``exp``.

    Which number a row with NaN gives is left open: NaN minus any number is NaN.

    >>> print(row_max(np.array([[1.0, 3.0], [2.0, -1.0]])).T)
    [[3. 2.]]
    """
    if not isinstance(x, np.ndarray):
        return namespace(x).max(x, axis=-1, keepdims=True)
    if x.ndim == 2 and x.shape[1] <= _SHORT_ROW:
        return _largest_reduce(np.ascontiguousarray(x.T), 0)[:, None]  # (C, N), (N,), (N, 1)
    return _largest_reduce(x, -1, None, None, True)


def scatter_add_rows(array: Array, indices: Array, rows: Array) -> None:
    """Add each row to the row of ``array`` at its index, in place; ``+=`` loses repeated indices.

    Indices count from 0; a negative one is none.

    >>> totals = np.zeros((3, 1))
    >>> scatter_add_rows(totals, np.array([0, 2, 2]), np.ones((3, 1)))
    >>> print(totals.T)
    [[1. 0. 2.]]
    """
    if isinstance(array, np.ndarray):  # np.add.at takes several times as long
        order = np.argsort(indices, kind="stable")
        found, first = np.unique(indices[order], return_index=True)
        array[found] += np.add.reduceat(rows[order], first, axis=0)
    elif hasattr(array, "index_add_"):
        array.index_add_(0, indices, rows)
    else:
        for k in range(indices.shape[0]):
            array[int(indices[k]), :] += rows[k, :]


def is_writable(x: Array) -> bool:
    """Whether ``x -= 1`` changes the array itself.

    Raises:
        TypeError: ``x`` is no array. (A NumPy scalar is none: the result is another number.)
    """
    if isinstance(x, np.ndarray):
        return x.flags.writeable
    namespace(x)
    return hasattr(x, "__isub__") and not getattr(x, "requires_grad", False)


# Reductions are called at the ufunc itself, by position: np.sum and np.max spend 3 µs in Python
# on the way there. The order is x, axis, dtype, out, keepdims. np.fmax looks past NaN, and takes a
# fifth of np.maximum's time in the 12,288 rows of 128 numbers that a small GPT's attention has.
_add_reduce: Callable[..., Array] = np.add.reduce
_largest_reduce: Callable[..., Array] = np.fmax.reduce


def _sum(x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    return _add_reduce(x, axis, None, None, keepdims)


def _astype(x: Array, dtype: Any) -> Array:
    return x.astype(dtype)  # np.astype exists only from NumPy 2.1


_OURS = {"sum": _sum, "astype": _astype}
_NUMPY = SimpleNamespace(**(vars(np) | _OURS))  # NumPy under the standard's names

_SHORT_ROW = 16  # the maxima of a few long columns take half the time of those of many such rows
_NUMPY_FLOATS = {np.dtype(np.float32), np.dtype(np.float64)}
_DTYPE_NAMES: dict[tuple[type, Any], str] = {}  # NumPy's str(dtype) takes 2.5 µs
_NAMESPACES: dict[type, Any] = {np.ndarray: _NUMPY, np.memmap: _NUMPY}


def _find_namespace(x: Array) -> Any:
    torch = sys.modules.get("torch")  # a tensor exists only where torch was imported
    if torch is not None and isinstance(x, torch.Tensor):
        import array_api_compat.torch as found
    elif hasattr(x, "__array_namespace__") and not isinstance(x, (np.ndarray, np.generic)):
        found = x.__array_namespace__()
    else:
        raise TypeError(
            f"expected a NumPy array or a PyTorch tensor, got {type(x).__name__}: "
            "convert it with dlref.asarray(x)"
        )
    _NAMESPACES[type(x)] = found
    return found
