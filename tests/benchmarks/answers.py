"""What a worker's process answers; a module of its own, so that pickle finds it on both sides."""

from typing import NamedTuple

from tests.benchmarks.nets import Arrays


class Checked(NamedTuple):
    """What a library computes at the problem's weights, and what one step makes of them."""

    loss: float
    gradients: Arrays | None
    updated: Arrays
    first_step_seconds: float  # with compilation


class Round(NamedTuple):
    """One turn of a library."""

    steps: int
    seconds: float
    loss: float  # of the last step
    idle_seconds: float  # since the turn before
    idle_cpu_seconds: float  # what all threads of this process used meanwhile
