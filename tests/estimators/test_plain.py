"""Networks of estimators as texts, numbers and arrays."""

from __future__ import annotations

import json
import pickle
import pickletools
from typing import Any

import numpy as np
import pytest
from twin_estimators import TABLES, assert_alike, pair

import fastmlp as fm
from fastmlp.estimators import plain
from fastmlp.estimators.plain import (
    network_of,
    parts_of,
    plain_network,
    plain_parts,
    plain_rate,
    rate_of,
)
from fastmlp.estimators.rates import Rate

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fitted(task: str = "multiclass", **arguments: Any) -> tuple[Any, Any, Any]:
    (_, ours), X, y = pair(task, max_iter=3, **arguments)
    return ours.fit(X, y), X, y


@pytest.mark.parametrize("task", TABLES)
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_network_comes_back(task: str, solver: str) -> None:
    ours, X, _ = fitted(task, solver=solver)
    model = ours.network_
    model.metadata["made"] = "today"
    again = network_of(plain_network(model))
    assert again.training_state.network == model.training_state.network
    assert (again.backend, again.n_threads) == (model.backend, model.n_threads)
    assert again.metadata == {"made": "today"}
    assert again.random_state == model.random_state
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    for name in ("parameters", "moments", "buffers", "products", "step"):
        one, other = (getattr(each.training_state.state, name) for each in (model, again))
        np.testing.assert_array_equal(one, other)
        assert not np.may_share_memory(one, other)


def test_what_the_networks_own_fits_leave_comes_back() -> None:
    ours, X, y = fitted("numbers")
    model = ours.network_
    model.fit(X, y, epochs=2, verbose=0)
    copied = pickle.loads(pickle.dumps(ours)).network_
    assert copied.history.to_dict() == model.history.to_dict()
    for each in (model, copied):
        each.fit(X, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(copied.predict(X), model.predict(X))


def test_where_numba_is_missing_numpy_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, X, _ = fitted()
    described = plain_network(ours.network_)
    declared = json.loads(described["declared"])
    described["declared"] = json.dumps({**declared, "backend": "another"})
    monkeypatch.setattr(plain, "available_backends", lambda: ("numpy",))
    again = network_of(described)
    np.testing.assert_allclose(again.predict(X), ours._outputs(X), rtol=1e-12)


def test_a_rate_comes_back() -> None:
    rate = Rate("adaptive", 0.1, 0.5)
    rate.stalls()
    again = rate_of(plain_rate(rate))
    assert vars(again) == vars(rate)
    assert again.learning_rate == pytest.approx(0.02)


def test_parts_come_back() -> None:
    history = fm.Sequential([fm.Dense(1)]).fit([[0.0], [1.0]], [0.0, 1.0], epochs=2, verbose=0)
    state = {"_optimizer": Rate("constant", 0.1, 0.5), "history_": history, "alpha": 1.0}
    described = plain_parts(state)
    assert {type(value) for value in described.values()} == {dict, float}
    again = parts_of(described)
    assert again.keys() == state.keys()
    assert vars(again["_optimizer"]) == vars(state["_optimizer"])
    assert again["history_"].to_dict() == history.to_dict()
    assert plain_parts({"alpha": 1.0}) == parts_of({"alpha": 1.0}) == {"alpha": 1.0}


@pytest.mark.parametrize("each", [fm.MLPClassifier, fm.MLPRegressor])
def test_a_pickle_names_no_class_of_the_library_but_the_estimators(each: Any) -> None:
    task = "multilabel" if each is fm.MLPClassifier else "counts"
    ours, _, _ = fitted(task, solver="sgd", early_stopping=True)
    codes = pickletools.genops(pickle.dumps(ours, 2))
    named = {argument for code, argument, _ in codes if code.name == "GLOBAL"}
    own = {name for name in named if name.startswith(("fastmlp", "kernels"))}
    assert own == {f"{each.__module__} {each.__name__}"}


def test_an_estimator_goes_on_as_if_it_had_not_been_written() -> None:
    for solver in ("adam", "sgd"):
        ours, X, y = fitted("binary", solver=solver, learning_rate="invscaling", warm_start=True)
        copied = pickle.loads(pickle.dumps(ours))
        for each in (ours, copied):
            each.partial_fit(X, y)
        assert_alike(ours, copied, rtol=0)
        for each in (ours, copied):
            each.fit(X, y)
        assert_alike(ours, copied, rtol=0)
