"""What chunks must be, and what holds of training on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from chunked_rows import LABELS, RNG, X, assert_same, cut, make

import fastmlp as fm
from fastmlp.kernels.typing import Array

WEIGHTS = RNG.uniform(0.5, 2.0, 200)


def test_weights_and_validation(backend: str) -> None:
    chunked, whole = make(backend), make(backend)
    arguments: dict[str, Any] = {"epochs": 2, "batch_size": 25, "shuffle": False, "verbose": 0}
    arguments |= {"class_weight": "balanced", "validation_data": (X, LABELS)}
    chunked.fit(cut(50, X, LABELS, WEIGHTS), **arguments)
    whole.fit(X, LABELS, sample_weight=WEIGHTS, **arguments)
    assert_same(chunked, whole)
    assert chunked.history["val_loss"] == pytest.approx(whole.history["val_loss"])


def test_a_class_that_is_met_later_has_weight_1(backend: str) -> None:
    class Growing:
        passes = 0

        def __iter__(self) -> Iterator[tuple[Array, Array]]:
            self.passes += 1
            yield X, np.arange(200) % (2 if self.passes == 1 else 3)

    model = make(backend)
    model.fit(Growing(), epochs=2, class_weight="balanced", verbose=0)
    assert len(model.history) == 2


def test_a_chunk_of_classes_without_weight_changes_nothing(backend: str) -> None:
    rows = np.argsort(LABELS, kind="stable")
    chunked, whole = make(backend), make(backend)
    arguments: dict[str, Any] = {"epochs": 2, "batch_size": 10, "shuffle": False, "verbose": 0}
    arguments["class_weight"] = {"a": 0.0, "b": 1.0, "c": 2.0}
    chunked.fit(cut(20, X[rows], LABELS[rows]), **arguments)
    whole.fit(X[rows], LABELS[rows], **arguments)
    assert_same(chunked, whole)


def test_chunks_of_an_object_that_starts_anew(backend: str) -> None:
    class Reader:
        passes = 0

        def __iter__(self) -> Iterator[list[Any]]:
            self.passes += 1
            for x, y in cut(50, X, X[:, :1]):
                yield [x.tolist(), y.tolist()]

    reader = Reader()
    model = make(backend, units=1)
    model.fit(reader, epochs=2, verbose=0)  # type: ignore[arg-type]
    # For the labels, to make ready, for callbacks, and one an epoch.
    assert reader.passes <= 5
    assert len(model.history) == 2


def test_a_data_loader(backend: str) -> None:
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(X[:, 0]))
    generator = torch.Generator().manual_seed(0)
    loader = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True, generator=generator)
    model = make(backend, units=1, optimizer=fm.Adam(0.02))
    history = model.fit(loader, epochs=30, verbose=0)
    assert history["loss"][-1] < 0.3 * history["loss"][0]
    assert model.training_state.state.step == 30 * len(loader)


def test_divergence_in_a_chunk_keeps_the_last_finite_epoch(backend: str) -> None:
    chunks = cut(50, X.astype(np.float64), X[:, 0].astype(np.float64))
    model = make(backend, units=1)
    model.fit(chunks, epochs=1, verbose=0)
    before = {name: view.copy() for name, view in model.parameters.items()}
    chunks[2][1][3] = 1e38
    with pytest.raises(fm.DivergenceError):
        model.fit(chunks, epochs=3, verbose=0)
    for name, values in before.items():
        np.testing.assert_array_equal(model.parameters[name], values)


def test_embeddings_are_checked_in_each_chunk(backend: str) -> None:
    codes = RNG.integers(0, 4, (60, 1))
    layers = [fm.Embedding(4, 2, 0), fm.Dense(1)]
    model = fm.Sequential(layers, backend=backend)
    wrong = codes[30:].copy()
    wrong[2] = 9
    chunks = [(codes[:30], np.zeros(30)), (wrong, np.zeros(30))]
    with pytest.raises(ValueError, match="chunk 1's X has 9 in row 2, column 0"):
        model.fit(chunks, verbose=0)
    assert model.classes is None


class Exhausted:
    """Starts anew only in name."""

    def __init__(self) -> None:
        self._chunks = iter([GOOD])

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        return self._chunks


def test_an_object_that_can_be_read_only_once() -> None:
    with pytest.raises(ValueError, match="can be read only once; pass an object whose __iter__"):
        make("numpy").fit(Exhausted(), verbose=0)


GOOD = (X, LABELS)
NUMBERS = np.arange(200) % 3
BAD: dict[str, tuple[Any, dict[str, Any], type[Exception], str]] = {
    "no y": (X, {}, ValueError, r"y must have shape \(n_rows,\).* got a single NoneType"),
    "a number alone": (3, {}, TypeError, r"fit needs y beside X, or in place of both"),
    "a string": ("rows", {}, TypeError, r"fit needs y beside X, or in place of both"),
    "a generator": ((chunk for chunk in [GOOD]), {}, TypeError, "can be read only once"),
    "none": ([], {}, ValueError, "there are no chunks"),
    "no pair": ([(X,)], {}, ValueError, r"chunk 0 must be \(X, y\)"),
    "a number": ([3], {}, ValueError, r"chunk 0 must be \(X, y\)"),
    "too few labels": ([(X, LABELS[:9])], {}, ValueError, r"chunk 0 has 200 rows in X, but y"),
    "other columns": ([GOOD, (X[:, :2], LABELS)], {}, ValueError, "chunk 1's X has 2"),
    "other labels": ([(X, NUMBERS), GOOD], {}, ValueError, "chunk 1's y has the dtype <U1"),
    "other shape": ([(X, NUMBERS), (X, np.eye(3)[NUMBERS])], {}, ValueError, "y has shape"),
    "no weights": ([GOOD], {"class_weight": dict.fromkeys("abc", 0.0)}, ValueError, "zero"),
    "labels missing": ([(X, np.full(200, "a"))], {}, ValueError, "3"),
    "a negative weight": (
        [(X, LABELS), (X, LABELS, -WEIGHTS)],
        {},
        ValueError,
        "chunk 1: sample_weight must not be negative",
    ),
    "not finite": ([(X * np.inf, LABELS)], {}, ValueError, "chunk 0's X"),
    "split": ([GOOD], {"validation_split": 0.2}, ValueError, "do not go with chunks"),
    "weights": ([GOOD], {"sample_weight": WEIGHTS}, ValueError, "do not go with chunks"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_chunks_leave_the_model_as_it_was(case: str) -> None:
    chunks, arguments, error, message = BAD[case]
    model = make("numpy")
    with pytest.raises(error, match=message):
        model.fit(chunks, verbose=0, **arguments)
    with pytest.raises(ValueError, match="no parameters yet"):
        _ = model.parameters
    assert len(model.history) == 0
