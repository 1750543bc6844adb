"""LeNet: two convolutions, then three linear layers, as it read the digits on bank checks."""

from collections.abc import Sequence

import numpy as np

from dlref.checks import check_size
from dlref.devices import resolve_device
from dlref.layers.activations import ReLU
from dlref.layers.convolution import Conv2d
from dlref.layers.flatten import Flatten
from dlref.layers.linear import Linear
from dlref.layers.pooling import MaxPool2d
from dlref.neural_network import Sequential
from dlref.weight_initialization import generator


def lenet(
    image: Sequence[int] = (1, 28, 28),
    classes: int = 10,
    *,
    padding: tuple[int, int] = (2, 0),
    seed: int | np.random.Generator = 0,
    device: str = "numpy",
) -> Sequential:
    """LeNet-5 as it is built today: with ReLU and max pooling, and all maps connected.

    In 1998 it had scaled tanh, trained average pooling, sparse connections in the second
    convolution, and distances to drawn digits as its last layer. The widths, 6, 16, 120 and 84, are
    those of the paper.

    Args:
        image: channels, height and width of an image.
        classes: the number of classes, C.
        padding: zeros around the image and around the first layer's maps. The first 2 make 28×28
            pixels the paper's 32×32; for 8×8 pixels, ``(2, 2)`` keeps what there is.
        seed: a whole number, or a ``numpy.random.Generator``.
        device: ``"numpy"``, ``"cpu"``, ``"cuda"``, ``"mps"``, or ``"auto"``.

    Returns:
        A ``Sequential`` with float32 parameters, from images (N, channels, height, width) to
        logits (N, C).

    Raises:
        ValueError: a size is below 1, the padding negative, or the image too small for two
            convolutions.
        TypeError: a size or the seed is not a whole number.

    Source: LeCun, Bottou, Bengio & Haffner, Gradient-Based Learning Applied to Document Recognition
    (1998), section II.B, https://doi.org/10.1109/5.726791

    >>> import dlref
    >>> net = dlref.lenet(seed=0)
    >>> print(sum(p.size for p in net.params.values()))
    61706
    """
    device, rng = resolve_device(device), generator("lenet", seed)
    if not isinstance(image, (tuple, list)) or len(image) != 3:
        raise ValueError(f"lenet: image must be (channels, height, width), got {image!r}")
    channels, height, width = (
        check_size(f"lenet: {name}", size)
        for name, size in zip(("channels", "height", "width"), image, strict=True)
    )
    classes = check_size("lenet: classes", classes)
    if not isinstance(padding, (tuple, list)) or len(padding) != 2:
        raise ValueError(f"lenet: padding must be two numbers, as (2, 0), got {padding!r}")
    first, second = (check_size("lenet: padding", size, low=0) for size in padding)
    rows, columns = (_after(_after(size, first), second) for size in (height, width))
    if rows < 1 or columns < 1:
        raise ValueError(f"lenet: an image of {height}×{width} is too small for {padding=}")
    return Sequential(
        Conv2d(channels, 6, 5, rng, padding=first),
        ReLU(),
        MaxPool2d(2),
        Conv2d(6, 16, 5, rng, padding=second),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(16 * rows * columns, 120, rng),
        ReLU(),
        Linear(120, 84, rng),
        ReLU(),
        Linear(84, classes, rng),
    ).to(device)


def _after(size: int, padding: int) -> int:
    """The height or width after a convolution of 5×5 and pooling of 2×2; 0 of 0."""
    return (size + 2 * padding - 4) // 2 if size > 0 else 0
