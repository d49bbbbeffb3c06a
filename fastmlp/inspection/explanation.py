"""Explanations: steps with their formulas and numbers, as text or a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import missing_extra

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..kernels.typing import Array

PARTS = {
    "forward": "Forward pass",
    "loss": "Loss",
    "backward": "Backward pass: d_a is the gradient of the loss with respect to a",
    "update": "Update",
}
"""The parts of an explanation in their order, with their headings."""

_INDENT = 6
_WIDTH = 100
# Larger arrays are shortened to their first and last entries along each axis.
_SHOWN = 40
_EDGE = 3


@dataclass(frozen=True)
class Step:
    """One step of the calculation.

    Attributes
    ----------
    part : {"forward", "loss", "backward", "update"}
    name : str
        What is worked out: ``"0.preactivation"``, ``"d_0.weight"``, ``"0.weight"``.
    formula : str
    values : mapping of str to ndarray
        The numbers of the formula by their names, in full; those of a layer have the shape
        ``(1, width)`` that `Sequential.activations` gives them, single numbers the shape ``()``.
    worked : tuple of str
        Single elements with their numbers put in.
    """

    part: str
    name: str
    formula: str
    values: Mapping[str, Array] = field(default_factory=dict)
    worked: tuple[str, ...] = ()


class Explanation:
    """Every step of a network's calculation on one example.

    ``str()`` is a text, in which long arrays are shortened by ``...``; `table` and printing with
    rich give a table. Both show four digits, six of an update; the arrays in `steps` hold all.

    Attributes
    ----------
    title : str
    steps : tuple of Step
    """

    def __init__(self, title: str, steps: tuple[Step, ...]) -> None:
        self.title = title
        self.steps = steps

    def find(self, part: str, name: str) -> Step:
        """Return the step of this part that works out `name`.

        Raises
        ------
        KeyError
            There is none.
        """
        for step in self.steps:
            if (step.part, step.name) == (part, name):
                return step
        known = ", ".join(step.name for step in self.steps if step.part == part)
        raise KeyError(f"no step {name!r} in the part {part!r}; it has {known or 'no steps'}")

    def __str__(self) -> str:
        lines = [self.title]
        for part, heading in PARTS.items():
            steps = [step for step in self.steps if step.part == part]
            if steps:
                lines += ["", heading, "-" * len(heading)]
            for step in steps:
                lines += _lines(step)
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Explanation: {self.title}; {len(self.steps)} steps>"

    def table(self) -> Any:
        """Return a ``rich.table.Table`` of the steps.

        Raises
        ------
        ImportError
            rich is not installed.
        """
        try:
            from rich.table import Table
            from rich.text import Text
        except ImportError as error:
            raise missing_extra("rich", "rich") from error

        table = Table(title=self.title, title_justify="left", show_lines=True)
        table.add_column("part", style="dim", no_wrap=True)
        table.add_column("formula", overflow="fold")
        table.add_column("numbers", overflow="fold")
        for step in self.steps:
            # As Text, or rich would take brackets for its markup.
            numbers = "\n".join([*_numbers(step, _WIDTH // 2), *step.worked])
            table.add_row(step.part, Text(step.formula), Text(numbers))
        return table

    def __rich__(self) -> Any:
        return self.table()


def _lines(step: Step) -> list[str]:
    formula = [
        wrapped
        for line in step.formula.splitlines()
        for wrapped in wrap(line, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    ]
    numbers = [*_numbers(step, _WIDTH - _INDENT), *step.worked]
    return formula + [" " * _INDENT + line for line in numbers]


def _numbers(step: Step, width: int) -> list[str]:
    """Return lines with the values of a step beside their names."""
    longest = max(map(len, step.values), default=0)
    # What an update changes is often small beside what it is.
    digits = 6 if step.part == "update" else 4
    lines = []
    for name, value in step.values.items():
        first, *others = shown(value, digits, width - longest - 3).splitlines()
        lines.append(f"{name:<{longest}} = {first}")
        lines += [" " * (longest + 3) + line for line in others]
    return lines


def shown(value: Array, digits: int = 4, width: int = _WIDTH) -> str:
    """Return an array in this many digits, shortened where it is long; a row without its batch."""
    array = np.asarray(value)
    if array.ndim == 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 0:
        return f"{array:.6g}" if array.dtype.kind == "f" else str(array.item())
    ends = array
    for axis, length in enumerate(array.shape):
        if array.size > _SHOWN and length > 2 * _EDGE:
            ends = np.take(ends, [*range(_EDGE), *range(-_EDGE, 0)], axis)

    def text(element: Any) -> str:
        return f"{element:.{digits}g}" if array.dtype.kind == "f" else str(element)

    cell = max((len(text(element)) for element in ends.flat), default=0)
    # With nothing left to what the caller may have set for printing.
    return np.array2string(
        array,
        threshold=_SHOWN,
        edgeitems=_EDGE,
        max_line_width=max(width, 30),
        formatter={"all": lambda element: text(element).rjust(cell)},
        legacy=False,
    )
