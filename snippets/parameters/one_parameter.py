import itertools

import numpy as np

x = 10.0 ** -np.arange(1, 9)  # eight inputs: 0.1, 0.01, ..., 0.00000001

found = 0
for labels in itertools.product([0, 1], repeat=8):  # 1 for "above zero"
    digits = [10**i for i, label in enumerate(labels, 1) if label == 0]  # a 1 for each no
    w = np.pi * (1 + sum(digits))
    answers = np.sin(w * x) > 0  # the model: one parameter, w
    found += np.array_equal(answers, labels)
print(f"{found} of {2**8} labelings, each with one parameter")
