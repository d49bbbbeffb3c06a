"""The order of rows in an epoch, and rows for validation part by part."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.data.batches import RowOrder, Validation, shuffle_rows
from fastmlp.data.features import split_validation
from fastmlp.kernels import available_backends

BACKENDS = available_backends()
# Around the number of rows that are shuffled in one go.
SIZES = (1, 2, 3, 800, 16383, 16384, 16385, 50_000)


@pytest.mark.parametrize("rows", SIZES)
def test_every_row_comes_once(rows: int) -> None:
    order, rng = RowOrder(rows), np.random.default_rng(0)
    for _ in range(3):
        order.draw(rng)
        np.testing.assert_array_equal(np.sort(order.rows), np.arange(rows))


@pytest.mark.parametrize("rows", [50, 16385, 50_000])
def test_rows_that_are_held_never_come(rows: int) -> None:
    rng = np.random.default_rng(1)
    held = np.sort(rng.choice(rows, rows // 3, replace=False))
    order, expected = RowOrder(rows, held), np.setdiff1d(np.arange(rows), held)
    order.draw(rng)
    assert not np.array_equal(order.rows, expected)
    np.testing.assert_array_equal(np.sort(order.rows), expected)
    order.draw(None)
    np.testing.assert_array_equal(order.rows, expected)


def test_an_order_depends_on_the_generator_alone() -> None:
    used, fresh = RowOrder(1000), RowOrder(1000)
    used.draw(np.random.default_rng(1))
    used.draw(np.random.default_rng(2))
    fresh.draw(np.random.default_rng(2))
    np.testing.assert_array_equal(used.rows, fresh.rows)
    used.draw(np.random.default_rng(3))
    assert not np.array_equal(used.rows, fresh.rows)


def test_orders_are_drawn_in_the_same_memory() -> None:
    order, rng = RowOrder(1000), np.random.default_rng(0)
    before = order.rows
    order.draw(rng)
    assert order.rows is before


def test_all_orders_are_equally_likely() -> None:
    order, rng, draws = RowOrder(4), np.random.default_rng(0), 24_000
    counts = dict.fromkeys(itertools.permutations(range(4)), 0)
    for _ in range(draws):
        order.draw(rng)
        counts[tuple(order.rows.tolist())] += 1
    expected = draws / len(counts)
    statistic = sum((count - expected) ** 2 / expected for count in counts.values())
    # The 0.999 quantile of chi-square with 23 degrees of freedom.
    assert statistic < 49.7


@pytest.mark.parametrize("n_classes", [1, 2, 5, 64])
def test_shuffling_by_classes_groups_them(n_classes: int) -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, n_classes, 40_000)
    rows = np.arange(len(classes))
    shuffle_rows(rows, rng, classes)
    np.testing.assert_array_equal(np.sort(rows), np.arange(len(classes)))
    np.testing.assert_array_equal(classes[rows], np.sort(classes))
    assert (np.diff(rows) < 0).sum() > 0.4 * len(rows)


@pytest.mark.parametrize("held", [None, np.arange(0, 60_000, 3)])
def test_blocks_are_all_rows_once(held: np.ndarray | None) -> None:
    x = np.arange(120_000, dtype=np.float32).reshape(-1, 2)
    y = np.arange(60_000)
    blocks = list(Validation(x, y, y / 2, held).blocks(units=8))
    rows = y if held is None else held
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.concatenate([block[0] for block in blocks]), x[rows])
    np.testing.assert_array_equal(np.concatenate([block[1] for block in blocks]), rows)
    np.testing.assert_array_equal(np.concatenate([block[2] for block in blocks]), rows / 2)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_val_loss_of_many_blocks_is_that_of_all_rows(backend: str, weighted: bool) -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30_000, 8)), rng.integers(0, 3, 30_000)
    weight = rng.random(30_000)
    # A whole block without weight.
    weight[:9000] = 0.0
    extra = (weight,) if weighted else ()
    layers = [fm.Dense(4, "tanh", l2=0.01), fm.Dense(3, "softmax", l1=0.01)]
    model = fm.Sequential(layers, dtype="float64", backend=backend, random_state=0)
    history = model.fit(
        x[:500], y[:500], validation_data=(x, y, *extra), epochs=1, batch_size=100, verbose=0
    )
    evaluated = model.evaluate(x, y, *extra)
    assert history["val_loss"][0] == pytest.approx(evaluated["loss"], rel=1e-12)
    right = (model.predict_classes(x) == y).mean()
    assert history["val_accuracy"][0] == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("batch_size", [7, 64, None])
def test_a_split_trains_like_its_rows_alone(shuffle: bool, batch_size: int | None) -> None:
    rng = np.random.default_rng(0)
    x, y, weight = rng.standard_normal((200, 3)), rng.standard_normal(200), rng.random(200)
    trained = []
    for backend in BACKENDS:
        model = fm.Sequential(
            [fm.Dense(4, "tanh"), fm.Dense(1)], dtype="float64", backend=backend, random_state=0
        )
        history = model.fit(
            *(x, y),
            sample_weight=weight,
            validation_split=0.25,
            shuffle=shuffle,
            batch_size=batch_size,
            epochs=3,
            verbose=0,
        )
        trained.append((model.parameters, history))
    parameters, history = trained[0]
    for others, other in trained[1:]:
        for name, expected in parameters.items():
            np.testing.assert_allclose(others[name], expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(other["val_loss"], history["val_loss"], rtol=1e-9)
    if not shuffle:
        rows, held = split_validation(200, 0.25, np.random.default_rng([0, 4]))
        alone = fm.Sequential([fm.Dense(4, "tanh"), fm.Dense(1)], dtype="float64", random_state=0)
        expected = alone.fit(
            *(x[rows], y[rows]),
            sample_weight=weight[rows],
            validation_data=(x[held], y[held], weight[held]),
            shuffle=False,
            batch_size=batch_size,
            epochs=3,
            verbose=0,
        )
        np.testing.assert_allclose(history["val_loss"], expected["val_loss"], rtol=1e-9)
        np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-9)
