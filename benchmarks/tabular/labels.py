"""Places for the labels of a picture's points, where they cover nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

# Points to the right and up, and how the text is aligned there, by preference.
PLACES = (
    *((9, 0, "left", "center"), (-9, 0, "right", "center")),
    *((0, 9, "center", "bottom"), (0, -9, "center", "top")),
    *((7, 7, "left", "bottom"), (7, -7, "left", "top")),
    *((-7, 7, "right", "bottom"), (-7, -7, "right", "top")),
    *((0, 20, "center", "bottom"), (0, -20, "center", "top")),
)
_STARTS = 30
# What it costs to cover a label or a point, to leave the picture, to be crossed by a line, and to
# take the next place in the list of preference.
_COVERS, _LEAVES, _CROSSED, _NEXT = 10.0, 20.0, 1.0, 0.1


class Obstacles(NamedTuple):
    """What labels should keep off, in pixels.

    Attributes
    ----------
    points : ndarray, shape (n, 2)
        Those that have the labels.
    segments : ndarray, shape (m, 2, 2)
        Lines that a label should not lie on.
    boxes : list of Bbox
        Such as the legend.
    inside : Bbox
        Where labels must be.
    """

    points: Any
    segments: Any
    boxes: list[Any]
    inside: Any


def chosen_places(boxes: list[list[Any]], obstacles: Obstacles) -> list[int]:
    """A number of a place for each label, which together cost the least that was found.

    Parameters
    ----------
    boxes : list of list of Bbox
        That of each label at each place.
    obstacles : Obstacles
    """
    alone = np.array(
        [
            [_alone(box, mine, place, obstacles) for place, box in enumerate(row)]
            for mine, row in enumerate(boxes)
        ]
    )
    rng = np.random.default_rng(0)
    best, least = [0] * len(boxes), np.inf
    for _ in range(_STARTS):
        places = rng.integers(alone.shape[1], size=len(boxes)).tolist()
        cost = _improved(places, boxes, alone, rng)
        if cost < least:
            best, least = places, cost
    return best


def _alone(box: Any, mine: int, place: int, obstacles: Obstacles) -> float:
    around = box.padded(5)
    points = sum(
        around.contains(*point) for other, point in enumerate(obstacles.points) if other != mine
    )
    covered = points + sum(box.overlaps(other) for other in obstacles.boxes)
    inside = obstacles.inside
    leaves = box.x0 < inside.x0 or box.x1 > inside.x1 or box.y0 < inside.y0 or box.y1 > inside.y1
    crossed = sum(_crosses(segment, box) for segment in obstacles.segments)
    return _COVERS * covered + _LEAVES * leaves + _CROSSED * crossed + _NEXT * place


def _crosses(segment: Any, box: Any) -> bool:
    x, y = np.linspace(*segment, 200).T
    return bool(np.any((box.x0 < x) & (x < box.x1) & (box.y0 < y) & (y < box.y1)))


def _improved(places: list[int], boxes: list[list[Any]], alone: Any, rng: Any) -> float:
    """Move one label after the other to its best place until none moves; return the cost."""

    def overlaps(mine: int, place: int) -> int:
        box = boxes[mine][place].padded(1)
        return sum(
            box.overlaps(boxes[other][at]) for other, at in enumerate(places) if other != mine
        )

    moved = True
    while moved:
        moved = False
        for mine in rng.permutation(len(boxes)):
            costs = [
                alone[mine, place] + _COVERS * overlaps(mine, place) for place in range(len(PLACES))
            ]
            if min(costs) < costs[places[mine]] - 1e-9:
                places[mine], moved = int(np.argmin(costs)), True
    return float(
        sum(
            alone[mine, place] + _COVERS * overlaps(mine, place) / 2
            for mine, place in enumerate(places)
        )
    )
