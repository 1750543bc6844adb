"""AlexNet, the net that won ImageNet 2012, to the paper."""

import numpy as np

from dlref.checks import check_size
from dlref.devices import resolve_device
from dlref.layer import Layer
from dlref.layers.activations import ReLU
from dlref.layers.convolution import Conv2d
from dlref.layers.dropout import Dropout
from dlref.layers.flatten import Flatten
from dlref.layers.linear import Linear
from dlref.layers.local_response_norm import LocalResponseNorm
from dlref.layers.pooling import MaxPool2d
from dlref.neural_network import Sequential
from dlref.weight_initialization import generator

STD = 0.01  # of the first weights, section 5


def alexnet(
    classes: int = 1000, *, seed: int | np.random.Generator = 0, device: str = "numpy"
) -> Sequential:
    """AlexNet: five convolutions and three linear layers, 60,965,224 parameters for 1,000 classes.

    The paper's net ran on two GPUs, each with half of every layer; three of the convolutions see
    only the half on their own GPU, which is ``groups=2`` here. Its images are 224×224, from which
    windows of 11 pixels, 4 apart, do not give its 55×55 outputs; two pixels of padding do.

    Args:
        classes: the number of classes, C.
        seed: a whole number, or a ``numpy.random.Generator``.
        device: ``"numpy"``, ``"cpu"``, ``"cuda"``, ``"mps"``, or ``"auto"``.

    Returns:
        A ``Sequential`` with float32 parameters, from images (N, 3, 224, 224) to logits (N, C).

    Raises:
        ValueError: ``classes`` is below 1, the seed negative, or the device is not there.
        TypeError: ``classes`` or the seed is not a whole number.

    Source: Krizhevsky, Sutskever & Hinton, ImageNet Classification with Deep Convolutional Neural
    Networks (NIPS 2012), sections 3.5, 4.2 and 5,
    https://papers.nips.cc/paper_files/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html

    >>> import dlref
    >>> net = dlref.alexnet(classes=10, seed=0)
    >>> print(net.params["4.weight"].shape)  # 48 of the 96 channels reach each half
    (256, 48, 5, 5)
    """
    device, rng = resolve_device(device), generator("alexnet", seed)
    classes = check_size("alexnet: classes", classes)

    def init(inputs: int, outputs: int, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(0.0, STD, (inputs, outputs))

    layers: list[Layer] = [
        Conv2d(3, 96, 11, rng, stride=4, padding=2, init=init),
        ReLU(),
        LocalResponseNorm(),
        MaxPool2d(3, stride=2),
        Conv2d(96, 256, 5, rng, padding=2, groups=2, init=init),
        ReLU(),
        LocalResponseNorm(),
        MaxPool2d(3, stride=2),
        Conv2d(256, 384, 3, rng, padding=1, init=init),
        ReLU(),
        Conv2d(384, 384, 3, rng, padding=1, groups=2, init=init),
        ReLU(),
        Conv2d(384, 256, 3, rng, padding=1, groups=2, init=init),
        ReLU(),
        MaxPool2d(3, stride=2),
        Flatten(),
        Linear(256 * 6 * 6, 4096, rng, init),
        ReLU(),
        Dropout(0.5),
        Linear(4096, 4096, rng, init),
        ReLU(),
        Dropout(0.5),
        Linear(4096, classes, rng, init),
    ]
    for i in (4, 10, 12, 16, 19):  # so that their ReLUs begin with something positive, section 5
        layers[i].params["bias"][...] = 1
    return Sequential(*layers).to(device)
