"""CUDA graphs: a step of training, recorded once and replayed without Python in between.

A small step is limited by how fast Python can ask for its few hundred operations. A recording asks
once. So nothing in it may depend on numbers that Python knows: shapes are fixed, arrays are written
in place, masks come from the GPU's own generator, and no value is read back or checked.
"""

from collections.abc import Callable

import numpy as np

from dlref.backend import Array, device_of
from dlref.devices import asarray
from dlref.step import Step

WARM_UP = 3  # steps before the recording, in which libraries choose their kernels and allocate


class CapturedStep:
    """A ``Step`` that is recorded at the fourth batch of one size and replayed from then on.

    The size is that of the first batch. Others, such as the last of an epoch, run as they are.
    Learning rate and number of steps, which change from step to step, are arrays on the GPU while
    the step is recorded, and are written before each replay.
    """

    def __init__(self, step: Step) -> None:
        device = device_of(next(iter(step.net.params.values())))
        if device != "cuda":
            raise ValueError(
                f'fit: capture=True records a CUDA graph, and the network is on "{device}": '
                'move it with net.to("cuda"), or leave capture out'
            )
        self._step = step
        self._batch_size = 0  # that of the first batch, once there is one
        self._warmed_up = 0

    def __call__(self, x: Array, y: Array, rng: np.random.Generator) -> Array:
        """One step, as ``Step`` makes it."""
        self._batch_size = self._batch_size or len(x)
        if len(x) != self._batch_size:
            return self._step(x, y, rng)
        if self._warmed_up < WARM_UP:
            self._warmed_up += 1
            return run_beside(lambda: self._step(x, y, rng))
        if self._warmed_up == WARM_UP:
            self._warmed_up += 1
            self._record(x, y, rng)
        optimizer = self._step.optimizer
        self._x[...], self._y[...] = x, y
        optimizer.lr = self._step.learning_rate()
        optimizer.check_settings()
        self._lr[...] = optimizer.lr
        self._steps[...] = optimizer.steps
        self._replay()
        optimizer.steps += 1
        return self._loss + 0  # a copy: the next replay writes here

    def _record(self, x: Array, y: Array, rng: np.random.Generator) -> None:
        step, optimizer, device = self._step, self._step.optimizer, device_of(x)
        self._x, self._y = asarray(x, device), asarray(y, device)
        self._lr, self._steps = (asarray(0.0, device, dtype="float64") for _ in range(2))

        def run() -> Array:
            loss, grads = step.gradients(self._x, self._y, rng)
            optimizer.move(step.net.params, grads)
            return loss

        before = optimizer.lr, optimizer.steps
        optimizer.lr, optimizer.steps = self._lr, self._steps
        try:
            self._loss, self._replay = record_graph(run)
        finally:
            optimizer.lr, optimizer.steps = before


def run_beside(function: Callable[[], Array]) -> Array:
    """Run on a stream of its own, as what will be recorded must run before."""
    import torch

    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        result = function()
    torch.cuda.current_stream().wait_stream(stream)
    return result


def record_graph(function: Callable[[], Array]) -> tuple[Array, Callable[[], None]]:
    """Record what a function asks of the GPU, without doing it.

    Returns:
        The array that will hold its result, and a function that does it all, again and again.
    """
    import torch

    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = function()
    return result, graph.replay
