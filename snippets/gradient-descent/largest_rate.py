import numpy as np

hessian = np.array([[2.0, 1.0], [1.0, 2.0]])
limit = 2 / np.linalg.eigvalsh(hessian).max()
print(f"limit: {limit:.4f}")

for learning_rate in (0.99 * limit, 1.01 * limit):
    w = np.array([1.0, 0.5])
    for _ in range(1000):
        w = w - learning_rate * hessian @ w  # the gradient of w H w / 2
    print(f"rate {learning_rate:.4f}: ends nearer to 0 than it began: {np.abs(w).max() < 1}")
