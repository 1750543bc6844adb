import numpy as np

import dlref

x_train, y_train, x_test, y_test = dlref.data.digits()
targets = np.eye(10, dtype="float32")[y_train]  # 1 for the right class, else 0


def train(loss_function, answers, lr, seed):
    net, rng = dlref.mlp([64, 64, 10], seed=seed), np.random.default_rng(seed)
    optimizer = dlref.SGD(lr, momentum=0.9)
    for _ in range(20):
        for rows in np.array_split(rng.permutation(len(x_train)), 23):
            logits, cache = net.forward(x_train[rows])
            _, dlogits = loss_function(logits, answers[rows])
            _, grads = net.backward(dlogits, cache)
            optimizer.step(net.params, grads)
    return round(360 * dlref.accuracy(net.forward(x_test)[0], y_test))


for seed in (0, 1, 2):
    right = train(dlref.cross_entropy, y_train, 0.1, seed)
    right_square = train(dlref.mse, targets, 0.3, seed)
    print(f"seed {seed}, of 360: cross-entropy {right} right, square loss {right_square}")
