"""What is measured: for each library, the step of training as its users write it.

A trainer holds the problem in its library's own arrays. Its library is imported when it is made, so
that the process of one library never loads another.
"""

import importlib
from typing import Any, NamedTuple

from tests.benchmarks.nets import MLP, Arrays, Net, Problem


class UnavailableError(Exception):
    """The library cannot run on this machine; the text says why."""


class Trainer:
    """One library on one problem. A step returns the loss as the library gives it, unread."""

    first_steps = 1  # the last of them is the first that runs as the timed ones do

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
        """In the problem's order and shapes; None where the library shows none."""
        raise NotImplementedError

    def params(self) -> Arrays:
        """In the problem's order and shapes."""
        raise NotImplementedError


class Library(NamedTuple):
    """A row of the benchmark: what it is called, which class trains, where, and which nets."""

    title: str
    trainer: str  # module:class
    device: str = "cpu"
    every_net: bool = True  # or MLPs alone


LIBRARIES = {
    "by-hand": Library("NumPy by hand", "tests.benchmarks.by_hand:ByHand", every_net=False),
    "dlref-numpy": Library("dlref on NumPy", "tests.benchmarks.with_dlref:Dlref", "numpy"),
    "dlref-cpu": Library("dlref on PyTorch", "tests.benchmarks.with_dlref:Dlref"),
    "torch-nn": Library("torch.nn", "tests.benchmarks.with_torch:Eager"),
    "torch-compile": Library("torch.compile, model", "tests.benchmarks.with_torch:Compiled"),
    "torch-compile-step": Library(
        "torch.compile, step", "tests.benchmarks.with_torch:CompiledStep", every_net=False
    ),
    "jax": Library("JAX jit", "tests.benchmarks.with_jax:Jax", every_net=False),
    "scikit-learn": Library(
        "scikit-learn", "tests.benchmarks.with_scikit_learn:ScikitLearn", every_net=False
    ),
    "dlref-cuda": Library("dlref on CUDA", "tests.benchmarks.with_dlref:Dlref", "cuda"),
    "dlref-captured-cuda": Library(
        "dlref on CUDA, captured", "tests.benchmarks.with_dlref:Captured", "cuda"
    ),
    "torch-nn-cuda": Library("torch.nn, CUDA", "tests.benchmarks.with_torch:Eager", "cuda"),
    "torch-compile-cuda": Library(
        "torch.compile, model, CUDA", "tests.benchmarks.with_torch:Compiled", "cuda"
    ),
    "torch-compile-reduced-cuda": Library(
        "torch.compile, reduce-overhead, CUDA",
        "tests.benchmarks.with_torch:CompiledReduced",
        "cuda",
    ),
}


def rows(net: Net, *, cuda: bool) -> dict[str, Library]:
    """The libraries that train this net, on a GPU or on a CPU."""
    return {
        name: library
        for name, library in LIBRARIES.items()
        if (library.device == "cuda") == cuda and (library.every_net or isinstance(net, MLP))
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
