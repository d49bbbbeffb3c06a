"""The operations of a frozen network in words, as they stand in the files that are written."""

from __future__ import annotations

from ..program.operation import Operation
from ..program.ops import ActivationOp
from ..program.program import InferenceProgram


def in_words(program: InferenceProgram) -> list[str]:
    """The operations of a network, one a line; an activation stands with what it follows."""
    lines: list[str] = []
    previous: Operation | None = None
    for op in program.ops:
        if isinstance(op, ActivationOp) and previous is not None and op.x is previous.out:
            lines[-1] += f", {op.activation.title}"
        else:
            lines.append(op.description)
        previous = op
    return lines or ["none: y is x"]
