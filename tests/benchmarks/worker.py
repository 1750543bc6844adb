"""The process of one library: it answers what `measure.py` asks, one request at a time.

    python -m tests.benchmarks.worker <library> <cores, 0 for all>

Requests and answers are pickles on standard input and output.
"""

import os
import pickle
import sys
import time
import traceback
from typing import Any, NamedTuple

from tests.benchmarks.libraries import Trainer, UnavailableError, make_trainer
from tests.benchmarks.nets import Arrays, Problem


class Checked(NamedTuple):
    """What a library computes at the problem's weights, and what one step makes of them."""

    loss: float
    gradients: Arrays | None
    updated: Arrays
    first_step_seconds: float  # with compilation


class Round(NamedTuple):
    """One turn of a library."""

    seconds: float
    loss: float  # of the last step
    idle_seconds: float  # since the turn before
    idle_cpu_seconds: float  # what all threads of this process used meanwhile


class Worker:
    """The requests, by name."""

    trainer: Trainer

    def __init__(self, library: str) -> None:
        self.library = library
        self.idle_since = clocks()

    def prepare(self, problem: Problem) -> None:
        """Import the library, and give it the problem."""
        self.trainer = make_trainer(self.library, problem)

    def check(self) -> Checked:
        """Make one step, as the timed rounds do; compilation happens here."""
        start = time.perf_counter()
        loss = self.trainer.read(self.trainer.step())
        self.trainer.wait()
        seconds = time.perf_counter() - start
        updated = [param.copy() for param in self.trainer.params()]  # reset writes to them
        self.trainer.reset()
        return Checked(loss, self.trainer.gradients(), updated, seconds)

    def time(self, steps: int, read_each: bool) -> Round:
        """Make so many steps from the problem's weights, after a few that are not timed."""
        start, cpu = clocks()
        idle, idle_cpu = start - self.idle_since[0], cpu - self.idle_since[1]
        self.trainer.reset()
        self._train(2 + steps // 10, read_each)
        start = time.perf_counter()
        loss = self._train(steps, read_each)
        seconds = time.perf_counter() - start
        self.idle_since = clocks()
        return Round(seconds, loss, idle, idle_cpu)

    def _train(self, steps: int, read_each: bool) -> float:
        trainer = self.trainer
        if read_each:
            for _ in range(steps):
                value = trainer.read(trainer.step())
        else:
            for _ in range(steps):
                loss = trainer.step()
            value = trainer.read(loss)
        trainer.wait()
        return value


def clocks() -> tuple[float, float]:
    """Now, and the processor time that all threads of this process have used."""
    return time.perf_counter(), time.process_time()


def main(library: str, cores: int) -> None:
    """Answer until there are no more requests."""
    if cores and hasattr(os, "sched_setaffinity"):  # Linux; XLA has no variable for its threads
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    worker = Worker(library)
    while True:
        try:
            request, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        answer: tuple[str, Any]
        try:
            answer = ("done", getattr(worker, request)(*arguments))
        except UnavailableError as error:
            answer = ("unavailable", str(error))
        except Exception:
            answer = ("failed", traceback.format_exc())
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
