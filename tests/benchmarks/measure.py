"""Ask one process per library for rounds of training steps, in turn, once all agree.

Before anything is timed, each library's loss, gradients and updated weights are compared with those
of the hand-written loop in float64. Rounds are short and the order rotates, so that what slows the
machine down slows all of them alike; only one process works at a time.
"""

import math
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.benchmarks.by_hand import ByHand
from tests.benchmarks.libraries import LIBRARIES, UnavailableError
from tests.benchmarks.nets import Arrays, Net, Problem, problem
from tests.benchmarks.worker import Checked, Round

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-5  # of the loss, and of each gradient's largest element
PAUSE = 0.05  # s; the threads of the turn before come to rest
MOST_IDLE = 0.05  # of a core: a process that waits must not take more
MODES = {"each": True, "end": False}  # when the loss is read
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
THREAD_VARIABLES += ("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS")


class BenchmarkError(Exception):
    """A library does not compute what it should, or its process is gone."""


class Effort(NamedTuple):
    """How long it is measured."""

    rounds: int = 9
    seconds: float = 0.3  # of one round of one library
    limit: float = 300.0  # for one answer


class Remote:
    """A process of `worker.py`."""

    def __init__(self, library: str, cores: int, limit: float, cache: str) -> None:
        self.library, self.limit = library, limit
        environment = {k: v for k, v in os.environ.items() if k not in THREAD_VARIABLES}
        if cores:
            environment |= dict.fromkeys(THREAD_VARIABLES, str(cores))
        # torch.compile: no processes of its own, nothing kept from another day.
        environment |= {"TORCHINDUCTOR_COMPILE_THREADS": "1", "TORCHINDUCTOR_CACHE_DIR": cache}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.worker", library, str(cores)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=environment,
        )

    def __enter__(self) -> "Remote":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def ask(self, request: str, *arguments: Any) -> Any:
        """The answer to one request.

        Raises:
            UnavailableError: the library cannot run here.
            BenchmarkError: the request failed, its process ended, or it took too long.
        """
        late = threading.Timer(self.limit, self.process.kill)
        late.start()
        try:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            pickle.dump((request, arguments), self.process.stdin)
            self.process.stdin.flush()
            how, answer = pickle.load(self.process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            expired = late.finished.is_set()
            why = f"did not answer within {self.limit:g} s" if expired else self._end()
            raise BenchmarkError(f"{self.library}: asked to {request}, the process {why}") from error
        finally:
            late.cancel()
        if how == "unavailable":
            raise UnavailableError(answer)
        if how == "failed":
            raise BenchmarkError(f"{self.library}: asked to {request}, it failed:\n{answer}")
        return answer

    def _end(self) -> str:
        return f"ended with exit status {self.process.wait()}; what it printed stands above"


def measure(net: Net, names: list[str], cores: int, effort: Effort, cache: str) -> dict[str, Any]:
    """All rounds of all libraries on one net.

    Args:
        net: what is trained.
        names: of `libraries.py`; the first is what the others are compared with.
        cores: how many each library may use; 0 for all.
        effort: how many rounds, and how long they are.
        cache: a folder for what torch.compile writes.

    Returns:
        What the record holds of this net: times in µs per step, by library, mode and round.
    """
    task = problem(net)
    expected = reference(task)
    results: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        remotes: dict[str, Remote] = {}
        for name in names:
            remote = stack.enter_context(Remote(name, cores, effort.limit, cache))
            remote.ask("prepare", task)
            checked: Checked = remote.ask("check")
            results[name] = compare(name, checked, expected, task)
            remotes[name] = remote
        for name, remote in remotes.items():
            steps = {mode: _calibrate(remote, mode, effort.seconds) for mode in MODES}
            results[name] |= {"steps": steps, "us": {mode: [] for mode in MODES}, "idle": 0.0}
        for number in range(effort.rounds):
            for name in _rotated(names, number):
                for mode in _rotated(list(MODES), number):
                    time.sleep(PAUSE)
                    _turn(remotes[name], mode, results[name])
    return {"net": net.title, "sizes": list(net.sizes), "batch_size": net.batch_size} | {
        "cores": cores or available_cores(),
        "libraries": results,
    }


def available_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def reference(task: Problem) -> Checked:
    """The loss, gradients and updated weights of the hand-written loop in float64."""
    exact = ByHand(
        Problem(
            task.x.astype(np.float64),
            task.y,
            [weight.astype(np.float64) for weight in task.weights],
            [bias.astype(np.float64) for bias in task.biases],
            task.learning_rate,
        )
    )
    gradients = exact.gradients()
    return Checked(float(exact.step()), gradients, exact.params(), 0.0)


def compare(name: str, checked: Checked, expected: Checked, task: Problem) -> dict[str, Any]:
    """How far a library is from the reference, as parts of the tolerance's own scale.

    Raises:
        BenchmarkError: the loss, a gradient or an updated weight is further off than TOLERANCE.
    """
    assert expected.gradients is not None
    loss_error = abs(checked.loss - expected.loss) / expected.loss
    if not loss_error <= TOLERANCE:
        raise BenchmarkError(f"{name}: the loss is {checked.loss:.8g}, not {expected.loss:.8g}")

    gradient_error = None
    if checked.gradients is not None:
        scales = [float(np.abs(grad).max()) for grad in expected.gradients]
        errors = _errors(name, "gradient", checked.gradients, expected.gradients, scales)
        gradient_error = max(errors)

    # A step of float32 is as exact as its gradient, and as the weight it is taken from.
    rounding = float(np.finfo(np.float32).eps) / TOLERANCE
    scales = [
        task.learning_rate * float(np.abs(grad).max()) + rounding * float(np.abs(param).max())
        for grad, param in zip(expected.gradients, expected.updated, strict=True)
    ]
    _errors(name, "updated parameter", checked.updated, expected.updated, scales)
    return {
        "loss_error": loss_error,
        "gradient_error": gradient_error,
        "first_step_seconds": round(checked.first_step_seconds, 3),
    }


def _errors(
    name: str, what: str, found: Arrays, expected: Arrays, scales: list[float]
) -> list[float]:
    if [array.shape for array in found] != [array.shape for array in expected]:
        raise BenchmarkError(f"{name}: {what}s have other shapes than those of the reference")
    errors = []
    for place, (array, exact, scale) in enumerate(zip(found, expected, scales, strict=True)):
        errors.append(float(np.abs(array - exact).max()) / scale)
        if not errors[-1] <= TOLERANCE:
            raise BenchmarkError(
                f"{name}: {what} {place} differs from the hand-written loop's by "
                f"{errors[-1]:.2g} of its scale, more than {TOLERANCE:g}: nothing was timed"
            )
    return errors


def _calibrate(remote: Remote, mode: str, seconds: float) -> int:
    """How many steps take about so long."""
    steps = 1
    while True:
        spent = remote.ask("time", steps, MODES[mode]).seconds
        if spent >= seconds / 4:
            return max(2, round(steps * seconds / spent))
        steps *= 2


def _turn(remote: Remote, mode: str, result: dict[str, Any]) -> None:
    steps = result["steps"][mode]
    turn: Round = remote.ask("time", steps, MODES[mode])
    if not math.isfinite(turn.loss):
        raise BenchmarkError(f"{remote.library}: the loss became {turn.loss} in {steps} steps")
    result["us"][mode].append(round(turn.seconds / steps * 1e6, 2))
    result["idle"] = max(result["idle"], round(turn.idle_cpu_seconds / turn.idle_seconds, 4))


def _rotated(items: list[str], places: int) -> list[str]:
    places %= len(items)
    return items[places:] + items[:places]
