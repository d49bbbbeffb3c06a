"""The table that `Sequential.summary` prints."""

from __future__ import annotations

from collections.abc import Sequence

from ..program.ops import EmbeddingOp
from ..program.program import Program
from .layers import Layer


def summarize(layers: Sequence[Layer], program: Program) -> str:
    """Return a table with a line a layer: place and kind, width of its output, parameters."""
    widths = {name: slot.width for name, slot in program.records}
    for op in program.ops:
        if isinstance(op, EmbeddingOp):
            # Several are one operation, which records the last one's output.
            width = op.x.width
            for table in op.tables:
                width += table.shape[1] - 1
                widths[table.name.removesuffix("weight") + "output"] = width
    rows = [("layer", "output width", "parameters")]
    for place, layer in enumerate(layers):
        count = sum(
            tensor.size for tensor in program.parameters if tensor.name.startswith(f"{place}.")
        )
        kind = type(layer).__name__
        activation = layer.activation_function
        if activation is not None and not activation.traits.is_identity:
            kind += f" {activation.name}"
        rows.append((f"{place} {kind}", str(widths[f"{place}.output"]), f"{count:,}"))
    total = sum(tensor.size for tensor in program.parameters)
    rows.append(("total", "", f"{total:,}"))
    sizes = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"{name:<{sizes[0]}}  {width:>{sizes[1]}}  {count:>{sizes[2]}}"
        for name, width, count in rows
    ]
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])
