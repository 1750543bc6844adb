"""The residual connection: layers whose output is added to their input."""

from dlref.backend import Array
from dlref.layer import Cache, Gradients, Training
from dlref.neural_network import Sequential


class Residual(Sequential):
    """Layers one after another whose output is added to their input, so that they correct it.

    The gradient passes by the layers too, whatever they do to it. Their output has the shape of
    their input.

    Formula:
        y = x + f(x)

    Args:
        layers: at least one, first to last.

    Raises:
        ValueError: there is no layer, or a layer or an array stands in the network twice.
        TypeError: something is not a layer.

    Source: He et al., Deep Residual Learning for Image Recognition (2015), equation 1,
    https://arxiv.org/abs/1512.03385

    >>> import numpy as np
    >>> import dlref
    >>> y, cache = dlref.Residual(dlref.ReLU()).forward(np.array([[-1.0, 2.0]]))
    >>> print(y)
    [[-1.  4.]]
    """

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Cache]:
        """Map the input through every layer, and add the input.

        Args:
            x: the input, in the shape, the dtype and on the device that the first layer takes.
            training: the generator that random layers draw from, in training only.

        Returns:
            ``(y, caches)``: the output, as x in shape and dtype, and every layer's cache.

        Raises:
            ValueError: x holds NaN or infinity, a shape or a device does not fit, or the layers
                change the shape.
            TypeError: x is not an array, or a dtype does not fit.
        """
        y, cache = super().forward(x, training=training)
        if y.shape != x.shape:
            raise ValueError(
                f"Residual: the layers must keep the shape, got {tuple(x.shape)} in and "
                f"{tuple(y.shape)} out"
            )
        return x + y, cache

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = True
    ) -> tuple[Array | None, Gradients]:
        """Map the gradient back through every layer, and add the gradient.

        Formula:
            dx = dy + dy · ∂f/∂x

        Args:
            dy: gradient of the loss at the output, in the output's shape and dtype.
            cache: the caches that ``forward`` gave.
            input_grad: where False, dx is not computed.

        Returns:
            ``(dx, grads)``: dx in the shape of x, or ``None``; the gradients by the names of
            ``params``, in their shapes. All have the dtype of dy.

        Raises:
            ValueError: the shape or the device of dy does not fit.
            TypeError: the dtype of dy does not fit.
        """
        dx, grads = super().backward(dy, cache, input_grad=input_grad)
        return None if dx is None else dy + dx, grads
