"""What both sides need on a GPU: the same precision, and its measured rate of products."""

import time

import torch

from tests.benchmarks.libraries import UnavailableError


def prepare(device: str) -> None:
    """Let products of float32 be products of float32, also those of convolutions.

    Raises:
        UnavailableError: there is no GPU.
    """
    if device != "cuda":
        return
    if not torch.cuda.is_available():
        raise UnavailableError("PyTorch finds no CUDA device on this machine")
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False


def wait(device: str) -> None:
    """Return when the GPU has computed everything that it was asked for."""
    if device == "cuda":
        torch.cuda.synchronize()


def product_rate(device: str = "cuda", size: int = 8192, count: int = 20) -> float:
    """Floating-point operations a second in products of square float32 matrices."""
    prepare(device)
    a, b = (torch.randn(size, size, device=device) for _ in range(2))
    for _ in range(3):
        a @ b
    wait(device)
    start = time.perf_counter()
    for _ in range(count):
        a @ b
    wait(device)
    return 2 * size**3 * count / (time.perf_counter() - start)
