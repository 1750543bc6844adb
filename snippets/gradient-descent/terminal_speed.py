import numpy as np

import dlref

w = np.array([0.0])
optimizer = dlref.SGD(lr=0.1, momentum=0.9)
for step in range(1, 101):
    before = w[0]
    optimizer.step({"w": w}, {"w": np.array([1.0])})  # a slope of 1 everywhere
    if step in (1, 10, 100):
        print(f"step {step:3} moves w by {w[0] - before:.4f}")
