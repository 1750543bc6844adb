"""Multi-head attention: every token looks at the others, and takes what it finds useful."""

import math
from types import MappingProxyType

import numpy as np

from dlref import kernels
from dlref.backend import Array, affine, namespace, row_max
from dlref.checks import (
    check_array,
    check_finite,
    check_generator,
    check_mask,
    check_rows,
    check_size,
)
from dlref.devices import asarray
from dlref.layer import Cache, Gradients, Layer, Training
from dlref.layers.linear import Initializer, as_rows
from dlref.weight_initialization import glorot_uniform


class MultiHeadAttention(Layer):
    """Self-attention: each token's output is an average of all tokens' values, weighted by a match.

    A linear map gives each token a query, a key and a value. Each of the heads sees its own part of
    them, D/heads numbers long. The weight with which a token takes another one's value is the
    softmax of the scaled products of its query with all keys. A last linear map mixes the heads.

    The parameters have the names of ``torch.nn.MultiheadAttention``: ``in_proj_weight`` (D, 3 D)
    for query, key and value together, ``in_proj_bias`` (3 D,), ``out_proj.weight`` (D, D),
    ``out_proj.bias`` (D,). Biases start at 0. In the formula, which is that of one head, the
    weights are P, and W and b are those of ``out_proj``.

    Formula:
        P = softmax(scale · Q Kᵀ),  scale = 1 / √(D/heads)
        h = P V
        y = h W + b

    Args:
        features: length of a token's row, D.
        heads: how many heads; a divisor of D.
        rng: the generator that the weights are drawn from.
        causal: whether a token sees only itself and those before it.
        init: ``glorot_uniform``, or any function of the same arguments, for both maps.

    Raises:
        ValueError: a size is below 1, ``heads`` does not divide ``features``, or ``init`` gives
            another shape or NaN.
        TypeError: a size is not a whole number, or ``rng`` is not a generator.

    Source: Vaswani et al., Attention Is All You Need (2017), sections 3.2.1 and 3.2.2,
    https://arxiv.org/abs/1706.03762

    >>> import numpy as np
    >>> import dlref
    >>> layer = dlref.MultiHeadAttention(8, 2, np.random.default_rng(0), causal=True)
    >>> x = np.random.default_rng(1).normal(size=(1, 5, 8)).astype("float32")
    >>> changed = x + np.float32([[[0], [0], [0], [0], [1]]])  # only the last token
    >>> print((layer.forward(x)[0] == layer.forward(changed)[0])[0, :, 0])
    [ True  True  True  True False]
    """

    def __init__(
        self,
        features: int,
        heads: int,
        rng: np.random.Generator,
        *,
        causal: bool = False,
        init: Initializer = glorot_uniform,
    ) -> None:
        features = check_size("MultiHeadAttention: features", features)
        heads = check_size("MultiHeadAttention: heads", heads)
        check_generator("MultiHeadAttention", rng)
        if features % heads:
            raise ValueError(
                f"MultiHeadAttention: heads must divide features, got {heads} for {features}"
            )
        self.heads, self.causal = heads, causal
        params = {}
        for weight, bias, outputs in (
            ("in_proj_weight", "in_proj_bias", 3 * features),
            ("out_proj.weight", "out_proj.bias", features),
        ):
            params[weight] = asarray(init(features, outputs, rng), dtype="float32")
            params[bias] = np.zeros(outputs, np.float32)
            what = "MultiHeadAttention: init's result"
            check_array(what, params[weight], (features, outputs), like=params[bias])
            check_finite(what, params[weight])
        self.params = MappingProxyType(params)

    def forward(
        self, x: Array, *, training: Training = None, mask: Array | None = None
    ) -> tuple[Array, Cache]:
        """Let each token look at those that it may.

        Args:
            x: tokens as rows (N, T, D), of the dtype and on the device of the weights.
            training: makes no difference here.
            mask: (N, T, T), or (T, T) for all alike, of dtype bool: True where token t (second to
                last) may look at token s (last). A token that may look at none takes nothing, and
                its y is ``out_proj.bias``.

        Returns:
            ``(y, cache)``: y (N, T, D) in the same dtype. The cache is for ``backward``.

        Raises:
            ValueError: a shape or a device does not fit.
            TypeError: ``x`` has another dtype than the weights, or the mask is not of bools.
        """
        w_in, b_in, w_out, b_out = self.params.values()
        check_rows("MultiHeadAttention: x", x, w_out.shape[0], like=w_out)
        if x.ndim != 3:
            raise ValueError(
                f"MultiHeadAttention: x must have shape (N, T, D), got {tuple(x.shape)}"
            )
        allowed = self._allowed(x, mask)
        projected = affine(as_rows(x), w_in, b_in)  # (N T, 3 D)
        query, key, value = self._split(projected, x.shape)  # (N, heads, T, d)
        inner: Cache
        simple = self.causal and mask is None  # kernels know this mask without reading one
        if kernel := kernels.attention(
            query, key, value, mask=None if simple else allowed, causal=simple
        ):
            mixed, inner = kernel.y, kernel
        else:
            query = self._scale(x) * query
            weights = _softmax(query @ _transpose(key), allowed)  # (N, heads, T, T)
            mixed, inner = weights @ value, (query, key, value, weights)  # (N, heads, T, d)
        joined = self._join(mixed)  # (N T, D)
        y = affine(joined, w_out, b_out)
        return namespace(x).reshape(y, x.shape), (x, joined, inner)

    def backward(
        self, dy: Array, cache: Cache, *, input_grad: bool = True
    ) -> tuple[Array | None, Gradients]:
        """Map the gradient at y to those at x and at the parameters of both linear maps.

        Through the two linear maps the gradients go as in ``Linear``.

        Formula:
            dh = dy Wᵀ
            dV = Pᵀ dh
            dP = dh Vᵀ
            dS = P (dP − Σ P dP)
            dQ = scale · dS K
            dK = scale · dSᵀ Q

        Args:
            dy: gradient of the loss at y (N, T, D), in the dtype and on the device of x.
            cache: what ``forward`` gave beside y.
            input_grad: where False, dx is not computed.

        Returns:
            ``(dx, grads)``: dx (N, T, D), or ``None``; the gradients in the shapes of ``params``.
            All have the dtype of dy.

        Raises:
            ValueError: dy has another shape than y, or is on another device.
            TypeError: dy has another dtype than x.
        """
        x, joined, inner = cache
        w_in, _, w_out, _ = self.params.values()
        check_array("MultiHeadAttention: dy", dy, x.shape, like=x)
        xp, dy = namespace(dy), as_rows(dy)  # (N T, D)
        dmixed = self._split(dy @ w_out.T, x.shape)[0]  # (N, heads, T, d)
        if isinstance(inner, kernels.Kernel):
            parts = inner.gradients(dmixed, True)
        else:
            query, key, value, weights = inner  # the query is scaled
            dscores = dmixed @ _transpose(value)
            dscores -= xp.vecdot(weights, dscores)[..., None]
            dscores *= weights
            dquery = self._scale(x) * (dscores @ key)
            parts = (dquery, _transpose(dscores) @ query, _transpose(weights) @ dmixed)
        dprojected = xp.concat([self._join(part) for part in parts], axis=1)  # (N T, 3 D)
        grads = {
            "in_proj_weight": as_rows(x).T @ dprojected,
            "in_proj_bias": xp.sum(dprojected, axis=0),
            "out_proj.weight": joined.T @ dy,
            "out_proj.bias": xp.sum(dy, axis=0),
        }
        return xp.reshape(dprojected @ w_in.T, x.shape) if input_grad else None, grads

    def _scale(self, x: Array) -> float:
        return 1 / math.sqrt(x.shape[-1] // self.heads)

    def _allowed(self, x: Array, mask: Array | None) -> Array | None:
        """Which token may look at which, to meet (N, heads, T, T); ``None`` where all may."""
        xp, (examples, length, _) = namespace(x), x.shape
        if mask is not None:
            check_mask("MultiHeadAttention: mask", mask, (examples, length, length), like=x)
            mask = mask[:, None, ...] if mask.ndim == 3 else mask  # (N, T, T): (N, 1, T, T)
        if not self.causal:
            return mask
        places = xp.arange(length, device=x.device)
        before = places[:, None] >= places  # (T, T)
        return before if mask is None else before & mask

    def _split(self, rows: Array, shape: tuple[int, ...]) -> list[Array]:
        """(N T, k D) as k arrays (N, heads, T, D/heads)."""
        xp, (examples, length, features) = namespace(rows), shape
        parts = xp.reshape(rows, (examples, length, -1, self.heads, features // self.heads))
        parts = xp.permute_dims(parts, (2, 0, 3, 1, 4))  # (N, T, k, heads, d): (k, N, heads, T, d)
        return [parts[k, ...] for k in range(parts.shape[0])]

    def _join(self, heads: Array) -> Array:
        """(N, heads, T, D/heads) as (N T, D)."""
        xp, (examples, _, length, _) = namespace(heads), heads.shape
        return xp.reshape(xp.permute_dims(heads, (0, 2, 1, 3)), (examples * length, -1))

    def __repr__(self) -> str:
        causal = ", causal=True" if self.causal else ""
        return f"MultiHeadAttention({self.params['out_proj.bias'].shape[0]}, {self.heads}{causal})"


def _softmax(scores: Array, allowed: Array | None) -> Array:
    """Each row's weights, which add up to 1; to 0 where nothing is allowed. Scores are overwritten.

    A place that is not allowed has the score −∞.
    """
    xp = namespace(scores)
    if allowed is not None:
        zeros = xp.zeros(allowed.shape, dtype=scores.dtype, device=scores.device)
        scores += xp.where(allowed, zeros, zeros - math.inf)
    lowest = float(xp.finfo(scores.dtype).min)  # −∞ − (−∞) would be NaN
    scores -= xp.clip(row_max(scores), lowest, None)
    exps = xp.exp(scores)
    sums = xp.sum(exps, axis=-1, keepdims=True)  # at least 1, but in a row without any
    exps /= xp.clip(sums, 1.0, None)
    return exps


def _transpose(x: Array) -> Array:
    return namespace(x).matrix_transpose(x)
