from sklearn import datasets, ensemble, linear_model, model_selection, neural_network

x, y = datasets.load_diabetes(return_X_y=True)  # 442 patients, 10 columns
x, y = 21 * x, (y - 150) / 75  # all of a size near 1, as the network needs

models = {
    "linear (ridge)": linear_model.Ridge(alpha=10),
    "two hidden layers": neural_network.MLPRegressor(
        hidden_layer_sizes=(16, 16), alpha=30, solver="lbfgs", max_iter=2000, random_state=0
    ),
    "boosted trees": ensemble.GradientBoostingRegressor(
        n_estimators=100, learning_rate=0.05, max_depth=2, subsample=0.5, random_state=0
    ),
}
folds = model_selection.KFold(5, shuffle=True, random_state=0)  # the same for all three
for name, model in models.items():
    r2 = model_selection.cross_val_score(model, x, y, cv=folds, scoring="r2")
    print(f"{name}: R² {r2.mean():.2f}, by fold {r2.min():.2f} to {r2.max():.2f}")

net = models["two hidden layers"].fit(x, y)
line = linear_model.LinearRegression().fit(x, net.predict(x))
print(f"of what the network answers, a linear model explains {line.score(x, net.predict(x)):.0%}")
