"""The transformer block: attention, then a small network for each token, both as corrections."""

import numpy as np

from dlref.checks import check_size
from dlref.layers.attention import MultiHeadAttention
from dlref.layers.dropout import Dropout
from dlref.layers.gelu import GELU
from dlref.layers.layer_norm import LayerNorm
from dlref.layers.linear import Initializer, Linear
from dlref.layers.residual import Residual
from dlref.neural_network import Sequential
from dlref.weight_initialization import glorot_uniform


def transformer_block(
    features: int,
    heads: int,
    rng: np.random.Generator,
    *,
    causal: bool = False,
    dropout: float = 0.0,
    init: Initializer = glorot_uniform,
) -> Sequential:
    """A transformer block with the normalization before each part, as GPT-2 has it.

    Attention moves information between the tokens; the small network, a hidden layer four times as
    wide, works on each token alone. Both are corrections to their input.

    Formula:
        h = x + attention(norm(x))
        y = h + linear(GELU(linear(norm(h))))

    Args:
        features: length of a token's row, D.
        heads: how many heads the attention has; a divisor of D.
        rng: the generator that the weights are drawn from.
        causal: whether a token sees only itself and those before it.
        dropout: the probability of 0 in each correction, in training.
        init: how the weights are drawn.

    Returns:
        A ``Sequential`` of two ``Residual`` with float32 parameters, for arrays (N, T, D).

    Raises:
        ValueError: a size is below 1, ``heads`` does not divide ``features``, or ``dropout`` is
            outside [0, 1).
        TypeError: a size is not a whole number, or ``rng`` is not a generator.

    Source: Vaswani et al., Attention Is All You Need (2017), section 3.1,
    https://arxiv.org/abs/1706.03762; the place of the normalization: Radford et al., Language
    Models are Unsupervised Multitask Learners (2019), section 2.3.

    >>> import numpy as np
    >>> import dlref
    >>> block = dlref.transformer_block(8, 2, np.random.default_rng(0))
    >>> y, cache = block.forward(np.ones((1, 5, 8), "float32"))
    >>> print(y.shape)
    (1, 5, 8)
    """
    features = check_size("transformer_block: features", features)
    attention = MultiHeadAttention(features, heads, rng, causal=causal, init=init)
    wide = Linear(features, 4 * features, rng, init)
    narrow = Linear(4 * features, features, rng, init)
    return Sequential(
        Residual(LayerNorm(features), attention, Dropout(dropout)),
        Residual(LayerNorm(features), wide, GELU(), narrow, Dropout(dropout)),
    )
