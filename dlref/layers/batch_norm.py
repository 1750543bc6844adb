"""Batch normalization: each channel at mean 0 and variance 1 over the batch."""

import math
from types import MappingProxyType

import numpy as np

from dlref.backend import Array, namespace
from dlref.checks import (
    check_array,
    check_channels,
    check_finite,
    check_number,
    check_size,
    check_training,
)
from dlref.layer import Cache, Gradients, Layer, Training


class BatchNorm(Layer):
    """Shifts and scales each channel to mean 0 and variance 1, then by learned numbers.

    ``params["weight"]`` is γ, of shape (C,), and starts at 1; ``params["bias"]`` is β, of shape
    (C,), and starts at 0. In training, mean and variance are those of the channel in the batch;
    ``buffers["running_mean"]`` and ``buffers["running_var"]`` (C,) move towards them at every
    forward pass. Otherwise these running ones are used, so that an example's output does not depend
    on its batch.

    Formula:
        x̂ = (x − mean(x)) / √(variance(x) + ε)
        y = γ x̂ + β
        running ← (1 − momentum) running + momentum · batch

    Args:
        channels: C.
        momentum: how far the running numbers move, in [0, 1).
        eps: ε, above 0.

    Raises:
        ValueError: ``channels`` is below 1, or another number is outside its range.
        TypeError: one of them is not a number of its kind.

    Source: Ioffe & Szegedy, Batch Normalization (ICML 2015), algorithm 1 and section 3.1,
    https://arxiv.org/abs/1502.03167; the running variance is that of a sample, as in PyTorch.

    >>> import numpy as np
    >>> import dlref
    >>> layer, rng = dlref.BatchNorm(2), np.random.default_rng(0)
    >>> x = np.array([[1, 10], [2, 20], [3, 30]], "float32")
    >>> print(layer.forward(x, training=rng)[0].round(2))
    [[-1.22 -1.22]
     [ 0.    0.  ]
     [ 1.22  1.22]]
    >>> print(layer.buffers["running_mean"])  # a tenth of the way to 2 and 20
    [0.2 2. ]
    """

    def __init__(self, channels: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        channels = check_size("BatchNorm: channels", channels)
        self.momentum = check_number("BatchNorm: momentum", momentum, 0.0, 1.0)
        self.eps = check_number("BatchNorm: eps", eps, 1e-38)
        zeros, ones = np.zeros(channels, np.float32), np.ones(channels, np.float32)
        self.params = MappingProxyType({"weight": ones, "bias": zeros})
        self.buffers = MappingProxyType({"running_mean": zeros.copy(), "running_var": ones.copy()})

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Cache]:
        """Map each channel of x to one of y.

        Args:
            x: (N, C), or (N, C, H, W), of the dtype and on the device of the parameters.
            training: in training, any generator; it is not drawn from.

        Returns:
            ``(y, cache)``: y as x in shape and dtype. The cache is x̂, 1/√(variance + ε), and
            whether they are the batch's.

        Raises:
            ValueError: the shape or the device does not fit, or a channel has one number, in
                training, which has no variance.
            TypeError: ``x`` has another dtype than the parameters, or ``training`` is no generator.
        """
        weight, bias = self.params["weight"], self.params["bias"]
        check_channels("BatchNorm: x", x, weight.shape[0], like=weight, ndims=(2, 4))
        check_training("BatchNorm", training)
        if training is None:
            mean, variance = _spread(self.buffers["running_mean"], x), self.buffers["running_var"]
            centered, variance = x - mean, _spread(variance, x)
        else:
            numbers = math.prod(x.shape) // x.shape[1]
            if numbers == 1:
                raise ValueError(
                    f"BatchNorm: x has shape {tuple(x.shape)}, one number a channel, which has no "
                    "variance: train with larger batches"
                )
            mean = _mean(x)
            centered = x - mean
            rest = _mean(centered)  # the mean of large numbers was rounded
            mean, centered = mean + rest, centered - rest
            variance = _mean(centered * centered)
            sample_variance = variance * (numbers / (numbers - 1))
            check_finite("BatchNorm: the batch's mean", mean)  # the running one keeps it for good
            check_finite("BatchNorm: the batch's variance", sample_variance)
            for name, batch in (("running_mean", mean), ("running_var", sample_variance)):
                running = self.buffers[name]
                running *= 1 - self.momentum
                running += self.momentum * namespace(x).reshape(batch, running.shape)
        scale = (variance + self.eps) ** -0.5  # (1, C, 1, 1)
        normalized = centered * scale
        y = _spread(weight, x) * normalized + _spread(bias, x)
        return y, (normalized, scale, training is not None)

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = True
    ) -> tuple[Array | None, Gradients]:
        """Map the gradient at y to those at γ, β and x.

        In training, moving a whole channel changes nothing; otherwise mean and variance are
        constants, and dx is d / √(variance + ε). Here d is the gradient at x̂.

        Formula:
            dγ = Σ dy x̂
            dβ = Σ dy
            d = dy γ
            dx = (d − mean(d) − x̂ mean(d x̂)) / √(variance(x) + ε)

        Args:
            dy: gradient of the loss at y, as y in shape, dtype and device.
            cache: what ``forward`` gave beside y.
            input_grad: where False, dx is not computed.

        Returns:
            ``(dx, grads)``: dx in the shape of x, or ``None``; ``grads["weight"]`` (C,) is dγ,
            ``grads["bias"]`` (C,) is dβ. All have the dtype of dy.

        Raises:
            ValueError: dy has another shape than y, or is on another device.
            TypeError: dy has another dtype than y.
        """
        normalized, scale, of_batch = cache
        check_array("BatchNorm: dy", dy, normalized.shape, like=normalized)
        xp, axes = namespace(dy), _axes(dy)
        grads = {"weight": xp.sum(dy * normalized, axis=axes), "bias": xp.sum(dy, axis=axes)}
        if not input_grad:
            return None, grads
        d = dy * _spread(self.params["weight"], dy)
        if of_batch:
            d = d - _mean(d) - normalized * _mean(d * normalized)
        return scale * d, grads

    def __repr__(self) -> str:
        channels = self.params["weight"].shape[0]
        return f"BatchNorm({channels}, momentum={self.momentum}, eps={self.eps})"


def _axes(x: Array) -> tuple[int, ...]:
    """All but the channels'."""
    return (0, *range(2, x.ndim))


def _mean(x: Array) -> Array:
    total = namespace(x).sum(x, axis=_axes(x), keepdims=True)  # (1, C, 1, 1)
    return total * (x.shape[1] / math.prod(x.shape))


def _spread(values: Array, x: Array) -> Array:
    """One number a channel, (C,), in the shape that meets x: (1, C, 1, 1)."""
    return namespace(x).reshape(values, (1, -1, *[1] * (x.ndim - 2)))
