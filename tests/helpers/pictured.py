"""Models that pictures are drawn of, and the words of a picture."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastmlp as fm

RNG = np.random.default_rng(9)
X = RNG.normal(size=(120, 2))
LABELS = np.array(["no", "yes"])[(X[:, 0] * X[:, 1] > 0).astype(int)]
CLASSES = np.digitize(X[:, 0], [-0.5, 0.5])
NUMBERS = np.sin(X[:, 0]) + X[:, 1]


def fitted(y: Any, last: Any, X: Any = X, **arguments: Any) -> fm.Sequential:
    layers = [fm.Dense(8, "relu"), fm.Dropout(0.1), fm.Dense(6, "tanh"), last]
    model = fm.Sequential(layers, backend="numpy", random_state=0, optimizer=fm.Adam(0.01))
    model.fit(X, y, epochs=5, verbose=0, **arguments)
    return model


def binary(**arguments: Any) -> fm.Sequential:
    return fitted(LABELS, fm.Dense(1, "sigmoid"), **arguments)


def multiclass() -> fm.Sequential:
    return fitted(CLASSES, fm.Dense(3, "softmax"))


def regression() -> fm.Sequential:
    return fitted(NUMBERS, fm.Dense(1))


def drawn(ax: Any) -> list[str]:
    """All words in a picture."""
    from matplotlib.text import Text

    ax.figure.canvas.draw()
    return [text.get_text() for text in ax.figure.findobj(Text) if text.get_text()]


def ticks(axis: Any) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]
