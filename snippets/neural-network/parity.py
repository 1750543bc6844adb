import itertools

import numpy as np

for bits in (3, 6, 10):
    inputs = np.array(list(itertools.product([0, 1], repeat=bits)))  # (2**bits, bits)
    odd = inputs.sum(axis=1) % 2  # 1 where an odd number of bits is 1

    weight_1 = np.ones((bits, bits))  # every hidden unit counts the ones
    bias_1 = -np.arange(bits)  # and takes 0, 1, 2, ... from the count
    weight_2 = 2.0 * (-1) ** np.arange(bits)  # 2, -2, 2, ...
    weight_2[0] = 1.0
    output = np.maximum(inputs @ weight_1 + bias_1, 0) @ weight_2
    right = (output == odd).sum()
    print(f"{bits} bits, {bits} hidden units: {right} of {2**bits} right")
