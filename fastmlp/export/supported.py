"""The check that a network can be written into a file that does without fastmlp."""

from __future__ import annotations

from ..declarations.activation_table import ActivationTable, Row
from ..program.ops import ActivationOp, AddOp, ConcatOp, DenseOp, EmbeddingOp, ScaleOp, SelectOp
from ..program.program import InferenceProgram

# Listed here, not taken from `program`: users add operations of their own there.
_OPS = (DenseOp, ActivationOp, ScaleOp, AddOp, SelectOp, ConcatOp, EmbeddingOp)


def check_supported(
    program: InferenceProgram, form: str, activations: ActivationTable[Row], hint: str = ""
) -> None:
    """Check that a file can hold all that a network computes.

    Parameters
    ----------
    program : InferenceProgram
        Frozen.
    form : str
        What is written, for errors: "C".
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
    for op in program.ops:
        # The identity is no operation.
        if isinstance(op, ActivationOp) and not op.activation.traits.is_identity:
            activations.row(op.activation, hint)
        if type(op) not in _OPS:
            raise ValueError(
                f"{type(op).__name__} ({op.out.name}) cannot be written as {form}; what can be: "
                "Dense, BatchNorm, Residual, Branch, Embedding, WideAndDeep and activations"
            )
