"""The learning-rate range test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import check_int, check_number, check_positive_int
from ..common.error_state import own_error_state
from ..data.batches import Batches, RowOrder
from ..declarations.optimizers import Ftrl
from ..errors import DivergenceError
from ..model.copying import copy_of
from ..training.examples import read_examples
from ..training.first_rows import draw_from_rows
from ..training.sources import FitData
from .axes import prepared, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from ..program.state import State

# Share of the past in the smoothed loss.
_SMOOTHING = 0.9
# A test ends where the smoothed loss has risen by this many times what it was, or fell, before.
_EXPLODED = 3.0
# The suggestion needs a fall of the smoothed loss by this share of it.
_LEAST_FALL = 0.01


@dataclass(frozen=True)
class RangeTest:
    """What `find_learning_rate` found.

    Attributes
    ----------
    rates : ndarray, shape (n,)
        The learning rate of each step.
    losses : ndarray, shape (n,)
        The loss of each step's batch, before its update.
    smoothed : ndarray, shape (n,)
        The loss without the noise of its batches: what training has changed in the loss of each
        step's batch, as an exponential moving average (each step weighs 0.1, corrected for its
        start), added to the mean loss without training.
    suggestion : float or None
        Between the rate at which the loss falls most steeply over the logarithm of the rate and a
        tenth of that at which it is lowest (their geometric mean; the former where it is the
        larger one); None where the loss falls by less than 1%.
    """

    rates: Array
    losses: Array
    smoothed: Array
    suggestion: float | None

    def __str__(self) -> str:
        tried = f"{len(self.rates)} steps, rates from {self.rates[0]:.3g} to {self.rates[-1]:.3g}"
        if self.suggestion is None:
            return f"{tried}; the loss does not fall at any of them"
        return f"{tried}; suggested learning rate: {self.suggestion:.2g}"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the loss over the learning rate, and the suggestion.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Drawn into; a new figure of pyplot's where none is given.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ImportError
            matplotlib is not installed.
        """
        axes = tidy(prepared(ax), "learning rate", "loss")
        axes.plot(self.rates, self.losses, color="C0", alpha=0.25, lw=1, label="each batch")
        axes.plot(self.rates, self.smoothed, color="C0", label="without the batches' noise")
        axes.set_xscale("log")
        # The last losses may be many times those that one wants to see.
        low, high = self.smoothed.min(), self.smoothed[: max(2, self.smoothed.argmin() + 1)].max()
        margin = 0.3 * (high - low) or 0.1 * abs(high) or 1.0
        axes.set_ylim(low - margin, high + margin)
        if self.suggestion is not None:
            label = f"suggestion: {self.suggestion:.2g}"
            axes.axvline(self.suggestion, color="C1", ls="--", label=label)
        axes.legend(frameon=False, loc="lower left", fontsize="small")
        return axes


@own_error_state
def find_learning_rate(
    model: Sequential,
    X: object,
    y: object,
    *,
    lowest: float = 1e-7,
    highest: float = 10.0,
    steps: int = 200,
    batch_size: int = 64,
    sample_weight: object = None,
) -> RangeTest:
    """Train a copy of the model at rising learning rates, and see where its loss falls fastest.

    The rates rise by the same factor from step to step. The loss of each step's batch is compared
    with that of the model as it was, for batches differ by more than a step changes. The test ends
    early where the loss has exploded. Rows are shuffled by the model's `random_state`. A
    `WideAndDeep` keeps the rate of its own `wide_optimizer`; only that of the model's optimizer
    rises.

    Parameters
    ----------
    model : Sequential
        It stays as it is, also where it is not built yet.
    X, y : array_like
        As for `Sequential.train_step`.
    lowest, highest : float
        The first and the last rate.
    steps : int
        Updates, at least 20.
    batch_size : int
        Rows of an update: that of the fit to come.
    sample_weight : array_like, shape (n,), optional

    Returns
    -------
    RangeTest
        ``.rates``, ``.losses``, ``.suggestion`` and ``.plot()``.

    Raises
    ------
    ValueError, TypeError
        Unusable input, or bounds in the wrong order.
    DivergenceError
        The loss is not finite at the first step.

    References
    ----------
    Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, section 3.3.
    """
    lowest = check_number("lowest", lowest, 0.0, open_low=True)
    highest = check_number("highest", highest, lowest, open_low=True)
    steps = check_positive_int("steps", check_int("steps", steps, 20))
    batch_size = check_positive_int("batch_size", batch_size)
    rates = np.geomspace(lowest, highest, steps)
    tried, losses, changes = [], [], []
    smoothed: list[float] = []
    average = 0.0
    for rate, loss, untrained in _losses(model, X, y, sample_weight, rates, batch_size):
        tried.append(rate)
        losses.append(loss)
        changes.append(loss - untrained)
        average = _SMOOTHING * average + (1.0 - _SMOOTHING) * changes[-1]
        smoothed.append(average / (1.0 - _SMOOTHING ** len(losses)))
        if smoothed[-1] > min(smoothed) + _EXPLODED * max(abs(untrained), -min(smoothed)):
            break
    if not losses:
        raise DivergenceError(
            f"the loss is not finite at the lowest rate, {lowest:g}, already. Try standardized "
            "features and targets, or lowest= another rate"
        )
    found = np.array(tried), np.array(losses), np.array(changes)
    start = float(np.mean(found[1] - found[2]))
    a_decade = max(5, round(steps / np.log10(highest / lowest)))
    suggestion = _suggestion(found[0], found[2], np.array(smoothed), abs(start), a_decade)
    return RangeTest(found[0], found[1], np.array(smoothed) + start, suggestion)


def _losses(
    model: Sequential, X: object, y: object, sample_weight: object, rates: Array, batch_size: int
) -> Iterator[tuple[float, float, float]]:
    """Train at each rate; yield it, the batch's loss and the one without any training.

    The end is where a loss is not finite.
    """
    trained, untrained = copy_of(model), copy_of(model)
    examples = read_examples(trained.training_state, X, y, sample_weight, learn=True)
    sample = FitData(examples.x, examples.y, examples.weight).sample
    for model in (trained, untrained):
        examples.adopt(model.training_state)
        draw_from_rows(model.training_state, sample)
    after, before = trained.training_state.state, untrained.training_state.state
    x, encoded, weights = examples.x, examples.y, examples.weight
    beginning = before.snapshot()
    size = min(batch_size, len(x))
    order = RowOrder(len(x))
    rng = np.random.default_rng([model.random_state, 5])
    first = len(x)
    for rate in rates:
        # Batches are of one size: what is left of the rows in the end waits for another shuffle.
        if first + size > len(x):
            order.draw(rng)
            first = 0
        rows = order.rows[first : first + size]
        first += size
        weight = None if weights is None else weights[rows]
        if weight is not None and not weight.any():
            continue
        batch = Batches(x[rows], encoded[rows], weight, size)
        before.restore(beginning)
        # The same dropout mask in both.
        before.step = after.step
        loss_before = _step(untrained, batch, rate)
        if after.step > beginning.step:
            _carry_over(after, rate)
        loss = _step(trained, batch, rate)
        if not np.isfinite(loss) or not np.isfinite(loss_before):
            return
        yield float(rate), loss, loss_before


def _carry_over(state: State, rate: float) -> None:
    """Fit the sums of FTRL to a new rate.

    Its weights are a function of its sums and of the rate. With the sums as they are, each rise of
    the rate would enlarge the weights; these sums give the same weights at the new rate.
    """
    for group in state.program.groups:
        optimizer = state.program.optimizers[group.optimizer]
        if isinstance(optimizer, Ftrl) and group.optimizer == 0:
            part = slice(group.start, group.stop)
            w, (z, n) = state.parameters[part], state.moments[:2, part]
            own = rate * group.factors.rate
            scale = (optimizer.beta + np.sqrt(n)) / own + optimizer.l2
            z[...] = np.where(w == 0, z, -w * scale - np.sign(w) * optimizer.l1)


def _step(model: Sequential, batch: Batches, rate: float) -> float:
    """Do one update at this rate; the loss is NaN where something is not finite."""
    training = model.training_state
    rates: list[Any] = training.rates(1)
    rates[0] = np.full_like(rates[0], rate) if np.ndim(rates[0]) else rate
    session = model.runner.session(batch, rates)
    try:
        session.start_epoch(rates)
        session.run(0)
        finite = training.state.is_finite()
        return session.loss_sum / session.rows_sum if finite else np.nan
    except FloatingPointError:
        return np.nan
    finally:
        session.close()


def _suggestion(
    rates: Array, changes: Array, smoothed: Array, start: float, window: int
) -> float | None:
    """A rate between that of the steepest fall within a decade and a tenth of the lowest loss's."""
    stop = max(int(smoothed.argmin()) + 1, window)
    if len(changes) < window or -smoothed.min() < _LEAST_FALL * start:
        return None
    # The slope of a straight line through the changes of a window, but for a constant factor.
    centered = np.arange(window) - (window - 1) / 2
    steepest = rates[np.correlate(changes[:stop], centered).argmin() + window // 2]
    return float(np.sqrt(steepest * max(rates[smoothed.argmin()] / 10.0, steepest)))
