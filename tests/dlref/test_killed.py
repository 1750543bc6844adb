"""A run killed by SIGKILL at random moments, some inside a save, loses nothing but time."""

import secrets
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import dlref

KILLS = 20
INSIDE = 3  # of them at least inside a save; chance may ask for a few more than 20
EPOCHS = 300
LONGEST = 0.2  # seconds from the start of training to the kill
CHILD = """
import sys
from pathlib import Path
from tests.dlref.test_killed import train
print("training", flush=True)
train(Path(sys.argv[1]))
"""


def train(path: Path | None) -> tuple[dict[str, list[float]], dict[str, np.ndarray]]:
    """The run that is killed: every call of it goes on where the last one was.

    A save writes 5 MB, so that it takes about as long as an epoch.
    """
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 8)).astype(np.float32), rng.integers(0, 3, 64)
    net = dlref.mlp([8, 550, 550, 3], seed=rng)
    history = dlref.fit(
        net,
        (x, y),
        loss=dlref.cross_entropy,
        optimizer=dlref.Adam(0.001, amsgrad=True),
        epochs=EPOCHS,
        batch_size=32,
        seed=rng,
        checkpoint=path,
        resume=path is not None,
    )
    return history, dict(net.params)


def test_every_checkpoint_loads_and_the_run_ends_at_the_same_numbers(tmp_path: Path) -> None:
    history, params = train(None)
    path = tmp_path / "run.safetensors"
    seed = secrets.randbits(32)
    rng, kills, inside, epochs = np.random.default_rng(seed), 0, 0, [0]
    while kills < KILLS or inside < INSIDE:
        assert kills < 10 * KILLS, "hardly a kill falls into a save: make saves larger"
        for part in tmp_path.glob("*.part"):  # is there during a save only
            part.unlink()
        command = [sys.executable, "-c", CHILD, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "training\n"
            time.sleep(rng.uniform(0, LONGEST))
            assert child.poll() is None, "it ended before it was killed: train longer"
            child.kill()
        kills += 1
        inside += any(tmp_path.glob("*.part"))
        if path.exists():
            epochs.append(dlref.Checkpoint.load(path).epoch)
    print(f"seed {seed}: {inside} of {kills} kills inside a save; epochs {epochs}")
    assert inside < kills
    assert epochs == sorted(epochs)
    assert 0 < epochs[-1] < EPOCHS

    history_after, params_after = train(path)
    assert history_after == history
    for name, p in params.items():
        np.testing.assert_array_equal(params_after[name], p)
