"""Places of the values of one row in exported C: in x, in y, or in the caller's scratch."""

from __future__ import annotations

from dataclasses import dataclass

from ...program.operation import Operation, Slot
from ...program.program import InferenceProgram


@dataclass(frozen=True)
class Place:
    """A position in one of the arrays ``"x"``, ``"y"`` and ``"scratch"``."""

    base: str
    offset: int


def plan(program: InferenceProgram) -> tuple[dict[Slot, Place], int]:
    """Give each slot a place, and tell how many numbers scratch must hold (at least 1).

    An elementwise operation works in place where nothing reads its input later. What leads to the
    output in place lies in y, unless an operation that can fail comes later: then y would not be
    untouched. All else gets the lowest free part of scratch.
    """
    ops = program.ops
    places = {program.input: Place("x", program.wide.width if program.wide else 0)}
    if program.wide is not None:
        places[program.wide] = Place("x", 0)
    last_reader = {slot: i for i, op in enumerate(ops) for slot in op.inputs}
    last_reader[program.output] = len(ops)
    owner = _owners(ops, last_reader, set(places))
    in_y = _first_in_y(program, owner)
    # A buffer is taken until the last of the slots that share it was read.
    until: dict[Slot, int] = {}
    for op in ops:
        until[owner[op.out]] = max(until.get(owner[op.out], 0), last_reader.get(op.out, 0))
    n_scratch, taken = 1, dict[Slot, Place]()
    for i, op in enumerate(ops):
        out, first = op.out, owner[op.out]
        if first is out:
            taken = {slot: place for slot, place in taken.items() if until[slot] >= i}
            if first is in_y:
                places[out] = Place("y", 0)
            else:
                places[out] = taken[out] = Place("scratch", _lowest_gap(taken, out.width))
                n_scratch = max(n_scratch, places[out].offset + out.width)
        places[out] = places[first]
    return places, n_scratch


def _owners(
    ops: tuple[Operation, ...], last_reader: dict[Slot, int], inputs: set[Slot]
) -> dict[Slot, Slot]:
    """The slot whose buffer each slot uses: its own, or that of what it is computed from."""
    owner: dict[Slot, Slot] = {}
    for i, op in enumerate(ops):
        sources = op.inputs if op.in_place else ()
        dying = [s for s in sources if s not in inputs and last_reader[s] == i]
        owner[op.out] = owner[dying[0]] if dying else op.out
    return owner


def _first_in_y(program: InferenceProgram, owner: dict[Slot, Slot]) -> Slot | None:
    """The slot whose buffer is y, if any."""
    last_failing = max((i for i, op in enumerate(program.ops) if op.can_fail), default=-1)
    first = owner.get(program.output)
    for op in program.ops[: last_failing + 1]:
        if owner[op.out] is first:
            return None
    return first


def _lowest_gap(taken: dict[Slot, Place], width: int) -> int:
    """The lowest offset at which `width` numbers overlap none of those taken."""
    offset = 0
    for slot, place in sorted(taken.items(), key=lambda item: item[1].offset):
        if offset + width <= place.offset:
            break
        offset = max(offset, place.offset + slot.width)
    return offset
