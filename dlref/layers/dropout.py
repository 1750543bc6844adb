"""Dropout: in training, each unit is left out with a certain probability."""

from dlref.backend import Array, namespace
from dlref.checks import check_array, check_float, check_number, check_training
from dlref.devices import random_mask
from dlref.layer import Cache, Gradients, Layer, Training


class Dropout(Layer):
    """In training, sets each element to 0 with probability p, and scales up the rest.

    The scale keeps the expected value, so that nothing changes when the network is used. (The
    first papers multiplied by 1 − p in use instead.)

    The mask is drawn from the generator given as ``training``; on a GPU, from that device's own,
    which other draws there share.

    Formula:
        y = x · mask / (1 − p),  mask ∼ Bernoulli(1 − p)

    Args:
        p: the probability of 0, in [0, 1).

    Raises:
        ValueError: p is outside [0, 1).
        TypeError: p is not a number.

    Source: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting
    (JMLR 2014), section 4, https://jmlr.org/papers/v15/srivastava14a.html

    >>> import numpy as np
    >>> import dlref
    >>> layer, x = dlref.Dropout(0.5), np.ones(8)
    >>> print(layer.forward(x)[0])
    [1. 1. 1. 1. 1. 1. 1. 1.]
    >>> print(layer.forward(x, training=np.random.default_rng(0))[0])
    [0. 0. 0. 2. 2. 2. 2. 2.]
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = check_number("Dropout: p", p, 0.0, 1.0)

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Cache]:
        """In training, a random part of x, scaled up; otherwise x itself.

        Args:
            x: any shape with at least one dimension, float32 or float64.
            training: the generator that the mask is drawn from, in training only.

        Returns:
            ``(y, cache)``: y as x in shape and dtype. The cache is the shape of x, an empty array
            of its kind, and what x was multiplied by.

        Raises:
            ValueError: x is empty, or has no dimension.
            TypeError: x is no array of float32 or float64, or ``training`` is no generator.
        """
        check_float("Dropout: x", x)
        check_training("Dropout", training)
        kind = namespace(x).empty((0,), dtype=x.dtype, device=x.device)  # x itself may be large
        if training is None or self.p == 0:
            return x, (x.shape, kind, None)
        scale = random_mask(1 - self.p, x, training) / (1 - self.p)
        return x * scale, (x.shape, kind, scale)

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = True
    ) -> tuple[Array, Gradients]:
        """Multiply the gradient by what x was multiplied by.

        Formula:
            dx = dy · mask / (1 − p)

        Args:
            dy: gradient of the loss at y, as y in shape, dtype and device.
            cache: what ``forward`` gave beside y.
            input_grad: makes no difference here, since dx is all there is.

        Returns:
            ``(dx, {})``: dx as x in shape and dtype. There are no parameters.

        Raises:
            ValueError: dy has another shape than y, or is on another device.
            TypeError: dy has another dtype than y.
        """
        shape, kind, scale = cache
        check_array("Dropout: dy", dy, shape, like=kind)
        return dy if scale is None else dy * scale, {}

    def __repr__(self) -> str:
        return f"Dropout({self.p})"
