"""Calls of what looks into models, and draws them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from called import (
    NEAR,
    NUMBERS,
    TWO,
    WEIGHTS,
    WORDS,
    X,
    call,
    network,
    trained,
)

import fastmlp as fm


@call
def inspections(folder: Path, backend: str) -> Any:
    model = trained(backend, "binary")
    checked = fm.check_gradients(model, X[:9], TWO[:9], WEIGHTS[:9] + 1e-3, max_elements=4)
    found = fm.find_learning_rate(network(backend), X, WORDS, steps=30, batch_size=16)
    return [str(checked), checked.ok, str(found), found.rates, found.losses, found.smoothed]


@call
def attributions(folder: Path, backend: str) -> Any:
    model = trained(backend)
    found = model.attributions(X, baseline=X.mean(axis=0), n_steps=5)
    return [found.values, found.base_values, found.columns, found.importance, str(found)]


@functools.cache
def recorded() -> fm.Recorder:
    """A recorder of a fit."""
    recorder = fm.Recorder()
    network("numpy").fit(NEAR, WORDS, epochs=2, callbacks=[recorder], verbose=0)
    return recorder


def drawn(axes: Any) -> list[Any]:
    """What an Axes shows: data, texts and limits of colors, whatever it looks like."""
    found: list[Any] = [axes.get_xlabel(), axes.get_ylabel(), axes.get_title()]
    found += [line.get_xydata() for line in axes.lines]
    for collection in axes.collections:
        found += [np.asarray(collection.get_offsets()), collection.get_array()]
    found += [np.asarray(image.get_array()) for image in axes.images]
    found += [[patch.get_path().vertices for patch in axes.patches]]
    found += [text.get_text() for text in axes.texts]
    legend = axes.get_legend()
    return [*found, legend and [text.get_text() for text in legend.get_texts()]]


@call
def pictures(folder: Path) -> Any:
    from matplotlib import pyplot
    from matplotlib.figure import Figure

    model, numbers = trained("numpy"), trained("numpy", "regression")
    narrow = fm.Sequential(
        [fm.Dense(4, "tanh"), fm.Dense(2, "softmax")], backend="numpy", random_state=0
    )
    narrow.fit(X[:, 1:3], TWO, epochs=1, verbose=0)
    line = fm.Sequential([fm.Dense(1)], backend="numpy", random_state=0)
    line.fit(X[:, 1:3], NUMBERS, epochs=1, verbose=0)
    test = fm.find_learning_rate(model, X, WORDS, steps=20)
    recorder = recorded()
    explained = model.attributions(X)
    drawings: list[Callable[[Any], Any]] = [
        lambda ax: fm.plot_learning_curves(model.history, "loss", ax),
        lambda ax: fm.plot_gradient_flow(recorder, ax),
        lambda ax: fm.plot_activation_histograms(model, X, ax=ax),
        lambda ax: fm.plot_activation_heatmap(model, X, ax=ax),
        lambda ax: fm.plot_weights(model, ax=ax),
        lambda ax: fm.plot_decision_boundary(narrow, X[:, 1:3], TWO, ax),
        lambda ax: fm.plot_decision_boundary(line, X[:, 1:3], NUMBERS, ax),
        lambda ax: fm.plot_feature_response(model, X, 4, ax),
        lambda ax: fm.plot_confusion_matrix(model, X, WORDS, normalize=True, ax=ax),
        lambda ax: fm.plot_confusion_matrix(WORDS, WORDS[::-1], ax=ax),
        lambda ax: fm.plot_predictions(numbers, X, NUMBERS, ax=ax),
        lambda ax: fm.plot_importance(explained, np.arange(len(explained.columns)), ax=ax),
        test.plot,
    ]
    found = []
    for draw in drawings:
        found.append(drawn(draw(Figure().subplots())))
        axes = draw(None)
        found.append(drawn(axes))
        pyplot.close(axes.figure)
    axes = model.history.plot()
    found += [drawn(part) for part in axes.figure.axes]
    pyplot.close(axes.figure)
    model.history.plot(folder / "curves.png")
    return found
