"""PyTorch: torch.nn and its autograd, as they are and through torch.compile."""

import shutil
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from tests.benchmarks import cuda
from tests.benchmarks.libraries import Trainer, UnavailableError
from tests.benchmarks.nets import Arrays, Problem
from tests.benchmarks.torch_modules import make_module


class Eager(Trainer):
    """The five lines of PyTorch's own tutorials: zero_grad, model, loss, backward, step."""

    def __init__(self, problem: Problem, device: str) -> None:
        cuda.prepare(device)
        self.device, self.problem = device, problem
        self.x = torch.from_numpy(problem.x).to(device)
        self.y = torch.from_numpy(problem.y).to(device)
        start = [torch.from_numpy(param) for param in problem.params.values()]
        self.model = make_module(problem.net).to(device, start[0].dtype)
        # PyTorch keeps a linear weight as (out, in), and an embedding as the problem has it.
        tables = {id(m.weight) for m in self.model.modules() if isinstance(m, nn.Embedding)}
        linear = {id(m.weight) for m in self.model.modules() if isinstance(m, nn.Linear)} - tables
        self.transposed = [id(param) in linear for param in self.model.parameters()]
        self.start = self.as_problem(start)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=problem.learning_rate)
        self.reset()

    def as_problem(self, tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
        """Between the problem's shapes and those of the model, in both directions."""
        pairs = zip(tensors, self.transposed, strict=True)
        return [tensor.T if transposed else tensor for tensor, transposed in pairs]

    def arrays(self, tensors: Iterable[torch.Tensor]) -> Arrays:
        """As NumPy arrays of their own, in the problem's shapes."""
        return [t.detach().cpu().numpy().copy() for t in self.as_problem(tensors)]

    def reset(self) -> None:
        with torch.no_grad():
            for param, start in zip(self.model.parameters(), self.start, strict=True):
                param.copy_(start)

    def loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return loss_of(self.model(x), y)

    def step(self) -> Any:
        self.optimizer.zero_grad()
        loss = self.loss(self.x, self.y)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss

    def read(self, loss: torch.Tensor) -> float:
        return loss.item()

    def wait(self) -> None:
        cuda.wait(self.device)

    def gradients(self) -> Arrays:
        self.optimizer.zero_grad()
        self.loss(self.x, self.y).backward()  # type: ignore[no-untyped-call]
        return self.arrays(p.grad for p in self.model.parameters() if p.grad is not None)

    def params(self) -> Arrays:
        return self.arrays(self.model.parameters())


def loss_of(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy: of the examples, or of all places in all texts."""
    return functional.cross_entropy(logits.view(-1, logits.shape[-1]), y.view(-1))


class Compiled(Eager):
    """The same, with the model and the loss compiled: what the tutorials of torch.compile do."""

    mode: str | None = None

    def __init__(self, problem: Problem, device: str) -> None:
        require_compiler()
        super().__init__(problem, device)
        self.loss = torch.compile(super().loss, mode=self.mode)  # type: ignore[method-assign]


class CompiledReduced(Compiled):
    """Compiled, and recorded as CUDA graphs: twice it warms up, then it records."""

    mode = "reduce-overhead"
    first_steps = 4


class CompiledStep(Eager):
    """The whole step in one compiled function: gradients by torch.func, the update in it too."""

    def __init__(self, problem: Problem, device: str) -> None:
        require_compiler()
        super().__init__(problem, device)
        self.named = {name: param.detach() for name, param in self.model.named_parameters()}
        self.grad_and_value: Callable[..., Any] = torch.func.grad_and_value(self.loss_at)
        self.compiled_step = torch.compile(self.functional_step)

    def loss_at(
        self, params: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor
    ) -> torch.Tensor:
        return loss_of(torch.func.functional_call(self.model, params, x), y)

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
        return self.arrays(grads[name] for name in self.named)


def require_compiler() -> None:
    """torch.compile writes C++ (and on a GPU, Triton, which needs a C compiler)."""
    if not (shutil.which("g++") or shutil.which("clang++")):
        raise UnavailableError("torch.compile needs a C++ compiler: install g++ or clang++")
