"""Checkpoints: a training run on disk, whole at every moment, to go on from to the same numbers."""

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np

from dlref import checkpoint_file
from dlref.backend import Array, device_of
from dlref.checks import check_array, check_writable
from dlref.devices import asarray
from dlref.layer import Layer
from dlref.optimizer import Optimizer

STATE = "optimizer."  # begins the names of the optimizer's arrays


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A training run after a whole number of epochs.

    ``fit`` writes and reads it; ``epoch`` says how many epochs are done. To use the trained
    parameters elsewhere, load it and give them to a network of the same architecture:
    ``net.with_params(Checkpoint.load(path).params)``. They are NumPy arrays; ``.to("cuda")`` moves
    the network.

    On disk it is one safetensors file, which any reader of that format opens: the parameters
    under their own names, the optimizer's arrays under ``optimizer.``, the rest as JSON. To load
    it runs no code, as a pickle would. To make one in memory never fails.

    Args:
        run: what the run was started with; it goes on only with the same.
        history: what ``fit`` returns, up to here.
        random_state: the state of the generator that draws the batches.
        settings: the optimizer's, which a schedule may have changed.
        steps: how many steps the optimizer has made.
        params: name → array in its shape and dtype, as ``net.params`` and ``net.buffers``, but on
            NumPy.
        state: name → array in its shape and dtype, what the optimizer remembers.

    Source: the safetensors format, https://huggingface.co/docs/safetensors

    >>> import tempfile
    >>> import dlref
    >>> x, y, _, _ = dlref.data.digits()
    >>> net = dlref.mlp([64, 10], seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     history = dlref.fit(
    ...         net,
    ...         (x, y),
    ...         loss=dlref.cross_entropy,
    ...         optimizer=dlref.Adam(),
    ...         epochs=2,
    ...         batch_size=64,
    ...         checkpoint=f"{folder}/run.safetensors",
    ...     )
    ...     checkpoint = dlref.Checkpoint.load(f"{folder}/run.safetensors")
    >>> print(checkpoint.epoch, list(checkpoint.params))
    2 ['0.bias', '0.weight']
    """

    run: Mapping[str, str]
    history: Mapping[str, list[float]]
    random_state: Mapping[str, Any]
    settings: Mapping[str, Any]
    steps: int
    params: Mapping[str, np.ndarray] = field(repr=False)
    state: Mapping[str, np.ndarray] = field(repr=False)

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.history["loss"])

    @classmethod
    def take(
        cls,
        run: Mapping[str, str],
        history: Mapping[str, list[float]],
        net: Layer,
        optimizer: Optimizer,
        rng: np.random.Generator,
    ) -> Self:
        """Copy the state of a run. It never fails.

        Args:
            run: what the run was started with.
            history: what ``fit`` returns, up to here.
            net: the network.
            optimizer: the optimizer.
            rng: the generator that draws the batches.

        Returns:
            A checkpoint that shares no memory with the run.
        """
        steps, state = optimizer.state()
        return cls(
            run=run,
            history={name: list(values) for name, values in history.items()},
            random_state=rng.bit_generator.state,
            settings=optimizer.settings,
            steps=steps,
            params={name: asarray(p) for name, p in {**net.params, **net.buffers}.items()},
            state={name: asarray(array) for name, array in state.items()},
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a checkpoint.

        Args:
            path: the file.

        Returns:
            The checkpoint, its arrays on NumPy.

        Raises:
            OSError: there is no such file, or it may not be read.
            ValueError: the file is no whole checkpoint: cut off, changed, or something else.
            ImportError: safetensors is not installed.
        """
        about, arrays = checkpoint_file.read(path, _about())
        params = {name: a for name, a in arrays.items() if not name.startswith(STATE)}
        state = {n.removeprefix(STATE): a for n, a in arrays.items() if n.startswith(STATE)}
        return cls(**about, params=params, state=state)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the checkpoint; until the last byte is on disk, an older one under the path stays.

        The bytes go to a file ``<path>.<process>.part``, which then takes the place of ``path``.

        Args:
            path: the file.

        Raises:
            OSError: the disk is full, the folder is not there, or may not be written.
            ImportError: safetensors is not installed.
        """
        arrays = dict(self.params) | {STATE + name: array for name, array in self.state.items()}
        about = {name: getattr(self, name) for name in _about()}
        checkpoint_file.write(path, about, arrays)

    def check_run(self, run: Mapping[str, str]) -> None:
        """Raise unless the checkpoint is of a run that was started with the same.

        Args:
            run: what the present run is started with.

        Raises:
            ValueError: something differs; the error says what.
        """
        for name, value in run.items():
            before = self.run.get(name)
            if before != value:
                raise ValueError(
                    f"the checkpoint is of another run: its {name} was {before}, and is {value} "
                    "now: begin with the same again, or use another path"
                )

    def restore(self, net: Layer, optimizer: Optimizer, rng: np.random.Generator) -> None:
        """Put the state of the run into a network, an optimizer and a generator.

        Args:
            net: the network; its parameters change.
            optimizer: the optimizer; its state and its settings change.
            rng: the generator; its state changes.

        Raises:
            ValueError: the parameters have other names or shapes than the network's, which must
                be writable; the optimizer's arrays or settings do not fit, or the generator is of
                another kind. Nothing is changed then.
            TypeError: a dtype differs.
        """
        own = {**net.params, **net.buffers}
        if self.params.keys() != own.keys():
            raise ValueError(
                f"checkpoint: the network's parameters are {sorted(own)}, the file has "
                f"{sorted(self.params)}: make the network that was trained"
            )
        kind, before = (s["bit_generator"] for s in (rng.bit_generator.state, self.random_state))
        if kind != before:
            raise ValueError(
                f"checkpoint: the generator is of kind {kind}, and was {before}: make such a one"
            )
        params, state = dict(self.params), dict(self.state)
        for name, p in own.items():
            params[name] = _like(params[name], p)
            check_array(f"checkpoint: params[{name!r}]", params[name], p.shape, like=p)
            check_writable(f"checkpoint: the network's params[{name!r}]", p)
        for name, array in state.items():
            state[name] = _like(array, net.params.get(name.partition(".")[2], array))
        settings = optimizer.settings
        if settings.keys() != self.settings.keys():
            raise ValueError(
                f"checkpoint: the optimizer has the settings {list(settings)}, the file has "
                f"{list(self.settings)}: make the optimizer that was used"
            )
        for name, value in self.settings.items():  # JSON has no tuples
            settings[name] = tuple(value) if isinstance(settings[name], tuple) else value
        trial = copy.copy(optimizer)
        vars(trial).update(settings)
        trial.check_settings()
        copy.deepcopy(rng).bit_generator.state = dict(self.random_state)
        optimizer.restore(self.steps, state, net.params)  # raises before it changes anything
        vars(optimizer).update(settings)
        rng.bit_generator.state = dict(self.random_state)
        for name, p in own.items():
            p[...] = params[name]


def _about() -> list[str]:
    """What a checkpoint holds besides arrays."""
    return [f.name for f in fields(Checkpoint) if f.name not in ("params", "state")]


def _like(array: np.ndarray, like: Array) -> Array:
    return asarray(array, device_of(like))
