"""Optimizers: the only code that changes parameters, and it does so in place."""

from collections.abc import Mapping

from dlref.backend import Array, is_plainly_finite, is_writable, namespace
from dlref.checks import check_array, check_finite, check_number


class SGD:
    """Stochastic gradient descent, plain or with momentum.

    plain: p ← p − lr · g

    momentum: v ← μ v + g (v starts as the first g), then p ← p − lr · v, as PyTorch writes it.

    Args:
        lr: the learning rate, 0 or more.
        momentum: μ in [0, 1); 0 is plain gradient descent.

    Raises:
        ValueError: ``lr`` is negative or not finite, or ``momentum`` is outside [0, 1).

    Source: Robbins & Monro, A Stochastic Approximation Method (1951); Polyak, Some methods of
    speeding up the convergence of iteration methods (1964).

    >>> import numpy as np
    >>> params = {"w": np.array([3.0])}
    >>> optimizer = SGD(lr=0.25)
    >>> optimizer.step(params, {"w": 2 * params["w"]})  # the gradient of w²
    >>> params["w"]
    array([1.5])
    """

    def __init__(self, lr: float, momentum: float = 0.0) -> None:
        self.lr = check_number("SGD: lr", lr, low=0.0)
        self.momentum = check_number("SGD: momentum", momentum, low=0.0, high=1.0)
        self._velocities: dict[str, tuple[Array, Array]] = {}  # name: (parameter, velocity)

    def step(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Change every parameter in place, by its gradient.

        Every name, shape, dtype and value is checked before the first parameter changes.

        Args:
            params: name → array, as ``net.params``.
            grads: the same names → arrays of the same shapes, as ``net.backward`` gives.

        Raises:
            ValueError: there is no parameter; names, shapes or devices differ; a gradient is
                not finite; or a parameter cannot be written.
            TypeError: a dtype differs, or is not float32 or float64.
        """
        lr = check_number("SGD: lr", self.lr, low=0.0)  # a schedule may have set it
        check_step("SGD", params, grads)
        if self.momentum > 0:
            self._check_velocities(params)
        for name, grad in grads.items():
            p = params[name]
            p -= lr * (self._updated_velocity(name, p, grad) if self.momentum > 0 else grad)

    def _updated_velocity(self, name: str, p: Array, grad: Array) -> Array:
        _, velocity = self._velocities.get(name, (p, namespace(p).zeros_like(p)))
        velocity = self.momentum * velocity + grad
        self._velocities[name] = (p, velocity)
        return velocity

    def _check_velocities(self, params: Mapping[str, Array]) -> None:
        for name, p in params.items():
            if self._velocities.get(name, (p,))[0] is not p:
                raise ValueError(
                    f"SGD: {name!r} is another array than the one this optimizer has moved: "
                    "make a new SGD for a new network"
                )


def check_step(who: str, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
    """Raise unless every parameter can be changed by its gradient."""
    if params.keys() != grads.keys() or not params:
        raise ValueError(
            f"{who}: params and grads must have the same names, at least one, "
            f"got {list(params)} and {list(grads)}"
        )
    for name, p in params.items():
        grad = grads[name]
        check_array(name, grad, p.shape, like=p)
        if not is_plainly_finite(grad):
            check_finite(name, grad)
        if not is_writable(p):
            raise ValueError(f"{who}: params[{name!r}] cannot be written in place: pass a copy")
