"""Flatten: from images to rows, between convolutions and linear layers."""

import math

from dlref.backend import Array, namespace
from dlref.checks import check_array, check_float
from dlref.layer import Gradients, Layer, Training


class Flatten(Layer):
    """All dimensions of an example in one row.

    Formula:
        y[n] = (x[n, 0, 0, 0], x[n, 0, 0, 1], …)

    Source: PyTorch documentation, torch.nn.Flatten,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html

    >>> import numpy as np
    >>> import dlref
    >>> y, cache = dlref.Flatten().forward(np.zeros((5, 3, 4, 4)))
    >>> print(y.shape)
    (5, 48)
    """

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Array]:
        """Map each example to a row.

        Args:
            x: examples of any shape (N, ...), float32 or float64.
            training: makes no difference here.

        Returns:
            ``(y, cache)``: y (N, D) in the dtype of x, which may share its memory. The cache is x.

        Raises:
            ValueError: x is empty, or has no dimension.
            TypeError: x is not an array, or not float32 or float64.
        """
        check_float("Flatten: x", x)
        return namespace(x).reshape(x, (x.shape[0], -1)), x

    def backward(
        self, dy: Array, cache: Array, *, input_grad: bool = True
    ) -> tuple[Array, Gradients]:
        """Give the gradient the shape of x.

        Args:
            dy: gradient of the loss at y (N, D), in the dtype and on the device of x.
            cache: what ``forward`` gave beside y.
            input_grad: makes no difference here, since dx is all there is.

        Returns:
            ``(dx, {})``: dx as x in shape and dtype. There are no parameters.

        Raises:
            ValueError: dy has another shape than y, or is on another device.
            TypeError: dy has another dtype than y.
        """
        x = cache
        check_array("Flatten: dy", dy, (x.shape[0], math.prod(x.shape[1:])), like=x)
        return namespace(dy).reshape(dy, x.shape), {}
