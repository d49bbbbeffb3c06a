"""scikit-learn's networks with another import: the same numbers, sooner, on a real table.

House prices in California (Pace and Barry 1997), 20,640 districts, which scikit-learn downloads
once. Both classes get the same arguments and end with the same weights. Run it with
``python examples/estimators.py``.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
from sklearn import neural_network
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import fastmlp as fm
from fastmlp import datasets

try:
    data = datasets.load("california_housing")
except OSError as error:
    print(f"skipped: {error}")
    raise SystemExit(0) from None

X_train, X_test, y_train, y_test = train_test_split(
    np.asarray(data.X, np.float64), data.y, test_size=0.2, random_state=0
)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)


def fitted(make: Any, **more: Any) -> tuple[Any, float]:
    """A model with default arguments but for these, and how long its fit took."""
    start = perf_counter()
    model = make(early_stopping=True, random_state=0, **more).fit(X_train, y_train)
    return model, perf_counter() - start


# The first fit compiles kernels, which are kept on disk.
fitted(fm.MLPRegressor, max_iter=30, n_iter_no_change=1, tol=1e9)
fitted(fm.MLPRegressor, max_iter=30, n_iter_no_change=1, tol=1e9, dtype="float32")

models = {
    "sklearn.neural_network.MLPRegressor": fitted(neural_network.MLPRegressor),
    "fastmlp.MLPRegressor": fitted(fm.MLPRegressor),
    'fastmlp.MLPRegressor, dtype="float32"': fitted(fm.MLPRegressor, dtype="float32"),
}
for name, (model, seconds) in models.items():
    score = model.score(X_test, y_test)
    print(f"{name:38} {seconds:6.2f} s  {model.n_iter_:3} epochs  R2 {score:.6f}")

theirs, ours = (model for model, _ in list(models.values())[:2])
difference = max(
    np.abs(one - other).max() for one, other in zip(theirs.coefs_, ours.coefs_, strict=True)
)
print(f"largest difference of a weight, of the two in double precision: {difference:.1g}")
