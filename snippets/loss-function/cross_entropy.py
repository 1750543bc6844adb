import numpy as np

import dlref

logits = np.array(
    [
        [4.0, 0.0, 0.0],  # sure of class 0
        [0.0, 0.0, 0.0],  # no idea
        [0.0, 4.0, 0.0],  # sure of class 1
    ]
)
labels = np.array([0, 0, 0])  # class 0 is right every time

exps = np.exp(logits)
probabilities = exps / exps.sum(axis=1, keepdims=True)  # softmax: each row adds up to 1
losses = -np.log(probabilities[:, 0])
for p, one_loss in zip(probabilities[:, 0], losses, strict=True):
    print(f"probability of the right class {p:.4f}: loss {one_loss:.4f}")

loss, dlogits = dlref.cross_entropy(logits, labels)
print(f"mean by hand {losses.mean():.4f}, dlref {loss:.4f}")
