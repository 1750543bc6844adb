"""The convolutional layer: the same weights at every place of an image."""

from types import MappingProxyType

import numpy as np

from dlref import kernels
from dlref.backend import Array, namespace
from dlref.checks import check_array, check_channels, check_finite, check_generator, check_size
from dlref.devices import asarray
from dlref.layer import Cache, Gradients, Layer, Training
from dlref.layers.linear import Initializer
from dlref.layers.windows import offsets, output_size, pad
from dlref.weight_initialization import he_normal


class Conv2d(Layer):
    """A convolution: every output is a weighted sum of a small window, the same weights everywhere.

    Strictly it is a cross-correlation, since the window is not mirrored. ``params["weight"]`` is W,
    of shape (M, C/G, K, K), as in PyTorch; ``params["bias"]`` is b, of shape (M,), and starts at 0.
    With G groups, each G-th part of the outputs sees only its own G-th part of the channels. In the
    formula c runs over the channels of the group, and x is 0 in the padding P.

    Formula:
        y[n, m, i, j] = b[m] + Σ W[m, c, k, l] x[n, c, S i + k − P, S j + l − P]

    Args:
        in_channels: channels of the input, C.
        out_channels: channels of the output, M.
        kernel_size: height and width of a window, K.
        rng: the generator that the weights are drawn from.
        stride: pixels from one window to the next, S.
        padding: rows and columns of zeros around the image, P.
        groups: G, which must divide C and M.
        init: ``he_normal`` or any function of the same arguments: the inputs of a unit, C K² / G,
            and the units, M.

    Raises:
        ValueError: a size is out of its range, or ``init`` gives another shape or NaN.
        TypeError: a size is not a whole number, or ``rng`` is not a generator.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), sections 9.1 and 9.5,
    https://www.deeplearningbook.org; groups: Krizhevsky, Sutskever & Hinton, ImageNet
    Classification with Deep Convolutional Neural Networks (NIPS 2012), section 3.5.

    >>> import numpy as np
    >>> import dlref
    >>> layer = dlref.Conv2d(1, 6, 5, np.random.default_rng(0), padding=2)
    >>> y, cache = layer.forward(np.ones((3, 1, 28, 28), dtype="float32"))
    >>> print(y.shape)
    (3, 6, 28, 28)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        rng: np.random.Generator,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        init: Initializer = he_normal,
    ) -> None:
        in_channels = check_size("Conv2d: in_channels", in_channels)
        out_channels = check_size("Conv2d: out_channels", out_channels)
        kernel_size = check_size("Conv2d: kernel_size", kernel_size)
        stride = check_size("Conv2d: stride", stride)
        padding = check_size("Conv2d: padding", padding, low=0)
        groups = check_size("Conv2d: groups", groups)
        check_generator("Conv2d", rng)
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"Conv2d: groups must divide the channels, got {groups} for {in_channels} in and "
                f"{out_channels} out"
            )
        self.stride, self.padding, self.groups = stride, padding, groups
        shape = (out_channels, in_channels // groups, kernel_size, kernel_size)
        inputs = shape[1] * kernel_size**2
        drawn = asarray(init(inputs, out_channels, rng), dtype="float32")
        bias = np.zeros(out_channels, dtype=np.float32)
        check_array("Conv2d: init's result", drawn, (inputs, out_channels), like=bias)
        check_finite("Conv2d: init's result", drawn)
        weight = np.ascontiguousarray(drawn.T).reshape(shape)  # (M, C/G K K): (M, C/G, K, K)
        self.params = MappingProxyType({"weight": weight, "bias": bias})

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Cache]:
        """Map images to images of M channels.

        Args:
            x: images (N, C, H, W), of the dtype and on the device of the weights.
            training: makes no difference here.

        Returns:
            ``(y, cache)``: y (N, M, H', W') in the same dtype, with H' = ⌊(H + 2 P − K) / S⌋ + 1,
            W' alike. The cache is every window of x as a column, about (K/S)² times as much
            as x, or PyTorch's own.

        Raises:
            ValueError: the shape or the device does not fit, or the image is smaller than a window.
            TypeError: ``x`` has another dtype than the weights.
        """
        weight, bias = self.params["weight"], self.params["bias"]
        outputs, channels, size, _ = weight.shape
        check_channels("Conv2d: x", x, channels * self.groups, like=weight, ndims=(4,))
        height, width = (
            output_size("Conv2d", length + 2 * self.padding, size, self.stride)
            for length in x.shape[2:]
        )
        options = {"stride": self.stride, "padding": self.padding, "groups": self.groups}
        if kernel := kernels.conv2d(x, weight, bias, **options):
            return kernel.y, kernel
        xp, padded = namespace(x), pad(x, self.padding)
        pixels = [padded[index] for index in offsets(padded.shape, size, self.stride)]
        columns = xp.stack(pixels, axis=2)  # (N, C, K K, H', W')
        columns = xp.reshape(columns, (x.shape[0], self.groups, channels * size**2, -1))
        y = self._rows() @ columns  # (G, M/G, C/G K K) @ (N, G, C/G K K, H' W')
        y = xp.reshape(y, (x.shape[0], outputs, height, width))
        y += xp.reshape(bias, (-1, 1, 1))
        return y, (padded.shape, columns)

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = True
    ) -> tuple[Array | None, Gradients]:
        """Map the gradient at y to those at the weights, the bias and x.

        Each weight and each pixel collects from all windows that it was part of.

        Formula:
            dW[m, c, k, l] = Σ dy[n, m, i, j] x[n, c, S i + k − P, S j + l − P]
            db[m] = Σ dy[n, m, i, j]
            dx[n, c, S i + k − P, S j + l − P] ← Σ W[m, c, k, l] dy[n, m, i, j]

        Args:
            dy: gradient of the loss at y (N, M, H', W'), in the dtype and on the device of x.
            cache: what ``forward`` gave beside y.
            input_grad: where False, dx is not computed.

        Returns:
            ``(dx, grads)``: dx (N, C, H, W), or ``None``; ``grads["weight"]`` (M, C/G, K, K) is dW,
            ``grads["bias"]`` (M,) is db. All have the dtype of dy.

        Raises:
            ValueError: dy has another shape than y, or is on another device.
            TypeError: dy has another dtype than x.
        """
        if isinstance(cache, kernels.Kernel):
            check_array("Conv2d: dy", dy, cache.y.shape, like=cache.y)
            dx, dweight, dbias = cache.gradients(dy, input_grad)
            return dx, {"weight": dweight, "bias": dbias}
        shape, columns = cache
        weight, p = self.params["weight"], self.padding
        outputs, size = weight.shape[0], weight.shape[-1]
        height, width = (output_size("Conv2d", n, size, self.stride) for n in shape[2:])
        check_array("Conv2d: dy", dy, (shape[0], outputs, height, width), like=columns)
        xp = namespace(dy)
        d = xp.reshape(dy, (shape[0], self.groups, outputs // self.groups, -1))
        dweight = xp.sum(d @ xp.matrix_transpose(columns), axis=0)  # (G, M/G, C/G K K)
        grads = {
            "weight": xp.reshape(dweight, weight.shape),
            "bias": xp.sum(dy, axis=(0, 2, 3)),
        }
        if not input_grad:
            return None, grads
        dcolumns = xp.matrix_transpose(self._rows()) @ d  # (N, G, C/G K K, H' W')
        dcolumns = xp.reshape(dcolumns, (*shape[:2], size**2, height, width))
        dpadded = xp.zeros(shape, dtype=dy.dtype, device=dy.device)
        for k, index in enumerate(offsets(shape, size, self.stride)):
            dpadded[index] += dcolumns[:, :, k, ...]
        return dpadded[:, :, p : shape[2] - p, p : shape[3] - p], grads

    def _rows(self) -> Array:
        """The weights of each unit as a row, (G, M/G, C/G K K)."""
        weight = self.params["weight"]
        shape = (self.groups, weight.shape[0] // self.groups, -1)
        return namespace(weight).reshape(weight, shape)

    def __repr__(self) -> str:
        outputs, channels, size, _ = self.params["weight"].shape
        extra = "".join(
            f", {name}={value}"
            for name, value, default in (
                ("stride", self.stride, 1),
                ("padding", self.padding, 0),
                ("groups", self.groups, 1),
            )
            if value != default
        )
        return f"Conv2d({channels * self.groups}, {outputs}, {size}{extra})"
