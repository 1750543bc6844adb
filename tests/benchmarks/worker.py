"""The process of one library: it answers what `measure.py` asks, one request at a time.

    python -m tests.benchmarks.worker <cores, 0 for all>

Requests and answers are pickles on standard input and output.
"""

import os
import pickle
import sys
import time
import traceback
from typing import Any

from tests.benchmarks.answers import Checked, Round
from tests.benchmarks.libraries import Library, Trainer, UnavailableError, make_trainer
from tests.benchmarks.nets import Problem


class Worker:
    """The requests, by name."""

    trainer: Trainer
    idle_since: tuple[float, float]

    def prepare(self, library: Library, problem: Problem) -> None:
        """Import the library, and give it the problem."""
        self.trainer = make_trainer(library, problem)

    def check(self) -> Checked:
        """Make one step, as the timed rounds do; compilation and recording happen here."""
        start = time.perf_counter()
        for _ in range(self.trainer.first_steps):
            self.trainer.reset()
            loss = self.trainer.read(self.trainer.step())
            self.trainer.wait()
        seconds = time.perf_counter() - start
        updated = [param.copy() for param in self.trainer.params()]  # reset writes to them
        self.trainer.reset()
        checked = Checked(loss, self.trainer.gradients(), updated, seconds)
        self._rest()
        return checked

    def time(self, seconds: float, read_each: bool) -> Round:
        """Train for so long from the problem's weights, after a tenth of it that is not counted."""
        now, cpu = clocks()
        idle, idle_cpu = now - self.idle_since[0], cpu - self.idle_since[1]
        self.trainer.reset()
        self._train(seconds / 10, read_each)
        start = time.perf_counter()
        steps, loss = self._train(seconds, read_each)
        spent = time.perf_counter() - start
        self._rest()
        return Round(steps, spent, loss, idle, idle_cpu)

    def product_rate(self) -> float:
        """That of the GPU, in floating-point operations a second."""
        from tests.benchmarks import cuda

        return cuda.product_rate()

    def _train(self, seconds: float, read_each: bool) -> tuple[int, float]:
        trainer, now = self.trainer, time.perf_counter
        end = now() + seconds
        steps = 0
        if read_each:
            while steps == 0 or now() < end:
                value = trainer.read(trainer.step())
                steps += 1
        else:
            while steps == 0 or now() < end:
                loss = trainer.step()
                steps += 1
            value = trainer.read(loss)
        trainer.wait()
        return steps, value

    def _rest(self) -> None:
        """Wait until the threads sleep: those of OpenBLAS and OpenMP first look for more work."""
        for _ in range(100):
            before = time.process_time()
            time.sleep(0.01)
            if time.process_time() - before < 0.001:
                break
        self.idle_since = clocks()


def clocks() -> tuple[float, float]:
    """Now, and the processor time that all threads of this process have used."""
    return time.perf_counter(), time.process_time()


def main(cores: int) -> None:
    """Answer until there are no more requests."""
    if cores and hasattr(os, "sched_setaffinity"):  # Linux; XLA has no variable for its threads
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    worker = Worker()
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
    main(int(sys.argv[1]))
