import dlref

x, y, x_test, y_test = dlref.data.digits()
net = dlref.mlp([64, 64, 10], seed=0)
optimizer = dlref.SGD(lr=0.1, momentum=0.9)
for _ in range(200):
    logits, cache = net.forward(x)  # neural network
    loss, dlogits = dlref.cross_entropy(logits, y)  # loss function
    _, grads = net.backward(dlogits, cache)  # backpropagation
    optimizer.step(net.params, grads)  # gradient descent
right = dlref.accuracy(net.forward(x_test)[0], y_test) * 360
print(f"loss {loss:.3f}, {right:.0f} of 360 test digits right")
