import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()
x, x_test = x.astype("float64"), x_test.astype("float64")


def right(depth, seed):
    net = dlref.mlp([64] + [64] * depth + [10], seed=seed).to(dtype="float64")
    optimizer, rng = dlref.SGD(lr=0.03, momentum=0.9), np.random.default_rng(seed)
    for rows in rng.choice(len(x), (120, 64)):
        logits, cache = net.forward(x[rows])
        _, dlogits = dlref.cross_entropy(logits, y[rows])
        optimizer.step(net.params, net.backward(dlogits, cache)[1])
    pairs = (x_test, y_test), (x, y)
    return [int(sum(net.forward(a)[0].argmax(axis=1) == b)) for a, b in pairs]


counts = {depth: np.array([right(depth, s) for s in range(3)]) for depth in (0, 1, 2, 4, 8, 16)}
for depth in (0, 1, 2, 4, 8):
    low, _, high = sorted(counts[depth][:, 0])
    print(f"{depth} hidden layers, right of 360: {low} to {high}")
worse = counts[16].max(axis=0) < counts[0].min(axis=0)
print(f"16 are worse than 0 from every seed: on test images {worse[0]}, training {worse[1]}")
