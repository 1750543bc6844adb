"""PyTorch's own kernels, for layers whose plain code would make many passes over memory.

A function here gives ``None`` where the array is not PyTorch's. Then the layer's plain code runs,
which stands in the layer's file and says what is computed. The tests hold both to the same numbers;
where a kernel rounds more, or ends sooner at huge numbers, the layer says so.
"""

import sys
from collections.abc import Callable
from typing import Any

from dlref.backend import Array, on_cpu

enabled = True  # the tests switch it off to run the plain code on PyTorch's arrays too


class Kernel:
    """One call of a kernel: its output, and its gradients by the kernel's own backward pass."""

    def __init__(self, function: Callable[..., Array], *inputs: Array) -> None:
        import torch

        with torch.enable_grad():
            self._inputs = [x.detach().requires_grad_() for x in inputs]
            self._output = function(torch.nn.functional, *self._inputs)
        self.y = self._output.detach()

    def gradients(self, dy: Array, *, input_grad: bool = True) -> tuple[Array, ...]:
        """The gradients at all inputs; the first is ``None`` where it is not asked for."""
        import torch

        inputs = self._inputs if input_grad else self._inputs[1:]
        found = torch.autograd.grad(self._output, inputs, dy, retain_graph=True)
        return found if input_grad else (None, *found)


def conv2d(
    x: Array, weight: Array, bias: Array, *, stride: int, padding: int, groups: int
) -> Kernel | None:
    """The cross-correlation of ``Conv2d``."""
    options = {"stride": stride, "padding": padding, "groups": groups}
    return _kernel(lambda f, *inputs: f.conv2d(*inputs, **options), x, weight, bias)


def max_pool2d(x: Array, *, size: int, stride: int) -> Kernel | None:
    """The largest of each window, as ``MaxPool2d``; on a CPU the plain code is faster."""
    return None if on_cpu(x) else _kernel(lambda f, x: f.max_pool2d(x, size, stride), x)


def gelu(x: Array) -> Kernel | None:
    """The activation of ``GELU``."""
    return _kernel(lambda f, x: f.gelu(x, approximate="tanh"), x)


def layer_norm(x: Array, weight: Array, bias: Array, *, eps: float) -> Kernel | None:
    """The normalization of ``LayerNorm``."""
    return _kernel(lambda f, x, w, b: f.layer_norm(x, w.shape, w, b, eps), x, weight, bias)


def attention(
    query: Array, key: Array, value: Array, *, mask: Array | None, causal: bool
) -> Kernel | None:
    """The heads of ``MultiHeadAttention``, without a matrix of weights in memory."""
    options = {"attn_mask": mask, "is_causal": causal}
    attend = lambda f, *inputs: f.scaled_dot_product_attention(*inputs, **options)  # noqa: E731
    return _kernel(attend, query, key, value)


def _kernel(function: Callable[..., Array], *inputs: Array) -> Kernel | None:
    torch: Any = sys.modules.get("torch")
    usable = enabled and torch is not None and isinstance(inputs[0], torch.Tensor)
    return Kernel(function, *inputs) if usable else None
