import numpy as np
import torch

import dlref

rng = np.random.default_rng(0)
start = rng.normal(size=3)
gradients = rng.normal(size=(20, 3))

for momentum in (0.0, 0.9):
    w = start.copy()
    optimizer = dlref.SGD(lr=0.1, momentum=momentum)
    torch_w = torch.tensor(start, requires_grad=True)
    torch_optimizer = torch.optim.SGD([torch_w], lr=0.1, momentum=momentum)
    for gradient in gradients:
        optimizer.step({"w": w}, {"w": gradient})
        torch_w.grad = torch.tensor(gradient)
        torch_optimizer.step()
    same = np.allclose(w, torch_w.detach().numpy(), rtol=1e-12)
    print(f"momentum {momentum}: 20 steps end where PyTorch's do: {same}")
