"""Integers that stand for something: labels for classes, tokens for rows of a table."""

import math

from dlref.backend import Array, device_of, dtype_name, is_integer, namespace, on_cpu
from dlref.checks import first_false


def check_labels(what: str, labels: Array, like: Array) -> Array:
    """The labels (...) of rows (..., C), as int64. Their values are not looked at.

    Raises:
        ValueError: the labels' shape or device does not fit.
        TypeError: the labels are not integers.
    """
    xp = namespace(labels)
    if like.ndim < 2 or labels.shape != like.shape[:-1]:
        expected = tuple(like.shape[:-1]) if like.ndim > 1 else "(N,) for logits of shape (N, C)"
        raise ValueError(
            f"{what} must have shape {expected}, got {tuple(labels.shape)} for {tuple(like.shape)}"
        )
    if xp is not namespace(like) or labels.device != like.device:
        raise ValueError(
            f'{what} are on "{device_of(labels)}", the logits on "{device_of(like)}": '
            f'move them with dlref.asarray(labels, "{device_of(like)}")'
        )
    return as_int64(what, labels)


def one_hot(what: str, labels: Array, like: Array) -> Array:
    """The rows that labels (...) stand for: (..., C), 1 at the label and 0 elsewhere.

    Args:
        what: the labels' name in an error.
        labels: what ``check_labels`` gave.
        like: an array (..., C) of the same device; its dtype is the result's.

    Raises:
        ValueError: a label is not in [0, C).
    """
    xp, classes = namespace(labels), like.shape[-1]
    hits = labels[..., None] == xp.arange(classes, device=labels.device)  # (..., 1) and (C,)
    if on_cpu(labels) and xp.count_nonzero(hits) != math.prod(labels.shape):
        check_range(what, labels, classes)  # raises
    return xp.astype(hits, like.dtype)


def check_range(what: str, x: Array, count: int) -> None:
    """Raise unless what ``as_int64`` gave is in [0, count), at least one; a GPU's is not read."""
    xp = namespace(x)
    if not on_cpu(x) or (int(xp.min(x)) >= 0 and int(xp.max(x)) < count):
        return
    index = first_false((x >= 0) & (x < count))
    raise ValueError(
        f"{what} must be integers in [0, {count}), got {int(x[index])} at index "
        f"{index[0] if x.ndim == 1 else index}"
    )


def as_int64(what: str, x: Array) -> Array:
    """Integers as int64; PyTorch compares no uint16, and looks nothing up by it."""
    if dtype_name(x) == "int64":
        return x
    if not is_integer(x):
        raise TypeError(f"{what} must be integers, got {dtype_name(x)}: convert them first")
    xp = namespace(x)
    return xp.astype(x, xp.int64)
