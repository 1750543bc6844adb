"""Where arrays live: in NumPy, or in PyTorch on a processor or a GPU.

A device is one word: ``"numpy"``, or PyTorch's own ``"cpu"``, ``"cuda"``, ``"mps"``.
``"auto"`` is the best of them on this machine. PyTorch is imported when it is asked for.
"""

import numpy as np

from dlref.backend import Array, device_of, dtype_name, namespace, on_cpu

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
