"""The linear layer: every output is a weighted sum of all inputs, plus a bias."""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from dlref.backend import Array, asarray, namespace
from dlref.checks import check_array, check_finite, check_matrix
from dlref.layer import Gradients, Layer
from dlref.weight_initialization import check_arguments, he_normal

Initializer = Callable[[int, int, np.random.Generator], np.ndarray]


class Linear(Layer):
    """y = x W + b.

    Args:
        in_features: length of an input row, D.
        out_features: length of an output row, M.
        rng: the generator that the weights are drawn from.
        init: ``he_normal``, ``glorot_uniform``, or any function of the same arguments.

    ``params["weight"]`` has shape (D, M), so that the code reads ``x @ weight + bias``
    (``torch.nn.Linear`` keeps the transpose); ``params["bias"]`` has shape (M,) and starts
    at 0. Both are float32 on NumPy; ``to`` moves them.

    Raises:
        ValueError: a size is below 1, or ``init`` gives another shape or NaN.
        TypeError: a size is not a whole number, or ``rng`` is not a generator.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.1.

    >>> import numpy as np
    >>> layer = Linear(3, 2, np.random.default_rng(0))
    >>> y, cache = layer.forward(np.ones((5, 3), dtype="float32"))
    >>> y.shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        rng: np.random.Generator,
        init: Initializer = he_normal,
    ) -> None:
        check_arguments("Linear", in_features, out_features, rng)
        weight = asarray(init(in_features, out_features, rng), dtype="float32")
        bias = np.zeros(out_features, dtype=np.float32)
        check_array("Linear: init's result", weight, (in_features, out_features), like=bias)
        check_finite("Linear: init's result", weight)
        self.params = MappingProxyType({"weight": weight, "bias": bias})

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Map x (N, D) to y (N, M).

        Raises:
            ValueError: the shape or the device does not fit.
            TypeError: ``x`` has another dtype than the weights.
        """
        weight, bias = self.params["weight"], self.params["bias"]
        check_matrix("Linear: x", x, weight.shape[0], like=weight)
        y = x @ weight  # (N, D) @ (D, M)
        y += bias  # (M,), in place: y is ours, and a second array of its size would cost time
        return y, x

    def backward(
        self, dy: Array, cache: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Gradients]:
        """dW = xᵀ dy (D, M), db = the sum of dy's rows (M,), dx = dy Wᵀ (N, D)."""
        x, weight = cache, self.params["weight"]
        check_array("Linear: dy", dy, (x.shape[0], weight.shape[1]), like=x)
        grads = {"weight": x.T @ dy, "bias": namespace(dy).sum(dy, axis=0)}
        return dy @ weight.T if input_grad else None, grads

    def __repr__(self) -> str:
        in_features, out_features = self.params["weight"].shape
        return f"Linear({in_features}, {out_features})"
