"""What is measured: for each library, the step of training as its users write it.

A trainer holds the problem in its library's own arrays. Its library is imported when it is made, so
that the process of one library never loads another.
"""

import importlib
from typing import Any, NamedTuple

from tests.benchmarks.nets import Arrays, Problem


class UnavailableError(Exception):
    """The library cannot run on this machine; the text says why."""


class Trainer:
    """One library on one problem. A step returns the loss as the library gives it, unread."""

    def __init__(self, problem: Problem, device: str) -> None:
        raise NotImplementedError

    def step(self) -> Any:
        """One step of gradient descent on the whole batch."""
        raise NotImplementedError

    def reset(self) -> None:
        """Start again from the problem's weights."""
        raise NotImplementedError

    def read(self, loss: Any) -> float:
        """The loss as a number; waits for it where the library computes in the background."""
        return float(loss)

    def wait(self) -> None:
        """Return when everything that was asked for is computed."""

    def gradients(self) -> Arrays | None:
        """By weight, bias, weight, …, in the problem's shapes; None where the library has none."""
        raise NotImplementedError

    def params(self) -> Arrays:
        """By weight, bias, weight, …, in the problem's shapes."""
        raise NotImplementedError


class Library(NamedTuple):
    """A row of the benchmark: what it is called, which class trains, on which device."""

    title: str
    trainer: str  # module:class
    device: str = "cpu"


LIBRARIES = {
    "by-hand": Library("NumPy by hand", "tests.benchmarks.by_hand:ByHand"),
    "dlref-numpy": Library("dlref on NumPy", "tests.benchmarks.with_dlref:Dlref", "numpy"),
    "dlref-cpu": Library("dlref on PyTorch", "tests.benchmarks.with_dlref:Dlref"),
    "torch-nn": Library("torch.nn", "tests.benchmarks.with_torch:Eager"),
    "torch-compile": Library("torch.compile, model", "tests.benchmarks.with_torch:Compiled"),
    "torch-compile-step": Library(
        "torch.compile, step", "tests.benchmarks.with_torch:CompiledStep"
    ),
    "jax": Library("JAX jit", "tests.benchmarks.with_jax:Jax"),
    "scikit-learn": Library("scikit-learn", "tests.benchmarks.with_scikit_learn:ScikitLearn"),
    "dlref-cuda": Library("dlref on CUDA", "tests.benchmarks.with_dlref:Dlref", "cuda"),
    "torch-nn-cuda": Library("torch.nn, CUDA", "tests.benchmarks.with_torch:Eager", "cuda"),
    "torch-compile-cuda": Library(
        "torch.compile, model, CUDA", "tests.benchmarks.with_torch:Compiled", "cuda"
    ),
    "torch-compile-step-cuda": Library(
        "torch.compile, step, CUDA", "tests.benchmarks.with_torch:CompiledStep", "cuda"
    ),
}


def make_trainer(library: Library, problem: Problem) -> Trainer:
    """Import the library of a row and give it the problem.

    Raises:
        UnavailableError: the library, its compiler or its device is not there.
    """
    module, _, trainer = library.trainer.partition(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UnavailableError(f"{error.name} is not installed") from error
    made: Trainer = getattr(found, trainer)(problem, library.device)
    return made
