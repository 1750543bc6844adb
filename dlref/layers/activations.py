"""Activation functions: the bend between two linear layers, one element at a time.

Without it, a stack of linear layers is one linear layer. Each class here is a layer without
parameters; x and y have any shape.

Each is defined at ±∞ and leaves NaN as it is; the next loss or optimizer names it.
"""

from dlref.backend import Array, namespace, where_positive
from dlref.checks import check_array, check_float
from dlref.layer import Gradients, Layer, Training


class ReLU(Layer):
    """The rectified linear unit: what is negative becomes 0, the rest stays.

    The derivative is 1 where x > 0, else 0. At 0 itself it has none, and we take 0.

    Formula:
        y = max(x, 0)

    Source: Nair & Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines,
    ICML 2010, https://mlanthology.org/icml/2010/nair2010icml-rectified/

    >>> import numpy as np
    >>> import dlref
    >>> y, cache = dlref.ReLU().forward(np.array([-1.0, 0.0, 2.0]))
    >>> print(y)
    [0. 0. 2.]
    """

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Array]:
        """Map x to y, element by element.

        Args:
            x: any shape with at least one dimension, float32 or float64.
            training: makes no difference here.

        Returns:
            ``(y, cache)``: y as x in shape and dtype. The cache is y.

        Raises:
            ValueError: x is empty, or has no dimension.
            TypeError: x is not an array, or not float32 or float64.
        """
        check_float("ReLU: x", x)
        xp = namespace(x)
        y = xp.maximum(x, xp.zeros((), dtype=x.dtype, device=x.device))
        return y, y

    def backward(
        self, dy: Array, cache: Array, *, input_grad: bool = True
    ) -> tuple[Array, Gradients]:
        """Multiply the gradient at the output by the derivative: [y > 0] is 1 where y > 0, else 0.

        Formula:
            dx = dy · [y > 0]

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
        y = cache
        check_array("ReLU: dy", dy, y.shape, like=y)
        return where_positive(dy, y), {}


class Sigmoid(Layer):
    """The logistic sigmoid: any number becomes one between 0 and 1.

    The derivative is y (1 − y), at most 1/4. The exponential is taken of −|x| only, so that it
    cannot overflow: for x < 0 the same value is exp(x) / (1 + exp(x)).

    Formula:
        y = 1 / (1 + exp(−x))

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 3.10,
    https://www.deeplearningbook.org

    >>> import numpy as np
    >>> import dlref
    >>> y, cache = dlref.Sigmoid().forward(np.array([-1e4, 0.0, 1e4]))
    >>> print(y)
    [0.  0.5 1. ]
    """

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Array]:
        """Map x to y, element by element.

        Args:
            x: any shape with at least one dimension, float32 or float64.
            training: makes no difference here.

        Returns:
            ``(y, cache)``: y as x in shape and dtype. The cache is y.

        Raises:
            ValueError: x is empty, or has no dimension.
            TypeError: x is not an array, or not float32 or float64.
        """
        check_float("Sigmoid: x", x)
        xp = namespace(x)
        small = xp.exp(-xp.abs(x))
        y = xp.where(x >= 0, xp.ones_like(x), small) / (1 + small)
        return y, y

    def backward(
        self, dy: Array, cache: Array, *, input_grad: bool = True
    ) -> tuple[Array, Gradients]:
        """Multiply the gradient at the output by the derivative.

        Formula:
            dx = dy · y (1 − y)

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
        y = cache
        check_array("Sigmoid: dy", dy, y.shape, like=y)
        return dy * (y * (1 - y)), {}


class Tanh(Layer):
    """The hyperbolic tangent: any number becomes one between −1 and 1.

    The derivative is 1 − y², at most 1.

    Formula:
        y = tanh(x)

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.3.2,
    https://www.deeplearningbook.org

    >>> import numpy as np
    >>> import dlref
    >>> y, cache = dlref.Tanh().forward(np.array([-1e4, 0.0, 1e4]))
    >>> print(y)
    [-1.  0.  1.]
    """

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Array]:
        """Map x to y, element by element.

        Args:
            x: any shape with at least one dimension, float32 or float64.
            training: makes no difference here.

        Returns:
            ``(y, cache)``: y as x in shape and dtype. The cache is y.

        Raises:
            ValueError: x is empty, or has no dimension.
            TypeError: x is not an array, or not float32 or float64.
        """
        check_float("Tanh: x", x)
        y = namespace(x).tanh(x)
        return y, y

    def backward(
        self, dy: Array, cache: Array, *, input_grad: bool = True
    ) -> tuple[Array, Gradients]:
        """Multiply the gradient at the output by the derivative.

        Formula:
            dx = dy · (1 − y²)

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
        y = cache
        check_array("Tanh: dy", dy, y.shape, like=y)
        return dy * (1 - y * y), {}
