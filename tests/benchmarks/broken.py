"""Trainers that go wrong, for the tests."""

import os
import time
from typing import Any

from tests.benchmarks.by_hand import ByHand
from tests.benchmarks.nets import Arrays, interleave


class WrongGradient(ByHand):
    """The last bias's gradient is a thousandth too large."""

    def gradients(self) -> Arrays:
        grads = super().gradients()
        return [*grads[:-1], grads[-1] * 1.001]


class WrongStep(ByHand):
    """The gradients are right, and the step forgets the first weight."""

    def step(self) -> Any:
        before = self.weights[0].copy()
        loss = super().step()
        self.weights[0][...] = before
        return loss


class ViewsOfParams(ByHand):
    """What it gives as parameters are its own arrays, which reset writes to."""

    def reset(self) -> None:
        if not hasattr(self, "weights"):
            super().reset()
        start = interleave(self.problem.weights, self.problem.biases)
        for param, array in zip(self.params(), start, strict=True):
            param[...] = array


class Crashes(ByHand):
    """The process ends within a step."""

    def step(self) -> Any:
        os._exit(3)


class Hangs(ByHand):
    """A step takes longer than anyone waits."""

    def step(self) -> Any:
        time.sleep(60)


class Raises(ByHand):
    """A step fails."""

    def step(self) -> Any:
        raise RuntimeError("out of luck")


class Chatty(ByHand):
    """It prints, as compilers and libraries do."""

    def step(self) -> Any:
        print("a warning on standard output")
        return super().step()
