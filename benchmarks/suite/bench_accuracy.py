"""What is reached in a fixed time: the error on rows that were not trained on.

Errors, not accuracies, since asv takes lower numbers for better ones.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

_SECONDS = [0.1, 1.0]
_SEEDS = (1, 2, 3)
# A fit can stop between epochs; with so many rows one is short beside the time.
_TRAINED_ROWS = 16_000
_TEST_ROWS = 5_000


def _save(name: str) -> None:
    """Write rows to train and rows to test on into the current folder, where they are to be had.

    Features, and what a regression predicts, have mean 0 and variance 1 over the rows to train on;
    pixels are between 0 and 1.
    """
    from fastmlp.datasets import load

    try:
        data = load(name)
    except (ImportError, OSError) as error:
        print(f"{name}: {error}")
        return
    order = np.random.default_rng(0).permutation(len(data.X))
    n_test = min(_TEST_ROWS, len(order) // 4)
    test, train = order[:n_test], order[n_test:][:_TRAINED_ROWS]
    if data.task == "classification":
        x = data.X / data.X.max()
        y = np.unique(data.y, return_inverse=True)[1]
    else:
        x = (data.X - data.X[train].mean(axis=0)) / data.X[train].std(axis=0)
        y = ((data.y - data.y[train].mean()) / data.y[train].std()).astype(np.float32)
    x = x.astype(np.float32)
    np.savez(name, x=x[train], y=y[train], x_test=x[test], y_test=y[test])


def _read(name: str) -> dict[str, Any]:
    path = Path(f"{name}.npz")
    if not path.exists():
        raise NotImplementedError(f"scikit-learn does not load {name} here")
    with np.load(path) as file:
        return dict(file)


def _train(model: Any, data: dict[str, Any], batch: int, seconds: float) -> None:
    """Train for so long and to the end of the epoch; compiling is not counted."""
    from fastmlp import Callback

    class Deadline(Callback):
        def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
            model.stop_training = perf_counter() >= start + seconds

    def fit(epochs: int) -> None:
        model.fit(
            *(data["x"], data["y"]),
            epochs=epochs,
            batch_size=batch,
            callbacks=[Deadline()],
            verbose=0,
        )

    start = perf_counter()
    fit(1)
    model.reset()
    start = perf_counter()
    fit(10**6)
    taken = perf_counter() - start
    assert seconds <= taken < 1.5 * seconds, f"it took {taken:.3f} s"


class _AfterFixedTime:
    param_names = ("dataset", "seconds")
    timeout = 300

    def setup(self, dataset: str, seconds: float) -> None:
        self.data = _read(dataset)


class Classification(_AfterFixedTime):
    """The share of test rows given a wrong class by 128-64 relu units, Adam, batches of 64."""

    params = (["digits", "mnist_784"], _SECONDS)
    unit = "of the rows"

    def setup_cache(self) -> None:
        for name in self.params[0]:
            _save(name)

    def _wrong(self, seed: int, seconds: float) -> float:
        import fastmlp as fm

        layers = [fm.Dense(128, "relu"), fm.Dense(64, "relu"), fm.Dense(10, "softmax")]
        model = fm.Sequential(layers, random_state=seed, n_threads=1)
        _train(model, self.data, 64, seconds)
        classes = model.predict(self.data["x_test"]).argmax(axis=1)
        return float(np.mean(classes != self.data["y_test"]))

    def track_wrong(self, dataset: str, seconds: float) -> float:
        return median(self._wrong(seed, seconds) for seed in _SEEDS)


class Regression(_AfterFixedTime):
    """The root mean squared error on test rows of 64-64 relu units, Adam, batches of 128."""

    params = (["california_housing"], _SECONDS)
    unit = "standard deviations"

    def setup_cache(self) -> None:
        for name in self.params[0]:
            _save(name)

    def _rmse(self, seed: int, seconds: float) -> float:
        import fastmlp as fm

        layers = [fm.Dense(64, "relu"), fm.Dense(64, "relu"), fm.Dense(1)]
        model = fm.Sequential(layers, random_state=seed, n_threads=1)
        _train(model, self.data, 128, seconds)
        residuals = model.predict(self.data["x_test"])[:, 0] - self.data["y_test"]
        return float(np.sqrt(np.mean(residuals**2)))

    def track_rmse(self, dataset: str, seconds: float) -> float:
        return median(self._rmse(seed, seconds) for seed in _SEEDS)
