import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()
train, test = np.isin(y, (3, 8)), np.isin(y_test, (3, 8))
x, y, x_test, y_test = x[train], y[train], x_test[test], y_test[test]
rule = np.where(x_test.reshape(-1, 8, 8)[:, 2:6, 1:4].sum(axis=(1, 2)) > 3.75, 8, 3)

net, optimizer = dlref.mlp([64, 10], seed=0), dlref.SGD(lr=0.5, momentum=0.9)
for _ in range(300):
    logits, cache = net.forward(x)
    _, dlogits = dlref.cross_entropy(logits, y)
    _, grads = net.backward(dlogits, cache)
    optimizer.step(net.params, grads)
answers = net.forward(x_test)[0].argmax(axis=1)

print(f"the rule {np.sum(rule == y_test)} of 72, the learner {np.sum(answers == y_test)} of 72")
print("only the rule is right:", np.sum((rule == y_test) & (answers != y_test)))
print("only the learner is right:", np.sum((rule != y_test) & (answers == y_test)))
