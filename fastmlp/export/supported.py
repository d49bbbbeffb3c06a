"""What can be written into a file that does without fastmlp."""

from __future__ import annotations

from ..declarations.custom import CustomActivation
from ..program.program import (
    ActivationOp,
    AddOp,
    ConcatOp,
    DenseOp,
    EmbeddingOp,
    InferenceProgram,
    ScaleOp,
    SelectOp,
)

# Listed here, not taken from `program`: users add operations of their own there.
_OPS = (DenseOp, ActivationOp, ScaleOp, AddOp, SelectOp, ConcatOp, EmbeddingOp)
_ACTIVATIONS = (
    *("linear", "relu", "leaky_relu", "tanh", "sigmoid", "softmax", "elu", "selu", "gelu", "silu"),
    *("mish", "softplus", "exp"),
)


def check_supported(program: InferenceProgram, form: str, hint: str = "") -> None:
    """Check that a file can hold all that a network computes.

    Parameters
    ----------
    program : InferenceProgram
        Frozen.
    form : str
        What is written, for errors: "C".
    hint : str
        What else can be done with a registered activation.

    Raises
    ------
    ValueError
        There is a registered activation, or an activation or operation that was added to the
        library.
    """
    for op in program.ops:
        if isinstance(op, ActivationOp) and isinstance(op.activation, CustomActivation):
            raise ValueError(
                f"activation {op.activation.name!r} is a registered Python function, which cannot "
                f"be written as {form}; use one of fastmlp's own activations{hint}"
            )
        if isinstance(op, ActivationOp) and op.activation.name not in _ACTIVATIONS:
            raise ValueError(
                f"activation {op.activation.name!r} cannot be written as {form}; those that can "
                f"be: {', '.join(_ACTIVATIONS)}{hint}"
            )
        if type(op) not in _OPS:
            raise ValueError(
                f"{type(op).__name__} ({op.out.name}) cannot be written as {form}; what can be: "
                "Dense, BatchNorm, Residual, Branch, Embedding, WideAndDeep and activations"
            )
