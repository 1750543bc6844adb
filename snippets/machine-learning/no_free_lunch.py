from itertools import combinations, product

import numpy as np

inputs = np.array(list(product((0, 1), repeat=3)))  # (8, 3): all settings of three switches
distance = np.abs(inputs[:, None] - inputs).sum(axis=2)  # (8, 8)


def nearest_neighbor(tasks):
    right = []
    for seen in combinations(range(8), 5):
        for new in set(range(8)) - set(seen):
            near = [i for i in seen if distance[new, i] == distance[new, seen].min()]
            answers = tasks[:, near].mean(axis=1) > 0.5  # the majority of the nearest
            right.append(answers == tasks[:, new])
    return np.mean(right)


all_tasks = np.array(list(product((0, 1), repeat=8)))  # (256, 8): every way to answer
one_switch = np.concatenate([inputs.T, 1 - inputs.T])  # (6, 8): one switch decides
for name, tasks in (("all 256 tasks", all_tasks), ("the 6 simple tasks", one_switch)):
    score = nearest_neighbor(tasks)
    print(f"{name}: nearest neighbor {score:.1%}, its opposite {1 - score:.1%}")
