"""The nets: sizes, batch, weights. Every library trains these, from the same numbers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import dlref

Arrays = list[np.ndarray[Any, Any]]

# Small enough that no net diverges in any number of steps a round has, large enough that one step
# changes float32 weights by much more than their rounding.
LEARNING_RATE = 0.01
TOLERANCE = 1e-5  # of the loss, and of each gradient's largest element


@dataclass(frozen=True)
class MLP:
    """Linear layers with ReLU between them, and the size of the batch it is trained on."""

    sizes: tuple[int, ...]
    batch_size: int
    tolerance: float = TOLERANCE  # of gradients

    @property
    def title(self) -> str:
        """As in ``64-128-128-10``; a width that repeats often is written once."""
        first, *hidden, last = self.sizes
        repeats = len(hidden) > 3 and len(set(hidden)) == 1
        middle = [f"[{hidden[0]}×{len(hidden)}]"] if repeats else list(map(str, hidden))
        return "-".join([str(first), *middle, str(last)])

    def make(self) -> dlref.Sequential:
        """The net of dlref, with the weights that all start from."""
        return dlref.mlp(list(self.sizes), seed=0)

    def batch(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Random inputs (N, D) and labels (N,)."""
        x = rng.random((self.batch_size, self.sizes[0]), dtype=np.float32)
        return x, rng.integers(0, self.sizes[-1], self.batch_size)


@dataclass(frozen=True)
class LeNet:
    """LeNet-5 as ``dlref.lenet`` builds it, on images of 28 × 28 pixels."""

    batch_size: int
    tolerance: float = TOLERANCE

    title = "LeNet"

    def make(self) -> dlref.Sequential:
        """The net of dlref, with the weights that all start from."""
        return dlref.lenet(seed=0)

    def batch(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Random images (N, 1, 28, 28) and labels (N,)."""
        x = rng.random((self.batch_size, 1, 28, 28), dtype=np.float32)
        return x, rng.integers(0, 10, self.batch_size)


@dataclass(frozen=True)
class GPT:
    """A GPT without dropout, on texts as long as its context."""

    title: str
    tokens: int
    context: int
    features: int
    depth: int
    heads: int
    batch_size: int
    tolerance: float = TOLERANCE

    def make(self) -> dlref.GPT:
        """The net of dlref, with the weights that all start from."""
        sizes = self.tokens, self.context, self.features, self.depth, self.heads
        return dlref.gpt(*sizes, seed=0)

    def batch(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Random texts (N, T), and the next token of each place."""
        text = rng.integers(0, self.tokens, (self.batch_size, self.context + 1))
        return text[:, :-1].copy(), text[:, 1:].copy()


Net = MLP | LeNet | GPT

NETS: list[Net] = [
    MLP((64, 64, 10), 64),
    MLP((64, 128, 128, 10), 64),
    MLP((784, 512, 512, 10), 128),
    MLP((64, *[128] * 20, 10), 64),
    MLP((1024, 2048, 2048, 1024), 256),
    LeNet(64),
    GPT("GPT", tokens=103, context=128, features=192, depth=6, heads=6, batch_size=16),
]

# Of the 8192-wide net's 67 million inputs to ReLU, some are so close to 0 that rounding decides
# their sign, and each adds one example to a gradient or takes it away.
CUDA_NETS: list[Net] = [
    *NETS,
    MLP((8192, 8192, 8192, 10), 4096, tolerance=0.005),
    GPT("GPT-2 small", 50257, 1024, 768, 12, 12, batch_size=4),
]


@dataclass(frozen=True)
class Problem:
    """What a step of training needs, as NumPy arrays that nothing may write to."""

    net: Net
    x: np.ndarray[Any, Any]  # float32, or tokens
    y: np.ndarray[Any, Any]  # int64
    params: dict[str, np.ndarray[Any, Any]]  # as net.params of dlref: a linear weight is (in, out)
    learning_rate: float = LEARNING_RATE

    @cached_property
    def weights(self) -> Arrays:
        """Those of an MLP."""
        return list(self.params.values())[0::2]

    @cached_property
    def biases(self) -> Arrays:
        """Those of an MLP."""
        return list(self.params.values())[1::2]

    def in_float64(self) -> "Problem":
        """The same numbers, to compute exactly with."""
        x = self.x.astype(np.float64) if self.x.dtype == np.float32 else self.x
        params = {name: param.astype(np.float64) for name, param in self.params.items()}
        return Problem(self.net, x, self.y, params, self.learning_rate)


def problem(net: Net) -> Problem:
    """Random inputs and labels, and the weights that dlref starts from."""
    x, y = net.batch(np.random.default_rng(0))
    return Problem(net, x, y, dict(net.make().params))


def interleave(weights: Arrays, biases: Arrays) -> Arrays:
    """Weight, bias, weight, bias, …: the order of an MLP's ``net.params``."""
    return [array for pair in zip(weights, biases, strict=True) for array in pair]
