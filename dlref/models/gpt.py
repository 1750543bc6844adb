"""GPT: a transformer that continues a text, token by token, to the architecture of GPT-2."""

import math

import numpy as np

from dlref.backend import Array, device_of, namespace
from dlref.checks import check_array, check_finite, check_number, check_size
from dlref.devices import asarray, resolve_device
from dlref.integers import as_int64, check_range
from dlref.layer import Cache, Gradients, Layer, Training
from dlref.layers.dropout import Dropout
from dlref.layers.embedding import Embedding
from dlref.layers.layer_norm import LayerNorm
from dlref.layers.linear import as_rows
from dlref.layers.transformer import transformer_block
from dlref.neural_network import Sequential
from dlref.weight_initialization import generator

STD = 0.02  # of the first weights


class GPT(Sequential):
    """A ``Sequential`` from tokens to rows; the logits are the products of a row with each token's.

    The weights that turn a token into a row, W, are used a second time, to turn the last row into
    logits. ``gpt`` makes one.

    Formula:
        logits = h Wᵀ

    Args:
        layers: the first an ``Embedding``, the others as ``gpt`` puts them together.

    Raises:
        TypeError: the first layer is not an ``Embedding``, or another is not a layer.

    Source: Radford et al., Language Models are Unsupervised Multitask Learners (2019), section 2.3;
    the shared weights: Press & Wolf, Using the Output Embedding to Improve Language Models (2017),
    https://arxiv.org/abs/1608.05859

    >>> import numpy as np
    >>> import dlref
    >>> net = dlref.gpt(tokens=50, context=16, features=8, depth=2, heads=2, seed=0)
    >>> logits, cache = net.forward(np.array([[4, 2, 4]]))
    >>> print(isinstance(net, dlref.GPT), logits.shape)
    True (1, 3, 50)
    """

    def __init__(self, *layers: Layer) -> None:
        super().__init__(*layers)
        if not isinstance(layers[0], Embedding):
            raise TypeError(f"GPT: the first layer must be an Embedding, got {layers[0]!r:.80}")

    def forward(self, x: Array, *, training: Training = None) -> tuple[Array, Cache]:
        """Give, for each place in a text, the scores of all tokens as the next one.

        Args:
            x: tokens (N, T), integers in [0, V), T at most the context.
            training: the generator that dropout draws from, in training only.

        Returns:
            ``(logits, cache)``: logits (N, T, V) in the dtype of the parameters.

        Raises:
            ValueError: the shape or the device does not fit, or a token is not in [0, V).
            TypeError: ``x`` is not an array of integers.
        """
        h, caches = super().forward(x, training=training)
        weight = self.params["0.weight"]
        logits = as_rows(h) @ weight.T  # (N T, D) @ (D, V)
        return namespace(h).reshape(logits, (*x.shape, -1)), (h, caches)

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = False
    ) -> tuple[Array | None, Gradients]:
        """Map the gradient back through all layers; W collects from both of its uses.

        Formula:
            dh = dlogits W
            dW ← dW + dlogitsᵀ h

        Args:
            dy: gradient of the loss at the logits (N, T, V), in their dtype.
            cache: what ``forward`` gave beside them.
            input_grad: makes no difference here, since tokens have no gradient.

        Returns:
            ``(None, grads)``: the gradients by the names of ``params``, in their shapes and in the
            dtype of dy.

        Raises:
            ValueError: the shape or the device of dy does not fit.
            TypeError: the dtype of dy does not fit.
        """
        h, caches = cache
        weight = self.params["0.weight"]
        check_array("GPT: dy", dy, (*h.shape[:2], weight.shape[0]), like=h)
        dlogits = as_rows(dy)  # (N T, V)
        dh = namespace(dy).reshape(dlogits @ weight, h.shape)
        _, grads = super().backward(dh, caches)
        grads["0.weight"] = grads["0.weight"] + dlogits.T @ as_rows(h)
        return None, grads

    def generate(
        self,
        start: Array,
        count: int,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int | np.random.Generator = 0,
    ) -> np.ndarray:
        """Continue a text: draw the next token, append it, and ask again.

        Args:
            start: tokens (T,), integers in [0, V), at least one.
            count: how many tokens to draw.
            temperature: the logits are divided by it: below 1 the likely ones win more often; at 0
                the likeliest always.
            top_k: draw among so many of the likeliest; among all where left out.
            seed: a whole number, or a ``numpy.random.Generator``.

        Returns:
            The tokens, of shape (T + count,), int64, those of ``start`` first. Each is drawn in
            sight of the last ones, as many as the context is long.

        Raises:
            ValueError: a number is outside its range, or a token is not in [0, V).
            TypeError: something is of a wrong type.
        """
        rng = generator("generate", seed)
        count = check_size("generate: count", count)
        check_number("generate: temperature", temperature, 0.0)
        if top_k is not None:
            top_k = check_size("generate: top_k", top_k)
        weight, position = self.params["0.weight"], self.params["0.position"]
        tokens: np.ndarray = asarray(start)
        if tokens.ndim != 1 or len(tokens) == 0:
            raise ValueError(
                f"generate: start must have shape (T,), T at least 1, got {tokens.shape}"
            )
        tokens = as_int64("generate: start", tokens)
        check_range("generate: start", tokens, len(weight))
        for _ in range(count):
            seen = asarray(tokens[None, -len(position) :], device_of(weight))  # (1, t)
            logits = asarray(self.forward(seen)[0][0, -1], dtype="float64")  # (V,)
            check_finite("generate: logits", logits)
            tokens = np.append(tokens, _draw(logits, temperature, top_k, rng))
        return tokens


def gpt(
    tokens: int = 50257,
    context: int = 1024,
    features: int = 768,
    depth: int = 12,
    heads: int = 12,
    *,
    dropout: float = 0.0,
    seed: int | np.random.Generator = 0,
    device: str = "numpy",
) -> GPT:
    """A net of GPT-2's architecture; left as they are, the sizes are those of its smallest, 124 M.

    Args:
        tokens: how many different tokens there are, V.
        context: the longest text, T tokens.
        features: the width of a token's row, D.
        depth: the number of transformer blocks.
        heads: heads of each attention; a divisor of D.
        dropout: the probability of 0 in training, after the embedding and in each block.
        seed: a whole number, or a ``numpy.random.Generator``.
        device: ``"numpy"``, ``"cpu"``, ``"cuda"``, ``"mps"``, or ``"auto"``.

    Returns:
        A ``GPT`` with float32 parameters, from tokens (N, T) to logits (N, T, V).

    Raises:
        ValueError: a size is below 1, ``heads`` does not divide ``features``, ``dropout`` is
            outside [0, 1), or the device is not there.
        TypeError: a size or the seed is not a whole number.

    Source: Radford et al., Language Models are Unsupervised Multitask Learners (2019), section 2.3,
    and the code published with it, https://github.com/openai/gpt-2/blob/master/src/model.py

    >>> import dlref
    >>> net = dlref.gpt(tokens=50, context=16, features=8, depth=2, heads=2, seed=0)
    >>> print(sum(p.size for p in net.params.values()))
    2288
    """
    device, rng = resolve_device(device), generator("gpt", seed)
    depth = check_size("gpt: depth", depth)

    def init(inputs: int, outputs: int, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(0.0, STD, (inputs, outputs))

    net = GPT(
        Embedding(tokens, context, features, rng, STD),
        Dropout(dropout),
        *(
            transformer_block(features, heads, rng, causal=True, dropout=dropout, init=init)
            for _ in range(depth)
        ),
        LayerNorm(features),
    )
    for name, p in net.params.items():
        if name.endswith(("out_proj.weight", "1.3.weight")):  # the last of each correction:
            p /= math.sqrt(2 * depth)  # so many are added up
    return net.to(device)


def _draw(
    logits: np.ndarray, temperature: float, top_k: int | None, rng: np.random.Generator
) -> int:
    """The number of a token, with the probability that softmax gives it."""
    if temperature == 0:
        return int(np.argmax(logits))
    likely = np.argsort(-logits, kind="stable")[:top_k]
    scores = (logits[likely] - logits[likely[0]]) / temperature
    probabilities = np.exp(scores)
    return int(rng.choice(likely, p=probabilities / probabilities.sum()))
