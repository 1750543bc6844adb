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

import numpy as np
import pytest

import dlref
from dlref import progress
from tests.dlref import parallel

Found = dict[str, np.ndarray]
LOST = "lost touch with the others"
WHOLE = ["same_as_one", "random_layers", "checkpointed"]  # in which nobody dies
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
    run = torchrun(",".join(WHOLE), folder)
    _, error = run.communicate(timeout=60)
    assert run.returncode == 0, error
    return {what: results(what, folder) for what in WHOLE}


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


@pytest.mark.parametrize("what", WHOLE)
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


@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_batch_norm_sees_the_rows_of_its_process_and_keeps_the_numbers_of_the_first(
    device: str, runs: dict[str, list[Found]]
) -> None:
    """Both processes by hand: two networks that make the same steps."""
    nets, optimizers = [parallel.with_batch_norm("numpy") for _ in range(2)], []
    for _ in nets:
        optimizers.append(dlref.SGD(0.3, momentum=0.5))
    x, y, rng = parallel.X.astype(np.float32), parallel.Y, np.random.default_rng(0)
    for _ in range(3):
        order = rng.permutation(23)
        for start in range(0, 23, 8):
            batch, grads = order[start : start + 8], []
            for rank, net in enumerate(nets):
                rows = batch[rank::2]
                outputs, cache = net.forward(x[rows], training=rng)
                _, own = net.backward(dlref.cross_entropy(outputs, y[rows])[1], cache)
                grads.append({name: g * (len(rows) / len(batch)) for name, g in own.items()})
            mean = {name: grads[0][name] + grads[1][name] for name in grads[0]}
            for net, optimizer in zip(nets, optimizers, strict=True):
                optimizer.step(net.params, mean)
    expected = {**nets[0].params, **nets[0].buffers}
    for found in runs["random_layers"]:
        arrays = of(found, f"{device} with_batch_norm")
        for name, array in expected.items():
            np.testing.assert_allclose(arrays[name], array, rtol=0, atol=1e-6, err_msg=name)


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


@pytest.mark.parametrize(
    ("what", "returncodes", "is_open"),
    [
        ("ends", [0, 0], "False"),
        ("ends_by_an_error", [1, 1], "False"),
        ("ends_by_ctrl_c", [-signal.SIGINT, 1], "False"),
        ("opens_its_own", [0, 0], "True"),
    ],
)
def test_process_closes_at_its_end_what_fit_opened(
    what: str, returncodes: list[int], is_open: str, tmp_path: Path
) -> None:
    with two_alone(what, tmp_path) as processes:
        for rank, process in enumerate(processes):
            _, error = process.communicate(timeout=60)
            assert process.returncode == returncodes[rank], error
            assert (tmp_path / f"open-{rank}").read_text() == is_open


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
        assert_ends(first, 0)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_killed_at_any_moment_ends_the_other(rank: int, tmp_path: Path) -> None:
    seed = secrets.randbits(32)
    path = tmp_path / "run.safetensors"
    with two_alone("endless", tmp_path) as processes:
        limit = time.monotonic() + 60
        while not path.exists():
            assert time.monotonic() < limit, "it did not begin"
            time.sleep(0.01)
        time.sleep(np.random.default_rng(seed).uniform(0, 1))
        assert processes[rank].poll() is None
        processes[rank].kill()
        assert_ends(processes[1 - rank], 1 - rank)
    epoch, inside = dlref.Checkpoint.load(path).epoch, any(tmp_path.glob("*.part"))
    print(f"seed {seed}: killed after epoch {epoch}, inside a save: {inside}")


def test_a_process_killed_inside_a_save_ends_the_other(tmp_path: Path) -> None:
    with two_alone("checkpointed", tmp_path, dies="0 in save 3") as (first, second):
        first.communicate(timeout=60)
        assert first.returncode == -signal.SIGKILL
        assert_ends(second, 1)
    assert any(tmp_path.glob("*.part"))
    assert dlref.Checkpoint.load(tmp_path / "run.safetensors").epoch == 1


def assert_ends(process: "subprocess.Popen[str]", rank: int) -> None:
    """The one that is left says so, and ends with an error in seconds."""
    began = time.monotonic()
    _, error = process.communicate(timeout=LONGEST)
    assert process.returncode == 1
    assert re.search(rf"RuntimeError: fit: process {rank} {LOST} .*resume=True", error), error
    print(f"process {rank} ended {time.monotonic() - began:.2f} s after the other")


def test_a_process_that_stands_still_ends_the_other_at_the_limit(tmp_path: Path) -> None:
    with two_alone("impatient", tmp_path) as (first, _):
        _, error = first.communicate(timeout=60)
        assert first.returncode == 1
        assert re.search(rf"RuntimeError: fit: process 0 {LOST} .*(Timed|timed) ?out", error)


def test_parallel_without_torchrun_says_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(RuntimeError, match="start them with `torchrun --nproc-per-node=2 train"):
        parallel.train(parallel=True)


def test_one_process_of_torchrun_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = parallel.train(parallel.with_dropout)
    for name, value in {"RANK": "0", "WORLD_SIZE": "1"}.items():
        monkeypatch.setenv(name, value)
    found = parallel.train(parallel.with_dropout, parallel=True)
    for key, array in alone.items():
        np.testing.assert_array_equal(found[key], array)


def test_only_the_first_process_shows_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress.progress(3, 0, "step", show=False) as advance:
        advance()
    assert capsys.readouterr().err == ""


def test_two_processes_share_a_model_out_as_the_page_shows() -> None:
    script = Path(__file__).parents[2] / "snippets" / "training" / "shard.py"
    line = re.compile(r"process (\d) holds ([\d,]+) parameters; loss ([\d.]+)")
    [(_, whole, loss)] = line.findall(script.with_suffix(".out").read_text())
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    run = subprocess.run(
        [*command, script], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    ranks, held, losses = zip(*line.findall(run.stdout), strict=True)
    assert set(ranks) == {"0", "1"}
    assert {2 * int(count.replace(",", "")) for count in held} == {int(whole.replace(",", ""))}
    assert sum(map(float, losses)) / 2 == pytest.approx(float(loss), abs=0.0011)
