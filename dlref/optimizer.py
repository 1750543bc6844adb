"""What every optimizer is: settings, a state, and a step that changes parameters in place."""

from collections.abc import Mapping
from typing import Any

from dlref.backend import Array, is_like, is_plainly_finite, is_writable, namespace
from dlref.checks import (
    GRADS,
    PARAMS,
    check_array,
    check_finite,
    check_named,
    check_size,
    check_writable,
)


class Optimizer:
    """The base of all optimizers: each writes what it subtracts from a parameter, ``update``.

    Nothing else in the package changes a parameter. What an optimizer remembers of a parameter,
    such as its velocity, is its state; it belongs to that parameter's array, and an optimizer
    with a state refuses another network's.

    The settings are attributes, and may be set between steps: ``optimizer.lr = 0.01``.
    ``settings`` holds them by name, and ``steps`` is the number of steps made.

    Formula:
        p ← p − update(p, g)

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 8.3,
    https://www.deeplearningbook.org

    >>> import numpy as np
    >>> import dlref
    >>> class SignSGD(dlref.Optimizer):
    ...     def __init__(self, lr):
    ...         super().__init__()
    ...         self.lr = lr
    ...
    ...     def update(self, name, p, grad):
    ...         return self.lr * np.sign(grad)
    ...
    >>> params = {"w": np.array([3.0, 3.0])}
    >>> SignSGD(lr=0.5).step(params, {"w": np.array([100.0, -0.01])})
    >>> print(params["w"])
    [2.5 3.5]
    """

    lr: float

    def __init__(self) -> None:
        self.steps = 0  # made so far
        self._state: dict[str, dict[str, Array]] = {}  # what is remembered → parameter → array
        self._moved: dict[str, Array] = {}  # the parameters that the state belongs to

    def step(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Change every parameter in place, by its gradient.

        Every name, shape, dtype and value is checked before the first parameter changes.

        Args:
            params: name → array of any shape, float32 or float64, as ``net.params``.
            grads: the same names → arrays of the same shapes and dtypes, as ``net.backward`` gives.

        Raises:
            ValueError: there is no parameter; names, shapes or devices differ; a gradient is
                not finite; a parameter cannot be written; or a setting is out of its range.
            TypeError: a dtype differs, or is not float32 or float64; or names are missing.
        """
        self.check_settings()  # they may have been set since
        check_step(type(self).__name__, params, grads)
        self._check_same(params)
        self.move(params, grads)
        if self._state:
            self._moved = dict(params)

    def move(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """``step`` without its checks. Here alone parameters change. It never fails.

        Args:
            params: name → array of any shape, float32 or float64, as ``net.params``.
            grads: the same names → arrays of the same shapes and dtypes.
        """
        self.steps += 1
        for name, p in params.items():
            p -= self.update(name, p, grads[name])

    def update(self, name: str, p: Array, grad: Array) -> Array:
        """What one step subtracts from the parameter of this name.

        Args:
            name: the parameter's name, under which its state is.
            p: the parameter, of any shape, float32 or float64.
            grad: its gradient, of the same shape and dtype.

        Returns:
            An array of the same shape and dtype, which ``step`` subtracts.

        Raises:
            NotImplementedError: the optimizer does not write it.
        """
        raise NotImplementedError

    def check_settings(self) -> None:
        """Raise unless every setting is in its range; here there is none.

        Raises:
            ValueError: a setting is outside its range.
            TypeError: a setting is of a wrong type.
        """

    def remembered(self, what: str, name: str, p: Array) -> Array:
        """The array that the state holds of a parameter; it starts as 0. It never fails.

        Args:
            what: what it is, such as ``"velocity"``.
            name: the parameter's name.
            p: the parameter, of any shape, float32 or float64.

        Returns:
            The state's own array, of the shape and dtype of p.
        """
        arrays = self._state.setdefault(what, {})
        if name not in arrays:
            arrays[name] = namespace(p).zeros_like(p)
        return arrays[name]

    def state(self) -> tuple[int, dict[str, Array]]:
        """The number of steps made, and what is remembered. It never fails.

        Returns:
            The number, and the state's own arrays, ``"velocity.0.weight"`` → array, in the shapes
            and dtypes of the parameters.
        """
        return self.steps, {
            f"{what}.{name}": array
            for what, arrays in self._state.items()
            for name, array in arrays.items()
        }

    def restore(self, steps: int, state: Mapping[str, Array], params: Mapping[str, Array]) -> None:
        """Take over what ``state`` gave, as the state of these parameters.

        The arrays are not copied: the optimizer writes to them from then on.

        Args:
            steps: the number of steps made.
            state: ``"velocity.0.weight"`` → array, in the shapes and dtypes of the parameters.
            params: name → array of any shape, float32 or float64, as ``net.params``.

        Raises:
            ValueError: an array has no parameter, has another shape or device than its own, or
                cannot be written; or ``steps`` is negative.
            TypeError: an array has another dtype than its parameter; or ``steps`` is not a whole
                number, or names are missing.
        """
        steps = check_size("steps", steps, low=0)
        check_named("state", state, "it is the second that state() gives")
        check_named("params", params, PARAMS)
        restored: dict[str, dict[str, Array]] = {}
        for key, array in state.items():
            what, _, name = key.partition(".")
            if name not in params:
                raise ValueError(f"state[{key!r}] belongs to none of {list(params)}")
            check_array(f"state[{key!r}]", array, params[name].shape, like=params[name])
            check_writable(f"state[{key!r}]", array)
            restored.setdefault(what, {})[name] = array
        self.steps, self._state = steps, restored
        self._moved = dict(params) if restored else {}

    def check_params(self, params: Mapping[str, Array]) -> None:
        """Raise unless a step could move these parameters.

        Args:
            params: name → array of any shape, float32 or float64, as ``net.params``.

        Raises:
            ValueError: there is none; one cannot be written; or the state is another network's.
            TypeError: they have no names.
        """
        who = type(self).__name__
        check_named(f"{who}: params", params, PARAMS)
        if not params:
            raise ValueError(f"{who}: there is no parameter to move")
        for name, p in params.items():
            check_writable(f"{who}: params[{name!r}]", p)
        self._check_same(params)

    def _check_same(self, params: Mapping[str, Array]) -> None:
        if not self._moved:
            return
        who = type(self).__name__
        if params.keys() != self._moved.keys():
            raise ValueError(
                f"{who}: params are named {list(params)}, and this optimizer has moved "
                f"{list(self._moved)} before: make a new {who} for a new network"
            )
        for name, p in params.items():
            if self._moved[name] is not p:
                raise ValueError(
                    f"{who}: params[{name!r}] is another array than the one this optimizer has "
                    f"moved before: make a new {who} for a new network"
                )

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting by its name: ``{"lr": 0.1, "momentum": 0.9}``."""
        return {
            name: value
            for name, value in vars(self).items()
            if not name.startswith("_") and name != "steps"
        }

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"{type(self).__name__}({settings})"


def check_step(who: str, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
    """Raise unless every parameter can be changed by its gradient."""
    check_named(f"{who}: params", params, PARAMS)
    check_named(f"{who}: grads", grads, GRADS)
    if params.keys() != grads.keys() or not params:
        raise ValueError(
            f"{who}: params and grads must have the same names, at least one, "
            f"got {list(params)} and {list(grads)}"
        )
    for name, p in params.items():
        grad = grads[name]
        if not is_writable(p):
            check_writable(f"{who}: params[{name!r}]", p)
        if not (is_like(grad, p) and grad.shape == p.shape and is_plainly_finite(grad)):
            check_array(f"{who}: grads[{name!r}]", grad, p.shape, like=p)
            check_finite(f"{who}: grads[{name!r}]", grad)
