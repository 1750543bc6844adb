import numpy as np

import dlref

x, y, _, _ = dlref.data.digits()
x, y = x[:200].astype("float64"), y[:200]
net = dlref.mlp([64, 10], seed=0).to(dtype="float64")
weight = net.params["0.weight"]  # one for each of 64 pixels and 10 classes


def measure():
    logits, _ = net.forward(x)
    return dlref.cross_entropy(logits, y)[0], dlref.accuracy(logits, y)


loss, accuracy = measure()
loss_moved = accuracy_moved = 0
for index in np.ndindex(*weight.shape):
    weight[index] += 1e-5
    new_loss, new_accuracy = measure()
    loss_moved += new_loss != loss
    accuracy_moved += new_accuracy != accuracy
    weight[index] -= 1e-5
print(f"of {weight.size} weights, {loss_moved} move the loss, {accuracy_moved} the accuracy")
