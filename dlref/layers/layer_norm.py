"""Layer normalization: each row at mean 0 and variance 1, then scaled and shifted."""

from types import MappingProxyType

import numpy as np

from dlref import kernels
from dlref.backend import Array, namespace
from dlref.checks import check_array, check_number, check_rows, check_size
from dlref.layer import Cache, Gradients, Layer, Training
from dlref.layers.linear import as_rows


class LayerNorm(Layer):
    """Shifts and scales each row to mean 0 and variance 1, then by learned numbers for each column.

    ``params["weight"]`` is γ, of shape (D,), and starts at 1; ``params["bias"]`` is β, of shape
    (D,), and starts at 0. Both are float32 on NumPy; ``to`` moves them. Mean and variance are those
    of a row.

    PyTorch's kernel in float32 is off by about 10⁻⁷ of mean over deviation, where rows are far from
    0; the plain code is not.

    Formula:
        x̂ = (x − mean(x)) / √(variance(x) + ε)
        y = γ x̂ + β

    Args:
        features: length of a row, D.
        eps: ε, above 0.

    Raises:
        ValueError: ``features`` is below 1, or ``eps`` is too small.
        TypeError: one of them is not a number of its kind.

    Source: Ba, Kiros & Hinton, Layer Normalization (2016), equations 3 and 4,
    https://arxiv.org/abs/1607.06450

    >>> import numpy as np
    >>> import dlref
    >>> y, cache = dlref.LayerNorm(3).forward(np.array([[1, 2, 3], [10, 20, 30]], "float32"))
    >>> print(y.round(2))
    [[-1.22  0.    1.22]
     [-1.22  0.    1.22]]
    """

    def __init__(self, features: int, eps: float = 1e-5) -> None:
        features = check_size("LayerNorm: features", features)
        self.eps = check_number("LayerNorm: eps", eps, 1e-38)
        weight, bias = np.ones(features, np.float32), np.zeros(features, np.float32)
        self.params = MappingProxyType({"weight": weight, "bias": bias})

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Cache]:
        """Map each row of x to a row of y.

        Args:
            x: rows (N, D), or (..., D), of the dtype and on the device of the parameters.
            training: makes no difference here.

        Returns:
            ``(y, cache)``: y as x in shape and dtype. The cache is x̂ and 1/√(variance + ε), or
            PyTorch's own.

        Raises:
            ValueError: the shape or the device does not fit.
            TypeError: ``x`` has another dtype than the parameters.
        """
        weight, bias = self.params["weight"], self.params["bias"]
        check_rows("LayerNorm: x", x, weight.shape[0], like=weight)
        if kernel := kernels.layer_norm(x, weight, bias, eps=self.eps):
            return kernel.y, kernel
        normalized = x - _mean(x)
        normalized -= _mean(normalized)  # the mean of large numbers was rounded
        scale = (_mean(normalized * normalized) + self.eps) ** -0.5  # (..., 1)
        normalized *= scale
        y = weight * normalized
        y += bias
        return y, (normalized, scale)

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = True
    ) -> tuple[Array | None, Gradients]:
        """Map the gradient at y to those at γ, β and x. Moving all of a row changes nothing.

        In the formula, d is the gradient at x̂.

        Formula:
            dγ = Σₙ dy[n] x̂[n]
            dβ = Σₙ dy[n]
            d = dy γ
            dx = (d − mean(d) − x̂ mean(d x̂)) / √(variance(x) + ε)

        Args:
            dy: gradient of the loss at y, as y in shape, dtype and device.
            cache: what ``forward`` gave beside y.
            input_grad: where False, dx is not computed.

        Returns:
            ``(dx, grads)``: dx in the shape of x, or ``None``; ``grads["weight"]`` (D,) is dγ,
            ``grads["bias"]`` (D,) is dβ. All have the dtype of dy.

        Raises:
            ValueError: dy has another shape than y, or is on another device.
            TypeError: dy has another dtype than y.
        """
        if isinstance(cache, kernels.Kernel):
            check_array("LayerNorm: dy", dy, cache.y.shape, like=cache.y)
            dx, dweight, dbias = cache.gradients(dy, input_grad)
            return dx, {"weight": dweight, "bias": dbias}
        normalized, scale = cache
        check_array("LayerNorm: dy", dy, normalized.shape, like=normalized)
        sum_rows = namespace(dy).sum
        grads = {
            "weight": sum_rows(as_rows(dy * normalized), axis=0),
            "bias": sum_rows(as_rows(dy), axis=0),
        }
        if not input_grad:
            return None, grads
        d = dy * self.params["weight"]
        return scale * (d - _mean(d) - normalized * _mean(d * normalized)), grads

    def __repr__(self) -> str:
        return f"LayerNorm({self.params['weight'].shape[0]}, eps={self.eps})"


def _mean(x: Array) -> Array:
    return namespace(x).sum(x, axis=-1, keepdims=True) / x.shape[-1]
