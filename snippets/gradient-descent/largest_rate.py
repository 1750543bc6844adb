import numpy as np

matrix = np.array([[2.0, 1.0], [1.0, 2.0]])  # the gradient is matrix @ w
limit = 2 / np.linalg.eigvalsh(matrix).max()
print(f"limit: {limit:.4f}")

for learning_rate in (0.99 * limit, 1.01 * limit):
    w = np.array([1.0, 0.5])
    for _ in range(1000):
        w = w - learning_rate * matrix @ w
    print(f"rate {learning_rate:.4f}: after 1000 steps {np.linalg.norm(w):.0e} from 0")
