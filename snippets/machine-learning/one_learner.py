import numpy as np

import dlref


def learn(x, y, x_test, seed):
    net, optimizer = dlref.mlp([64, 10], seed=seed), dlref.SGD(lr=0.5, momentum=0.9)
    for _ in range(300):
        logits, cache = net.forward(x)
        _, dlogits = dlref.cross_entropy(logits, y)
        _, grads = net.backward(dlogits, cache)
        optimizer.step(net.params, grads)
    return net.forward(x_test)[0].argmax(axis=1)  # the answer with the largest score


x, y, x_test, y_test = dlref.data.digits()
mixed = np.random.default_rng(0).permutation(64)
for name, images, answers, test_images, test_answers in (
    ("which digit", x, y, x_test, y_test),
    ("odd or even", x, y % 2, x_test, y_test % 2),
    ("which digit, pixels shuffled", x[:, mixed], y, x_test[:, mixed], y_test),
):
    right = [np.sum(learn(images, answers, test_images, s) == test_answers) for s in range(3)]
    always = np.sum(test_answers == np.bincount(answers).argmax())
    print(f"{name}: {min(right)} to {max(right)} of 360 right, always one answer: {always}")
