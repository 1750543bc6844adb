"""Two processes train as one does, and when one dies, the others end and say so.

What they run is in parallel.py. Torch takes seconds to import in each, so that tests share runs.
"""

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlref
from dlref import progress
from tests.dlref import parallel

Found = dict[str, np.ndarray]
LOST = "lost touch with the others"
LONGEST = 10.0  # seconds from a death until the others have ended


def torchrun(what: str, folder: Path, *options: str, dies: str = "") -> "subprocess.Popen[str]":
    """Two processes of parallel.py, on a free port of this machine."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node=2", *options, "-m", "tests.dlref.parallel", what, str(folder)]
    return subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "DIES": dies}
    )


@contextlib.contextmanager
def two_alone(what: str, folder: Path, dies: str = "") -> Iterator[list["subprocess.Popen[str]"]]:
    """The same two processes without torchrun, which would end one when the other dies."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "DIES": dies}
    command = [sys.executable, "-m", "tests.dlref.parallel", what, str(folder)]
    processes = [
        subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **given, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def results(what: str, folder: Path) -> list[Found]:
    """What each process wrote."""
    return [dict(np.load(folder / f"{what}-{rank}.npz")) for rank in range(2)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Found]]:
    """The runs in which nobody dies."""
    folder = tmp_path_factory.mktemp("parallel")
    found = {}
    for what in ("same_as_one", "random_layers", "checkpointed"):
        _, error = (run := torchrun(what, folder)).communicate(timeout=60)
        assert run.returncode == 0, error
        found[what] = results(what, folder)
    return found


def of(found: Found, name: str) -> Found:
    """The arrays of one case."""
    return {k.removeprefix(f"{name}/"): a for k, a in found.items() if k.startswith(f"{name}/")}


@pytest.mark.parametrize("name", parallel.CASES)
def test_two_processes_give_the_numbers_of_one(name: str, runs: dict[str, list[Found]]) -> None:
    one = parallel.case(name)
    start = parallel.case(name, epochs=1)
    for found in (of(both, name) for both in runs["same_as_one"]):
        assert found.keys() == one.keys()
        for key, array in one.items():
            assert found[key].dtype == array.dtype
            np.testing.assert_allclose(found[key], array, rtol=0, atol=1e-6, err_msg=key)
    assert any(np.abs(one[key] - start[key]).max() > 0.01 for key in start if "weight" in key)


@pytest.mark.parametrize("what", ["same_as_one", "random_layers", "checkpointed"])
def test_both_processes_end_at_the_same_bits(what: str, runs: dict[str, list[Found]]) -> None:
    first, second = runs[what]
    assert first.keys() == second.keys()
    for key, array in first.items():
        if not key.startswith("masks"):
            np.testing.assert_array_equal(second[key], array)


def test_dropout_draws_other_masks_in_each_process(runs: dict[str, list[Found]]) -> None:
    first, second = (found["masks/masks"] for found in runs["random_layers"])
    assert 0.4 < np.mean(first == second) < 0.6
    assert 0.4 < first.mean() < 0.6


def test_the_running_numbers_of_batch_norm_are_those_of_the_first_process(
    runs: dict[str, list[Found]],
) -> None:
    """The first process trains on its rows of the same order, here computed by hand."""
    found = of(runs["random_layers"][0], "numpy with_batch_norm")
    assert not np.array_equal(found["1.running_mean"], np.zeros(6))
    net = parallel.with_batch_norm("numpy")
    options: Any = {"loss": dlref.cross_entropy, "optimizer": dlref.SGD(1e-30)}
    x, y = parallel.X.astype(np.float32), parallel.Y
    dlref.fit(net, (x, y), epochs=3, batch_size=8, **options)
    assert np.abs(found["1.running_mean"] - net.buffers["1.running_mean"]).max() < 1.0


REFUSED = {
    "seed": r"seed is PCG64 with checksum \w+ in process 0, and PCG64 with .* in process 1",
    "data": r"data is float32 \[23, 4\] with checksum .* in process 0, and float32",
    "parameters": "parameters is 4 arrays with checksum .* in process 0, and 4 arrays",
    "epochs": "epochs is 3 in process 0, and 4 in process 1: begin with the same in all",
    "batch_size": "batch_size is 8 in process 0, and 9 in process 1",
    "checkpoint": "checkpoint is of epoch 3 in process 0, and None in process 1",
}


@pytest.mark.parametrize("name", REFUSED)
def test_processes_that_begin_differently_are_refused(
    name: str, runs: dict[str, list[Found]]
) -> None:
    for found in runs["random_layers"]:
        assert re.search(REFUSED[name], str(found[f"refused {name}/error"]))


@pytest.mark.parametrize("dies", ["1 in step 7", "0 in save 3"])
def test_torchrun_starts_all_again_and_the_run_ends_at_the_same_bits(
    dies: str, tmp_path: Path, runs: dict[str, list[Found]]
) -> None:
    run = torchrun("checkpointed", tmp_path, "--max-restarts=1", dies=dies)
    _, error = run.communicate(timeout=60)
    assert run.returncode == 0, error
    for found, whole in zip(results("checkpointed", tmp_path), runs["checkpointed"], strict=True):
        assert found.keys() == whole.keys()
        for key, array in whole.items():
            np.testing.assert_array_equal(found[key], array)
    assert [path.name for path in tmp_path.glob("run*")] == ["run.safetensors"]


def test_torchrun_names_the_process_that_died(tmp_path: Path) -> None:
    run = torchrun("checkpointed", tmp_path, dies="1 in step 7")
    _, error = run.communicate(timeout=60)
    assert run.returncode == 1
    assert re.search(r"rank +: 1 .*\n.*exitcode +: -9", error)


def test_an_error_in_one_process_ends_the_other(tmp_path: Path) -> None:
    with two_alone("checkpointed", tmp_path, dies="1 in error 7") as (first, second):
        assert "ValueError: what the user's own code says" in second.communicate(timeout=60)[1]
        died = time.monotonic()
        _, error = first.communicate(timeout=LONGEST)
        assert first.returncode == 1
        assert re.search(rf"RuntimeError: fit: process 0 {LOST} .*resume=True", error)
        print(f"the other ended {time.monotonic() - died:.2f} s after it")


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_killed_at_any_moment_ends_the_other(rank: int, tmp_path: Path) -> None:
    """Process 0 is killed in a save about as often as not."""
    seed = secrets.randbits(32)
    rng, path = np.random.default_rng(seed), tmp_path / "run"
    for _ in range(2):
        before = path.stat().st_mtime_ns if path.exists() else 0
        with two_alone("endless", tmp_path) as processes:
            wait = time.monotonic() + 30
            while not path.exists() or path.stat().st_mtime_ns == before:
                assert time.monotonic() < wait, "it did not begin"
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.5))
            processes[rank].send_signal(signal.SIGKILL)
            died = time.monotonic()
            _, error = processes[1 - rank].communicate(timeout=LONGEST)
            took = time.monotonic() - died
        assert processes[1 - rank].returncode == 1
        assert f"RuntimeError: fit: process {1 - rank} {LOST}" in error
        epoch = dlref.Checkpoint.load(path).epoch
        inside = any(tmp_path.glob("*.part"))
        print(f"seed {seed}: killed in epoch {epoch}, inside a save: {inside}, took {took:.2f} s")


def test_a_process_that_stands_still_ends_the_other_at_the_limit(tmp_path: Path) -> None:
    with two_alone("impatient", tmp_path) as (first, _):
        _, error = first.communicate(timeout=60)
        assert first.returncode == 1
        assert re.search(rf"RuntimeError: fit: process 0 {LOST} .*(Timed|timed) ?out", error)


def test_parallel_without_torchrun_says_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(RuntimeError, match="start them with `torchrun --nproc-per-node=2 train"):
        parallel.train(parallel=True)


def test_only_the_first_process_shows_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress.progress(3, 0, "step", show=False) as advance:
        advance()
    assert capsys.readouterr().err == ""
