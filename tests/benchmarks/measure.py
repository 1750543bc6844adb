"""Ask one process per library for rounds of training steps, in turn, once all agree.

Before anything is timed, each library's loss, gradients and updated weights are compared with those
of the yardstick in float64: the hand-written loop, or torch.nn for nets that are more than linear
layers. Rounds are short and the order rotates, so that what slows the
machine down slows all of them alike; only one process works at a time.
"""

import math
import os
import pickle
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.benchmarks.answers import Checked, Round
from tests.benchmarks.libraries import LIBRARIES, Library, UnavailableError
from tests.benchmarks.nets import MLP, TOLERANCE, Arrays, Net, Problem, problem

ROOT = Path(__file__).resolve().parents[2]
MODES = {"each": True, "end": False}  # when the loss is read
THREAD_VARIABLES = [f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL")]
THREAD_VARIABLES += ["VECLIB_MAXIMUM_THREADS"]
# glibc gives memory back to the system, and asks for it again, or keeps it, as the heap happens to
# lie: the same loop then takes much longer in one process. With these it keeps all it had.
KEEP_MEMORY = dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), str(2**28))


class BenchmarkError(Exception):
    """A library does not compute what it should, or its process is gone."""


class Effort(NamedTuple):
    """How long it is measured."""

    rounds: int = 9
    seconds: float = 0.2  # of one turn of one library
    limit: float = 300.0  # for one answer


class Remote:
    """A process of `worker.py`."""

    def __init__(self, name: str, cores: int, limit: float, cache: str) -> None:
        self.name, self.limit = name, limit
        environment = {k: v for k, v in os.environ.items() if k not in THREAD_VARIABLES}
        environment |= KEEP_MEMORY
        if cores:
            environment |= dict.fromkeys(THREAD_VARIABLES, str(cores))
        # torch.compile: no processes of its own, nothing kept from another day.
        environment |= {"TORCHINDUCTOR_COMPILE_THREADS": "1", "TORCHINDUCTOR_CACHE_DIR": cache}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.worker", str(cores)],
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
        start = time.monotonic()
        late = threading.Timer(self.limit, self.process.kill)
        late.start()
        try:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            pickle.dump((request, arguments), self.process.stdin)
            self.process.stdin.flush()
            how, answer = pickle.load(self.process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            expired = time.monotonic() - start >= self.limit
            why = f"did not answer within {self.limit:g} s" if expired else self._end()
            raise BenchmarkError(f"{self.name}: asked to {request}, the process {why}") from error
        finally:
            late.cancel()
        if how == "unavailable":
            raise UnavailableError(answer)
        if how == "failed":
            raise BenchmarkError(f"{self.name}: asked to {request}, it failed:\n{answer}")
        return answer

    def _end(self) -> str:
        return f"ended with exit status {self.process.wait()}; what it printed stands above"


def measure(
    net: Net, libraries: dict[str, Library], cores: int, effort: Effort, cache: str
) -> dict[str, Any]:
    """All rounds of all libraries on one net.

    Args:
        net: what is trained.
        libraries: the rows, by name.
        cores: how many each library may use; 0 for all.
        effort: how many rounds, and how long they are.
        cache: a folder for what torch.compile writes.

    Returns:
        What the record holds of this net: times in µs per step, by library, mode and round.
    """
    task = problem(net)
    yardstick = "by-hand" if isinstance(net, MLP) else "torch-nn"
    expected = reference(task, LIBRARIES[yardstick], effort, cache)
    results: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        remotes: dict[str, Remote] = {}
        for name, library in libraries.items():
            remote = stack.enter_context(Remote(name, cores, effort.limit, cache))
            remote.ask("prepare", library, task)
            checked: Checked = remote.ask("check")
            results[name] = compare(name, checked, expected, task)
            results[name] |= {"us": {mode: [] for mode in MODES}}
            results[name] |= {"idle_seconds": 0.0, "idle_cpu_seconds": 0.0}
            remotes[name] = remote
        for number in range(effort.rounds):
            for name in _rotated(list(libraries), number):
                for mode in _rotated(list(MODES), number):
                    _turn(remotes[name], mode, effort.seconds, results[name])
    return {
        "net": net.title,
        "sizes": list(net.sizes) if isinstance(net, MLP) else None,
        "batch_size": net.batch_size,
        "yardstick": yardstick if yardstick in libraries else "torch-nn-cuda",
        "cores": cores or available_cores(),
        "libraries": results,
    }


def available_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def reference(task: Problem, library: Library, effort: Effort, cache: str) -> Checked:
    """The loss, gradients and updated weights that a library on the CPU computes in float64."""
    with Remote(f"{library.title} in float64", 0, effort.limit, cache) as remote:
        remote.ask("prepare", library, task.in_float64())
        checked: Checked = remote.ask("check")
        return checked


def compare(name: str, checked: Checked, expected: Checked, task: Problem) -> dict[str, Any]:
    """How far a library is from the reference, as parts of the tolerance's own scale.

    Raises:
        BenchmarkError: the loss, a gradient or an updated weight is further off than its tolerance.
    """
    assert expected.gradients is not None
    loss_error = abs(checked.loss - expected.loss) / expected.loss
    if not loss_error <= TOLERANCE:
        raise BenchmarkError(f"{name}: the loss is {checked.loss:.8g}, not {expected.loss:.8g}")

    gradient_error = None
    if checked.gradients is not None:
        scales = [float(np.abs(grad).max()) for grad in expected.gradients]
        gradient_error = _error(
            task, f"{name}: gradient", checked.gradients, expected.gradients, scales
        )

    # A step of float32 is as exact as its gradient, and as the weight it is taken from.
    rounding = float(np.finfo(np.float32).eps) / task.net.tolerance
    scales = [
        task.learning_rate * float(np.abs(grad).max()) + rounding * float(np.abs(param).max())
        for grad, param in zip(expected.gradients, expected.updated, strict=True)
    ]
    _error(task, f"{name}: updated parameter", checked.updated, expected.updated, scales)
    return {
        "loss_error": loss_error,
        "gradient_error": gradient_error,
        "first_step_seconds": round(checked.first_step_seconds, 3),
    }


def _error(task: Problem, what: str, found: Arrays, expected: Arrays, scales: list[float]) -> float:
    """The largest error of all parameters' arrays, each as a part of its scale."""
    if [array.shape for array in found] != [array.shape for array in expected]:
        raise BenchmarkError(f"{what}s have other shapes than those of the reference")
    largest = 0.0
    for param, array, exact, scale in zip(task.params, found, expected, scales, strict=True):
        error = float(np.abs(array - exact).max()) / scale
        if not error <= task.net.tolerance:
            raise BenchmarkError(
                f"{what} {param} differs from the reference's by {error:.2g} of its scale, "
                f"more than {task.net.tolerance:g}: nothing was timed"
            )
        largest = max(largest, error)
    return largest


def _turn(remote: Remote, mode: str, seconds: float, result: dict[str, Any]) -> None:
    turn: Round = remote.ask("time", seconds, MODES[mode])
    if not math.isfinite(turn.loss):
        raise BenchmarkError(f"{remote.name}: the loss became {turn.loss} in {turn.steps} steps")
    result["us"][mode].append(round(turn.seconds / turn.steps * 1e6, 2))
    result["idle_seconds"] = round(result["idle_seconds"] + turn.idle_seconds, 3)
    result["idle_cpu_seconds"] = round(result["idle_cpu_seconds"] + turn.idle_cpu_seconds, 3)


def _rotated(items: list[str], places: int) -> list[str]:
    places %= len(items)
    return items[places:] + items[:places]
