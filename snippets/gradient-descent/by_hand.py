w = 0.0
learning_rate = 0.1
for step in range(1, 31):
    gradient = 2 * (w - 3)  # the slope of (w - 3)² at w
    w = w - learning_rate * gradient
    if step in (1, 2, 3, 10, 30):
        print(f"step {step:2}: w = {w:.4f}, loss = {(w - 3) ** 2:.2g}")
