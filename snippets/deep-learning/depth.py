import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()
x, x_test = x.astype("float64"), x_test.astype("float64")


def right(depth, lr, steps, seed):
    net = dlref.mlp([64] + [64] * depth + [10], seed=seed).to(dtype="float64")
    optimizer = dlref.SGD(lr, momentum=0.9)
    for rows in np.random.default_rng(seed).choice(len(x), (steps, 64)):
        logits, cache = net.forward(x[rows])
        _, dlogits = dlref.cross_entropy(logits, y[rows])
        optimizer.step(net.params, net.backward(dlogits, cache)[1])
    data = (x_test, y_test), (x, y)
    return [np.sum(net.forward(a)[0].argmax(axis=1) == b) for a, b in data]


for lr, steps in ((0.03, 120), (0.003, 300)):
    for depth in (0, 4, 16):
        (a, _, c), (b, _, d) = np.sort([right(depth, lr, steps, s) for s in range(3)], axis=0).T
        failed = "fewer than half, in training too" if c < 180 and d < 718 else ""
        shown = failed or f"{a} to {c} of 360, in training {b} to {d} of 1437"
        print(f"rate {lr}, {depth:2} hidden layers: {shown}")
