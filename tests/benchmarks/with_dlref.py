"""dlref: the four lines that every page teaches, on one of its devices."""

from typing import Any

import numpy as np

import dlref
from dlref.capture import WARM_UP, CapturedStep
from dlref.step import Step
from tests.benchmarks.libraries import Trainer, UnavailableError
from tests.benchmarks.nets import Arrays, Problem


class Dlref(Trainer):
    """The loop, with all the checks that dlref makes."""

    def __init__(self, problem: Problem, device: str) -> None:
        if device not in dlref.available_devices():
            raise UnavailableError(f'this machine has no device "{device}"')
        if device == "cuda":
            from tests.benchmarks import cuda

            cuda.prepare(device)
        self.device = device
        self.start = problem.params
        self.x, self.y = (dlref.asarray(array, device) for array in (problem.x, problem.y))
        dtype = next(iter(problem.params.values())).dtype.name
        self.net = problem.net.make().to(device, dtype=dtype)
        self.optimizer = dlref.SGD(lr=problem.learning_rate)
        self.reset()

    def reset(self) -> None:
        for name, param in self.net.params.items():
            param[...] = dlref.asarray(self.start[name], self.device)

    def step(self) -> Any:
        logits, cache = self.net.forward(self.x)
        loss, dlogits = dlref.cross_entropy(logits, self.y)
        _, grads = self.net.backward(dlogits, cache)
        self.optimizer.step(self.net.params, grads)
        return loss

    def wait(self) -> None:
        if self.device == "cuda":
            from tests.benchmarks import cuda

            cuda.wait(self.device)

    def gradients(self) -> Arrays:
        logits, cache = self.net.forward(self.x)
        _, dlogits = dlref.cross_entropy(logits, self.y)
        _, grads = self.net.backward(dlogits, cache)
        return [dlref.asarray(grads[name]) for name in self.net.params]

    def params(self) -> Arrays:
        return [dlref.asarray(param) for param in self.net.params.values()]


class Captured(Dlref):
    """The step that ``fit(capture=True)`` records as a CUDA graph and replays."""

    first_steps = WARM_UP + 1

    def __init__(self, problem: Problem, device: str) -> None:
        super().__init__(problem, device)
        step = Step(self.net, dlref.cross_entropy, self.optimizer)
        self.captured = CapturedStep(step)
        self.rng = np.random.default_rng(0)

    def step(self) -> Any:
        return self.captured(self.x, self.y, self.rng)
