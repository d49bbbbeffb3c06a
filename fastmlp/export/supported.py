"""The check that a network can be written into a file that does without fastmlp."""

from __future__ import annotations

from typing import Any

from ..common.dispatch import DispatchTable
from ..declarations.activation_table import ActivationTable, Row
from ..program.program import InferenceProgram
from ..program.program import activations as activations_of


def check_supported(
    program: InferenceProgram,
    form: str,
    operations: DispatchTable[Any],
    activations: ActivationTable[Row],
    hint: str = "",
) -> None:
    """Check that a file can hold all that a network computes.

    Parameters
    ----------
    program : InferenceProgram
        Frozen.
    form : str
        What is written, for errors: "C".
    operations : DispatchTable
    activations : ActivationTable
        The exporter's.
    hint : str
        What else can be done with an activation that it does not have.

    Raises
    ------
    ValueError
        There is a registered activation, or an activation or operation that was added to the
        library.
    """
    for activation in activations_of(program):
        activations.row(activation, hint)
    for op in program.ops:
        if type(op) not in operations:
            known = ", ".join(kind.__name__ for kind in operations)
            raise ValueError(
                f"{type(op).__name__} ({op.out.name}) cannot be written as {form}: "
                f"{operations.place} has no row for it, only for {known}"
            )
