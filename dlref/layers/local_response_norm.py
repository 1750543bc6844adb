"""Local response normalization: neighboring channels inhibit each other, as in AlexNet."""

from dlref.backend import Array, namespace
from dlref.checks import check_array, check_float, check_number, check_size
from dlref.layer import Cache, Gradients, Layer, Training


class LocalResponseNorm(Layer):
    """Divides each pixel by a power of the squares of the same pixel in neighboring channels.

    The sum runs over the n channels around c, fewer at the first and the last. (PyTorch's class of
    this name divides α by n, which the paper does not.) AlexNet is the only net here that has it;
    later ones left it out.

    Formula:
        s[c] = k + α Σ x[j]²,  |j − c| ≤ (n − 1)/2
        y[c] = x[c] / s[c]^β

    Args:
        size: how many channels, n; an odd number.
        alpha: α, 0 or more.
        beta: β, 0 or more.
        k: above 0.

    Raises:
        ValueError: a number is outside its range, or ``size`` is even.
        TypeError: one of them is not a number of its kind.

    Source: Krizhevsky, Sutskever & Hinton, ImageNet Classification with Deep Convolutional Neural
    Networks (NIPS 2012), section 3.3, which gives these constants,
    https://papers.nips.cc/paper_files/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html

    >>> import numpy as np
    >>> import dlref
    >>> x = np.array([[0.0, 100.0, 100.0, 100.0]]).reshape(1, 4, 1, 1)
    >>> print(dlref.LocalResponseNorm().forward(x)[0].ravel().round(2))
    [ 0.   29.91 29.91 29.91]
    """

    def __init__(
        self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
    ) -> None:
        size = check_size("LocalResponseNorm: size", size)
        if size % 2 == 0:
            raise ValueError(f"LocalResponseNorm: size must be odd, got {size}")
        self.size = size
        self.alpha = check_number("LocalResponseNorm: alpha", alpha, 0.0)
        self.beta = check_number("LocalResponseNorm: beta", beta, 0.0)
        self.k = check_number("LocalResponseNorm: k", k, 1e-38)

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Cache]:
        """Map images to images of the same shape.

        Args:
            x: (N, C, H, W), or any (N, C, ...), float32 or float64.
            training: makes no difference here.

        Returns:
            ``(y, cache)``: y as x in shape and dtype. The cache is x, s and y.

        Raises:
            ValueError: x is empty, or has fewer than two dimensions.
            TypeError: x is not an array, or not float32 or float64.
        """
        check_float("LocalResponseNorm: x", x)
        if x.ndim < 2:
            raise ValueError(
                f"LocalResponseNorm: x must have shape (N, C, ...), got {tuple(x.shape)}"
            )
        s = self.k + self.alpha * self._sum_of_neighbors(x * x)
        y = x * s**-self.beta
        return y, (x, s, y)

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = True
    ) -> tuple[Array, Gradients]:
        """Map the gradient at y to that at x, which is in the sums of all its neighbors.

        Formula:
            dx[c] = dy[c] / s[c]^β − 2 α β x[c] Σ dy[j] y[j] / s[j],  |j − c| ≤ (n − 1)/2

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
        x, s, y = cache
        check_array("LocalResponseNorm: dy", dy, x.shape, like=x)
        through_sums = 2 * self.alpha * self.beta * x * self._sum_of_neighbors(dy * y / s)
        return dy * s**-self.beta - through_sums, {}

    def _sum_of_neighbors(self, x: Array) -> Array:
        """At each channel, the sum over the channels around it."""
        total = namespace(x).asarray(x, copy=True)
        for distance in range(1, min(self.size // 2 + 1, x.shape[1])):
            total[:, distance:, ...] += x[:, :-distance, ...]
            total[:, :-distance, ...] += x[:, distance:, ...]
        return total

    def __repr__(self) -> str:
        return f"LocalResponseNorm({self.size}, {self.alpha}, {self.beta}, {self.k})"
