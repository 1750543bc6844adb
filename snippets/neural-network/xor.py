import itertools

import numpy as np

corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
xor = np.array([0, 1, 1, 0])

splits = set()  # the ways in which a line w1 x1 + w2 x2 + b = 0 splits the corners
for w1, w2, b in itertools.product([-2, -1, 0, 1, 2], repeat=3):
    splits.add(tuple(corners @ [w1, w2] + b > 0))
most_right = max((np.array(split) == xor).sum() for split in splits)
print(f"lines: {len(splits)} of the 16 splits found, at best {most_right} of 4 right")

factors = np.column_stack([corners, [1, 1, 1, 1]])  # of w1, w2 and b in each score
print("first - second - third + fourth row:", np.array([1, -1, -1, 1]) @ factors)

weight_1 = np.array([[1, -1], [-1, 1]])  # unit 1 takes x1 - x2, unit 2 takes x2 - x1
weight_2 = np.array([1, 1])  # and the biases are 0
hidden = np.maximum(corners @ weight_1, 0)  # (4 corners, 2 hidden units)
output = hidden @ weight_2
print("hidden units:", hidden.tolist())
print(f"network: {output}, {(output == xor).sum()} of 4 right")
