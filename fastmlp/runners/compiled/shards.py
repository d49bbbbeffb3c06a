"""How a step is cut into shards: functions of sizes alone, never of threads or load.

Threads only carry shards out, so results are the same bits whatever their number.
"""

from __future__ import annotations

from dataclasses import dataclass

# A shard of columns is a multiple of this many: whole vector registers, whole cache lines.
_COLUMN_STEP = 16
# Below this many elements (rows x columns) a piece is not worth handing to another thread.
_SMALLEST_PIECE = 4096
# Products of fewer columns lose more speed than a second thread gains. Where there would be one
# shard alone, two of somewhat fewer columns are better than none: 100 hidden units are common.
_SMALLEST_WIDTH = 64
_SMALLEST_OF_TWO = 48
_MOST_SHARDS = 16


@dataclass(frozen=True, slots=True)
class Shards:
    """A range cut into consecutive shards.

    Attributes
    ----------
    kind : str
        ``"columns"`` of a slot, or ``"groups"`` of them, ``"rows"`` of a batch, ``"flat"`` parts of
        a vector.
    bounds : tuple of int
        Shard k is ``bounds[k] <= i < bounds[k + 1]``. Rows are counted in parts of the batch, since
        the last batch is smaller.
    """

    kind: str
    bounds: tuple[int, ...]

    @property
    def count(self) -> int:
        return len(self.bounds) - 1

    def part(self, shard: int) -> tuple[int, int]:
        """First element and length of a shard."""
        return self.bounds[shard], self.bounds[shard + 1] - self.bounds[shard]


SINGLE = Shards("single", (0, 1))
"""One shard of all there is."""


def _bounds(length: int, parts: int, step: int) -> tuple[int, ...]:
    """Shards `length` into at most `parts` parts, all but the last multiples of `step`."""
    blocks = -(-length // step)
    parts = max(1, min(parts, blocks))
    return (*(blocks * k // parts * step for k in range(parts)), length)


def one_shard(length: int) -> Shards:
    """Do not cut."""
    return Shards("whole", (0, length))


def column_shards(width: int, batch: int) -> Shards:
    """Shards the columns of a ``(batch, width)`` slot."""
    wide_enough = width // _SMALLEST_WIDTH
    if width < 2 * _SMALLEST_WIDTH:
        wide_enough = width // _SMALLEST_OF_TWO
    parts = min(_MOST_SHARDS, width * batch // _SMALLEST_PIECE, wide_enough)
    return Shards("columns", _bounds(width, parts, _COLUMN_STEP))


def group_shards(groups: int, size: int, batch: int) -> Shards:
    """Shards groups of columns, on each of which so many elements of a row are worked on."""
    parts = min(_MOST_SHARDS, groups * size * batch // _SMALLEST_PIECE)
    return Shards("groups", _bounds(groups, parts, 1))


def row_shards(width: int, batch: int) -> Shards:
    """Shards the rows of a ``(batch, width)`` slot, for operations that need whole rows."""
    parts = max(1, min(_MOST_SHARDS, width * batch // _SMALLEST_PIECE, batch))
    return Shards("rows", tuple(range(parts + 1)))


def flat_shards(start: int, stop: int) -> Shards:
    """Shards elements ``start`` to ``stop`` of a flat vector."""
    length = stop - start
    parts = min(_MOST_SHARDS, length // _SMALLEST_PIECE)
    inner = _bounds(length, parts, 4 * _COLUMN_STEP)
    return Shards("flat", tuple(start + bound for bound in inner))
