"""The windows that a convolution or a pooling layer looks at, offset by offset."""

from typing import Any

from dlref.backend import Array, namespace


def output_size(what: str, size: int, window: int, stride: int) -> int:
    """How many windows fit into a row of ``size`` pixels.

    Raises:
        ValueError: none does.
    """
    if size < window:
        raise ValueError(
            f"{what}: a window of {window} pixels does not fit into {size}: "
            "use larger images, a smaller window, or padding"
        )
    return (size - window) // stride + 1


def offsets(shape: tuple[int, ...], window: int, stride: int) -> list[Any]:
    """For each place in a window, in reading order, the index of the pixels there in all windows.

    ``x[index]`` is (N, C, H', W'). Pixels at the right and the bottom that fill no window are left
    out.
    """
    ends = [stride * ((size - window) // stride) + 1 for size in shape[2:]]
    rows, columns = ([slice(i, i + end, stride) for i in range(window)] for end in ends)
    return [(slice(None), slice(None), row, column) for row in rows for column in columns]


def pad(x: Array, padding: int) -> Array:
    """A frame of zeros around each image."""
    if padding == 0:
        return x
    n, c, height, width = x.shape
    shape = (n, c, height + 2 * padding, width + 2 * padding)
    padded = namespace(x).zeros(shape, dtype=x.dtype, device=x.device)
    padded[:, :, padding : padding + height, padding : padding + width] = x
    return padded
