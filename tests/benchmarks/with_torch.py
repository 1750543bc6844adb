"""PyTorch: torch.nn and its autograd, as they are and through torch.compile."""

import shutil
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from tests.benchmarks.libraries import Trainer, UnavailableError
from tests.benchmarks.nets import Arrays, Problem


class Eager(Trainer):
    """The five lines of PyTorch's own tutorials: zero_grad, model, loss, backward, step."""

    def __init__(self, problem: Problem, device: str) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise UnavailableError("PyTorch finds no CUDA device on this machine")
        self.device, self.problem = device, problem
        self.x = torch.from_numpy(problem.x).to(device)
        self.y = torch.from_numpy(problem.y).to(device)
        layers: list[nn.Module] = []
        for weight in problem.weights:
            layers += [nn.Linear(*weight.shape), nn.ReLU()]
        self.model = nn.Sequential(*layers[:-1]).to(device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=problem.learning_rate)
        self.reset()

    def reset(self) -> None:
        linear = [layer for layer in self.model if isinstance(layer, nn.Linear)]
        with torch.no_grad():
            for i, layer in enumerate(linear):
                layer.weight.copy_(torch.from_numpy(self.problem.weights[i].T))
                layer.bias.copy_(torch.from_numpy(self.problem.biases[i]))

    def loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(self.model(x), y)

    def step(self) -> Any:
        self.optimizer.zero_grad()
        loss = self.loss(self.x, self.y)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss

    def read(self, loss: torch.Tensor) -> float:
        return loss.item()

    def wait(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()

    def gradients(self) -> Arrays:
        self.optimizer.zero_grad()
        self.loss(self.x, self.y).backward()  # type: ignore[no-untyped-call]
        return [
            as_problem(param.grad) for param in self.model.parameters() if param.grad is not None
        ]

    def params(self) -> Arrays:
        return [as_problem(param) for param in self.model.parameters()]


class Compiled(Eager):
    """The same, with the model and the loss compiled: what the tutorials of torch.compile do."""

    def __init__(self, problem: Problem, device: str) -> None:
        require_compiler()
        super().__init__(problem, device)
        self.loss = torch.compile(super().loss)  # type: ignore[method-assign]


class CompiledStep(Eager):
    """The whole step in one compiled function: gradients by torch.func, the update in it too."""

    def __init__(self, problem: Problem, device: str) -> None:
        require_compiler()
        super().__init__(problem, device)
        self.named = {name: param.detach() for name, param in self.model.named_parameters()}
        self.grad_and_value: Callable[..., Any] = torch.func.grad_and_value(self.loss_of)
        self.compiled_step = torch.compile(self.functional_step)

    def loss_of(
        self, params: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor
    ) -> torch.Tensor:
        return functional.cross_entropy(torch.func.functional_call(self.model, params, x), y)

    def functional_step(
        self, params: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor
    ) -> torch.Tensor:
        grads, loss = self.grad_and_value(params, x, y)
        for name, param in params.items():
            param -= self.problem.learning_rate * grads[name]
        return loss  # type: ignore[no-any-return]

    def step(self) -> Any:
        return self.compiled_step(self.named, self.x, self.y)

    def gradients(self) -> Arrays:
        grads, _ = torch.compile(self.grad_and_value)(self.named, self.x, self.y)
        return [as_problem(grads[name]) for name in self.named]


def require_compiler() -> None:
    """torch.compile writes C++ (and on a GPU, Triton, which needs a C compiler)."""
    if not (shutil.which("g++") or shutil.which("clang++")):
        raise UnavailableError("torch.compile needs a C++ compiler: install g++ or clang++")


def as_problem(tensor: torch.Tensor) -> Any:
    """A weight as the problem has it, (in, out), or a bias."""
    return tensor.detach().cpu().numpy().T.copy()
