"""The five nets: sizes, batch, weights. Every library trains these, from the same numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

import dlref

Arrays = list[np.ndarray[Any, Any]]

# Small enough that no net diverges in any number of steps a round has, large enough that one step
# changes float32 weights by much more than their rounding.
LEARNING_RATE = 0.01


@dataclass(frozen=True)
class Net:
    """Linear layers with ReLU between them, and the size of the batch it is trained on."""

    sizes: tuple[int, ...]
    batch_size: int

    @property
    def title(self) -> str:
        """As in ``64-128-128-10``; a width that repeats often is written once."""
        first, *hidden, last = self.sizes
        repeats = len(hidden) > 3 and len(set(hidden)) == 1
        middle = [f"[{hidden[0]}×{len(hidden)}]"] if repeats else list(map(str, hidden))
        return "-".join([str(first), *middle, str(last)])


NETS = [
    Net((64, 64, 10), 64),
    Net((64, 128, 128, 10), 64),
    Net((784, 512, 512, 10), 128),
    Net((64, *[128] * 20, 10), 64),
    Net((1024, 2048, 2048, 1024), 256),
]


@dataclass(frozen=True)
class Problem:
    """What a step of training needs, as NumPy arrays that nothing may write to."""

    x: np.ndarray[Any, Any]  # (N, D), float32
    y: np.ndarray[Any, Any]  # (N,), int64
    weights: Arrays  # (in, out) each, float32
    biases: Arrays  # (out,) each
    learning_rate: float = LEARNING_RATE


def problem(net: Net) -> Problem:
    """Random inputs and labels, and the weights that dlref starts from."""
    rng = np.random.default_rng(0)
    x = rng.random((net.batch_size, net.sizes[0]), dtype=np.float32)
    y = rng.integers(0, net.sizes[-1], net.batch_size)
    params = list(dlref.mlp(list(net.sizes), seed=0).params.values())
    return Problem(x, y, params[0::2], params[1::2])


def interleave(weights: Arrays, biases: Arrays) -> Arrays:
    """Weight, bias, weight, bias, …: the order of ``net.params``."""
    return [array for pair in zip(weights, biases, strict=True) for array in pair]
