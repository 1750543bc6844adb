"""PyTorch's own kernels, where the plain code would make many passes over memory.

A function here gives ``None`` where the array is not PyTorch's, or where the plain code is faster.
Then that runs, which stands in the file of the layer or the loss and says what is computed. The
tests hold both to the same numbers; where a kernel rounds more, or ends sooner at huge numbers, the
layer or the loss says so.
"""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from dlref.backend import Array, on_cpu

enabled = True  # the tests switch it off to run the plain code on PyTorch's arrays too


class Kernel(NamedTuple):
    """What a kernel gives: its output, and how a gradient there goes back to its inputs."""

    y: Array
    gradients: Callable[[Array, bool], tuple[Array, ...]]
    """At all inputs, from that at y; the first may be ``None`` where it is not asked for."""


def conv2d(
    x: Array, weight: Array, bias: Array, *, stride: int, padding: int, groups: int
) -> Kernel | None:
    """The cross-correlation of ``Conv2d``."""
    if not (torch := _torch(x)):
        return None
    # no dilation, not transposed, and no padding of the output
    options: Any = [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], groups

    def gradients(dy: Array, input_grad: bool) -> tuple[Array, ...]:
        backward = torch.ops.aten.convolution_backward
        wanted = [input_grad, True, True]
        return backward(dy, x, weight, [len(bias)], *options, wanted)  # type: ignore[no-any-return]

    return Kernel(torch.convolution(x, weight, bias, *options), gradients)


def max_pool2d(x: Array, *, size: int, stride: int) -> Kernel | None:
    """The largest of each window, as ``MaxPool2d``; on a CPU the plain code is faster."""
    if on_cpu(x) or not (torch := _torch(x)):
        return None
    options: Any = [size] * 2, [stride] * 2, [0, 0], [1, 1], False  # no padding, no dilation
    y, places = torch.ops.aten.max_pool2d_with_indices(x, *options)
    backward = torch.ops.aten.max_pool2d_with_indices_backward
    return Kernel(y, lambda dy, _: (backward(dy, x, *options, places),))


def gelu(x: Array) -> Kernel | None:
    """The activation of ``GELU``."""
    if not (torch := _torch(x)):
        return None
    backward = torch.ops.aten.gelu_backward
    y = torch.nn.functional.gelu(x, approximate="tanh")
    return Kernel(y, lambda dy, _: (backward(dy, x, approximate="tanh"),))


def layer_norm(x: Array, weight: Array, bias: Array, *, eps: float) -> Kernel | None:
    """The normalization of ``LayerNorm``."""
    if not (torch := _torch(x)):
        return None
    y, mean, scale = torch.native_layer_norm(x, weight.shape, weight, bias, eps)

    def gradients(dy: Array, input_grad: bool) -> tuple[Array, ...]:
        backward = torch.ops.aten.native_layer_norm_backward
        wanted = [input_grad, True, True]
        return backward(dy, x, weight.shape, mean, scale, weight, bias, wanted)  # type: ignore[no-any-return]

    return Kernel(y, gradients)


def attention(
    query: Array, key: Array, value: Array, *, mask: Array | None, causal: bool
) -> Kernel | None:
    """The heads of ``MultiHeadAttention``, without a matrix of weights in memory.

    Which of PyTorch's kernels runs depends on the device; its autograd knows the way back.
    """
    if not (torch := _torch(query)):
        return None
    with torch.enable_grad():
        inputs = [x.detach().requires_grad_() for x in (query, key, value)]
        attend = torch.nn.functional.scaled_dot_product_attention
        y = attend(*inputs, attn_mask=mask, is_causal=causal)

    def gradients(dy: Array, _: bool) -> tuple[Array, ...]:
        found: tuple[Array, ...] = torch.autograd.grad(y, inputs, dy, retain_graph=True)
        return found

    return Kernel(y.detach(), gradients)


def cross_entropy(logits: Array, labels: Array) -> tuple[Array, Array] | None:
    """The loss of ``cross_entropy`` and its gradient."""
    if not (torch := _torch(logits)):
        return None
    log_softmax, places = torch.log_softmax(logits, -1), labels[..., None]  # (..., C), (..., 1)
    try:
        chosen = log_softmax.gather(-1, places)  # (..., 1)
    except RuntimeError:  # on a CPU, a label that is out of range: the plain code names it
        return None
    dlogits = log_softmax.exp_()  # in place: nobody else has it
    dlogits.scatter_(-1, places, chosen.exp() - 1)
    dlogits /= chosen.numel()
    return 0 - chosen.mean(), dlogits  # where all is right, −chosen.mean() would be −0


def _torch(x: Array) -> Any:
    """PyTorch, where x is a tensor and its kernels are to be used, else ``None``."""
    torch: Any = sys.modules.get("torch")
    return torch if enabled and torch is not None and isinstance(x, torch.Tensor) else None
