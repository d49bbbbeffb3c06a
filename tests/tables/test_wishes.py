"""What is said of columns fits the table and itself, or is refused."""

from __future__ import annotations

import pytest

from fastmlp.tables.wishes import LIMIT, Wishes


@pytest.mark.parametrize(
    ("wishes", "part"),
    [
        (Wishes(numeric=("c",)), "unknown column 'c'"),
        (Wishes(drop=("c",), dates=("d",)), "no columns 'd', 'c'; it has a, b"),
        (Wishes(join_case=("c",)), "unknown column 'c'"),
        (Wishes(drop=("a",), numeric=("a",)), "among those of --numeric and of --drop; take it"),
        (Wishes(ids=("a",), drop=("a",)), "among those of --drop and of --id; take it"),
        (Wishes(ids=("b",)), "the target 'b' is among the columns of --id$"),
        (Wishes(group="b"), "the target 'b' cannot name the groups"),
        (Wishes(limit=1), "must be 2 or more"),
    ],
)
def test_what_cannot_be(wishes: Wishes, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        wishes.check(["a", "b"], "b")


def test_what_can_be() -> None:
    wishes = Wishes(keep=("a",), numeric=("a",), join_case=("b",))
    wishes.check(["a", "b"], "b")
    assert (wishes.of("a"), wishes.of("b"), wishes.limit) == ("numeric", "", LIMIT)
