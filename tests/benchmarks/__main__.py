"""Print the time of a training step by hand and of the layered loop, on one core.

The libraries' thread counts are set before they are imported. Rounds are short and alternate, so
that what slows the machine down slows all down alike: the ratio is that of each round.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import importlib.util
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

import numpy as np

from tests.benchmarks.training_step import Step, by_hand, layered

CASES = [  # sizes, batch size, steps in a round, the ratio aimed at
    ([64, 64, 10], 64, 300, 1.25),
    ([784, 512, 512, 10], 128, 5, 1.15),
]
ROUNDS = 101


def main() -> None:
    """Check that all loops do the same, then time them."""
    print("µs per training step: median of", ROUNDS, "rounds (least to most); one core")
    for sizes, batch_size, steps, goal in CASES:
        loops = {"NumPy by hand": by_hand(sizes, batch_size)}
        loops["dlref, numpy"] = layered(sizes, batch_size, "numpy")
        if importlib.util.find_spec("torch"):
            import torch

            torch.set_num_threads(1)
            loops["dlref, cpu"] = layered(sizes, batch_size, "cpu")
        check_equal(loops)

        times = alternate([loop.run for loop in loops.values()], steps)
        ratios = [a / b for a, b in zip(times[1], times[0], strict=True)]
        print(f"\n{'-'.join(map(str, sizes))}, batch {batch_size}")
        for name, spent in zip(loops, times, strict=True):
            print(f"  {name:14s} {median(spent):8.1f}  ({min(spent):.1f} to {max(spent):.1f})")
        low, middle, high = quantiles(ratios)
        print(
            f"  dlref, numpy / by hand: {middle:.3f} (half of all rounds: {low:.3f} to {high:.3f}; "
            f"fastest rounds: {min(times[1]) / min(times[0]):.3f}); aim {goal}"
        )


def check_equal(loops: dict[str, Step]) -> None:
    """Raise unless all give the same loss and gradients to 1e-5 of the largest element."""
    loss, grads = loops["NumPy by hand"].gradients()
    for name, loop in loops.items():
        other_loss, other_grads = loop.gradients()
        np.testing.assert_allclose(other_loss, loss, rtol=1e-5, err_msg=name)
        for grad, other in zip(grads, other_grads, strict=True):
            tolerance = 1e-5 * float(np.abs(grad).max())
            np.testing.assert_allclose(other, grad, rtol=0, atol=tolerance, err_msg=name)


def alternate(functions: list[Callable[[], Any]], calls: int) -> list[list[float]]:
    """µs a call of each function, in each round."""
    times: list[list[float]] = [[] for _ in functions]
    for round_number in range(-1, ROUNDS):  # round -1 warms up
        for function, spent in zip(functions, times, strict=True):
            start = time.perf_counter()
            for _ in range(calls):
                function()
            if round_number >= 0:
                spent.append((time.perf_counter() - start) / calls * 1e6)
    return times


if __name__ == "__main__":
    main()
