"""Networks for tables: never worse than what they begin at, by more than chance."""

from __future__ import annotations

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.tables.baselines import frequencies
from fastmlp.tabular.average import mean_output, merged
from fastmlp.tabular.network import network
from fastmlp.tabular.recipe import Recipe, Trained, train

Array = np.ndarray
RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4)).astype("f4")


def folds(n: int, k: int, seed: int = 0) -> list[tuple[Array, Array]]:
    place = np.random.default_rng(seed).permutation(n) % max(k, 5)
    return [(np.flatnonzero(place != i), np.flatnonzero(place == i)) for i in range(k)]


def run(y: Array, n_classes: int, k: int, rows: Array = X, **options: object) -> Trained:
    recipe = Recipe(epochs=30, patience=8, **options)  # type: ignore[arg-type]
    return train(rows, y, n_classes, folds(len(rows), k), recipe)


def same(a: fm.Sequential, b: fm.Sequential) -> bool:
    pairs = zip(a.parameters.values(), b.parameters.values(), strict=True)
    return all((one == other).all() for one, other in pairs)


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("n_classes", [0, 2, 4])
def test_noise_is_answered_by_a_constant(n_classes: int, k: int) -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, n_classes, 300) if n_classes else rng.normal(size=300)
    found = run(y, n_classes, k)
    assert (found.baseline, found.best_epoch) == ("constant", 0)
    outputs = found.model.predict(X)
    assert np.ptp(outputs, axis=0).max() == 0
    if n_classes:
        assert found.model.classes.tolist() == list(range(n_classes))
    rows = np.arange(300) if k == 5 else folds(300, 1)[0][0]
    if n_classes:
        expected = frequencies(y[rows], n_classes)
        np.testing.assert_allclose(outputs[0], expected[-len(outputs[0]) :], rtol=1e-5)
    else:
        np.testing.assert_allclose(outputs[0, 0], y[rows].mean(), rtol=1e-5)


@pytest.mark.parametrize("k", [1, 5])
def test_what_is_linear_stays_so_and_what_is_not_is_learned(k: int) -> None:
    noise = RNG.normal(size=300)
    straight = run((X @ [1, 2, 3, 4] + noise).astype("f4"), 0, k)
    assert straight.baseline == "linear"
    bent = np.abs(X[:, 0]) * 3 + X[:, 1]
    found = run(((bent - bent.mean()) / bent.std()).astype("f4"), 0, k, learning_rate=0.01)
    assert found.best_epoch > 3
    assert np.mean((found.outputs[:, 0] - bent[found.rows]) ** 2) >= 0
    losses = found.history["val_loss"]
    assert losses[found.best_epoch - 1] == min(losses)
    assert min(losses) < 0.3


def test_validation_outputs_are_those_of_networks_that_have_not_seen_the_rows() -> None:
    y = (X[:, 0] + 0.3 * RNG.normal(size=300) > 0).astype(int)
    crossed = run(y, 2, 5)
    assert crossed.rows.tolist() == list(range(300))
    assert crossed.outputs.shape == (300, 1)
    assert np.mean((crossed.outputs[:, 0] > 0.5) == y) > 0.85
    assert not np.array_equal(crossed.outputs, crossed.model.predict(X))
    once = run(y, 2, 1)
    assert once.rows.tolist() == folds(300, 1)[0][1].tolist()
    np.testing.assert_allclose(once.outputs, once.model.predict(X[once.rows]), rtol=1e-4)


@pytest.mark.parametrize("k", [0, 1, 5])
def test_labels_are_kept_and_the_same_seed_gives_the_same_network(k: int) -> None:
    y = np.array(["no", "yes", "perhaps"])[(X[:, 0] > 0) + (X[:, 1] > 0.5).astype(int)]
    one, two = run(y, 3, k), run(y, 3, k)
    assert one.model.classes.tolist() == ["no", "perhaps", "yes"]
    assert same(one.model, two.model)
    assert not same(one.model, run(y, 3, k, seed=1).model)
    assert (one.rows is None) == (k == 0)
    assert len(one.history) == 30 or k > 0


def test_a_class_of_one_row_is_learned_from_too() -> None:
    y = np.zeros(300, int)
    y[:100], y[7] = 1, 2
    found = run(y, 3, 5)
    assert found.model.predict(X).shape == (300, 3)


def test_callbacks_watch_and_may_stop_it() -> None:
    seen: list[tuple[int, float]] = []

    class Watch(fm.Callback):
        def on_fit_begin(self, model: fm.Sequential) -> None:
            assert model.fit_epochs == 30

        def on_epoch_end(self, model: fm.Sequential, epoch: int, logs: dict[str, float]) -> None:
            seen.append((epoch, logs["val_loss"]))
            model.stop_training = epoch == 2

    y = np.abs(X[:, 0])
    for k in (1, 5):
        seen.clear()
        found = train(X, y, 0, folds(300, k), Recipe(epochs=30), [Watch()])
        assert [epoch for epoch, _ in seen] == [0, 1, 2]
        assert found.history["val_loss"] == [loss for _, loss in seen]


def test_without_patience_the_last_epoch_is_kept() -> None:
    y = RNG.normal(size=300)
    found = train(X, y, 0, folds(300, 1), Recipe(epochs=5, patience=0))
    assert (len(found.history), found.best_epoch) == (5, 5)


def test_numbers_that_overflow_leave_the_baseline() -> None:
    y = (X @ [1, 2, 3, 4]).astype("f4")
    rows = X.copy()
    rows[0] = 1e30
    found = train(rows, y, 0, folds(300, 1), Recipe(epochs=5, learning_rate=1e30))
    assert all(np.isfinite(values).all() for values in found.model.parameters.values())


def test_batches_grow_with_the_table() -> None:
    sizes = [Recipe().rows_of_batch(n) for n in (10, 30_000, 50_000, 10**6)]
    assert sizes == [64, 64, 128, 256]
    assert Recipe(batch_size=7).rows_of_batch(1000) == 7


def test_large_tables_have_fewer_epochs() -> None:
    recipe = Recipe(epochs=80, shortens=True)
    planned = [recipe.of_rows(n) for n in (10, 2000, 4500, 12500, 100_000, 400_000, 10**9)]
    assert [one.epochs for one in planned] == [80, 80, 53, 32, 32, 16, 8]
    assert [one.most_idle for one in planned] == [40, 40, 27, 16, 16, 8, 4]
    given = Recipe(epochs=80, patience=30, shortens=True)
    assert [given.of_rows(n).most_idle for n in (10, 8000, 10**9)] == [30, 30, 30]
    assert Recipe(epochs=5, shortens=True).of_rows(10**9).epochs == 5
    assert Recipe(epochs=500).of_rows(10**9).epochs == 500
    assert planned[3].of_rows(10**9) == planned[3]


def test_networks_of_parts_become_one() -> None:
    y = (np.abs(X[:, 0]) > 0.7).astype(int)
    found = run(y, 2, 5)
    assert found.best_epoch > 0
    assert isinstance(found.model.layers[0], fm.Branch)
    assert len(found.model.layers[0].paths) == 5
    assert found.model.loss.name == "binary_crossentropy"
    assert found.model.evaluate(X, y)["accuracy"] > 0.9
    before = found.model.evaluate(X, y)["loss"]
    found.model.fit(X, y, epochs=30, verbose=0)
    assert found.model.evaluate(X, y)["loss"] < before


@pytest.mark.parametrize("k", [0, 2, 3])
def test_logits_of_one_network_are_the_mean_of_several(k: int) -> None:
    rng = np.random.default_rng(0)
    members = [network(k, 4, [0, 2], Recipe(epochs=2), seed) for seed in range(3)]
    y = rng.integers(0, k, 300) if k else rng.normal(size=300)
    for member in members:
        member.fit(X, y, epochs=2, verbose=0)
    outputs = np.array([member.predict(X) for member in members], np.float64)
    if k == 2:
        expected = 1 / (1 + np.exp(-np.log(outputs / (1 - outputs)).mean(axis=0)))
    elif k:
        powers = np.exp(np.log(outputs).mean(axis=0))
        expected = powers / powers.sum(axis=1, keepdims=True)
    else:
        expected = outputs.mean(axis=0)
    np.testing.assert_allclose(merged(members).predict(X), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(mean_output(members, X), expected, rtol=1e-4, atol=1e-6)
    assert merged(members[:1]) is members[0]
