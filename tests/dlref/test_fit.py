"""fit is the four-line loop: the same numbers, with batches, validation, a history, a bar."""

import io
import subprocess
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import dlref
from dlref import progress
from tests.dlref.common import DEVICES

X = np.random.default_rng(0).normal(size=(23, 4)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, 23)


def fit(net: dlref.Layer, data: Any = (X, Y), **options: Any) -> dict[str, list[float]]:
    defaults = {"loss": dlref.cross_entropy, "epochs": 3, "batch_size": 8}
    return dlref.fit(net, data, **{"optimizer": dlref.SGD(0.1), **defaults, **options})


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("batch_size", [1, 8, 23, 100])
def test_fit_is_the_four_line_loop(batch_size: int, device: str) -> None:
    x, y = dlref.asarray(X, device), dlref.asarray(Y, device)
    for seed in range(3):
        net, other = (dlref.mlp([4, 6, 3], seed=seed, device=device) for _ in range(2))
        history = fit(
            net, (x, y), optimizer=dlref.Adam(0.05), batch_size=batch_size, seed=seed, epochs=3
        )

        rng, optimizer, losses = np.random.default_rng(seed), dlref.Adam(0.05), []
        for _ in range(3):
            order, total = rng.permutation(len(x)), 0.0
            for start in range(0, len(x), batch_size):
                batch = dlref.asarray(order[start : start + batch_size], device)
                logits, cache = other.forward(x[batch])
                loss, dlogits = dlref.cross_entropy(logits, y[batch])
                _, grads = other.backward(dlogits, cache)
                optimizer.step(other.params, grads)
                total += float(loss) * len(batch)
            losses.append(total / len(x))

        assert history == {"loss": pytest.approx(losses, rel=1e-12)}
        for name, p in net.params.items():
            np.testing.assert_array_equal(dlref.asarray(p), dlref.asarray(other.params[name]))


def test_the_history_holds_the_means_over_the_validation_data() -> None:
    net = dlref.mlp([4, 6, 3], seed=0)
    x, y = np.repeat(X[:7], 700, axis=0)[:4800], np.repeat(Y[:7], 700)[:4800]  # over 4,096 rows
    history = fit(net, validation=(x, y), metric=dlref.accuracy)
    assert {name: len(values) for name, values in history.items()} == {
        "loss": 3,
        "validation_loss": 3,
        "validation_accuracy": 3,
    }
    logits, _ = net.forward(x)
    assert history["validation_loss"][-1] == pytest.approx(
        float(dlref.cross_entropy(logits, y)[0]), rel=1e-6
    )
    assert history["validation_accuracy"][-1] == pytest.approx(dlref.accuracy(logits, y))
    assert all(type(v) is float for values in history.values() for v in values)


def test_validation_changes_nothing_about_the_training() -> None:
    nets = [dlref.mlp([4, 6, 3], seed=0) for _ in range(2)]
    alone = fit(nets[0])
    beside = fit(nets[1], validation=(X[:5], Y[:5]), metric=dlref.accuracy)
    assert alone["loss"] == beside["loss"]
    np.testing.assert_array_equal(nets[0].params["0.weight"], nets[1].params["0.weight"])


def test_one_generator_can_serve_the_weights_and_the_batches() -> None:
    def train() -> Any:
        rng = np.random.default_rng(5)
        net = dlref.mlp([4, 6, 3], seed=rng)
        fit(net, seed=rng)
        return net.params["0.weight"]

    np.testing.assert_array_equal(train(), train())


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_loss_that_is_not_finite_stops_the_training_before_it_is_saved(tmp_path: Any) -> None:
    def loss(outputs: Any, targets: Any) -> Any:
        value, doutputs = dlref.cross_entropy(outputs, targets)
        return value * np.nan, doutputs

    path = tmp_path / "run.safetensors"
    with pytest.raises(ValueError, match="loss of an epoch is nan: lower the learning rate"):
        fit(dlref.mlp([4, 3]), loss=loss, checkpoint=path)
    assert dlref.Checkpoint.load(path).epoch == 0


def test_a_batch_size_of_numpy_is_the_same_run(tmp_path: Any) -> None:
    path = tmp_path / "run.safetensors"
    fit(dlref.mlp([4, 3]), checkpoint=path, epochs=1, batch_size=8)
    size: Any = np.int64(8)
    fit(dlref.mlp([4, 3]), checkpoint=path, epochs=2, batch_size=size, resume=True)


def test_a_metric_may_return_any_kind_of_number(tmp_path: Any) -> None:
    def metric(outputs: Any, targets: Any) -> Any:
        return np.float32(0.5)

    options = {"validation": (X, Y), "metric": metric, "checkpoint": tmp_path / "run.safetensors"}
    history = fit(dlref.mlp([4, 3]), **options)
    assert history["validation_metric"] == [0.5] * 3


def test_inputs_may_be_integers_for_a_layer_that_takes_them() -> None:
    class Embedding(dlref.Layer):
        def __init__(self) -> None:
            self.params = {"weight": np.zeros((5, 3), np.float32)}

        def forward(self, x: Any, *, training: Any = None) -> Any:
            return self.params["weight"][x], x

        def backward(self, dy: Any, cache: Any, *, input_grad: bool = False) -> Any:
            grad = np.zeros((5, 3), np.float32)
            np.add.at(grad, cache, dy)
            return None, {"weight": grad}

    x = np.arange(20) % 5
    history = fit(Embedding(), (x, x % 3), epochs=30)
    assert history["loss"][-1] < 0.5 < history["loss"][0]


def test_plain_sgd_may_move_one_network_after_the_other() -> None:
    optimizer = dlref.SGD(0.1)
    for _ in range(2):
        fit(dlref.mlp([4, 3]), optimizer=optimizer)


def test_targets_may_be_numbers_with_mse() -> None:
    net = dlref.mlp([4, 1], seed=0)
    target = X.sum(axis=1, keepdims=True)
    history = fit(net, (X, target), loss=dlref.mse, epochs=60)
    assert history["loss"][-1] < 1e-3 < history["loss"][0]
    np.testing.assert_allclose(net.params["0.weight"], 1.0, atol=0.05)


NAN = X.copy()
NAN[20, 1] = np.nan
BAD_LABEL = Y.copy()
BAD_LABEL[20] = 7
BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"data": (NAN, Y)}, ValueError, r"fit: data: x must be finite, got nan at index \(20, 1\)"),
    ({"data": (X, BAD_LABEL)}, ValueError, r"data.*integers in \[0, 3\), got 7 at index"),
    ({"data": (X, Y[:-1])}, ValueError, r"as many targets as examples.*\(23, 4\).*\(22,\)"),
    ({"data": (X[:0], Y[:0])}, ValueError, r"at least one.*\(0, 4\)"),
    ({"data": (X[0, 0], Y)}, TypeError, "expected a NumPy array"),
    ({"data": (X.tolist(), Y)}, TypeError, r"got list: convert it with dlref.asarray\(x\)"),
    ({"data": (X, Y.tolist())}, TypeError, r"got list: convert it with dlref.asarray\(x\)"),
    ({"data": X}, TypeError, r"data must be a pair \(x, y\) of arrays, got ndarray"),
    ({"data": (X, Y, Y)}, TypeError, "must be a pair"),
    ({"data": None}, TypeError, "must be a pair.*got NoneType"),
    ({"data": (X.astype(np.float64), Y)}, TypeError, "must be float32, got float64"),
    ({"data": (X[:, :3], Y)}, ValueError, r"must have shape \(N, 4\), got \(1, 3\)"),
    ({"data": (torch.from_numpy(X), Y)}, ValueError, 'on "cpu", but meets an array on "numpy"'),
    ({"data": (X, torch.from_numpy(Y))}, ValueError, "move"),
    ({"data": (X, Y.astype(np.float32))}, TypeError, "labels must be integers"),
    ({"validation": (NAN, Y)}, ValueError, "fit: validation: x must be finite"),
    ({"validation": (X, BAD_LABEL)}, ValueError, "validation.*got 7 at index"),
    ({"validation": (X[:0], Y[:0])}, ValueError, "validation.*at least one"),
    ({"metric": dlref.accuracy}, ValueError, r"pass validation=\(x, y\) too"),
    ({"epochs": 0}, ValueError, "epochs must be at least 1, got 0"),
    ({"epochs": 2.0}, TypeError, "epochs must be a whole number, got 2.0"),
    ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
    ({"batch_size": None}, TypeError, "batch_size must be a whole number, got None"),
    ({"seed": -1}, ValueError, "fit: seed must be at least 0, got -1"),
    ({"seed": 0.5}, TypeError, "fit: seed must be a whole number or a Generator, got 0.5"),
    ({"net": [1]}, TypeError, r"net must be a dlref.Layer.*got \[1\]"),
    ({"optimizer": dlref.SGD}, TypeError, r"optimizer must be such as SGD\(lr=0.1\)"),
    ({"optimizer": "adam"}, TypeError, "optimizer must be.*got 'adam'"),
    ({"resume": True}, ValueError, "pass checkpoint= too"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD)
def test_bad_input_stops_before_anything_is_trained(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    net = dlref.mlp([4, 6, 3], seed=0)
    optimizer = dlref.Adam()
    before = {name: p.copy() for name, p in net.params.items()}
    with pytest.raises(error, match=message):
        fit(**{"net": net, "optimizer": optimizer, "batch_size": 2, **options})
    assert optimizer.state() == (0, {})
    for name, p in net.params.items():
        np.testing.assert_array_equal(p, before[name])


def test_a_bad_target_past_the_first_thousands_is_named_by_where_it_is() -> None:
    x, y = np.zeros((5000, 4), np.float32), np.zeros(5000, int)
    y[4998] = 3
    with pytest.raises(ValueError, match=r"data from example 4992 on: .*got 3 at index 6"):
        fit(dlref.mlp([4, 3]), (x, y))


SCRIPT = """
import sys
import numpy as np
import dlref
x = np.ones((23, 4), np.float32)
dlref.fit(dlref.mlp([4, 3]), (x, np.zeros(23, int)), loss=dlref.cross_entropy,
          optimizer=dlref.SGD(0.1), epochs=4, batch_size=8)
print("tqdm" in sys.modules, "torch" in sys.modules, "safetensors" in sys.modules)
"""


def test_fit_is_silent_and_imports_nothing_where_nobody_watches() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("False False False\n", "")


def test_on_a_terminal_a_bar_counts_every_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fit(dlref.mlp([4, 3]), epochs=4)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "100%" in printed.err
    assert "12/12" in printed.err  # 4 epochs of 3 batches


def test_the_bar_of_a_resumed_run_begins_where_the_run_was(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    path = tmp_path / "run.safetensors"
    fit(dlref.mlp([4, 3]), checkpoint=path, epochs=3)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fit(dlref.mlp([4, 3]), checkpoint=path, epochs=4, resume=True)
    printed = capsys.readouterr().err
    assert "9/12" in printed
    assert "12/12" in printed


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_fit_is_silent_without_a_stream_for_errors(
    stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if stream is not None:
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    fit(dlref.mlp([4, 3]))


@pytest.mark.parametrize(
    ("config", "watched"), [({"IPKernelApp": {}}, True), ({"TerminalIPythonApp": {}}, False)]
)
def test_a_notebook_is_watched_and_a_script_run_by_ipython_is_not(
    config: dict[str, Any], watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell: Callable[[], Any] = lambda: types.SimpleNamespace(config=config)  # noqa: E731
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=shell))
    assert progress.is_watched() is watched
