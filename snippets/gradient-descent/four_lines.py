import numpy as np

import dlref

x_train, y_train, x_test, y_test = dlref.data.digits()
net = dlref.mlp([64, 64, 10], seed=0)
optimizer = dlref.SGD(lr=0.1, momentum=0.9)
rng = np.random.default_rng(0)

for epoch in range(21):
    if epoch in (0, 1, 5, 20):
        test_logits = net.forward(x_test)[0]
        test_loss = dlref.cross_entropy(test_logits, y_test)[0]
        right = round(360 * dlref.accuracy(test_logits, y_test))
        print(f"epochs done: {epoch:2}, test loss {test_loss:.3f}, {right} of 360 right")
    for rows in np.array_split(rng.permutation(len(x_train)), 23):  # batches of 62 or 63
        x, y = x_train[rows], y_train[rows]
        logits, cache = net.forward(x)
        loss, dlogits = dlref.cross_entropy(logits, y)
        _, grads = net.backward(dlogits, cache)
        optimizer.step(net.params, grads)
