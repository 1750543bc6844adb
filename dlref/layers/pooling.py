"""Max pooling: of each window, only the largest pixel goes on."""

from dlref import kernels
from dlref.backend import Array, namespace, where_positive
from dlref.checks import check_array, check_float, check_size
from dlref.layer import Cache, Gradients, Layer, Training
from dlref.layers.windows import offsets, output_size


class MaxPool2d(Layer):
    """The largest pixel of each window; of equal ones, the first in reading order.

    Pixels must be finite: which one is the largest is told by differences, and ∞ − ∞ is NaN.

    Formula:
        y[n, c, i, j] = max x[n, c, S i + k, S j + l],  0 ≤ k, l < K

    Args:
        kernel_size: height and width of a window, K.
        stride: pixels from one window to the next, S; K where left out, so that none overlap.

    Raises:
        ValueError: a size is below 1.
        TypeError: a size is not a whole number.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 9.3,
    https://www.deeplearningbook.org

    >>> import numpy as np
    >>> import dlref
    >>> y, cache = dlref.MaxPool2d(2).forward(np.arange(16.0).reshape(1, 1, 4, 4))
    >>> print(y[0, 0])
    [[ 5.  7.]
     [13. 15.]]
    """

    def __init__(self, kernel_size: int, stride: int | None = None) -> None:
        kernel_size = check_size("MaxPool2d: kernel_size", kernel_size)
        stride = check_size("MaxPool2d: stride", kernel_size if stride is None else stride)
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Cache]:
        """Map images to smaller ones.

        Args:
            x: images (N, C, H, W), float32 or float64.
            training: makes no difference here.

        Returns:
            ``(y, cache)``: y (N, C, H', W') in the dtype of x, with H' = ⌊(H − K) / S⌋ + 1, W'
            alike. The cache is x and y, or PyTorch's own.

        Raises:
            ValueError: x is no batch of images, or they are smaller than a window.
            TypeError: x is not an array, or not float32 or float64.
        """
        check_float("MaxPool2d: x", x)
        if x.ndim != 4:
            raise ValueError(f"MaxPool2d: x must have shape (N, C, H, W), got {tuple(x.shape)}")
        for length in x.shape[2:]:
            output_size("MaxPool2d", length, self.kernel_size, self.stride)
        if kernel := kernels.max_pool2d(x, size=self.kernel_size, stride=self.stride):
            return kernel.y, kernel
        xp, (first, *others) = namespace(x), offsets(x.shape, self.kernel_size, self.stride)
        y = xp.asarray(x[first], copy=True)
        for index in others:
            y = xp.maximum(y, x[index])
        return y, (x, y)

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = True
    ) -> tuple[Array, Gradients]:
        """Give each window's gradient to its largest pixel; a pixel collects from all its windows.

        Args:
            dy: gradient of the loss at y (N, C, H', W'), in the dtype and on the device of x.
            cache: what ``forward`` gave beside y.
            input_grad: makes no difference here, since dx is all there is.

        Returns:
            ``(dx, {})``: dx as x in shape and dtype. There are no parameters.

        Raises:
            ValueError: dy has another shape than y, or is on another device.
            TypeError: dy has another dtype than y.
        """
        if isinstance(cache, kernels.Kernel):
            check_array("MaxPool2d: dy", dy, cache.y.shape, like=cache.y)
            return cache.gradients(dy, True)[0], {}
        x, y = cache
        check_array("MaxPool2d: dy", dy, y.shape, like=y)
        dx, left = namespace(dy).zeros_like(x), dy
        overlap = self.stride < self.kernel_size
        *others, last = offsets(x.shape, self.kernel_size, self.stride)
        for index in others:
            after = where_positive(left, y - x[index])  # 0 where this pixel is the largest
            share = left - after
            # without overlap each pixel is in one window, and there is nothing yet to add to
            dx[index] = (dx[index] + share) if overlap else share
            left = after
        dx[last] += left  # no other pixel was the largest
        return dx, {}

    def __repr__(self) -> str:
        stride = "" if self.stride == self.kernel_size else f", stride={self.stride}"
        return f"MaxPool2d({self.kernel_size}{stride})"
