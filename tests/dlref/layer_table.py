"""Every layer at awkward shapes, beside the same layer of PyTorch: one row is tested everywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

import dlref

Arrays = dict[str, Any]
Reference = Callable[[Arrays, Arrays, Any], Any]
"""A function of parameters and buffers, under our names and in our shapes, and of x."""


@dataclass(frozen=True)
class Case:
    """A layer, the shape of its input, and what PyTorch makes of both."""

    make: Callable[[], dlref.Layer]
    shape: tuple[int, ...]
    reference: Reference
    tokens: int = 0  # x holds so many different integers; floats where it is 0
    training: bool = False
    shares: bool = False  # whether its output may be a view of its input, as its docstring says
    kinks: bool = False  # whether an element without a derivative may lie within a difference

    def layer(self, seed: int, dtype: str = "float64") -> dlref.Layer:
        """The layer with nothing left at 0 or 1, on NumPy."""
        rng = np.random.default_rng([seed, 1])
        start = self.make()
        layer = start.with_params(
            {k: p + 0.3 * rng.normal(size=p.shape) for k, p in start.params.items()}
        )
        for buffer in layer.buffers.values():
            buffer[...] = rng.uniform(0.5, 2.0, buffer.shape)
        return layer.to(dtype=dtype)

    def input(self, seed: int, dtype: str = "float64") -> np.ndarray:
        rng = np.random.default_rng([seed, 2])
        if self.tokens:
            return rng.integers(0, self.tokens, self.shape)
        return rng.normal(size=self.shape).astype(dtype)

    def generator(self) -> np.random.Generator | None:
        """What ``forward`` is given as ``training``, new each time: the same masks are drawn."""
        return np.random.default_rng(0) if self.training else None

    def forward(self, layer: dlref.Layer, x: Any) -> tuple[Any, Any]:
        return layer.forward(x, training=self.generator())


def on(layer: dlref.Layer, convert: Callable[[np.ndarray], Any]) -> dlref.Layer:
    """The same layer on arrays of another library; its buffers follow its parameters."""
    return layer.with_params({name: convert(p) for name, p in layer.params.items()})


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def conv(stride: int = 1, padding: int = 0, groups: int = 1) -> Reference:
    return lambda p, b, x: functional.conv2d(
        x, p["weight"], p["bias"], stride, padding, groups=groups
    )


def pool(size: int, stride: int | None = None) -> Reference:
    return lambda p, b, x: functional.max_pool2d(x, size, stride)


def response(size: int, alpha: float, beta: float, k: float) -> Reference:
    # PyTorch divides α by n; ours, like the paper, does not.
    return lambda p, b, x: functional.local_response_norm(x, size, alpha * size, beta, k)


def layer_norm(p: Arrays, b: Arrays, x: Any, eps: float = 1e-5) -> Any:
    return functional.layer_norm(x, x.shape[-1:], p["weight"], p["bias"], eps)


def batch_norm(training: bool, eps: float = 1e-5) -> Reference:
    return lambda p, b, x: functional.batch_norm(
        x, b["running_mean"], b["running_var"], p["weight"], p["bias"], training, eps=eps
    )


def embedding(p: Arrays, b: Arrays, x: Any) -> Any:
    return functional.embedding(x, p["weight"]) + p["position"][: x.shape[1]]


def mask_of(shape: tuple[int, ...], keep: float, x: Any) -> Any:
    """The mask that the generator of ``Case`` draws first."""
    drawn = np.random.default_rng(0).random(shape, dtype=np.float32) < keep
    return torch.tensor(drawn, dtype=x.dtype)


def transpose(p: torch.Tensor) -> torch.Tensor:
    return p.T if p.ndim == 2 else p


def attention(heads: int, causal: bool = False) -> Reference:
    """torch.nn.MultiheadAttention, whose weights lie the other way round."""

    def reference(p: Arrays, b: Arrays, x: Any) -> Any:
        features, length = x.shape[-1], x.shape[1]
        module = torch.nn.MultiheadAttention(features, heads, batch_first=True)
        forbidden = torch.ones(length, length, dtype=torch.bool).triu(1) if causal else None
        theirs = {name: transpose(array) for name, array in p.items()}
        with sdpa_kernel(SDPBackend.MATH):
            found = torch.func.functional_call(
                module, theirs, (x, x, x), {"attn_mask": forbidden, "need_weights": False}
            )
        return found[0]

    return reference


BLOCK = {
    "0.0.": "norm1.",
    "0.1.out_proj.": "self_attn.out_proj.",
    "0.1.": "self_attn.",
    "1.0.": "norm2.",
    "1.1.": "linear1.",
    "1.3.": "linear2.",
}


def block(heads: int, causal: bool = False, prefix: str = "") -> Reference:
    """torch.nn.TransformerEncoderLayer with its normalizations first."""

    def reference(p: Arrays, b: Arrays, x: Any) -> Any:
        features, length = x.shape[-1], x.shape[1]
        module = torch.nn.TransformerEncoderLayer(
            features,
            heads,
            4 * features,
            dropout=0.0,
            activation=lambda h: functional.gelu(h, approximate="tanh"),
            batch_first=True,
            norm_first=True,
        )
        theirs = {}
        for name, array in p.items():
            if name.startswith(prefix):
                rest = name.removeprefix(prefix)
                start = next(start for start in BLOCK if rest.startswith(start))
                theirs[BLOCK[start] + rest.removeprefix(start)] = transpose(array)
        forbidden = torch.ones(length, length, dtype=torch.bool).triu(1) if causal else None
        with sdpa_kernel(SDPBackend.MATH):
            return torch.func.functional_call(module, theirs, (x,), {"src_mask": forbidden})

    return reference


def gpt(heads: int, depth: int) -> Reference:
    def reference(p: Arrays, b: Arrays, x: Any) -> Any:
        h = embedding({"weight": p["0.weight"], "position": p["0.position"]}, b, x)
        for i in range(2, 2 + depth):
            h = block(heads, causal=True, prefix=f"{i}.")(p, b, h)
        last = {"weight": p[f"{2 + depth}.weight"], "bias": p[f"{2 + depth}.bias"]}
        return layer_norm(last, b, h) @ p["0.weight"].T

    return reference


def small_net() -> dlref.Layer:
    """Each kind of layer that a net for images has, with few enough weights for differences."""
    g = rng()
    return dlref.Sequential(
        dlref.Conv2d(2, 4, 3, g, padding=1, groups=2),
        dlref.GELU(),
        dlref.BatchNorm(4),
        dlref.MaxPool2d(2),
        dlref.LocalResponseNorm(3, 0.2),
        dlref.Flatten(),
        dlref.Linear(16, 5, g),
        dlref.Dropout(0.3),
        dlref.Linear(5, 3, g),
    )


def small_reference(p: Arrays, b: Arrays, x: Any) -> Any:
    h = conv(padding=1, groups=2)({"weight": p["0.weight"], "bias": p["0.bias"]}, b, x)
    h, mean, variance = functional.gelu(h, approximate="tanh"), *b.values()
    h = functional.batch_norm(h, mean, variance, p["2.weight"], p["2.bias"], training=True)
    h = functional.max_pool2d(h, 2)
    h = response(3, 0.2, 0.75, 2.0)(p, b, h).flatten(1) @ p["6.weight"] + p["6.bias"]
    return h * mask_of(tuple(h.shape), 0.7, h) / 0.7 @ p["8.weight"] + p["8.bias"]


def lenet_reference(p: Arrays, b: Arrays, x: Any) -> Any:
    for i in (0, 3):
        x = functional.conv2d(x, p[f"{i}.weight"], p[f"{i}.bias"], padding=2)
        x = functional.max_pool2d(x.relu(), 2)
    x = x.flatten(1)
    for i in (7, 9, 11):
        x = x @ p[f"{i}.weight"] + p[f"{i}.bias"]
        x = x.relu() if i < 11 else x
    return x


CASES: dict[str, Case] = {
    "Linear": Case(
        lambda: dlref.Linear(4, 3, rng()), (5, 4), lambda p, b, x: x @ p["weight"] + p["bias"]
    ),
    "Linear, 4-d, one example": Case(
        lambda: dlref.Linear(4, 1, rng()), (1, 2, 3, 4), lambda p, b, x: x @ p["weight"] + p["bias"]
    ),
    "ReLU": Case(dlref.ReLU, (2, 3, 4), lambda p, b, x: x.relu(), kinks=True),
    "Sigmoid": Case(dlref.Sigmoid, (2, 3, 4), lambda p, b, x: x.sigmoid()),
    "Tanh": Case(dlref.Tanh, (2, 3, 4), lambda p, b, x: x.tanh()),
    "GELU": Case(dlref.GELU, (2, 1, 3, 4), lambda p, b, x: functional.gelu(x, approximate="tanh")),
    "GELU, 1-d": Case(dlref.GELU, (7,), lambda p, b, x: functional.gelu(x, approximate="tanh")),
    "Conv2d": Case(lambda: dlref.Conv2d(3, 4, 3, rng()), (2, 3, 6, 5), conv()),
    "Conv2d, one of each": Case(lambda: dlref.Conv2d(1, 1, 1, rng()), (1, 1, 1, 1), conv()),
    "Conv2d, stride that does not divide": Case(
        lambda: dlref.Conv2d(2, 3, 3, rng(), stride=2), (1, 2, 6, 8), conv(stride=2)
    ),
    "Conv2d, stride beyond its window": Case(
        lambda: dlref.Conv2d(2, 3, 2, rng(), stride=4), (2, 2, 7, 10), conv(stride=4)
    ),
    "Conv2d, padding": Case(
        lambda: dlref.Conv2d(2, 3, 3, rng(), padding=2), (2, 2, 3, 4), conv(padding=2)
    ),
    "Conv2d, nothing but padding in some windows": Case(
        lambda: dlref.Conv2d(2, 2, 1, rng(), padding=2, stride=2),
        (1, 2, 2, 3),
        conv(padding=2, stride=2),
    ),
    "Conv2d, groups": Case(
        lambda: dlref.Conv2d(4, 6, 2, rng(), groups=2), (2, 4, 3, 3), conv(groups=2)
    ),
    "Conv2d, a group for each channel": Case(
        lambda: dlref.Conv2d(3, 6, 3, rng(), groups=3, stride=2, padding=1),
        (2, 3, 5, 4),
        conv(groups=3, stride=2, padding=1),
    ),
    "Conv2d, window as large as the image": Case(
        lambda: dlref.Conv2d(2, 3, 4, rng()), (2, 2, 4, 4), conv()
    ),
    "Conv2d, window larger than the image": Case(
        lambda: dlref.Conv2d(2, 3, 5, rng(), padding=2), (1, 2, 2, 3), conv(padding=2)
    ),
    "MaxPool2d": Case(lambda: dlref.MaxPool2d(2), (2, 3, 4, 6), pool(2)),
    "MaxPool2d, stride that does not divide": Case(
        lambda: dlref.MaxPool2d(2), (1, 2, 5, 3), pool(2)
    ),
    "MaxPool2d, overlapping": Case(lambda: dlref.MaxPool2d(3, 1), (2, 2, 5, 6), pool(3, 1)),
    "MaxPool2d, overlapping as in AlexNet": Case(
        lambda: dlref.MaxPool2d(3, stride=2), (1, 2, 8, 7), pool(3, 2)
    ),
    "MaxPool2d, gaps": Case(lambda: dlref.MaxPool2d(2, 3), (2, 1, 6, 8), pool(2, 3)),
    "MaxPool2d, window as large as the image": Case(
        lambda: dlref.MaxPool2d(4), (1, 1, 4, 4), pool(4)
    ),
    "MaxPool2d, one pixel": Case(lambda: dlref.MaxPool2d(1), (2, 2, 3, 2), pool(1)),
    "LocalResponseNorm": Case(dlref.LocalResponseNorm, (2, 7, 3, 2), response(5, 1e-4, 0.75, 2.0)),
    "LocalResponseNorm, strong": Case(
        lambda: dlref.LocalResponseNorm(3, 0.7, 1.3, 0.5), (2, 5, 2, 3), response(3, 0.7, 1.3, 0.5)
    ),
    "LocalResponseNorm, fewer channels than neighbors": Case(
        lambda: dlref.LocalResponseNorm(7, 0.5), (1, 2, 2, 2), response(7, 0.5, 0.75, 2.0)
    ),
    "LocalResponseNorm, one channel": Case(
        lambda: dlref.LocalResponseNorm(1, 0.5), (1, 1, 1, 2), response(1, 0.5, 0.75, 2.0)
    ),
    "LayerNorm": Case(lambda: dlref.LayerNorm(5), (3, 5), layer_norm),
    "LayerNorm, large eps": Case(
        lambda: dlref.LayerNorm(5, eps=0.3), (3, 5), partial(layer_norm, eps=0.3)
    ),
    "LayerNorm, one row": Case(lambda: dlref.LayerNorm(4), (1, 1, 4), layer_norm),
    "LayerNorm, 4-d": Case(lambda: dlref.LayerNorm(3), (2, 1, 3, 3), layer_norm),
    "BatchNorm in use": Case(lambda: dlref.BatchNorm(3), (5, 3), batch_norm(False)),
    "BatchNorm in use, one image": Case(
        lambda: dlref.BatchNorm(2), (1, 2, 3, 1), batch_norm(False)
    ),
    "BatchNorm in use, large eps": Case(
        lambda: dlref.BatchNorm(3, eps=0.3), (5, 3), batch_norm(False, eps=0.3)
    ),
    "BatchNorm in use, one row": Case(lambda: dlref.BatchNorm(3), (1, 3), batch_norm(False)),
    "BatchNorm in training": Case(
        lambda: dlref.BatchNorm(3), (5, 3), batch_norm(True), training=True
    ),
    "BatchNorm in training, one image": Case(
        lambda: dlref.BatchNorm(2), (1, 2, 3, 2), batch_norm(True), training=True
    ),
    "BatchNorm in training, images": Case(
        lambda: dlref.BatchNorm(1), (2, 1, 2, 3), batch_norm(True), training=True
    ),
    "Embedding": Case(
        lambda: dlref.Embedding(4, 5, 3, rng(), std=1.0), (3, 4), embedding, tokens=4
    ),
    "Embedding, one token": Case(
        lambda: dlref.Embedding(2, 1, 1, rng(), std=1.0), (1, 1), embedding, tokens=2
    ),
    "Embedding, one again and again": Case(
        lambda: dlref.Embedding(1, 6, 2, rng(), std=1.0), (2, 6), embedding, tokens=1
    ),
    "Dropout in use": Case(dlref.Dropout, (3, 4), lambda p, b, x: x, shares=True),
    "Dropout in training": Case(
        lambda: dlref.Dropout(0.3),
        (3, 2, 4),
        lambda p, b, x: x * mask_of((3, 2, 4), 0.7, x) / 0.7,
        training=True,
    ),
    "Dropout of nothing": Case(
        lambda: dlref.Dropout(0.0), (3, 4), lambda p, b, x: x, training=True, shares=True
    ),
    "Flatten": Case(dlref.Flatten, (2, 3, 1, 4), lambda p, b, x: x.flatten(1), shares=True),
    "Flatten, 1-d": Case(dlref.Flatten, (3,), lambda p, b, x: x[:, None], shares=True),
    "MultiHeadAttention": Case(
        lambda: dlref.MultiHeadAttention(4, 2, rng()), (2, 3, 4), attention(2)
    ),
    "MultiHeadAttention, causal": Case(
        lambda: dlref.MultiHeadAttention(6, 3, rng(), causal=True), (2, 4, 6), attention(3, True)
    ),
    "MultiHeadAttention, one head": Case(
        lambda: dlref.MultiHeadAttention(3, 1, rng(), causal=True), (1, 5, 3), attention(1, True)
    ),
    "MultiHeadAttention, a head for each number": Case(
        lambda: dlref.MultiHeadAttention(3, 3, rng()), (2, 4, 3), attention(3)
    ),
    "MultiHeadAttention, one token": Case(
        lambda: dlref.MultiHeadAttention(4, 2, rng(), causal=True), (2, 1, 4), attention(2)
    ),
    "Residual": Case(
        lambda: dlref.Residual(dlref.Linear(4, 4, rng()), dlref.Tanh()),
        (3, 4),
        lambda p, b, x: x + (x @ p["0.weight"] + p["0.bias"]).tanh(),
    ),
    "Residual, 4-d": Case(
        lambda: dlref.Residual(dlref.Conv2d(2, 2, 3, rng(), padding=1)),
        (1, 2, 3, 3),
        lambda p, b, x: x + functional.conv2d(x, p["0.weight"], p["0.bias"], padding=1),
    ),
    "transformer_block": Case(lambda: dlref.transformer_block(4, 2, rng()), (2, 3, 4), block(2)),
    "transformer_block, causal": Case(
        lambda: dlref.transformer_block(6, 3, rng(), causal=True), (1, 4, 6), block(3, True)
    ),
    "transformer_block, one token": Case(
        lambda: dlref.transformer_block(4, 1, rng(), causal=True), (2, 1, 4), block(1, True)
    ),
    "a net for images": Case(small_net, (3, 2, 5, 4), small_reference, training=True),
    "lenet": Case(
        lambda: dlref.lenet((2, 8, 8), 3, padding=(2, 2)), (2, 2, 8, 8), lenet_reference, kinks=True
    ),
    "gpt": Case(
        lambda: dlref.gpt(tokens=5, context=4, features=4, depth=2, heads=2),
        (2, 3),
        gpt(2, 2),
        tokens=5,
    ),
    "gpt, one token": Case(
        lambda: dlref.gpt(tokens=3, context=2, features=3, depth=1, heads=1),
        (1, 1),
        gpt(1, 1),
        tokens=3,
    ),
}
