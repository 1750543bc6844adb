import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()


def learn(images, labels, seed):
    net, optimizer = dlref.mlp([64, 10], seed=seed), dlref.SGD(lr=0.5, momentum=0.9)
    for _ in range(1000):
        logits, cache = net.forward(images)
        _, dlogits = dlref.cross_entropy(logits, labels)
        optimizer.step(net.params, net.backward(dlogits, cache)[1])
    assert dlref.accuracy(net.forward(images)[0], labels) == 1  # all right in training
    return round(360 * dlref.accuracy(net.forward(x_test)[0], y_test))


rights = []
for seed in range(20):
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(y))[:100]
    both = y[rows], rng.permutation(y[rows])  # true labels; the same, dealt out at random
    rights.append([learn(x[rows], labels, seed) for labels in both])
for name, r in zip(("true", "shuffled"), np.transpose(rights), strict=True):
    print(f"{name} labels: test {min(r)} to {max(r)} of 360, mean {np.mean(r):.0f}")
