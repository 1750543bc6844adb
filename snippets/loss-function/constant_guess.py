import numpy as np

incomes = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
guesses = np.linspace(0, 100, 1001)  # every constant guess in steps of 0.1

errors = guesses[:, None] - incomes  # (1001, 5)
best_squared = guesses[(errors**2).mean(axis=1).argmin()]
best_absolute = guesses[np.abs(errors).mean(axis=1).argmin()]

print(f"squared error:  best guess {best_squared:.1f}, the mean is {incomes.mean():.1f}")
print(f"absolute error: best guess {best_absolute:.1f}, the median is {np.median(incomes):.1f}")
