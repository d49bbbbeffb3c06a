"""A network's gradients against central differences of its loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..common.checks import check_bool, check_number, check_positive_int
from ..common.error_state import own_error_state
from ..model.copying import copy_of
from ..program.state import view
from ..runners import numpy_runner
from ..training.examples import read_examples

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..model.sequential import Sequential

# Half the distance between the two points of a difference, as a share of the parameter where that
# is above 1. The later ones are tried where the loss bends too much, or has a kink, within it.
_STEPS = (1e-5, 3e-6, 1e-6, 3e-7, 1e-7)
# How many times more the loss bends within one step than in another where there is a kink.
_KINKED = 3.0
# Rounding of the loss, in units of its last place, that a difference may show.
_ROUNDING = 20.0


class ParameterCheck(NamedTuple):
    """How the gradient of one parameter compares.

    Attributes
    ----------
    name : str
    max_absolute_error, max_relative_error : float
        The largest ones of all elements that were checked; NaN where there are none.
    n_checked : int
    n_kinks : int
        Elements that were left out: the loss has a kink there.
    """

    name: str
    max_absolute_error: float
    max_relative_error: float
    n_checked: int
    n_kinks: int


@dataclass(frozen=True)
class GradientCheck:
    """What `check_gradients` found; ``str()`` is a table.

    Attributes
    ----------
    parameters : tuple of ParameterCheck
    tolerance : float
        The largest relative error that passes.
    """

    parameters: tuple[ParameterCheck, ...]
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether something was checked and no relative error is above the tolerance."""
        checked = [row for row in self.parameters if row.n_checked]
        return bool(checked) and all(row.max_relative_error <= self.tolerance for row in checked)

    def __str__(self) -> str:
        rows = [("parameter", "max abs error", "max rel error", "checked", "kinks", "")]
        for name, absolute, relative, n_checked, n_kinks in self.parameters:
            verdict = "ok" if relative <= self.tolerance else "WRONG"
            shown = (f"{absolute:.2e}", f"{relative:.2e}") if n_checked else ("-", "-")
            verdict = verdict if n_checked else "not checked"
            rows.append((name, *shown, f"{n_checked:,}", f"{n_kinks:,}", verdict))
        sizes = [max(len(row[column]) for row in rows) for column in range(5)]
        lines = [
            "  ".join(
                [
                    f"{row[0]:<{sizes[0]}}",
                    *(f"{cell:>{size}}" for cell, size in zip(row[1:5], sizes[1:], strict=True)),
                    row[5],
                ]
            ).rstrip()
            for row in rows
        ]
        last = f"{'ok' if self.ok else 'NOT OK'}: relative errors up to {self.tolerance:g} pass"
        return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], last])


@own_error_state
def check_gradients(
    model: Sequential,
    X: object,
    y: object,
    sample_weight: object = None,
    *,
    training: bool = True,
    tolerance: float = 1e-5,
    max_elements: int | None = 100,
) -> GradientCheck:
    """Compare `Sequential.gradients` with central differences of the reported loss.

    ``(loss(w + h) - loss(w - h)) / (2 h)`` for each element w, with h = 1e-5 (times ``|w|`` where
    that is above 1), and smaller ones down to 1e-7 where it does not agree. All is done in float64,
    on a copy of the model: the model stays as it is, whatever its dtype. Gradients are those of the
    model's backend, losses those of the reference in NumPy. Penalties are part of both.

    The relative error is ``|a - n| / max(|a|, |n|)``, where both count as no smaller than what
    rounding of the loss can hide.

    Where the loss has a kink (a relu whose input is exactly 0, ``mae`` at a residual of 0, ``l1``
    at a weight of 0) there is no derivative to compare with. An element that does not agree counts
    as one at a kink where the loss bends at least three times as much within one step h as within
    another, as no smooth one does; it is left out and counted. A kink nearby, within 1e-5 but not
    within 1e-7, is passed by with the smaller steps.

    Parameters
    ----------
    model : Sequential
        Built or fitted; one with activations and losses of your own, too.
    X, y, sample_weight : array_like
        A batch, as `Sequential.gradients` takes it. A few dozen rows are enough.
    training : bool
        Dropout with the mask of the next step, which is the same for every loss, and BatchNorm with
        the statistics of the batch; False: as in prediction.
    tolerance : float
        Relative error that passes.
    max_elements : int or None
        Elements of each parameter that are checked, drawn at random but the same in each call; None
        checks all. Each takes two forward passes.

    Returns
    -------
    GradientCheck
        ``.ok``, ``.parameters``; print it for a table.

    Raises
    ------
    ValueError, TypeError
        The model is not built, or input that `Sequential.gradients` refuses too.
    """
    training = check_bool("training", training)
    tolerance = check_number("tolerance", tolerance, 0.0, open_low=True)
    if max_elements is not None:
        max_elements = check_positive_int("max_elements", max_elements)
    other = copy_of(model, "float64")
    gradients = other.gradients(X, y, sample_weight, training)
    loss = _loss_function(other, X, y, sample_weight, training)
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        here = loss()
    rows = []
    state = other.training_state.state
    for tensor in state.program.parameters:
        values = view(state.parameters, tensor).reshape(-1)
        elements = np.arange(values.size)
        if max_elements is not None and values.size > max_elements:
            elements = np.sort(rng.choice(values.size, max_elements, replace=False))
        analytic = gradients[tensor.name].reshape(-1)
        with np.errstate(all="ignore"):
            found = [
                _compare(loss, here, values, int(element), float(analytic[element]), tolerance)
                for element in elements
            ]
        rows.append(_row(tensor.name, [errors for errors in found if errors], len(found)))
    return GradientCheck(tuple(rows), tolerance)


def _row(name: str, errors: list[tuple[float, float]], n: int) -> ParameterCheck:
    absolute, relative = np.max(errors, axis=0) if errors else (np.nan, np.nan)
    return ParameterCheck(name, float(absolute), float(relative), len(errors), n - len(errors))


def _loss_function(
    model: Sequential, X: object, y: object, sample_weight: object, training: bool
) -> Callable[[], float]:
    """The reported loss of a batch with the parameters as they are when it is called."""
    examples = read_examples(model.training_state, X, y, sample_weight)
    state = model.training_state.state
    program = state.program

    def loss() -> float:
        run = numpy_runner.Pass(state, training, update_statistics=False)
        run.feed(examples.x)
        numpy_runner.forward(program.ops, run)
        read = run.values[program.head.slot]
        return numpy_runner.reported_loss(state, [(read, examples.y, examples.weight)])[0]

    return loss


def _compare(
    loss: Callable[[], float],
    here: float,
    values: Array,
    element: int,
    analytic: float,
    tolerance: float,
) -> tuple[float, float] | None:
    """Absolute and relative error of an element of the gradient; None at a kink.

    `here` is the loss with the parameters as they are.
    """
    start = float(values[element])
    best = (np.inf, np.inf)
    if not np.isfinite(analytic):
        return best
    bends = []
    for step in _STEPS:
        h = step * max(1.0, abs(start))
        values[element] = start + h
        above = loss()
        values[element] = start - h
        below = loss()
        values[element] = start
        difference = (above - below) / (2.0 * h)
        noise = _ROUNDING * np.finfo(np.float64).eps * max(abs(here), abs(above), abs(below)) / h
        error = abs(analytic - difference)
        relative = error / max(abs(analytic), abs(difference), noise / tolerance)
        if relative < best[1]:
            best = (error, relative)
        if relative <= tolerance:
            return best
        bend = abs((above - here) - (here - below)) / h**2
        bends.append((bend, noise / h))
    # A smooth loss bends as much within any of the steps; a kink within a step adds to it.
    most = max((bend for bend, noise in bends if bend > noise), default=0.0)
    least = min(max(bend, noise) for bend, noise in bends)
    return None if most > _KINKED * least else best
