import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()


def learn(images, labels, seed):
    net, optimizer = dlref.mlp([64, 10], seed=seed), dlref.SGD(lr=0.5, momentum=0.9)
    for _ in range(1000):
        logits, cache = net.forward(images)
        _, dlogits = dlref.cross_entropy(logits, labels)
        _, grads = net.backward(dlogits, cache)
        optimizer.step(net.params, grads)
    training = round(100 * dlref.accuracy(net.forward(images)[0], labels))
    test = round(360 * dlref.accuracy(net.forward(x_test)[0], y_test))
    return f"{training} of 100 (test {test} of 360)"


for seed in (0, 1, 2):
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(y))[:100]
    print(f"seed {seed}: true labels {learn(x[rows], y[rows], seed)}", end=", ")
    shuffled = rng.permutation(y[rows])  # the same labels, dealt out at random
    print(f"shuffled {learn(x[rows], shuffled, seed)}")
