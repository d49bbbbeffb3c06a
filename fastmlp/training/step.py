"""Single passes over examples outside a fit: one update, and how good a network is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.batches import Batches
from ..data.rows import as_dtype
from ..program.state import view
from .divergence import divergence_error
from .edges import fit_edges
from .metrics import classification_metrics, regression_metrics

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..kernels.typing import Array
    from ..runners.runner import Runner
    from .examples import Examples
    from .state import TrainingState


def step(training: TrainingState, runner: Runner, examples: Examples) -> float:
    """Do one update on these examples and return their loss.

    Raises
    ------
    DivergenceError
        The loss or the update is not finite; the state is as before.
    """
    x, y, weight = examples.x, examples.y, examples.weight
    fit_edges(training, lambda: x)
    state, rates = training.state, training.rates(1)
    before = state.snapshot()
    session = runner.session(Batches(x, y, weight, len(x)), rates)
    try:
        session.start_epoch(rates)
        session.run(0)
        if not state.is_finite():
            raise FloatingPointError(0)
    except FloatingPointError:
        problem = divergence_error(state, x, y, weight, training.epoch, 0)
        state.restore(before)
        raise problem from None
    finally:
        session.close()
    return session.loss_sum / session.rows_sum


def evaluate(runner: Runner, examples: Examples) -> dict[str, float]:
    """Return the loss, penalties included, and the metrics of the task."""
    # The first fit of a process needs no NumPy runner; to import it takes 1 ms.
    from ..runners import numpy_runner

    encoder, y, weight = examples.encoder, examples.y, examples.weight
    logits = runner.predict(examples.x, head=True)
    outputs = numpy_runner.output_from_head(runner.state.program, logits)
    loss, _ = numpy_runner.reported_loss(runner.state, [(logits, y, weight)])
    if encoder.task == "regression":
        return {"loss": loss, **regression_metrics(y, outputs, weight)}
    classes = encoder.class_indices(y)
    classes = y if classes is None else classes
    return {"loss": loss, **classification_metrics(encoder.task, classes, outputs, weight)}


def gradients(
    runner: Runner, x: Features, y: Array, weight: Array | None, training: bool = True
) -> dict[str, Array]:
    """Return the gradients of the reported loss of encoded rows, named like the parameters."""
    program = runner.state.program
    flat = runner.gradients(as_dtype(x, program.dtype), y, weight, training)
    return {tensor.name: view(flat, tensor).copy() for tensor in program.parameters}
