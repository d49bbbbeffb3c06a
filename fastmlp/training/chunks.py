"""Training on chunks of rows, which are read anew in each epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import describe
from ..common.error_state import as_user
from ..data.batches import Batches, RowOrder
from .digests import Parts
from .examples import Examples, Rows, check_fits, read_examples, read_rows, row_weights
from .sources import FitData, NotFiniteError, Progress, Sums, train_batches

if TYPE_CHECKING:
    from ..data.targets import TargetEncoder
    from ..kernels.typing import Array
    from ..network.build import Blueprint
    from ..runners.runner import Runner
    from .state import TrainingState


class Chunks:
    """Any iterable of ``(X, y)`` or ``(X, y, sample_weight)`` that can be read again and again."""

    def __init__(self, chunks: object) -> None:
        if not isinstance(chunks, Iterable) or isinstance(chunks, str | bytes):
            raise TypeError(
                "fit needs y beside X, or in place of both an iterable of chunks (X, y), got "
                + describe(chunks)
            )
        if isinstance(chunks, Iterator):
            raise TypeError(
                f"chunks must be readable once an epoch, but {describe(chunks)} can be read only "
                "once; pass a list, or an object whose __iter__ starts anew"
            )
        self._chunks = chunks
        self._were_read = False

    def __iter__(self) -> Iterator[tuple[object, object, object]]:
        """X, y and sample weights of each chunk."""
        number = -1
        for number, chunk in enumerate(_read(self._chunks)):
            if not isinstance(chunk, tuple | list) or len(chunk) not in (2, 3):
                raise ValueError(
                    f"chunk {number} must be (X, y) or (X, y, sample_weight), got "
                    + describe(chunk)
                )
            yield chunk[0], chunk[1], chunk[2] if len(chunk) == 3 else None
        if number < 0:
            raise ValueError(
                "chunks can be read only once; pass an object whose __iter__ starts anew"
                if self._were_read
                else "there are no chunks to train on"
            )
        self._were_read = True


def _read(chunks: Iterable[Any]) -> Iterator[Any]:
    """What the user's object gives, which may be worked out only then."""
    iterator, step, end = as_user(iter)(chunks), as_user(next), object()
    while (chunk := step(iterator, end)) is not end:
        yield chunk


class ChunkSource:
    """Chunks of rows; a batch never has rows of two chunks.

    Parameters
    ----------
    training : TrainingState
    chunks : Chunks
    batch_size : int or None
        None makes each chunk one batch.
    shuffle : bool
        Rows within a chunk; the order of the chunks is their own.
    """

    def __init__(
        self, training: TrainingState, chunks: Chunks, batch_size: int | None, shuffle: bool
    ) -> None:
        self._training, self._chunks = training, chunks
        self._batch_size, self._shuffle = batch_size, shuffle
        self._factors: Array | None = None
        self.steps = self._n_rows = 0

    def scan(self, class_weight: Any) -> Examples:
        """Read all chunks once, for what the network and the labels are.

        The examples returned are those of the first chunk, read by what all of them have settled.
        The training state stays as it is.
        """
        training = self._training
        first: Rows | None = None
        blueprint: Blueprint | None = None
        targets, rows = [], 0
        for number, (X, y, sample_weight) in enumerate(self._chunks):
            name = f"chunk {number}'s X"
            found = read_rows(training, X, name, first)
            if blueprint is None:
                first, blueprint = found, training.plan(found.n_features)
            check_fits(found, blueprint, training, name)
            n_rows = len(found.x)
            # A chunk alone may lack labels, but not have other than its rows.
            given = np.asarray(y)
            if given.shape[:1] != (n_rows,):
                raise ValueError(
                    f"chunk {number} has {n_rows} rows in X, but y has shape {given.shape}"
                )
            try:
                row_weights(training, sample_weight, None, n_rows)
            except (TypeError, ValueError) as error:
                raise type(error)(f"chunk {number}: {error}") from None
            targets.append(given.reshape(-1) if given.shape == (n_rows, 1) else given)
            _check_alike(targets[0], targets[-1], number)
            self.steps += -(-n_rows // (self._batch_size or n_rows))
            rows += n_rows
        self._n_rows = rows
        assert first is not None
        assert blueprint is not None
        encoder = training.encoder(blueprint.program)
        encoded = encoder.encode(np.concatenate(targets), rows, fit=True)
        factors = encoder.class_weights(class_weight, encoded)
        if factors is not None:
            row_weights(training, None, factors, rows)
            self._factors = _by_class(encoder.class_indices(encoded), factors, encoder.units)
        return Examples(first, encoded[: len(first.x)], None, encoder, blueprint)

    def _checked(self, shuffle: bool) -> Iterator[Batches]:
        training = self._training
        for number, (X, y, sample_weight) in enumerate(self._chunks):
            found = read_examples(
                training,
                X,
                y,
                sample_weight,
                name=f"chunk {number}'s X",
                class_factors=self._class_factors,
                # A chunk may have only classes of weight 0.
                may_be_zero=True,
            )
            n_rows, rows = len(found.x), None
            if shuffle:
                order = RowOrder(n_rows)
                order.draw(training.shuffles)
                rows = order.rows
            size = min(self._batch_size or n_rows, n_rows)
            yield Batches(found.x, found.y, found.weight, size, rows)

    def _class_factors(self, encoder: TargetEncoder, encoded: Array) -> Array | None:
        if self._factors is None:
            return None
        factors: Array = self._factors[encoder.class_indices(encoded)]
        return factors

    def open(self, runner: Runner) -> None:
        self._runner = runner
        batches = next(self._checked(shuffle=False))
        runner.session(batches, self._training.rates(batches.count)).close()

    def close(self) -> None:
        pass

    def epoch(self, rates: list[float | Array], progress: Progress) -> Sums:
        training, dtype = self._training, self._training.network.dtype
        loss, correct, rows, done = 0.0, 0.0, 0, 0
        for batches in self._checked(self._shuffle):
            count = batches.count
            part = [_part(rate, done, count) for rate in rates]
            session = self._runner.session(batches, part)
            try:
                session.start_epoch(part)
                first = done

                def tell(share: float, first: int = first, count: int = count) -> None:
                    progress(min((first + share * count) / self.steps, 1.0))

                train_batches(session, batches, dtype, done, tell)
                loss, correct = loss + session.loss_sum, correct + session.correct_sum
                rows += session.rows_sum
            finally:
                session.close()
            done += count
        if not training.state.is_finite():
            raise NotFiniteError(batches.take(batches.count - 1, dtype), done - 1)
        return Sums(loss, correct, rows)

    def data(self) -> FitData:
        batches = next(self._checked(shuffle=False))
        return FitData(batches.x, batches.y, batches.weight)

    def parts(self) -> Parts:
        # Chunks may be drawn anew each time that they are read.
        return {"numbers of rows": [np.array([self._n_rows, self.steps])]}


def _check_alike(first: Array, y: Array, number: int) -> None:
    """Refuse targets of chunks that NumPy would turn into others to put them into one array."""
    if y.shape[1:] != first.shape[1:]:
        raise ValueError(
            f"chunk {number}'s y has shape {y.shape}, but that of the first is {first.shape}"
        )
    numeric = [array.dtype.kind in "biuf" for array in (first, y)]
    if y.dtype.kind != first.dtype.kind and not all(numeric):
        raise ValueError(
            f"chunk {number}'s y has the dtype {y.dtype}, but that of the first is {first.dtype}"
        )


def _by_class(indices: Array | None, factors: Array, units: int) -> Array:
    """The factor of each class, from those of rows; 1 for a class that no row has."""
    assert indices is not None
    # One unit tells two classes apart.
    table = np.ones(max(units, 2))
    table[indices] = factors
    return table


def _part(rate: float | Array, first: int, count: int) -> float | Array:
    """The rates of some steps; those beyond what was counted before have the last one."""
    if not isinstance(rate, np.ndarray):
        return rate
    return rate[np.minimum(np.arange(first, first + count), len(rate) - 1)]
