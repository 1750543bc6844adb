import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()
x, x_test = x.astype("float64"), x_test.astype("float64")


def all_equal(in_features, out_features, rng):
    return np.full((in_features, out_features), 0.01)


for start in (all_equal, dlref.he_normal):
    net = dlref.mlp([64, 32, 10], init=start, seed=0).to(dtype="float64")
    optimizer = dlref.SGD(lr=0.1, momentum=0.9)
    for _ in range(100):
        logits, cache = net.forward(x)
        _, dlogits = dlref.cross_entropy(logits, y)
        _, grads = net.backward(dlogits, cache)
        optimizer.step(net.params, grads)
    same = np.ptp(net.params["0.weight"], axis=1).max() < 1e-6
    right = round(360 * dlref.accuracy(net.forward(x_test)[0], y_test))
    print(f"{start.__name__}: all 32 hidden units the same: {same}, {right} of 360 right")
