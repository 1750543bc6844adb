"""dlref: the four lines that every page teaches, on one of its devices."""

from typing import Any

import dlref
from tests.benchmarks.libraries import Trainer, UnavailableError
from tests.benchmarks.nets import Arrays, Problem, interleave


class Dlref(Trainer):
    """The loop, with all the checks that dlref makes."""

    def __init__(self, problem: Problem, device: str) -> None:
        if device not in dlref.available_devices():
            raise UnavailableError(f'this machine has no device "{device}"')
        self.device = device
        self.start = interleave(problem.weights, problem.biases)
        self.x, self.y = (dlref.asarray(array, device) for array in (problem.x, problem.y))
        sizes = [len(problem.weights[0]), *(len(bias) for bias in problem.biases)]
        self.net = dlref.mlp(sizes, device=device)
        self.optimizer = dlref.SGD(lr=problem.learning_rate)
        self.reset()

    def reset(self) -> None:
        for param, start in zip(self.net.params.values(), self.start, strict=True):
            param[...] = dlref.asarray(start, self.device)

    def step(self) -> Any:
        logits, cache = self.net.forward(self.x)
        loss, dlogits = dlref.cross_entropy(logits, self.y)
        _, grads = self.net.backward(dlogits, cache)
        self.optimizer.step(self.net.params, grads)
        return loss

    def wait(self) -> None:
        if self.device == "cuda":
            import torch

            torch.cuda.synchronize()

    def gradients(self) -> Arrays:
        logits, cache = self.net.forward(self.x)
        _, dlogits = dlref.cross_entropy(logits, self.y)
        _, grads = self.net.backward(dlogits, cache)
        return [dlref.asarray(grads[name]) for name in self.net.params]

    def params(self) -> Arrays:
        return [dlref.asarray(param) for param in self.net.params.values()]
