"""Where values of a row lie: shared scratch, and an output that is complete or untouched."""

from __future__ import annotations

import dataclasses

from c_networks import classifier, predictor

import fastmlp as fm
from fastmlp.export.c.memory import Place, plan
from fastmlp.program.operation import Slot, Tensor
from fastmlp.program.ops import AddOp, DenseOp, EmbeddingOp
from fastmlp.program.program import InferenceProgram


def test_scratch_is_shared_by_values_that_are_not_needed_together() -> None:
    assert plan(classifier("float32").program)[1] == 64 + 32
    deep = predictor([fm.Dense(50, "tanh") for _ in range(6)], 8)
    assert plan(deep.program)[1] == 100
    single = predictor([fm.Dense(50, "tanh")], 8)
    assert plan(single.program)[1] == 1
    residual = [fm.Dense(16), fm.Residual([fm.Dense(16, "relu"), fm.Dense(16)]), fm.Dense(2)]
    assert plan(predictor(residual, 8).program)[1] == 48


def test_output_is_kept_where_operations_read_it() -> None:
    program = predictor([fm.Dense(4, "tanh"), fm.Dense(4, "relu")], 3).program
    first = program.ops[0].out
    places, _ = plan(dataclasses.replace(program, output=first))
    assert places[first] == Place("y", 0)
    assert [slot for slot, place in places.items() if place == places[first]] == [first]


def test_nothing_is_in_y_before_the_last_code_is_checked() -> None:
    x, looked_up, hidden, out = (Slot(index, "", 2) for index in range(4))
    dense = DenseOp(x, hidden, Tensor("w", (2, 2), 0), None)
    embedding = EmbeddingOp(x, looked_up, (), (0,), (Tensor("t", (3, 2), 16),))
    ops = (dense, embedding, AddOp(hidden, looked_up, out))
    program = InferenceProgram(
        dtype="float32", input=x, ops=ops, output=out, parameters=(), n_parameters=0
    )
    places, _ = plan(program)
    assert places[hidden].base == "scratch"
    assert plan(dataclasses.replace(program, ops=(embedding, dense, ops[2])))[0][out].base == "y"
