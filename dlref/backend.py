"""The one file that knows which array libraries there are.

Every layer, loss and optimizer is written once, over the Python array API standard
(https://data-apis.org/array-api/): operators, and the functions of ``namespace(x)``.
What differs between NumPy and PyTorch is here, and nowhere else.

A device is one word: ``"numpy"``, or PyTorch's own ``"cpu"``, ``"cuda"``, ``"mps"``.
``"auto"`` is the best of them on this machine. PyTorch is imported when it is asked for.
"""

import sys
from collections.abc import Callable
from math import isfinite
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""A NumPy array, a PyTorch tensor, or any other array of the array API standard."""

DEVICES = ("numpy", "cpu", "cuda", "mps")


def asarray(x: Array, device: str = "numpy", *, dtype: str | None = None) -> Array:
    """Copy an array to a device.

    Args:
        x: a NumPy array or PyTorch tensor of any shape and of a dtype of numbers, or a nested
            list of numbers.
        device: ``"numpy"``, ``"cpu"``, ``"cuda"``, ``"mps"``, or ``"auto"``.
        dtype: ``"float32"``, ``"float64"``, ``"int64"``; as ``x`` has it where left out.

    Returns:
        A new array of the same shape, of ``dtype``, on the device. It never shares memory
        with ``x``.

    Raises:
        ValueError: the device is unknown, or is not there, and the error says which are; the
            dtype is unknown; or a number is too large for it.
        TypeError: ``x`` does not hold numbers, or is masked; ``dtype`` would lose their
            fractions; or the device has no such dtype.

    Source: Python array API standard, asarray,
    https://data-apis.org/array-api/latest/API_specification/generated/array_api.asarray.html

    >>> import dlref
    >>> x = dlref.asarray([1, 2], "numpy", dtype="float32")
    >>> print(x, x.dtype)
    [1. 2.] float32
    """
    device = resolve_device(device)
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError("asarray: a masked array's mask would be lost: use x.filled(...) first")
    source = x.detach().cpu().numpy() if hasattr(x, "detach") else np.asarray(x)
    if source.dtype.kind not in "biuf":
        raise TypeError(f"asarray: x must hold numbers, got dtype {source.dtype}: {x!r:.80}")
    if dtype is not None and dtype not in ("float32", "float64", "int64"):
        raise ValueError(f'asarray: dtype must be "float32", "float64" or "int64", got {dtype!r}')
    if not np.can_cast(source.dtype, dtype or source.dtype, "same_kind"):
        raise TypeError(f"asarray: {source.dtype} would lose its fractions as {dtype}: round first")
    with np.errstate(over="ignore"):
        copy = np.array(source, dtype=dtype, copy=True, order="C")
    if not np.array_equal(np.isfinite(copy), np.isfinite(source)) or (
        copy.dtype.kind in "iu" and not np.array_equal(copy, source)
    ):
        raise ValueError(f"asarray: {source.dtype} holds numbers too large for {dtype}")
    if device == "numpy":
        return copy
    import torch

    if device == "mps" and copy.dtype == np.float64:
        raise TypeError('asarray: device "mps" has no float64: pass dtype="float32"')
    return torch.from_numpy(copy).to(device)


def asarray_like(x: Array, like: Array) -> Array:
    """Copy an array of floats to the library, device and dtype of another.

    >>> asarray_like(np.zeros(1), np.zeros(1, np.float32)).dtype.name
    'float32'
    """
    if device_of(like) == "numpy" and not isinstance(like, np.ndarray):
        xp = namespace(like)  # another library of the array API standard
        return xp.asarray(xp.from_dlpack(x), dtype=like.dtype, copy=True)
    return asarray(x, device_of(like), dtype=dtype_name(like))


def device_of(x: Array) -> str:
    """The device word of an array: ``"numpy"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.

    >>> device_of(np.zeros(3))
    'numpy'
    """
    return str(x.device.type) if hasattr(x.device, "type") else "numpy"


def resolve_device(device: str) -> str:
    """Check a device word, and turn ``"auto"`` into the best one: cuda, mps, else numpy.

    >>> resolve_device("numpy")
    'numpy'
    """
    if device == "numpy":  # asks nothing of PyTorch
        return device
    if device not in (*DEVICES, "auto"):
        known = ", ".join(f'"{name}"' for name in (*DEVICES, "auto"))
        raise ValueError(f"device {device!r} is unknown: use one of {known}")
    there = available_devices()
    if device == "auto":
        return next((name for name in ("cuda", "mps") if name in there), "numpy")
    if device not in there:
        remedy = "use one of these" if "cpu" in there else "install PyTorch (pip install torch)"
        names = ", ".join(f'"{name}"' for name in there)
        raise ValueError(f'device "{device}" is not there; there is {names}: {remedy}')
    return device


def available_devices() -> list[str]:
    """The device words that work on this machine, ``"numpy"`` first. It never fails.

    Returns:
        Those of ``"numpy"``, ``"cpu"``, ``"cuda"`` and ``"mps"`` that work, in this order. Without
        PyTorch it is ``"numpy"`` alone.

    Source: PyTorch documentation, torch.cuda.is_available,
    https://docs.pytorch.org/docs/stable/generated/torch.cuda.is_available.html

    >>> import dlref
    >>> print(dlref.available_devices()[0])
    numpy
    """
    try:
        import torch
    except ImportError:
        return ["numpy"]
    there = {
        "numpy": True,
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    return [name for name in DEVICES if there[name]]


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
    """``values`` where x > 0, else 0.

    >>> print(where_positive(np.array([1.0, 2.0, 3.0]), np.array([-1.0, 0.0, 1.0])))
    [0. 0. 3.]
    """
    if isinstance(x, np.ndarray):
        return values * (x > 0)
    if hasattr(x, "detach"):  # PyTorch's own: a product with bools takes eight times as long
        import torch

        return torch.ops.aten.threshold_backward(values, x, 0)
    return values * namespace(x).astype(x > 0, x.dtype)


def scatter_add_rows(array: Array, indices: Array, rows: Array) -> None:
    """Add each row to the row of ``array`` at its index, in place; ``+=`` loses repeated indices.

    >>> totals = np.zeros((3, 1))
    >>> scatter_add_rows(totals, np.array([0, 2, 2]), np.ones((3, 1)))
    >>> print(totals.T)
    [[1. 0. 2.]]
    """
    if isinstance(array, np.ndarray):
        np.add.at(array, indices, rows)
    elif hasattr(array, "index_add_"):
        array.index_add_(0, indices, rows)
    else:
        for k in range(indices.shape[0]):
            array[int(indices[k]), :] += rows[k, :]


def random_mask(keep: float, like: Array, rng: np.random.Generator) -> Array:
    """1 with probability ``keep``, else 0, in the shape and dtype of ``like``.

    On a GPU it is drawn from that device's own generator, and ``rng`` is not asked: numbers would
    have to travel there for every mask.
    """
    if on_cpu(like):
        return asarray_like(rng.random(tuple(like.shape), dtype=np.float32) < keep, like)
    return (namespace(like).empty_like(like).uniform_() < keep).to(like.dtype)


def seed_device(like: Array, rng: np.random.Generator) -> None:
    """Seed the generator of the GPU that ``like`` is on; on a CPU, ``rng`` itself draws."""
    if not on_cpu(like):
        import torch

        getattr(torch, device_of(like)).manual_seed(int(rng.integers(2**63)))


def run_beside(function: Callable[[], Array]) -> Array:
    """Run on a stream of its own, as what will be recorded must run before."""
    import torch

    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        result = function()
    torch.cuda.current_stream().wait_stream(stream)
    return result


def record_graph(function: Callable[[], Array]) -> tuple[Array, Callable[[], None]]:
    """Record what a function asks of the GPU, without doing it.

    Returns:
        The array that will hold its result, and a function that does it all, again and again.
    """
    import torch

    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = function()
    return result, graph.replay


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
# on the way there. The order is x, axis, dtype, out, keepdims.
_add_reduce: Callable[..., Array] = np.add.reduce
_maximum_reduce: Callable[..., Array] = np.maximum.reduce


def _sum(x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    return _add_reduce(x, axis, None, None, keepdims)


def _max(x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    if axis == 1 and keepdims and x.ndim == 2 and x.shape[1] <= _SHORT_ROW:
        return _maximum_reduce(np.ascontiguousarray(x.T), 0)[:, None]  # (C, N), (N,), (N, 1)
    return _maximum_reduce(x, axis, None, None, keepdims)


def _astype(x: Array, dtype: Any) -> Array:
    return x.astype(dtype)  # np.astype exists only from NumPy 2.1


_OURS = {"sum": _sum, "max": _max, "astype": _astype}
_NUMPY = SimpleNamespace(**(vars(np) | _OURS))  # NumPy under the standard's names

_SHORT_ROW = 16  # the maximum of a few long columns takes half the time of that of many such rows
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
