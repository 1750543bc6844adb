"""GELU: an activation like ReLU, but smooth."""

import math

from dlref import kernels
from dlref.backend import Array, namespace
from dlref.checks import check_array, check_float
from dlref.layer import Cache, Gradients, Layer, Training

SLOPE = math.sqrt(2 / math.pi)
BEND = 0.044715 * SLOPE
FLAT = 10.0  # beyond ±10, tanh is ±1 to the last digit of float64


class GELU(Layer):
    """The Gaussian error linear unit: x times the probability that a normal number is below it.

    This is the approximation by tanh, which GPT-2 uses; it differs from the exact form by at most
    0.0005. PyTorch's kernel gives NaN at −∞, and a gradient of NaN where x² overflows.

    Formula:
        y = 1/2 x (1 + tanh(√(2/π) (x + 0.044715 x³)))

    Source: Hendrycks & Gimpel, Gaussian Error Linear Units (GELUs) (2016), section 2,
    https://arxiv.org/abs/1606.08415

    >>> import numpy as np
    >>> import dlref
    >>> y, cache = dlref.GELU().forward(np.array([-1e4, -1.0, 0.0, 1.0, 1e4]))
    >>> print(y.round(3).tolist())
    [-0.0, -0.159, 0.0, 0.841, 10000.0]
    """

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Cache]:
        """Map x to y, element by element.

        Args:
            x: any shape with at least one dimension, float32 or float64.
            training: makes no difference here.

        Returns:
            ``(y, cache)``: y as x in shape and dtype. The cache is dy/dx, or PyTorch's own.

        Raises:
            ValueError: x is empty, or has no dimension.
            TypeError: x is not an array, or not float32 or float64.
        """
        check_float("GELU: x", x)
        if kernel := kernels.gelu(x):
            return kernel.y, kernel
        xp = namespace(x)
        low = xp.clip(x, -FLAT, None)  # −∞ · 0 would be NaN; a NaN stays
        inner = xp.clip(low, None, FLAT)  # the square of a huge number overflows
        square = inner * inner
        probability = 0.5 * (1 + xp.tanh(inner * (SLOPE + BEND * square)))
        growth = inner * (2 * SLOPE + 6 * BEND * square)  # 2 x times the slope of tanh's argument
        return low * probability, probability * (1 + growth * (1 - probability))

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = True
    ) -> tuple[Array, Gradients]:
        """Multiply the gradient at the output by the derivative. In it, p is the probability.

        Formula:
            p = 1/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))
            dx = dy p (1 + 2 x (1 − p) √(2/π) (1 + 0.134145 x²))

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
        if isinstance(cache, kernels.Kernel):
            check_array("GELU: dy", dy, cache.y.shape, like=cache.y)
            return cache.gradients(dy, True)[0], {}
        check_array("GELU: dy", dy, cache.shape, like=cache)
        return dy * cache, {}
