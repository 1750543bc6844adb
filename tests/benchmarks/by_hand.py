"""The loop that everything is compared with: NumPy, no classes within it, no checks."""

from typing import Any

import numpy as np

from tests.benchmarks.libraries import Trainer
from tests.benchmarks.nets import Arrays, Problem, interleave


class ByHand(Trainer):
    """What a competent person writes plainly. Given float64 arrays, it is the reference too."""

    def __init__(self, problem: Problem, device: str = "cpu") -> None:
        self.problem = problem
        self.rows = np.arange(len(problem.y))
        self.reset()

    def reset(self) -> None:
        self.weights = [weight.copy() for weight in self.problem.weights]
        self.biases = [bias.copy() for bias in self.problem.biases]

    def step(self) -> Any:
        loss, weight_grads, bias_grads = self.backpropagate()
        learning_rate = self.problem.learning_rate
        for i in range(len(self.weights)):
            self.weights[i] -= learning_rate * weight_grads[i]
            self.biases[i] -= learning_rate * bias_grads[i]
        return loss

    def backpropagate(self) -> tuple[Any, Arrays, Arrays]:
        x, y, rows = self.problem.x, self.problem.y, self.rows
        weights, biases = self.weights, self.biases
        last = len(weights) - 1

        activations = [x]
        a = x
        for i in range(last):
            a = np.maximum(a @ weights[i] + biases[i], 0)
            activations.append(a)
        logits = a @ weights[last] + biases[last]

        exps = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = exps / exps.sum(axis=1, keepdims=True)
        loss = -np.log(probabilities[rows, y]).mean()

        d = probabilities
        d[rows, y] -= 1
        d /= len(x)
        weight_grads, bias_grads = [], []
        for i in range(last, -1, -1):
            weight_grads.append(activations[i].T @ d)
            bias_grads.append(d.sum(axis=0))
            if i > 0:
                d = (d @ weights[i].T) * (activations[i] > 0)
        return loss, weight_grads[::-1], bias_grads[::-1]

    def gradients(self) -> Arrays:
        _, weight_grads, bias_grads = self.backpropagate()
        return interleave(weight_grads, bias_grads)

    def params(self) -> Arrays:
        return interleave(self.weights, self.biases)
