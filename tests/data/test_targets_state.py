"""The state of an encoder of targets, kept and damaged."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from encoders import encoder_for

from fastmlp.data.target_kinds import encoder_from_state


def test_a_copy_keeps_the_state():
    encoder = encoder_for("softmax", 2)
    before = copy.copy(encoder)
    encoder.encode(["a", "b"], 2, fit=True)
    assert before.classes is None
    with pytest.raises(ValueError, match="read-only"):
        encoder.classes[0] = "z"


def test_decoding_before_any_fit():
    assert encoder_for("softmax", 3).decode(np.eye(3)).tolist() == [0, 1, 2]
    assert encoder_for("sigmoid", 1).decode(np.array([[0.2], [0.7]])).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("activation", "units"), [("softmax", 3), ("sigmoid", 1), ("sigmoid", 2), ("linear", 1)]
)
def test_state_of_an_encoder_without_classes(activation, units):
    encoder = encoder_for(activation, units, dtype="float32")
    state = json.loads(json.dumps(encoder.to_state()))
    restored = encoder_from_state(state)
    assert type(restored) is type(encoder)
    assert restored.classes is None
    assert restored.to_state() == state


GOOD_STATE = {
    "activation": "softmax",
    "units": 2,
    "loss": "categorical_crossentropy",
    "dtype": "float32",
    "classes": {"dtype": "<i8", "values": [3, 5]},
}


@pytest.mark.parametrize(
    "damage",
    [
        {"activation": 3},
        {"units": "2"},
        {"units": 0},
        {"units": 3},
        {"loss": None},
        {"dtype": "int32"},
        {"dtype": "nonsense"},
        {"activation": "linear"},
        {"classes": []},
        {"classes": {"dtype": "<i8"}},
        {"classes": {"dtype": "<i8", "values": None}},
        {"classes": {"dtype": "<i8", "values": [3]}},
        {"classes": {"dtype": "<i8", "values": [3, 3]}},
        {"classes": {"dtype": "<i8", "values": [[3], [5]]}},
        {"classes": {"dtype": "<i8", "values": [3, 5.5]}},
        {"classes": {"dtype": "<i8", "values": ["a", "b"]}},
        {"classes": {"dtype": "<i8", "values": [3, 2**80]}},
        {"classes": {"dtype": "|i1", "values": [3, 500]}},
        {"classes": {"dtype": "<u1", "values": [3, 300]}},
        {"classes": {"dtype": "<f2", "values": [3.0, 1e6]}},
        {"classes": {"dtype": "<f8", "values": [3.0, float("nan")]}},
        {"classes": {"dtype": "U", "values": [3, 5]}},
        {"classes": {"dtype": "S", "values": [3, 5]}},
        {"classes": {"dtype": "S", "values": ["a", "\u20ac"]}},
        {"classes": {"dtype": "<U999999999", "values": ["a", "b"]}},
        {"classes": {"dtype": "O", "values": ["a", "b"]}},
        {"classes": {"dtype": "nonsense", "values": ["a", "b"]}},
        {"classes": {"dtype": "<M8[D]", "values": ["a", "b"]}},
    ],
)
def test_damaged_states(damage):
    encoder_from_state(GOOD_STATE)
    with pytest.raises(ValueError, match="damaged description of the targets"):
        encoder_from_state(GOOD_STATE | damage)


@pytest.mark.parametrize("key", GOOD_STATE)
def test_states_with_a_part_missing(key):
    state = {name: value for name, value in GOOD_STATE.items() if name != key}
    with pytest.raises(ValueError, match=f"damaged description of the targets.*{key}"):
        encoder_from_state(state)


@pytest.mark.parametrize("state", [None, [], "softmax", 3])
def test_states_of_another_kind(state):
    with pytest.raises(ValueError, match="damaged description of the targets"):
        encoder_from_state(state)
