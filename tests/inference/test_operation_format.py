"""Operations in files: each kind that can stand there comes back as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from layer_examples import LAYERS, X, frozen_forms

from fastmlp.inference.operation_format import describe, read_operation
from fastmlp.program.operation import Operation, Slot
from fastmlp.program.ops import OPERATIONS


def frozen_operations() -> Iterator[tuple[Operation, dict[str, Any]]]:
    for layer in LAYERS:
        for predictor in frozen_forms(layer):
            for op in predictor.program.ops:
                yield op, dict(predictor.weights)


FROZEN = list(frozen_operations())


def read(op: Operation, config: dict[str, Any], weights: dict[str, Any]) -> Operation:
    slots = {slot.index: slot for slot in op.inputs}
    return read_operation(json.loads(json.dumps(config)), slots, weights)


@pytest.mark.parametrize(
    ("op", "weights"), FROZEN, ids=[f"{type(op).__name__} {op.out.name}" for op, _ in FROZEN]
)
def test_there_and_back(op: Operation, weights: dict[str, Any]) -> None:
    found = read(op, describe(op), weights)
    assert found == op.with_tensors({t.name: replace(t, start=0) for t in op.tensors})


@pytest.mark.parametrize(
    ("op", "weights"), FROZEN, ids=[f"{type(op).__name__} {op.out.name}" for op, _ in FROZEN]
)
def test_widths_that_do_not_fit_are_refused(op: Operation, weights: dict[str, Any]) -> None:
    config = describe(op)
    wider = {**config, "out": {**config["out"], "width": op.out.width + 1}}
    with pytest.raises(ValueError, match=r"width|shape"):
        read(op, wider, weights)
    more = {name: np.concatenate([array, array]) for name, array in weights.items()}
    if op.tensors and not op.codes:
        with pytest.raises(ValueError, match="shape"):
            read(op, config, more)
    with pytest.raises(ValueError, match=r"width|inputs"):
        read(op, {**config, "x": [*config["x"], *config["x"]]}, weights)


def test_kinds_that_can_be_frozen_are_all_here() -> None:
    saved = {kind for kind in OPERATIONS if kind.check is not Operation.check}
    assert saved == {type(op) for op, _ in FROZEN}
    assert X.shape[1] == 6


@dataclass(frozen=True)
class ClampOp(Operation):
    """An operation of a user's own."""

    x: Slot
    out: Slot


def test_operations_of_users_are_refused() -> None:
    with pytest.raises(ValueError, match="a predictor with a ClampOp cannot be saved"):
        describe(ClampOp(Slot(0, "x", 2), Slot(1, "out", 2)))
