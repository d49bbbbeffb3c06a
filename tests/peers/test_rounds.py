"""Measurements that take turns."""

from __future__ import annotations

from time import sleep

import pytest

from fastmlp.peers.rounds import interleaved, ratios


def test_each_is_timed_once_a_round_and_another_begins() -> None:
    order: list[str] = []

    def work(name: str, seconds: float, times: int) -> None:
        order.append(name)
        sleep(seconds * times)

    timed = {
        "short": lambda times: work("short", 0.002, times),
        "long": lambda times: work("long", 0.004, times),
    }
    found = interleaved(timed, 3, 0.01)
    assert order[-6:] == ["short", "long", "long", "short", "short", "long"]
    assert [len(seconds) for seconds in found.values()] == [3, 3]
    assert min(found["short"]) >= 0.002
    assert min(found["long"]) >= 0.004


def test_ratios_by_hand() -> None:
    assert ratios([4.0, 9.0], [2.0, 3.0]) == [2.0, 3.0]
    with pytest.raises(ValueError, match="longer"):
        ratios([1.0], [1.0, 2.0])
