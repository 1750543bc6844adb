import numpy as np

import dlref


def learn(split, seed):
    x, y, x_test, y_test = dlref.data.digits(split)
    net, optimizer = dlref.mlp([64, 10], seed=seed), dlref.SGD(lr=0.5, momentum=0.9)
    for _ in range(300):
        logits, cache = net.forward(x)
        _, dlogits = dlref.cross_entropy(logits, y)
        _, grads = net.backward(dlogits, cache)
        optimizer.step(net.params, grads)
    return net, x_test, y_test


def right(net, x, y):
    return round(360 * dlref.accuracy(net.forward(x)[0], y))


for seed in (0, 1, 2):
    net, x, y = learn("random", seed)
    moved, swapped = right(net, np.roll(x, 1, axis=1), y), right(net, 1 - x, y)
    new_forms = right(*learn("last", seed))
    print(f"seed {seed}: new forms {new_forms}, moved {moved}, dark for light {swapped} of 360")
