"""Every declaration goes through JSON and comes back equal; damaged configurations are refused."""

from __future__ import annotations

import dataclasses
import json
import pickle
from typing import Any

import pytest

from fastmlp.common.config import assign, declaration, from_config, to_config
from fastmlp.declarations.activations import ACTIVATIONS, ELU, LeakyReLU
from fastmlp.declarations.learning_rate import Constant
from fastmlp.declarations.losses import (
    LOSSES,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Huber,
    Quantile,
)
from fastmlp.declarations.optimizers import (
    OPTIMIZERS,
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Ftrl,
    Nadam,
    RMSprop,
)
from fastmlp.declarations.schedules import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    OneCycle,
    ReduceOnPlateau,
    StepDecay,
)

SCHEDULES = [
    Constant(0.1),
    ExponentialDecay(0.1, 0.9),
    InverseTimeDecay(0.1, 0.3),
    StepDecay(0.1, 0.5, 3),
    CosineDecay(0.1, 20, final=0.01),
    OneCycle(0.1, 4),
    ReduceOnPlateau(0.1, factor=0.5, patience=2, minimum=1e-4, monitor="val_loss"),
]

DECLARATIONS = [
    *ACTIVATIONS.values(),
    LeakyReLU(0.3),
    ELU(0.7),
    *LOSSES.values(),
    Huber(0.3),
    Quantile(0.9),
    BinaryCrossentropy(0.1),
    CategoricalCrossentropy(0.2),
    *OPTIMIZERS.values(),
    SGD(0.5, 0.8, True, clip_value=2.0, clip_norm=3.0),
    RMSprop(0.02, 0.8, 1e-7),
    Adam(0.02, 0.8, 0.99, 1e-7),
    AdamW(0.02, 0.8, 0.99, 1e-7, 0.1),
    Nadam(0.02, 0.8, 0.99, 1e-7),
    AdaGrad(0.02, 1e-7),
    Ftrl(0.02, 0.1, 0.2, 0.3),
    *SCHEDULES,
    *(Adam(schedule) for schedule in SCHEDULES),
]


@declaration
@dataclasses.dataclass(frozen=True, init=False)
class Bundle:
    """Nested tuples, and a constructor that does not take its fields by name."""

    groups: tuple[tuple[Any, ...], ...]
    size: int = 3

    def __init__(self, *groups: Any, size: int = 3) -> None:
        assign(self, groups=groups, size=size)
        self.__post_init__()

    def __post_init__(self) -> None:
        assign(self, groups=tuple(tuple(group) for group in self.groups))


@pytest.mark.parametrize("obj", DECLARATIONS, ids=repr)
def test_round_trip_through_json(obj: Any) -> None:
    config = to_config(obj)
    assert config["type"] == type(obj).__name__
    back = from_config(json.loads(json.dumps(config, allow_nan=False)))
    assert type(back) is type(obj)
    assert back == obj
    assert hash(back) == hash(obj)
    assert to_config(back) == config


@pytest.mark.parametrize("obj", DECLARATIONS, ids=repr)
def test_declarations_are_frozen_and_can_be_pickled(obj: Any) -> None:
    for field in dataclasses.fields(obj):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(obj, field.name, None)
    assert pickle.loads(pickle.dumps(obj)) == obj


def test_what_a_configuration_looks_like() -> None:
    assert to_config(SGD(ExponentialDecay(0.1, 0.9), momentum=0.5)) == {
        "type": "SGD",
        "learning_rate": {"type": "ExponentialDecay", "initial": 0.1, "rate": 0.9},
        "clip_value": None,
        "clip_norm": None,
        "momentum": 0.5,
        "nesterov": False,
        "rate_in_velocity": False,
    }


def test_nested_tuples_and_other_constructors() -> None:
    obj = Bundle([Huber(0.3), "a"], [], [Bundle([1.5, None, (True, ("b",))])], size=7)
    back = from_config(json.loads(json.dumps(to_config(obj))))
    assert back == obj
    assert hash(back) == hash(obj)


def test_absent_fields_take_their_defaults() -> None:
    assert from_config({"type": "Adam"}) == Adam()
    with pytest.raises(ValueError, match="OneCycle needs the field 'epochs'"):
        from_config({"type": "OneCycle", "maximum": 0.1})


@pytest.mark.parametrize("config", [None, 3, "Adam", [], {}, {"type": 3}, {"learning_rate": 1.0}])
def test_what_is_no_configuration(config: Any) -> None:
    with pytest.raises(ValueError, match="expected a dictionary with a 'type', got "):
        from_config(config)


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"type": "Adm"}, ValueError, "unknown type 'Adm'; did you mean 'Adam'"),
        ({"type": "Adam", "beta1": 0.9}, ValueError, "unknown field of Adam 'beta1'; did you mean"),
        ({"type": "Adam", "beta_1": 2.0}, ValueError, "beta_1 must be a finite number in"),
        ({"type": "Adam", "beta_1": "x"}, TypeError, "beta_1 must be a number"),
        ({"type": "Adam", "learning_rate": [0.1]}, TypeError, "learning_rate must be a number or"),
        ({"type": "Adam", "learning_rate": {"type": "MSE"}}, TypeError, "learning_rate must be"),
        ({"type": "Adam", "learning_rate": {}}, ValueError, "expected a dictionary with a 'type'"),
        ({"type": "PlainActivation", "name": "elu"}, ValueError, "without a parameter 'elu'"),
    ],
)
def test_wrong_configurations(config: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        from_config(config)


def test_deep_nesting_is_a_value_error() -> None:
    config: Any = []
    for _ in range(100_000):
        config = [config]
    with pytest.raises(ValueError, match="nested too deeply"):
        from_config({"type": "Bundle", "groups": config})


@pytest.mark.parametrize("obj", [object(), 3, {"type": "Adam"}, Adam])
def test_only_declarations_have_a_configuration(obj: Any) -> None:
    with pytest.raises(TypeError, match="is not a declaration that can be saved"):
        to_config(obj)


def test_unsaveable_fields_are_refused() -> None:
    with pytest.raises(TypeError, match=r"\(object\) is not a declaration that can be saved"):
        to_config(Bundle([object()]))


def test_subclasses_must_be_declared_themselves() -> None:
    class MyAdam(Adam):
        pass

    with pytest.raises(TypeError, match="MyAdam"):
        to_config(MyAdam())
    with pytest.raises(TypeError, match="MyAdam must be a frozen dataclass"):
        declaration(MyAdam)


def test_declaration_wants_frozen_dataclasses_and_new_names() -> None:
    @dataclasses.dataclass
    class Loose:
        size: int = 3

    with pytest.raises(TypeError, match="Loose must be a frozen dataclass"):
        declaration(Loose)
    with pytest.raises(TypeError, match="already a declaration called Bundle"):
        declaration(Bundle)
