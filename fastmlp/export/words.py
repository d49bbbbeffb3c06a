"""The operations of a frozen network in words, as they stand in the files that are written."""

from __future__ import annotations

from ..program.operation import Operation
from ..program.ops import ActivationOp, AddOp, ConcatOp, DenseOp, EmbeddingOp, ScaleOp, SelectOp
from ..program.program import InferenceProgram


def in_words(program: InferenceProgram) -> list[str]:
    """The operations of a network, one a line; an activation stands with what it follows."""
    lines: list[str] = []
    previous: Operation | None = None
    for op in program.ops:
        if isinstance(op, ActivationOp):
            if previous is not None and op.x is previous.out:
                lines[-1] += f", {_name(op)}"
            else:
                lines.append(f"{_name(op)} of {op.out.width}")
        else:
            lines.append(op_in_words(op))
        previous = op
    return lines or ["none: y is x"]


def op_in_words(op: Operation) -> str:
    """One operation of a frozen program in words."""
    if isinstance(op, DenseOp):
        return f"dense {op.x.width} -> {op.out.width}" + ("" if op.bias else " without bias")
    if isinstance(op, ScaleOp):
        return f"scale and shift of {op.out.width}"
    if isinstance(op, AddOp):
        return f"sum of {op.x.width} and {op.y.width}"
    if isinstance(op, SelectOp):
        return f"{op.out.width} of {op.x.width} columns"
    if isinstance(op, ConcatOp):
        return f"{' + '.join(str(part.width) for part in op.parts)} side by side"
    if isinstance(op, EmbeddingOp):
        tables = ", ".join(f"{t.shape[0]} -> {t.shape[1]}" for t in op.tables)
        return f"embedding {tables}, beside {len(op.kept)} columns as they are"
    if isinstance(op, ActivationOp):
        return f"{_name(op)} of {op.out.width}"
    raise TypeError(f"a frozen network has no {type(op).__name__}")


def _name(op: ActivationOp) -> str:
    parameter = op.activation.parameter
    return op.activation.name + ("" if parameter is None else f"({parameter:g})")
