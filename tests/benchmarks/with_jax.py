"""JAX: the whole step in one jitted function, the old parameters given up for the new ones."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.benchmarks.libraries import Trainer
from tests.benchmarks.nets import Arrays, Problem, interleave

Params = list[tuple[jax.Array, jax.Array]]


class Jax(Trainer):
    """Steps are computed in the background: a loss that nobody reads is not waited for."""

    def __init__(self, problem: Problem, device: str) -> None:
        self.problem = problem
        self.x, self.y = jnp.asarray(problem.x), jnp.asarray(problem.y)
        self.learning_rate = problem.learning_rate
        self.reset()

    def reset(self) -> None:
        pairs = zip(self.problem.weights, self.problem.biases, strict=True)
        self.layers: Params = [(jnp.array(weight), jnp.array(bias)) for weight, bias in pairs]

    def step(self) -> Any:
        self.layers, loss = train_step(self.layers, self.x, self.y, self.learning_rate)
        return loss

    def wait(self) -> None:
        jax.block_until_ready(self.layers)

    def gradients(self) -> Arrays:
        return as_problem(jax.jit(jax.grad(loss_of))(self.layers, self.x, self.y))

    def params(self) -> Arrays:
        return as_problem(self.layers)


def loss_of(layers: Params, x: jax.Array, y: jax.Array) -> jax.Array:
    """Mean cross-entropy of the net on one batch."""
    for weight, bias in layers[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = layers[-1]
    log_probabilities = jax.nn.log_softmax(x @ weight + bias)
    return -jnp.take_along_axis(log_probabilities, y[:, None], axis=1).mean()


def update(
    layers: Params, x: jax.Array, y: jax.Array, learning_rate: float
) -> tuple[Params, jax.Array]:
    """New layers, and the loss of the old ones."""
    loss, grads = jax.value_and_grad(loss_of)(layers, x, y)
    return jax.tree.map(lambda p, g: p - learning_rate * g, layers, grads), loss


train_step = jax.jit(update, donate_argnums=0)


def as_problem(layers: Params) -> Arrays:
    """By weight, bias, weight, …, as NumPy arrays."""
    weights = [np.array(weight) for weight, _ in layers]
    return interleave(weights, [np.array(bias) for _, bias in layers])
