"""What the processes of test_distributed run, as `-m tests.dlref.parallel <what> <folder>`.

Each writes what it ended with to `<folder>/<what>-<rank>.npz`, under the names of the cases.
"""

import _thread
import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import dlref
from dlref import distributed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(23, 4))
Y = RNG.integers(0, 3, 23)
IMAGES = RNG.normal(size=(23, 1, 6, 6))

History = dict[str, list[float]]
Result = dict[str, np.ndarray]


def mlp(device: str) -> dlref.Layer:
    return dlref.mlp([4, 6, 3], seed=0, device=device)


def with_images(device: str) -> dlref.Layer:
    rng = np.random.default_rng(0)
    net = dlref.Sequential(
        dlref.Conv2d(1, 2, 3, rng=rng), dlref.ReLU(), dlref.Flatten(), dlref.Linear(32, 3, rng)
    )
    return net.to(device)


def with_dropout(device: str) -> dlref.Layer:
    rng = np.random.default_rng(0)
    net = dlref.Sequential(
        dlref.Linear(4, 40, rng), dlref.ReLU(), dlref.Dropout(0.5), dlref.Linear(40, 3, rng)
    )
    return net.to(device)


def with_batch_norm(device: str) -> dlref.Layer:
    rng = np.random.default_rng(0)
    net = dlref.Sequential(
        dlref.Linear(4, 6, rng), dlref.BatchNorm(6), dlref.ReLU(), dlref.Linear(6, 3, rng)
    )
    return net.to(device)


def train(
    make: Callable[[str], dlref.Layer] = mlp,
    *,
    device: str = "numpy",
    dtype: str = "float32",
    **options: Any,
) -> Result:
    """Train a fresh network; give its parameters and buffers, and the history."""
    net = make(device).to(dtype=dtype)
    x = dlref.asarray(IMAGES if make is with_images else X, device, dtype=dtype)
    given: dict[str, Any] = {
        "data": (x, dlref.asarray(Y, device)),
        "optimizer": dlref.SGD(0.3, momentum=0.5),
        "loss": dlref.cross_entropy,
        "epochs": 3,
        "batch_size": 8,
    } | options
    if "validation" in given:
        given["validation"] = tuple(part[: given["validation"]] for part in given["data"])
    history = dlref.fit(net, **given)
    arrays = {name: dlref.asarray(a) for name, a in [*net.params.items(), *net.buffers.items()]}
    return arrays | {f"history {name}": np.array(values) for name, values in history.items()}


def adamw() -> dlref.Optimizer:
    return dlref.AdamW(0.02)


# The same in one process with the whole batch and in two. 23 examples in batches of 2, 8 and 11
# leave a last batch of 1, which has no row for the second process, of 7, and of 1.
CASES: dict[str, dict[str, Any]] = {
    f"{device} {dtype} {optimizer} {batch_size}": {
        "device": device,
        "dtype": dtype,
        "batch_size": batch_size,
    }
    | options
    for device in ("numpy", "cpu")
    for dtype in ("float32", "float64")
    for batch_size in (2, 8, 23)
    for optimizer, options in {
        "SGD": {},
        "AdamW, clipped, with a schedule": {
            "optimizer": adamw,
            "max_norm": 0.5,
            "schedule": dlref.WarmupCosine(0.02, steps=40, warmup=3),
            "validation": 9,
            "metric": dlref.accuracy,
        },
    }.items()
} | {
    "images": {"make": with_images, "batch_size": 7},
    "one row of validation": {"validation": 1, "metric": dlref.accuracy},
    "numbers as targets": {"loss": "mse"},
}


def case(name: str, **options: Any) -> Result:
    """One of the cases, with a fresh optimizer."""
    given = CASES[name] | options
    if callable(given.get("optimizer")):
        given["optimizer"] = given["optimizer"]()
    if given.get("loss") == "mse":
        given["loss"] = mean_square
    return train(**given)


def mean_square(outputs: Any, labels: Any) -> tuple[float, Any]:
    """A loss whose value is a plain number."""
    targets = np.repeat(labels[:, None], 3, axis=1).astype(outputs.dtype)
    value, doutputs = dlref.mse(outputs, targets)
    return float(value), doutputs


def same_as_one(folder: Path) -> dict[str, Result]:
    return {name: case(name, parallel=True) for name in CASES}


def random_layers(folder: Path) -> dict[str, Result]:
    """Dropout and BatchNorm, and what is refused."""
    rank, found = int(os.environ["RANK"]), {}
    for device in ("numpy", "cpu"):
        for make in (with_dropout, with_batch_norm):
            found[f"{device} {make.__name__}"] = train(
                make, device=device, parallel=True, validation=9
            )
    drawn: list[np.ndarray] = []

    class Watched(dlref.Dropout):
        def forward(self, x: Any, *, training: Any = None) -> Any:
            y, cache = super().forward(x, training=training)
            if training is not None:
                drawn.append(np.asarray(cache[2]).ravel() > 0)
            return y, cache

    def watched(device: str) -> dlref.Layer:
        net = with_dropout(device)
        return dlref.Sequential(*net.layers[:2], Watched(), net.layers[3])  # type: ignore[attr-defined]

    train(watched, parallel=True)
    found["masks"] = {"masks": np.concatenate(drawn)[:1000]}
    path = folder / "refused.safetensors"
    different: dict[str, dict[str, Any]] = {
        "seed": {"seed": rank},
        "data": {"data": (X.astype(np.float32) + rank, Y)},
        "parameters": {"make": lambda device: dlref.mlp([4, 6, 3], seed=rank)},
        "epochs": {"epochs": 3 + rank},
        "batch_size": {"batch_size": 8 + rank},
        "checkpoint": {"checkpoint": path if rank == 0 else folder / "other", "resume": True},
    }
    for name, options in different.items():
        if name == "checkpoint":
            train(checkpoint=path, parallel=True)
        try:
            train(**{"parallel": True, **options})
        except ValueError as error:
            found[f"refused {name}"] = {"error": np.array(str(error))}
    return found


def ends(folder: Path) -> dict[str, Result]:
    """Leaves a file that says whether the process group was open at the very end."""
    path = folder / f"open-{os.environ['RANK']}"
    atexit.register(lambda: path.write_text(str(is_open())))
    return {"run": train(parallel=True)}


def is_open() -> bool:
    """Whether there is a process group, or one of its threads."""
    threads = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]  # on Linux
    return bool(torch.distributed.is_initialized()) or any("gloo" in name for name in threads)


def ends_by_an_error(folder: Path) -> dict[str, Result]:
    """The second process raises an error of its own, and the first loses touch."""
    if os.environ["RANK"] == "1":
        die_in("error", 7)
    return ends(folder)


def ends_by_ctrl_c(folder: Path) -> dict[str, Result]:
    """The user stops the first process, which waits for the second."""
    # Python does not set this handler in a shell's background job, which ignores Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ctrl_c = threading.Timer(0.2, _thread.interrupt_main)
    act = ctrl_c.start if os.environ["RANK"] == "0" else partial(time.sleep, 2)
    before_call(dlref.Sequential, "backward", 7, act)
    return ends(folder)


def opens_its_own(folder: Path) -> dict[str, Result]:
    """A script with a process group of its own, which is not for dlref to close."""
    torch.distributed.init_process_group("gloo")
    atexit.register(torch.distributed.destroy_process_group)
    return ends(folder)


def checkpointed(folder: Path) -> dict[str, Result]:
    """A run that goes on from its checkpoint; the first time a process kills itself on the way.

    `DIES` holds who it is, and where: "1 in step 7", or "0 in save 3".
    """
    dies = os.environ.get("DIES", "")
    if dies and os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0":
        who, _, where, when = dies.split()
        if who == os.environ["RANK"]:
            die_in(where, int(when))
    found = train(
        with_dropout,
        optimizer=dlref.AdamW(0.02),
        epochs=6,
        validation=9,
        metric=dlref.accuracy,
        checkpoint=folder / "run.safetensors",
        resume=True,
        parallel=True,
    )
    assert dlref.Checkpoint.load(folder / "run.safetensors").epoch == 6  # nobody is here before
    return {"run": found}


def die_in(where: str, when: int) -> None:
    """Kill this process in its step or save of that number, or raise in its step."""
    owner, name = {
        "step": (dlref.Sequential, "backward"),
        "error": (dlref.Sequential, "backward"),
        "save": (os, "fsync"),
    }[where]

    def die() -> None:
        if where == "error":
            raise ValueError("what the user's own code says")
        os.kill(os.getpid(), signal.SIGKILL)

    before_call(owner, name, when, die)


def before_call(owner: Any, name: str, when: int, act: Callable[[], object]) -> None:
    """Act once, before the call of that number."""
    real, calls = getattr(owner, name), []

    def watched(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == when:
            act()
        return real(*args, **options)

    setattr(owner, name, watched)


def endless(folder: Path) -> dict[str, Result]:
    """A run that only a death ends; a save takes about as long as an epoch."""

    def large(device: str) -> dlref.Layer:
        return dlref.mlp([4, 550, 550, 3], seed=0)

    path = folder / "run.safetensors"
    return {"run": train(large, epochs=10**6, checkpoint=path, resume=True, parallel=True)}


def impatient(folder: Path) -> dict[str, Result]:
    """A short limit; the second process stands still."""
    distributed.LONGEST_WAIT = timedelta(seconds=2)
    if os.environ["RANK"] == "1":
        stop = partial(os.kill, os.getpid(), signal.SIGSTOP)
        before_call(dlref.Sequential, "backward", 1, stop)
    return {"run": train(parallel=True)}


if __name__ == "__main__":
    # A thread of PyTorch that needs the interpreter has to wait, perhaps until the process ends:
    # what then goes wrong in few runs goes wrong in many.
    sys.setswitchinterval(100)
    for what in sys.argv[1].split(","):
        results: dict[str, Result] = globals()[what](Path(sys.argv[2]))
        arrays = {f"{name}/{key}": a for name, found in results.items() for key, a in found.items()}
        path = Path(sys.argv[2]) / f"{what}-{os.environ['RANK']}.npz"
        np.savez(path, **arrays)  # type: ignore[arg-type]
