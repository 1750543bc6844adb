"""Embedding: a learned row of numbers for each token, and one for each position."""

from types import MappingProxyType

import numpy as np

from dlref.backend import Array, namespace, scatter_add_rows
from dlref.checks import check_array, check_device, check_generator, check_number, check_size
from dlref.integers import as_int64, check_range
from dlref.layer import Cache, Gradients, Layer, Training


class Embedding(Layer):
    """Looks up a row for each token, and adds a row for its position in the text.

    ``params["weight"]`` is W, of shape (V, D), and ``params["position"]`` is P, of shape (T, D);
    both start normal, with mean 0 and standard deviation ``std``. Without P, attention could not
    tell the order of words.

    Formula:
        y[n, t] = W[x[n, t]] + P[t]

    Args:
        tokens: how many different tokens there are, V.
        context: the longest text, T tokens.
        features: length of a row, D.
        rng: the generator that W and P are drawn from.
        std: standard deviation of their first values.

    Raises:
        ValueError: a size is below 1, or ``std`` is negative or not finite.
        TypeError: a size or ``std`` is not a number of its kind, or ``rng`` is not a generator.

    Source: Radford et al., Language Models are Unsupervised Multitask Learners (2019), section 2.3,
    after Vaswani et al., Attention Is All You Need (2017), section 3.5,
    https://arxiv.org/abs/1706.03762

    >>> import numpy as np
    >>> import dlref
    >>> layer = dlref.Embedding(10, 8, 4, np.random.default_rng(0))
    >>> y, cache = layer.forward(np.array([[3, 1, 3]]))
    >>> print(y.shape)
    (1, 3, 4)
    """

    def __init__(
        self,
        tokens: int,
        context: int,
        features: int,
        rng: np.random.Generator,
        std: float = 0.02,
    ) -> None:
        tokens = check_size("Embedding: tokens", tokens)
        context = check_size("Embedding: context", context)
        features = check_size("Embedding: features", features)
        check_generator("Embedding", rng)
        check_number("Embedding: std", std, 0.0)
        self.params = MappingProxyType(
            {
                "weight": rng.normal(0.0, std, (tokens, features)).astype(np.float32),
                "position": rng.normal(0.0, std, (context, features)).astype(np.float32),
            }
        )

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Cache]:
        """Map tokens to rows.

        Args:
            x: tokens (N, t), integers in [0, V), with t at most T, on the device of the weights.
            training: makes no difference here.

        Returns:
            ``(y, cache)``: y (N, t, D) in the dtype of the weights. The cache is x.

        Raises:
            ValueError: the shape or the device does not fit, or a token is not in [0, V) (which on
                a GPU is not looked at).
            TypeError: ``x`` is not an array of integers.
        """
        weight, position = self.params["weight"], self.params["position"]
        check_device("Embedding: x", x, like=weight)
        x = as_int64("Embedding: x", x)
        if x.ndim != 2 or 0 in x.shape or x.shape[1] > position.shape[0]:
            raise ValueError(
                f"Embedding: x must have shape (N, t), t from 1 to {position.shape[0]}, "
                f"got {tuple(x.shape)}"
            )
        check_range("Embedding: x", x, weight.shape[0])
        xp = namespace(weight)
        rows = xp.take(weight, xp.reshape(x, (-1,)), axis=0)  # (N t, D)
        return xp.reshape(rows, (*x.shape, -1)) + position[: x.shape[1], :], x

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = True
    ) -> tuple[None, Gradients]:
        """Add up the gradients of every place where a token or a position stands.

        Formula:
            dW[v] = Σ dy[n, t] where x[n, t] = v
            dP[t] = Σₙ dy[n, t]

        Args:
            dy: gradient of the loss at y (N, t, D), in the dtype and on the device of the weights.
            cache: what ``forward`` gave beside y.
            input_grad: makes no difference here, since tokens have no gradient.

        Returns:
            ``(None, grads)``: ``grads["weight"]`` (V, D) is dW, ``grads["position"]`` (T, D) is dP.
            Both have the dtype of dy.

        Raises:
            ValueError: dy has another shape than y, or is on another device.
            TypeError: dy has another dtype than y.
        """
        x, weight, position = cache, self.params["weight"], self.params["position"]
        check_array("Embedding: dy", dy, (*x.shape, weight.shape[1]), like=weight)
        xp = namespace(dy)
        dweight, dposition = xp.zeros_like(weight), xp.zeros_like(position)
        scatter_add_rows(dweight, xp.reshape(x, (-1,)), xp.reshape(dy, (-1, dy.shape[-1])))
        dposition[: x.shape[1], :] = xp.sum(dy, axis=0)
        return None, {"weight": dweight, "position": dposition}

    def __repr__(self) -> str:
        (tokens, features), (context, _) = (p.shape for p in self.params.values())
        return f"Embedding({tokens}, {context}, {features})"
