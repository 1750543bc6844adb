import numpy as np

import dlref

x, y, _, _ = dlref.data.digits()
x, y = x[:200].astype("float64"), y[:200]
net = dlref.mlp([64, 10], seed=0).to(dtype="float64")
weight = net.params["0.weight"]  # one for each of 64 pixels and 10 classes


def measure():
    logits, _ = net.forward(x)
    return dlref.cross_entropy(logits, y)[0], logits.argmax(axis=1)


loss, answers = measure()
loss_moves = answers_move = 0
for index in np.ndindex(*weight.shape):
    weight[index] += 1e-5
    new_loss, new_answers = measure()
    weight[index] -= 1e-5
    loss_moves += new_loss != loss
    answers_move += (new_answers != answers).any()
print(f"of {weight.size} weights, {loss_moves} move the loss")
print(f"{answers_move} change any of the 200 answers")
