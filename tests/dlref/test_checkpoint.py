"""An interrupted run goes on to the same numbers, and nothing that goes wrong loses one."""

import errno
import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch

import dlref
from dlref import checkpoint_file
from tests.dlref.common import DEVICES, OPTIMIZERS

X = np.random.default_rng(0).normal(size=(23, 4)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, 23)


def train(
    path: Path | None, epochs: int, *, device: str = "numpy", **options: Any
) -> tuple[dict[str, list[float]], dict[str, np.ndarray]]:
    """Train a fresh network; give the history and the parameters."""
    data = dlref.asarray(X, device), dlref.asarray(Y, device)
    given: dict[str, Any] = {
        "net": dlref.mlp([4, 6, 3], seed=0, device=device),
        "data": data,
        "optimizer": dlref.AdamW(0.02),
        "loss": dlref.cross_entropy,
        "batch_size": 8,
        "validation": data,
        "metric": dlref.accuracy,
        "resume": path is not None,
    } | options
    history = dlref.fit(**given, epochs=epochs, checkpoint=path)
    return history, {name: dlref.asarray(p) for name, p in given["net"].params.items()}


def assert_same(a: tuple[Any, Any], b: tuple[Any, Any]) -> None:
    assert a[0] == b[0]
    assert a[1].keys() == b[1].keys()
    for name in a[1]:
        np.testing.assert_array_equal(a[1][name], b[1][name])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_in_parts_ends_at_the_same_numbers(
    optimizer: str, device: str, tmp_path: Path
) -> None:
    def part(path: Path | None, epochs: int) -> tuple[Any, Any]:
        return train(path, epochs, optimizer=OPTIMIZERS[optimizer](), device=device)

    path = tmp_path / "run.safetensors"
    whole = part(None, 6)
    for epochs in (1, 2, 2, 5):
        part(path, epochs)
    assert_same(part(path, 6), whole)
    assert_same(part(path, 6), whole)  # it is done, and only loads


@pytest.mark.parametrize(
    "bits", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64]
)
def test_the_state_of_every_generator_goes_on(bits: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    whole = train(None, 4, seed=np.random.Generator(bits(3)))
    train(path, 2, seed=np.random.Generator(bits(3)))
    rng = np.random.Generator(bits(3))
    assert_same(train(path, 4, seed=rng), whole)
    uninterrupted = np.random.Generator(bits(3))
    train(None, 4, seed=uninterrupted)
    assert rng.random() == uninterrupted.random()  # what is drawn afterwards is the same, too


def test_a_learning_rate_that_changes_on_the_way_goes_on(tmp_path: Path) -> None:
    def part(path: Path | None, epochs: int) -> tuple[Any, Any]:
        optimizer = dlref.SGD(0.5)

        def loss_with_schedule(outputs: Any, targets: Any) -> Any:
            optimizer.lr *= 0.99
            return dlref.cross_entropy(outputs, targets)

        return train(path, epochs, optimizer=optimizer, loss=loss_with_schedule)

    path = tmp_path / "run.safetensors"
    whole = part(None, 4)
    part(path, 2)
    assert 0.3 < dlref.Checkpoint.load(path).settings["lr"] < 0.5
    assert_same(part(path, 4), whole)


def test_a_checkpoint_is_a_plain_safetensors_file_with_the_names_of_the_net(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    history, params = train(path, 3)
    arrays = safetensors.numpy.load_file(path)
    names = set(params)
    assert names | {f"optimizer.mean.{n}" for n in names} | {
        f"optimizer.mean_square.{n}" for n in names
    } == set(arrays)
    found = dlref.Checkpoint.load(path)
    assert (found.epoch, found.steps, dict(found.history)) == (3, 9, history)
    net = dlref.mlp([4, 6, 3], seed=1).with_params(found.params)
    for name, p in net.params.items():
        np.testing.assert_array_equal(p, params[name])


def test_a_run_moves_between_libraries(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    whole = train(None, 4)
    train(path, 2)
    _, params = train(path, 4, device="cpu")
    for name, p in params.items():
        np.testing.assert_allclose(p, whole[1][name], rtol=1e-4, atol=1e-6)


OTHER_X = X + 1


def other_loss(outputs: Any, targets: Any) -> Any:
    return dlref.cross_entropy(outputs, targets)


OTHER: list[tuple[dict[str, Any], str]] = [
    ({"net": dlref.mlp([4, 5, 3])}, r"network was .*4, 6.*and is .*4, 5"),
    ({"net": dlref.mlp([4, 6, 3], dlref.Tanh)}, "network was .*ReLU.*and is .*Tanh"),
    ({"optimizer": dlref.AdamW(0.03)}, r"optimizer was AdamW\(lr=0.02.* and is AdamW\(lr=0.03"),
    ({"optimizer": dlref.SGD(0.02)}, r"optimizer was AdamW.*and is SGD\(lr=0.02, momentum=0.0\)"),
    ({"seed": 1}, "seed was PCG64 with checksum .*, and is PCG64"),
    ({"net": dlref.mlp([4, 6, 3], seed=1)}, "parameters was 4 arrays with checksum"),
    ({"batch_size": 4}, "batch_size was 8, and is 4"),
    ({"loss": other_loss}, r"loss was dlref.losses.cross_entropy, and is .*\.other_loss"),
    ({"validation": None, "metric": None}, "metric was .*accuracy, and is None"),
    ({"data": (OTHER_X, Y)}, r"data was float32 \[23, 4\] with checksum .* and is float32"),
    ({"data": (X[:-1], Y[:-1])}, r"and is float32 \[22, 4\]"),
    ({"validation": (OTHER_X, Y)}, "its validation was"),
]


@pytest.mark.parametrize(("options", "message"), OTHER)
def test_the_checkpoint_of_another_run_is_refused_and_nothing_is_changed(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    train(path, 2)
    content = path.read_bytes()
    net = options.get("net", dlref.mlp([4, 6, 3], seed=0))
    before = {name: p.copy() for name, p in net.params.items()}
    with pytest.raises(ValueError, match=message):
        train(path, 4, **{"net": net, **options})
    assert path.read_bytes() == content
    for name, p in net.params.items():
        np.testing.assert_array_equal(p, before[name])


def test_restoring_parameters_of_other_names_shapes_or_dtypes_changes_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.safetensors"
    train(path, 2)
    found = dlref.Checkpoint.load(path)
    for net, error, message in (
        (dlref.mlp([4, 3]), ValueError, "parameters are .*'0.bias', '0.weight'.*the file has"),
        (dlref.mlp([4, 5, 3]), ValueError, r"must have shape \(4, 5\), got \(4, 6\)"),
        (dlref.mlp([4, 6, 3]).to(dtype="float64"), TypeError, "must be float64, got float32"),
    ):
        optimizer, rng = dlref.AdamW(0.5), np.random.default_rng(0)
        state = rng.bit_generator.state
        before = {name: p.copy() for name, p in net.params.items()}
        with pytest.raises(error, match=message):
            found.restore(net, optimizer, rng)
        assert (optimizer.state(), optimizer.lr) == ((0, {}), 0.5)
        assert rng.bit_generator.state == state
        for name, p in net.params.items():
            np.testing.assert_array_equal(p, before[name])


def test_a_folder_as_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=r"must be a file, and .* is a folder"):
        train(tmp_path, 1)


def test_a_checkpoint_is_not_overwritten_by_another_run(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    train(path, 2)
    content = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"run\.safetensors is there: pass resume=True"):
        train(path, 4, resume=False)
    with pytest.raises(ValueError, match="is of epoch 2, got epochs=1"):
        train(path, 1)
    assert path.read_bytes() == content


def test_a_truncated_or_foreign_file_is_refused_by_name_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    train(path, 2)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    cuts = [0, 1, 7, 8, 9, len(whole) - 1, *rng.integers(10, len(whole), 20)]
    damaged = [whole[:cut] for cut in cuts] + [whole + b"x", b"PK\x03\x04" + whole]
    for place in rng.integers(8, len(whole), 40):  # a bit that turned
        turned = bytearray(whole)
        turned[place] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(turned))
    damaged += [
        safetensors.numpy.save({"a": X}),
        safetensors.numpy.save({"a": X}, {checkpoint_file.KEY: "{"}),
        safetensors.numpy.save({"a": X}, {checkpoint_file.KEY: json.dumps({"run": {}})}),
    ]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"run.safetensors is no whole dlref checkpoint"):
            train(path, 4)
        assert path.read_bytes() == content
    with pytest.raises(FileNotFoundError, match=r"nothing\.safetensors"):
        dlref.Checkpoint.load(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("text", ["{", "null", "1", '"ab"', "[]", "{}", '{"format": 1}', "more"])
def test_a_file_that_says_other_things_is_refused_by_name(text: str, tmp_path: Path) -> None:
    """Its checksum is right: nothing was damaged."""
    path = tmp_path / "run.safetensors"
    train(path, 1)
    with safetensors.safe_open(path, framework="numpy") as file:
        about = json.loads(file.metadata()[checkpoint_file.KEY])
    text = json.dumps(about | {"more": 1}) if text == "more" else text
    metadata = {
        checkpoint_file.KEY: text,
        checkpoint_file.CHECKSUM: checkpoint_file.checksum(text, {"a": X}),
    }
    path.write_bytes(safetensors.numpy.save({"a": X}, metadata))
    with pytest.raises(ValueError, match=r"run.safetensors is no whole dlref checkpoint"):
        dlref.Checkpoint.load(path)


def test_a_checkpoint_of_another_format_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.safetensors"
    monkeypatch.setattr(checkpoint_file, "FORMAT", 2)
    train(path, 1)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="format is another one: use the dlref that wrote it"):
        train(path, 2)


def test_a_run_that_cannot_begin_leaves_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    used = dlref.AdamW(0.02)
    train(None, 1, optimizer=used)
    frozen = dlref.mlp([4, 6, 3], seed=0)
    frozen.params["2.bias"].flags.writeable = False
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"optimizer": used}, ValueError, "make a new AdamW"),
        ({"net": frozen}, ValueError, "'2.bias'.*cannot be written in place"),
        ({"net": dlref.ReLU(), "data": (X, X), "loss": dlref.mse}, ValueError, "no parameter"),
        ({"loss": lambda o, t: 1.0}, TypeError, r"loss must return \(loss, doutputs\), got 1.0"),
        ({"loss": "cross_entropy"}, TypeError, "loss must be a function.*got 'cross_entropy'"),
        ({"metric": "accuracy"}, TypeError, "metric must be a function.*got 'accuracy'"),
        ({"metric": lambda o, t: None}, TypeError, "validation from example 0 on: float"),
    ]
    for options, error, message in cases:
        if "loss" in options and "data" in options:
            options |= {"validation": None, "metric": None}
        with pytest.raises(error, match=message):
            train(path, 2, **options)
        assert list(tmp_path.iterdir()) == []

    def loss(outputs: Any, targets: Any) -> float:
        return 0.0

    with pytest.raises(ValueError, match='metric must not be named "loss"'):
        train(path, 2, metric=loss)


def test_every_setting_that_changes_on_the_way_goes_on(tmp_path: Path) -> None:
    def part(path: Path | None, epochs: int) -> tuple[Any, Any]:
        optimizer = dlref.AdamW(0.02)

        def loss_with_schedule(outputs: Any, targets: Any) -> Any:
            optimizer.weight_decay *= 0.97
            beta1, beta2 = optimizer.betas
            optimizer.betas = beta1 * 0.99, beta2
            return dlref.cross_entropy(outputs, targets)

        return train(path, epochs, optimizer=optimizer, loss=loss_with_schedule)

    path = tmp_path / "run.safetensors"
    whole = part(None, 4)
    part(path, 2)
    assert_same(part(path, 4), whole)


def test_a_resumed_optimizer_belongs_to_its_network(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    train(path, 1)
    optimizer = dlref.AdamW(0.02)
    train(path, 1, optimizer=optimizer)
    other = dlref.mlp([4, 6, 3])
    with pytest.raises(ValueError, match="make a new AdamW"):
        optimizer.step(other.params, dict(other.params))


def test_a_checkpoint_shares_no_memory_with_the_run() -> None:
    net, optimizer, history = dlref.mlp([4, 3]), dlref.Adam(), {"loss": [1.0]}
    optimizer.step(net.params, {name: p + 1 for name, p in net.params.items()})
    taken = dlref.Checkpoint.take({}, history, net, optimizer, np.random.default_rng(0))
    before = taken.params["0.weight"].copy(), taken.state["mean.0.weight"].copy()
    history["loss"].append(2.0)
    optimizer.step(net.params, {name: p + 1 for name, p in net.params.items()})
    assert taken.epoch == 1
    np.testing.assert_array_equal(taken.params["0.weight"], before[0])
    np.testing.assert_array_equal(taken.state["mean.0.weight"], before[1])


def test_two_runs_on_one_path_leave_a_whole_checkpoint(tmp_path: Path) -> None:
    """The last one to write wins; the other goes on, or stops with an error."""
    path = tmp_path / "run.safetensors"
    script = "import sys; from tests.dlref.test_checkpoint import both; both(sys.argv[1])"
    command = [sys.executable, "-c", script, str(path)]
    runs = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [run.communicate()[1] for run in runs]
    assert all(not e or "stop another run that writes there" in e for e in errors), errors
    assert any(not e for e in errors), errors
    dlref.Checkpoint.load(path)


def both(path: str) -> None:
    """One of two processes that write to the same path at the same time."""
    net = dlref.mlp([100, 300, 10])
    taken = dlref.Checkpoint.take({}, {"loss": []}, net, dlref.Adam(), np.random.default_rng(0))
    for _ in range(100):
        taken.save(path)


def test_ctrl_c_inside_a_save_leaves_the_last_checkpoint_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.safetensors"
    train(path, 2)
    content = path.read_bytes()

    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(path, 4)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_saves_left_is_removed_by_the_next_save(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    others = tmp_path / "other.safetensors.1.part", tmp_path / "run.safetensors.bak"
    for file in (tmp_path / "run.safetensors.4711.part", *others):
        file.write_bytes(b"half")
    train(path, 1)
    assert sorted(tmp_path.iterdir()) == sorted([path, *others])


def test_a_folder_that_is_not_there_is_an_error_before_the_first_epoch(tmp_path: Path) -> None:
    net = dlref.mlp([4, 6, 3], seed=0)
    start = net.params["0.weight"].copy()
    with pytest.raises(FileNotFoundError, match=r"not written.*No such file or directory.*mend"):
        train(tmp_path / "missing" / "run.safetensors", 2, net=net)
    np.testing.assert_array_equal(net.params["0.weight"], start)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_is_a_clear_error_and_the_last_checkpoint_stays(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.safetensors"
    whole = train(None, 5)
    train(path, 2)
    content = path.read_bytes()

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full) if failing == "fsync" else patch.setattr(
            Path, "replace", full
        )
        with pytest.raises(OSError, match=r"No space left on device.*make room.*resume=True") as e:
            train(path, 5)
    assert e.value.errno == errno.ENOSPC
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]
    assert_same(train(path, 5), whole)


LIMITED = """
import signal, sys
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit
from tests.dlref.test_checkpoint import train
path = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write past the limit fails, as on a full disk
setrlimit(RLIMIT_FSIZE, (path.stat().st_size - 100, getrlimit(RLIMIT_FSIZE)[1]))
train(path, 5)
"""


def test_a_write_that_fails_half_way_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    path = tmp_path / "run.safetensors"
    train(path, 2)
    content = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "OSError: [Errno 27] the checkpoint was not written (File too large)" in done.stderr
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    real, link = tmp_path / "disk" / "run.safetensors", tmp_path / "run.safetensors"
    train(real, 1)
    link.symlink_to(real)
    train(link, 2)
    assert link.is_symlink()
    assert dlref.Checkpoint.load(real).epoch == 2


def test_loading_never_unpickles(tmp_path: Path) -> None:
    """What a pickle would run is not run; torch.save writes one."""
    path = tmp_path / "run.safetensors"
    torch.save({"a": torch.ones(3)}, path)
    with pytest.raises(ValueError, match="no whole dlref checkpoint"):
        dlref.Checkpoint.load(path)
    for name in ("checkpoint", "checkpoint_file", "training"):
        assert "pickle" not in dir(sys.modules[f"dlref.{name}"])


def normalized_net(seed: int = 0) -> dlref.Sequential:
    rng = np.random.default_rng(seed)
    layers = dlref.Linear(4, 6, rng), dlref.BatchNorm(6), dlref.ReLU(), dlref.Dropout(0.3)
    return dlref.Sequential(*layers, dlref.Linear(6, 3, rng))


def test_running_numbers_and_masks_go_on_where_they_were(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(size=(20, 4)).astype(np.float32), rng.integers(0, 3, 20)
    options: dict[str, Any] = {"loss": dlref.cross_entropy, "batch_size": 8, "seed": 3}
    options |= {"schedule": dlref.WarmupCosine(0.1, 12, warmup=2), "max_norm": 1.0}
    whole = normalized_net()
    expected = dlref.fit(whole, data, optimizer=dlref.AdamW(), epochs=4, **options)
    path = tmp_path / "run.safetensors"
    dlref.fit(normalized_net(), data, optimizer=dlref.AdamW(), epochs=2, checkpoint=path, **options)
    resumed = normalized_net()
    options |= {"checkpoint": path, "resume": True}
    history = dlref.fit(resumed, data, optimizer=dlref.AdamW(), epochs=4, **options)
    assert history == expected
    loaded = normalized_net().with_params(dlref.Checkpoint.load(path).params)
    for net in (resumed, loaded):
        for arrays, others in ((net.params, whole.params), (net.buffers, whole.buffers)):
            assert arrays.keys() == others.keys()
            for name, array in arrays.items():
                np.testing.assert_array_equal(array, others[name], err_msg=name)
        np.testing.assert_array_equal(net.forward(data[0])[0], whole.forward(data[0])[0])


@pytest.mark.parametrize(
    "changed",
    [{"schedule": dlref.WarmupCosine(0.1, 13)}, {"max_norm": 2.0}, {"max_norm": None}],
    ids=str,
)
def test_another_schedule_or_clipping_is_another_run(
    tmp_path: Path, changed: dict[str, Any]
) -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(size=(20, 4)).astype(np.float32), rng.integers(0, 3, 20)
    options: dict[str, Any] = {"loss": dlref.cross_entropy, "batch_size": 8, "max_norm": 1.0}
    options |= {"schedule": dlref.WarmupCosine(0.1, 12), "checkpoint": tmp_path / "run.safetensors"}
    dlref.fit(normalized_net(), data, optimizer=dlref.AdamW(), epochs=2, **options)
    with pytest.raises(ValueError, match=f"another run: its {next(iter(changed))} was"):
        dlref.fit(
            normalized_net(),
            data,
            optimizer=dlref.AdamW(),
            epochs=3,
            resume=True,
            **options | changed,
        )


def test_an_optimizer_of_another_kind_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    net, data = dlref.mlp([4, 3], seed=0), (np.ones((8, 4), np.float32), np.arange(8) % 3)
    options: dict[str, Any] = {"loss": dlref.cross_entropy, "epochs": 1, "batch_size": 4}
    dlref.fit(net, data, optimizer=dlref.Adam(0.1), checkpoint=path, **options)
    other, rng = dlref.SGD(0.1, momentum=0.9), np.random.default_rng(0)
    fresh = dlref.mlp([4, 3], seed=1)
    before = {name: p.copy() for name, p in fresh.params.items()}
    with pytest.raises(ValueError, match=r"settings \['lr', 'momentum'\], the file has"):
        dlref.Checkpoint.load(path).restore(fresh, other, rng)
    assert repr(other) == "SGD(lr=0.1, momentum=0.9)"
    assert other.state() == (0, {})
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state
    for name, p in fresh.params.items():
        np.testing.assert_array_equal(p, before[name])


def test_a_setting_of_an_own_optimizer_comes_back_as_a_tuple(tmp_path: Path) -> None:
    class Own(dlref.SGD):
        def __init__(self, pair: tuple[int, int]) -> None:
            super().__init__(0.1)
            self.pair = pair

    net, made, taken = dlref.mlp([4, 3]), Own((1, 2)), Own((3, 4))
    rng = np.random.default_rng(0)
    dlref.Checkpoint.take({}, {"loss": []}, net, made, rng).save(tmp_path / "own")
    dlref.Checkpoint.load(tmp_path / "own").restore(net, taken, rng)
    assert taken.pair == (1, 2)


@pytest.mark.parametrize(("old", "new"), [(b'"shape":[4,3]', b'"shape":[3,4]'), (b"F32", b"I32")])
def test_a_changed_shape_or_dtype_is_noticed(old: bytes, new: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    net, rng = dlref.mlp([4, 3]), np.random.default_rng(0)
    dlref.Checkpoint.take({}, {"loss": []}, net, dlref.SGD(0.1), rng).save(path)
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    with pytest.raises(ValueError, match="its checksum differs"):
        dlref.Checkpoint.load(path)


@pytest.mark.parametrize(
    "stored", [np.asfortranarray, lambda p: p[::-1], lambda p: p.astype(">f4"), lambda p: p.T[0]]
)
def test_arrays_of_any_order_in_memory_come_back_as_they_are(stored: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    train(path, 1)
    found = dlref.Checkpoint.load(path)
    array = stored(np.arange(6, dtype=np.float32).reshape(2, 3))
    replace(found, params={"a": array, "b": np.array(2.0)}, state={"mean.a": array}).save(path)
    again = dlref.Checkpoint.load(path)
    np.testing.assert_array_equal(again.params["a"], array)
    np.testing.assert_array_equal(again.state["mean.a"], array)
    assert again.params["b"].shape == ()


def test_an_optimizer_refuses_to_restore_what_would_fail_later() -> None:
    params = {"a": np.zeros(2), "b": np.zeros(2)}
    optimizer = dlref.SGD(0.1, momentum=0.9)
    optimizer.step(params, {name: np.ones(2) for name in params})
    steps, state = optimizer.state()
    frozen = np.ones(2)
    frozen.flags.writeable = False
    wrong: list[tuple[Any, type[Exception], str]] = [
        ((-1, state, params), ValueError, "steps must be at least 0, got -1"),
        (("7", state, params), TypeError, "steps must be a whole number, got '7'"),
        ((1.0, state, params), TypeError, "steps must be a whole number, got 1.0"),
        ((1, (steps, state), params), TypeError, "state .* got tuple: it is the second"),
        ((1, state, list(params)), TypeError, "params .* got list: they are net.params"),
        ((1, state | {"velocity.b": frozen}, params), ValueError, "velocity.b'.*cannot be written"),
    ]
    for given, error, message in wrong:
        with pytest.raises(error, match=message):
            optimizer.restore(*given)
        assert optimizer.state() == (steps, state)
    with pytest.raises(TypeError, match=r"params .* got list"):
        optimizer.check_params(list(params))  # type: ignore[arg-type]
