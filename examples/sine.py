"""A sine curve learned from noise-free points by a network of two hidden layers.

It needs matplotlib for the picture, ``outputs/sine.png``. Run it with ``python examples/sine.py``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp as fm

rng = np.random.default_rng(0)
x_train = rng.uniform(-np.pi, np.pi, 500)
y_train = np.sin(x_train)

EPOCHS = 500
model = fm.Sequential(
    [
        fm.Dense(16, activation="tanh"),
        fm.Dense(16, activation="tanh"),
        fm.Dense(1),
    ],
    optimizer=fm.Adam(fm.CosineDecay(0.01, EPOCHS)),
    random_state=0,
)
# A row is a row of X: one feature needs a second axis.
history = model.fit(x_train[:, np.newaxis], y_train, epochs=EPOCHS, batch_size=32, verbose=0)

x = np.linspace(-np.pi, np.pi, 1001)
error = model.predict(x[:, np.newaxis])[:, 0] - np.sin(x)
print(f"{EPOCHS} epochs in {sum(history['seconds']):.2f} s, loss {history['loss'][-1]:.2g}")
print(f"between the training points: root mean square error {np.sqrt(np.mean(error**2)):.2g}")
print(f"largest error {np.abs(error).max():.2g}")

# Beyond the points that it was trained on a network knows nothing of periods.
x = np.linspace(-2 * np.pi, 2 * np.pi, 1001)
figure = Figure(figsize=(7, 3.5), layout="constrained")
axes = figure.subplots()
axes.axvspan(-np.pi, np.pi, color="0.93", label="trained on")
axes.plot(x, np.sin(x), color="0.5", linestyle="--", label="sine")
axes.plot(x, model.predict(x[:, np.newaxis])[:, 0], label="network")
axes.set_xlabel("x")
axes.legend(frameon=False, loc="upper right")
path = Path("outputs") / "sine.png"
path.parent.mkdir(exist_ok=True)
figure.savefig(path, dpi=150)
print(f"written: {path}")
