"""Activation functions: the bend between two linear layers, one element at a time.

Without it, a stack of linear layers is one linear layer. Each class here is a layer without
parameters; x and y have any shape.

Each is defined at ±∞ and leaves NaN as it is; the next loss or optimizer names it.
"""

from dlref.backend import Array, namespace
from dlref.checks import check_array, check_float
from dlref.layer import Gradients, Layer


class ReLU(Layer):
    """y = max(x, 0). The derivative is 1 where x > 0, else 0; at 0 itself we take 0.

    Source: Nair & Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines,
    ICML 2010.

    >>> import numpy as np
    >>> ReLU().forward(np.array([-1.0, 0.0, 2.0]))[0]
    array([0., 0., 2.])
    """

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Map x to max(x, 0)."""
        check_float("ReLU: x", x)
        xp = namespace(x)
        y = xp.maximum(x, xp.zeros((), dtype=x.dtype, device=x.device))
        return y, y

    def backward(
        self, dy: Array, cache: Array, *, input_grad: bool = True
    ) -> tuple[Array, Gradients]:
        """dx = dy where y > 0, else 0."""
        y = cache
        check_array("ReLU: dy", dy, y.shape, like=y)
        return dy * namespace(y).astype(y > 0, y.dtype), {}


class Sigmoid(Layer):
    """y = 1 / (1 + exp(-x)), between 0 and 1. The derivative is y (1 - y), at most 1/4.

    exp is taken of -|x| only, so that it cannot overflow: for x < 0 the same value is
    exp(x) / (1 + exp(x)).

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 3.10.

    >>> import numpy as np
    >>> Sigmoid().forward(np.array([-1e4, 0.0, 1e4]))[0]
    array([0. , 0.5, 1. ])
    """

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Map x to 1 / (1 + exp(-x))."""
        check_float("Sigmoid: x", x)
        xp = namespace(x)
        small = xp.exp(-xp.abs(x))
        y = xp.where(x >= 0, xp.ones_like(x), small) / (1 + small)
        return y, y

    def backward(
        self, dy: Array, cache: Array, *, input_grad: bool = True
    ) -> tuple[Array, Gradients]:
        """dx = dy y (1 - y)."""
        y = cache
        check_array("Sigmoid: dy", dy, y.shape, like=y)
        return dy * (y * (1 - y)), {}


class Tanh(Layer):
    """y = tanh(x), between -1 and 1. The derivative is 1 - y², at most 1.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.3.2.

    >>> import numpy as np
    >>> Tanh().forward(np.array([-1e4, 0.0, 1e4]))[0]
    array([-1.,  0.,  1.])
    """

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Map x to tanh(x)."""
        check_float("Tanh: x", x)
        y = namespace(x).tanh(x)
        return y, y

    def backward(
        self, dy: Array, cache: Array, *, input_grad: bool = True
    ) -> tuple[Array, Gradients]:
        """dx = dy (1 - y²)."""
        y = cache
        check_array("Tanh: dy", dy, y.shape, like=y)
        return dy * (1 - y * y), {}
