curvature = 4.0  # of the loss curvature / 2 · w², whose gradient is curvature · w

for learning_rate in (0.1, 0.25, 0.45, 0.5, 0.55):
    w = 1.0
    for _ in range(20):
        w -= learning_rate * curvature * w
    print(f"learning rate {learning_rate:.2f}: after 20 steps w = {w:.4g}")
print(f"the limit, 2 / curvature: {2 / curvature}")
