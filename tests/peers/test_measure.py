"""Measurements: their ratios, as plain values, and of what is known alone."""

from __future__ import annotations

import json

import pytest
from results_by_hand import results_by_hand

from fastmlp.peers.measure import measure


def test_ratios_are_of_the_same_round_and_of_the_best_beside_auto() -> None:
    (comparison,) = results_by_hand().comparisons
    best = comparison.best("jax")
    assert best is comparison.of("jax")[1]
    assert best is not None
    assert comparison.ratios(best, 1) == pytest.approx([2.0, 2.5, 4.0])
    assert comparison.ratios(best, "auto") == pytest.approx([4.0, 5.0, 8.0])
    assert comparison.ratios(best, 3) is None
    assert comparison.best("keras") is None


def test_results_are_plain_values() -> None:
    as_json = json.loads(json.dumps(results_by_hand().to_dict()))
    assert as_json["comparisons"][0]["measurements"][5]["threads"] == "auto"
    assert as_json["options"]["rounds"] == 3


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown case 'X'; known: B1"):
        measure(["X"])
    with pytest.raises(ValueError, match="unknown library 'caffe'; known: fastmlp"):
        measure(["T"], [1], ["caffe"])
