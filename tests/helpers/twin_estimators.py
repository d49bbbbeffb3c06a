"""scikit-learn's networks and ours, fitted alike and compared by all that they show."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn import neural_network

import fastmlp as fm
from fastmlp.kernels.typing import Array

KINDS: dict[str, tuple[Any, Any]] = {
    "MLPClassifier": (neural_network.MLPClassifier, fm.MLPClassifier),
    "MLPRegressor": (neural_network.MLPRegressor, fm.MLPRegressor),
}
EXACT = (
    *("n_iter_", "t_", "n_layers_", "n_outputs_", "n_features_in_", "out_activation_"),
    "_no_improvement_count",
)
CLOSE = (
    *("loss_", "loss_curve_", "best_loss_"),
    *("validation_scores_", "best_validation_score_"),
)
_NONE = object()


def tables(n: int = 120, seed: int = 0) -> dict[str, tuple[str, Array, Array, dict[str, Any]]]:
    """Rows and targets of each kind of task: the estimator's name, X, y, arguments."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5))
    noisy = X[:, 0] + 0.5 * rng.normal(size=n)
    classes, numbers = "MLPClassifier", "MLPRegressor"
    return {
        "binary": (classes, X, np.where(noisy > 0, 7, -2), {}),
        "multiclass": (classes, X, np.digitize(noisy, [-0.5, 0.5]) + 3, {}),
        "multilabel": (classes, X, (X[:, :3] + noisy[:, np.newaxis] > 0).astype(int), {}),
        "numbers": (numbers, X, 3 * noisy, {}),
        "several numbers": (numbers, X, np.column_stack([noisy, X[:, 1] ** 2, X[:, 2]]), {}),
        "counts": (numbers, X, rng.poisson(np.exp(noisy)).astype(float), {"loss": "poisson"}),
    }


def made(kind: str, **arguments: Any) -> tuple[Any, Any]:
    """Theirs and ours with the same arguments."""
    return tuple(each(**arguments) for each in KINDS[kind])  # type: ignore[return-value]


def quietly(call: Any, *args: Any, **kwargs: Any) -> list[tuple[type[Warning], str]]:
    """Call, and return the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(*args, **kwargs)
    return [(each.category, str(each.message)) for each in caught]


def fit_both(pair: tuple[Any, Any], method: str, *args: Any, **kwargs: Any) -> None:
    """Call a method of both, which must warn alike."""
    theirs, ours = (quietly(getattr(each, method), *args, **kwargs) for each in pair)
    # Theirs tells of numbers that overflow in its own sums, and of what SciPy will drop.
    own = (RuntimeWarning, DeprecationWarning)
    assert [told for told in theirs if told[0] not in own] == ours


def assert_alike(theirs: Any, ours: Any, rtol: float = 1e-8) -> None:
    """Compare all fitted attributes."""
    for name in EXACT:
        assert getattr(theirs, name, _NONE) == getattr(ours, name, _NONE), name
    for name in CLOSE:
        expected, found = getattr(theirs, name, _NONE), getattr(ours, name, _NONE)
        if expected is None or expected is _NONE:
            assert found is expected, name
        else:
            np.testing.assert_allclose(found, expected, rtol, 1e-12, err_msg=name)
    for name in ("coefs_", "intercepts_"):
        expected, found = getattr(theirs, name), getattr(ours, name)
        assert len(expected) == len(found)
        for layer, (wanted, got) in enumerate(zip(expected, found, strict=True)):
            assert wanted.dtype == got.dtype, (name, layer)
            scale = np.abs(wanted).max(initial=1e-3)
            np.testing.assert_allclose(got, wanted, 0, rtol * scale, err_msg=f"{name} {layer}")
    if hasattr(theirs, "classes_"):
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
        assert ours.classes_.dtype == theirs.classes_.dtype


def is_alike(one: Any, other: Any, rtol: float) -> bool:
    """Tell whether two show the same."""
    try:
        assert_alike(one, other, rtol)
    except AssertionError:
        return False
    return True


TABLES = tables()


def pair(task: str, **arguments: Any) -> tuple[tuple[Any, Any], np.ndarray, np.ndarray]:
    kind, X, y, more = TABLES[task]
    arguments = {"hidden_layer_sizes": (8,), "max_iter": 30, "random_state": 1, **arguments}
    return made(kind, **more, **arguments), X, y


def fitted(make: Any = fm.MLPClassifier, task: str = "multiclass", **arguments: Any) -> Any:
    """One of ours, fitted for three epochs."""
    _, X, y, more = TABLES[task]
    model = make(**{"max_iter": 3, "random_state": 0, **more, **arguments})
    quietly(model.fit, X, y)
    return model
