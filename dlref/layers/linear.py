"""The linear layer: every output is a weighted sum of all inputs, plus a bias."""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from dlref.backend import Array, affine, namespace
from dlref.checks import check_array, check_finite, check_rows
from dlref.devices import asarray
from dlref.layer import Gradients, Layer, Training
from dlref.weight_initialization import check_arguments, he_normal

Initializer = Callable[[int, int, np.random.Generator], np.ndarray]
"""A function of D, M and a generator that draws weights (D, M), as ``he_normal``."""


class Linear(Layer):
    """A linear layer: every output is a weighted sum of all inputs, plus a bias.

    ``params["weight"]`` is W, of shape (D, M), so that the code reads ``x @ weight + bias``
    (``torch.nn.Linear`` keeps the transpose); ``params["bias"]`` is b, of shape (M,), and starts
    at 0. Both are float32 on NumPy; ``to`` moves them.

    Formula:
        y = x W + b

    Args:
        in_features: length of an input row, D.
        out_features: length of an output row, M.
        rng: the generator that the weights are drawn from.
        init: ``he_normal``, ``glorot_uniform``, or any function of the same arguments.

    Raises:
        ValueError: a size is below 1, or ``init`` gives another shape or NaN.
        TypeError: a size is not a whole number, or ``rng`` is not a generator.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.1,
    https://www.deeplearningbook.org

    >>> import numpy as np
    >>> import dlref
    >>> layer = dlref.Linear(3, 2, np.random.default_rng(0))
    >>> y, cache = layer.forward(np.ones((5, 3), dtype="float32"))
    >>> print(y.shape)
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        rng: np.random.Generator,
        init: Initializer = he_normal,
    ) -> None:
        in_features, out_features = check_arguments("Linear", in_features, out_features, rng)
        weight = asarray(init(in_features, out_features, rng), dtype="float32")
        bias = np.zeros(out_features, dtype=np.float32)
        check_array("Linear: init's result", weight, (in_features, out_features), like=bias)
        check_finite("Linear: init's result", weight)
        self.params = MappingProxyType({"weight": weight, "bias": bias})

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Array]:
        """Map each row of x to a row of y.

        Args:
            x: rows (N, D), or (..., D) with more dimensions before the last; of the dtype and on
                the device of the weights.
            training: makes no difference here.

        Returns:
            ``(y, cache)``: y (N, M), or (..., M), in the same dtype. The cache is x.

        Raises:
            ValueError: the shape or the device does not fit.
            TypeError: ``x`` has another dtype than the weights.
        """
        weight, bias = self.params["weight"], self.params["bias"]
        check_rows("Linear: x", x, weight.shape[0], like=weight)
        y = affine(as_rows(x), weight, bias)  # (N, D) @ (D, M) + (M,)
        return y if x.ndim == 2 else namespace(y).reshape(y, (*x.shape[:-1], y.shape[1])), x

    def backward(
        self, dy: Array, cache: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Gradients]:
        """Map the gradient at y to those at the weights, the bias and x.

        Formula:
            dW = xᵀ dy
            db = Σₙ dy[n]
            dx = dy Wᵀ

        Args:
            dy: gradient of the loss at y, in its shape, of the dtype and on the device of x.
            cache: what ``forward`` gave beside y.
            input_grad: where False, dx is not computed.

        Returns:
            ``(dx, grads)``: dx in the shape of x, or ``None``; ``grads["weight"]`` (D, M) is dW,
            ``grads["bias"]`` (M,) is db. All have the dtype of dy.

        Raises:
            ValueError: dy has another shape than y, or is on another device.
            TypeError: dy has another dtype than x.
        """
        x, weight = cache, self.params["weight"]
        check_array("Linear: dy", dy, (*x.shape[:-1], weight.shape[1]), like=x)
        xp, dy_rows = namespace(dy), as_rows(dy)
        grads = {"weight": as_rows(x).T @ dy_rows, "bias": xp.sum(dy_rows, axis=0)}
        if not input_grad:
            return None, grads
        dx = dy_rows @ weight.T  # (N, M) @ (M, D)
        return dx if x.ndim == 2 else xp.reshape(dx, x.shape), grads

    def __repr__(self) -> str:
        in_features, out_features = self.params["weight"].shape
        return f"Linear({in_features}, {out_features})"


def as_rows(x: Array) -> Array:
    """x (..., D) as a matrix (N, D)."""
    return x if x.ndim == 2 else namespace(x).reshape(x, (-1, x.shape[-1]))
