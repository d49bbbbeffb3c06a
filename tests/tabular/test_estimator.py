"""What both estimators do with arguments, tables and targets of any kind."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from framed_houses import HOUSES, dear, price
from passing_time import Clock
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp as fm
from fastmlp.tabular import deadline

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 4))
Y = X[:, 0] + X[:, 1] + 0.05 * RNG.normal(size=240)
FAST: dict[str, Any] = {"preset": "fast", "random_state": 0}


def classifier(**arguments: Any) -> Any:
    return fm.TabularClassifier(**FAST | arguments)


def regressor(**arguments: Any) -> Any:
    return fm.TabularRegressor(**FAST | arguments)


def told(fit: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit()
    assert {warning.category for warning in caught} <= {fm.TableWarning}
    assert {warning.filename for warning in caught} <= {__file__}
    return [str(warning.message) for warning in caught]


@pytest.mark.filterwarnings("ignore::fastmlp.TableWarning")
@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "dict", "records"])
def test_frames_of_any_library_give_the_same(kind: str) -> None:
    frames = {"dict": HOUSES, "records": [dict(zip(HOUSES, row, strict=True)) for row in rows()]}
    if kind in ("pandas", "polars"):
        frames[kind] = pytest.importorskip(kind).DataFrame(HOUSES)
    if kind == "pyarrow":
        frames[kind] = pytest.importorskip("pyarrow").table(HOUSES)
    expected = regressor().fit(HOUSES, price()).predict(HOUSES)
    model = regressor().fit(frames[kind], price())
    np.testing.assert_array_equal(model.predict(frames[kind]), expected)
    assert list(model.feature_names_in_) == list(HOUSES)


def rows() -> list[tuple[Any, ...]]:
    return list(zip(*HOUSES.values(), strict=True))


def test_each_decision_is_told_once_and_says_what_to_do() -> None:
    lines = told(lambda: regressor().fit(HOUSES, price()))
    assert len(set(lines)) == len(lines)
    for part in (
        "'number' is left out, for it names the rows",
        "'size': texts such as '103.8 m2' are read as numbers",
        "counts as missing; categorical_features=['size'] decides otherwise",
        "the column 'empty' is empty, and left out",
        "the target 'target' is missing in 1 of 300 rows, which are left out",
    ):
        assert sum(part in line for line in lines) == 1, part


@pytest.mark.filterwarnings("ignore::fastmlp.TableWarning")
def test_columns_are_found_by_name_and_missing_ones_are_named() -> None:
    model = classifier().fit(HOUSES, dear())
    expected = model.predict_proba(HOUSES)
    turned = {name: HOUSES[name] for name in reversed(HOUSES)} | {"more": HOUSES["kind"]}
    np.testing.assert_array_equal(model.predict_proba(turned), expected)
    # What is not read need not be there.
    few = {name: HOUSES[name] for name in HOUSES if name not in ("number", "empty")}
    np.testing.assert_array_equal(model.predict_proba(few), expected)
    with pytest.raises(ValueError, match="lacks 1 column that TabularClassifier.*: 'kind'"):
        model.predict({name: few[name] for name in few if name != "kind"})


@pytest.mark.filterwarnings("ignore::fastmlp.TableWarning")
def test_what_training_has_not_seen_is_predicted_and_told() -> None:
    model = classifier().fit(HOUSES, dear())
    strange = HOUSES | {"kind": ["castle"] * 300, "rooms": ["many"] * 300}
    lines = told(lambda: model.predict(strange))
    assert any("'castle'" in line for line in lines)
    assert any("'many'" in line for line in lines)
    assert np.isfinite(model.predict_proba(strange)).all()


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["no", "yes"]),
        np.array(["no", "yes"], object),
        np.array([False, True]),
        np.array([3, 8]),
        np.array([-1.0, 1.0]),
        np.array(["a", "b", "c"]),
    ],
    ids=lambda labels: f"{labels.dtype}-{len(labels)}",
)
def test_labels_of_any_type_come_back(labels: Any) -> None:
    y = labels[np.clip((Y > 0).astype(int) + (Y > 1.5), 0, len(labels) - 1)]
    model = classifier().fit(X, y)
    assert model.classes_.tolist() == labels.tolist()
    assert model.classes_.dtype == labels.dtype
    assert model.score(X, y) > 0.8
    assert model.predict_proba(X).sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert model.network_.classes.tolist() == labels.tolist()


def test_gaps_in_the_target() -> None:
    pandas = pytest.importorskip("pandas")
    for y in (
        pandas.Series(np.where(Y > 0, "a", "b"), name="class", dtype="category"),
        pandas.Series(Y > 0, dtype="boolean", name="class"),
        pandas.Series((Y > 0).astype(int), dtype="Int64", name="class"),
        pandas.Series((Y > 0).astype(float), name="class"),
    ):
        with_gap = y.copy()
        with_gap[7] = None
        lines = told(lambda gap=with_gap: classifier().fit(X, gap))
        assert lines == ["the target 'class' is missing in 1 of 240 rows, which are left out"]
    model = regressor()
    (line,) = told(lambda: model.fit(X, [None, *Y[1:]]))
    assert "missing in 1 of 240 rows" in line
    others = regressor().fit(X[1:], Y[1:])
    np.testing.assert_array_equal(model.predict(X), others.predict(X))


def test_a_constant_answer_and_one_class() -> None:
    assert regressor().fit(X, np.full(240, 7.5)).predict(X[:3]).tolist() == [7.5] * 3
    with pytest.raises(ValueError, match="is a in every row: a classifier needs rows of two class"):
        classifier().fit(X, ["a"] * 240)
    with pytest.raises(ValueError, match="nothing to learn from"):
        regressor().fit(np.ones((50, 2)), np.arange(50.0))


@pytest.mark.parametrize("share", [0.0, None])
def test_without_validation_rows_the_last_epoch_is_kept(share: Any) -> None:
    model = regressor(validation_fraction=share).fit(X, Y)
    assert (model.validation_score_, model.best_epoch_) == (None, 56)
    assert "val_loss" not in model.history_


def test_validation_rows_of_ones_own() -> None:
    model = regressor().fit(X[:150], Y[:150], X_val=X[150:], y_val=Y[150:])
    found = np.mean((model.predict(X[150:]) - Y[150:]) ** 2)
    assert model.validation_score_ == pytest.approx(found, rel=1e-4)
    again = model.fit(X[:150], Y[:150], X_val=X[150:], y_val=Y[150:])
    assert again.validation_score_ == model.validation_score_
    best = regressor(n_members=2).fit(X[:150], Y[:150], X_val=X[150:], y_val=Y[150:])
    found = np.mean((best.predict(X[150:]) - Y[150:]) ** 2)
    assert best.validation_score_ == pytest.approx(found, rel=1e-4)
    with pytest.raises(ValueError, match="y_val has the class 'c', which y has not"):
        classifier().fit(X, np.where(Y > 0, "a", "b"), X_val=X[:2], y_val=["a", "c"])


@pytest.mark.parametrize(
    ("arguments", "data", "part"),
    [
        ({}, {"X_val": X}, "X_val and y_val go together"),
        ({}, {"X_val": X, "y_val": Y, "groups": Y}, "groups say how validation rows are drawn"),
        ({"validation_fraction": 0}, {"groups": Y}, "validation_fraction is 0"),
        ({"validation_fraction": 0, "eval_metric": "r2"}, {}, "eval_metric judges epochs"),
        ({"eval_metric": "acuracy"}, {}, "unknown eval_metric"),
        ({"categorical_features": ["a"]}, {}, "an array without names"),
        ({"categorical_features": [9]}, {}, "from 0 to 3"),
        ({"preset": "quick"}, {}, "'preset' parameter"),
        ({}, {"sample_weight": np.zeros(240)}, "at least one non-zero|weights are 0"),
    ],
)
def test_what_would_have_no_effect_is_refused(
    arguments: dict[str, Any], data: dict[str, Any], part: str
) -> None:
    with pytest.raises(ValueError, match=part):
        regressor(**arguments).fit(X, Y, **data)


def test_a_fit_that_fails_leaves_the_one_before() -> None:
    model = regressor().fit(X, Y)
    expected = model.predict(X)
    with pytest.raises(ValueError, match="infinity"):
        model.fit(X[:, :2], np.full(240, np.inf))
    np.testing.assert_array_equal(model.predict(X), expected)


def test_a_group_is_never_split() -> None:
    # Where a group alone tells the target, rows of other groups say that nothing is learned.
    groups = np.repeat(np.arange(30), 8)
    noise = np.random.default_rng(3).normal(size=30)[groups]
    rows = np.eye(30)[groups]
    apart = regressor(preset="default").fit(rows, noise, groups=groups)
    mixed = regressor(preset="default").fit(rows, noise)
    assert apart.validation_score_ > 0.9 * noise.var()
    assert mixed.validation_score_ < 0.5 * noise.var()


def test_weights_count_in_training_and_in_validation() -> None:
    # Two opinions on the same rows, of which one counts.
    y = np.where(np.arange(240) % 2, Y, -Y)
    weight = np.where(np.arange(240) % 2, 1.0, 1e-6)
    model = regressor().fit(X, y, sample_weight=weight)
    assert model.score(X, Y) > 0.9
    assert model.validation_score_ < 0.1
    without = regressor().fit(X[1::2], Y[1::2])
    zero = regressor().fit(X, y, sample_weight=np.arange(240) % 2)
    np.testing.assert_array_equal(zero.predict(X), without.predict(X))


def test_class_weights_count_in_training_and_in_validation() -> None:
    rare = (Y + 0.8 * np.random.default_rng(1).normal(size=240) > 2).astype(int)
    shares = [
        classifier(class_weight=weight).fit(X, rare).predict_proba(X)[:, 1].mean()
        for weight in (None, "balanced", {0: 1, 1: 30.0})
    ]
    assert shares[0] < 0.6 * shares[1]
    assert shares[1] < shares[2]
    model = classifier(class_weight={1: 1e6}, validation_fraction=0.5).fit(X, rare)
    assert model.predict(X).mean() == 1


def test_several_networks_are_averaged() -> None:
    model = classifier(n_members=3).fit(X, Y > 0)
    assert len(model.members_) == 3
    assert not hasattr(model, "network_")
    plain = model._plain.matrix(X, "f4")
    each = np.array([member.predict(plain) for member in model.members_], np.float64)
    each = np.clip(each, 1e-9, 1 - 1e-9)
    odds = np.exp(np.log(each / (1 - each)).mean(axis=0))
    np.testing.assert_allclose(model.predict_proba(X)[:, 1:], odds / (1 + odds), atol=1e-3)
    assert len({member.random_state for member in model.members_}) == 3
    assert not hasattr(clone(model), "members_")
    assert hasattr(classifier(preset="best", n_members=1).fit(X, Y > 0), "network_")


@pytest.mark.parametrize("preset", ["fast", "default", "best"])
def test_the_same_seed_gives_the_same_bits_with_any_number_of_threads(preset: str) -> None:
    rows, y = X[:100], np.abs(Y[:100])
    found = [regressor(preset=preset, n_threads=n).fit(rows, y).predict(X) for n in (1, 2)]
    np.testing.assert_array_equal(*found)
    other = regressor(preset=preset, random_state=1).fit(rows, y).predict(X)
    assert not np.array_equal(found[0], other)


@pytest.mark.parametrize("preset", ["fast", "default"])
def test_a_recorder_and_checkpoints(tmp_path: Path, preset: str) -> None:
    recorder, path = fm.Recorder(), tmp_path / "model.safetensors"
    callbacks = [recorder, fm.ModelCheckpoint(path, every=5)]
    model = regressor(preset=preset, callbacks=callbacks).fit(X, Y)
    assert recorder.epochs == list(range(len(model.history_["loss"])))
    assert {len(found) for found in recorder.weights.values()} == {len(recorder.epochs)}
    assert path.exists()


def test_callbacks_and_words(capsys: pytest.CaptureFixture[str]) -> None:
    seen = []
    watch = fm.LambdaCallback(on_epoch_end=lambda model, epoch, logs: seen.append(dict(logs)))
    model = regressor(callbacks=[watch], verbose=2).fit(X, Y)
    assert [logs["val_loss"] for logs in seen] == model.history_["val_loss"]
    assert capsys.readouterr().out.count("val_loss") == len(seen)


@pytest.mark.parametrize("preset", ["fast", "default", "best"])
def test_the_time_limit_ends_a_fit(preset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    full = regressor(preset=preset).fit(X, np.abs(Y))
    monkeypatch.setattr(deadline, "now", Clock(0.02))
    cut = regressor(preset=preset, time_limit=1.0).fit(X, np.abs(Y))
    assert 0 < len(cut.history_) < len(full.history_)
    assert deadline.now() < 1.1
    assert cut.best_epoch_ <= len(cut.history_)
    # The rates are those of a whole training of fewer epochs: the first one has larger steps.
    assert cut.history_["val_loss"][0] != full.history_["val_loss"][0]
    none = regressor(preset=preset, time_limit=1e-9).fit(X, np.abs(Y))
    assert len(none.history_) == 0
    assert np.isfinite(none.predict(X)).all()


def test_searches_pipelines_and_scores() -> None:
    search = GridSearchCV(classifier(), {"class_weight": [None, "balanced"]}, cv=2)
    assert search.fit(X, Y > 0).best_score_ > 0.8
    assert cross_val_score(regressor(), X, Y, cv=2).min() > 0.8
    pipeline = make_pipeline(StandardScaler(), regressor()).fit(X, Y)
    assert pipeline.score(X, Y) > 0.8


@pytest.mark.parametrize("n", [0, 1])
def test_tables_without_rows_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match=r"no rows|minimum of 2"):
        regressor().fit({"a": [1.0] * n}, [1.0] * n)


@pytest.mark.parametrize("make", [fm.TabularClassifier, fm.TabularRegressor])
def test_a_score_leaves_rows_without_a_target_out(make: Any) -> None:
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(80, 2)), rng.random(80)
    noisy = X[:, 0] + rng.normal(size=80)
    y = np.round(noisy) if make is fm.TabularRegressor else np.where(noisy > 0, "a", "b")
    model = make(preset="fast", random_state=0).fit(X, y)
    gaps = y.astype(object)
    gaps[::3] = None
    known = np.arange(80) % 3 > 0
    assert model.score(X, gaps) == model.score(X[known], y[known])
    assert model.score(X, gaps, weight) == model.score(X[known], y[known], weight[known])
    assert model.score(X, y) != model.score(X, gaps)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X, y[:-1])
