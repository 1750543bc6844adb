import numpy as np
import torch

import dlref

rng = np.random.default_rng(0)
logits = rng.normal(size=(5, 3))
labels = rng.integers(0, 3, size=5)

loss, dlogits = dlref.cross_entropy(logits, labels)
measured = dlref.gradcheck(lambda z: dlref.cross_entropy(z, labels), logits)

torch_logits = torch.tensor(logits, requires_grad=True)
torch_loss = torch.nn.functional.cross_entropy(torch_logits, torch.tensor(labels))
(torch_gradient,) = torch.autograd.grad(torch_loss, torch_logits)

print(f"loss: dlref {loss:.4f}, PyTorch {torch_loss.item():.4f}")
print("gradient as PyTorch's to 1e-12:", np.allclose(dlogits, torch_gradient, atol=1e-12))
print("gradient as finite differences to 1e-6:", measured["x"] < 1e-6)
