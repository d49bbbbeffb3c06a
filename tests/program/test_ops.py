"""Operations: what they declare is true, and every table has a row for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from layer_examples import LAYERS, X, frozen_forms, network

from fastmlp.data.rows import as_dtype
from fastmlp.inspection import explain_ops
from fastmlp.inspection.explain_ops import Traced, backward_steps, forward_step
from fastmlp.kernels.typing import Array
from fastmlp.program import ops
from fastmlp.program.operation import Operation, Slot, Tensor, Write
from fastmlp.runners.reference_ops import REFERENCE, forward
from fastmlp.runners.reference_pass import Pass

OPERATIONS = [
    value
    for value in vars(ops).values()
    if isinstance(value, type) and issubclass(value, Operation) and value is not Operation
]
every_operation = pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.__name__)


def runs(kind: type[Operation], training: bool = True) -> Iterator[tuple[Any, Pass]]:
    """Each operation of a kind in the networks of all layers, and a pass that has come to it."""
    for layer in LAYERS:
        model = network(layer, "numpy").build(X.shape[1])
        state = model.training_state.state
        for op in state.program.ops:
            if isinstance(op, kind):
                run = Pass(state, training, update_statistics=False)
                run.feed(as_dtype(X, "float64"))
                forward(state.program.ops, run)
                yield op, run
        for frozen in frozen_forms(layer) if not training else ():
            for op in frozen.program.ops:
                if isinstance(op, kind):
                    run = Pass(frozen._weights, training=False)
                    run.feed(as_dtype(X, "float64"))
                    forward(frozen.program.ops, run)
                    yield op, run


def gradients(op: Operation, run: Pass) -> list[Array]:
    """What the backward pass of an operation makes of a gradient of its output."""
    rng = np.random.default_rng(2)
    d_out = rng.normal(size=run.values[op.out].shape)
    run.state.gradients[:] = 0.0
    run.gradients = {op.out: d_out.copy()}
    run.gradients |= {slot: np.ones(run.values[slot].shape) for slot in op.inputs}
    REFERENCE[type(op)][1](op, run)
    of_inputs = [run.gradients[slot].copy() for slot, _ in op.writes]
    return [*of_inputs, run.state.gradients.copy()]


@every_operation
def test_a_layer_brings_it(kind: type[Operation]) -> None:
    assert next(runs(kind, training=False), None) or next(runs(kind), None)


@every_operation
def test_every_table_has_a_row(kind: type[Operation]) -> None:
    assert kind in REFERENCE
    assert kind.formula or kind in explain_ops.WORDS or not hasattr(kind, "d_x")


@every_operation
def test_every_table_of_the_compiled_runner_has_a_row(kind: type[Operation]) -> None:
    pytest.importorskip("numba")
    from fastmlp.runners.compiled.lowering_ops import LOWERINGS

    assert kind in LOWERINGS


@dataclass(frozen=True)
class ClampOp(Operation):
    """An operation that no table knows."""

    x: Slot
    out: Slot


def test_a_missing_row_is_named() -> None:
    op = ClampOp(Slot(0, "x", 2), Slot(1, "out", 2))
    model = network(LAYERS[0], "numpy").build(X.shape[1])
    run = Traced(model.training_state.state, training=True)
    with pytest.raises(TypeError, match=r"ClampOp has no row in REFERENCE in fastmlp/runners/\w+"):
        forward((op,), run)
    with pytest.raises(TypeError, match=r"ClampOp has no row in WORDS in fastmlp/inspection/\w+"):
        explain_ops._words(op)


def test_a_missing_row_of_the_compiled_runner_is_named() -> None:
    pytest.importorskip("numba")
    from fastmlp.runners.compiled.lowering_ops import lower_forward

    op: Any = ClampOp(Slot(0, "x", 2), Slot(1, "out", 2))
    lowering: Any = None
    with pytest.raises(TypeError, match=r"ClampOp has no row in LOWERINGS in fastmlp/runners/"):
        lower_forward((op,), lowering)


@every_operation
def test_formulas_name_all_that_is_computed(kind: type[Operation]) -> None:
    for op, run in runs(kind):
        traced = Traced(run.state, training=True)
        traced.values = run.values
        step = forward_step(op, traced)
        assert step.formula
        assert {"{", "}"}.isdisjoint(step.formula)
        if op.out not in run.gradients:
            traced.gradients[op.out] = np.ones(run.values[op.out].shape)
        steps = backward_steps(op, traced)
        named = {step.name for step in steps}
        trained = {f"d_{t.name}" for t in op.tensors if t in run.state.program.parameters}
        given = {f"d_{traced.name(slot)}" for slot, write in op.writes if write is not Write.NONE}
        assert trained | given == named
        break


@every_operation
def test_inputs_and_tensors_are_those_of_the_fields(kind: type[Operation]) -> None:
    for op, _ in [*runs(kind), *runs(kind, training=False)]:
        other = {slot: Slot(90 + i, "other", slot.width) for i, slot in enumerate(op.inputs)}
        moved = op.with_inputs(other)
        assert moved.inputs == tuple(other[slot] for slot in op.inputs)
        assert (moved.out, moved.tensors) == (op.out, op.tensors)
        assert op.out not in op.inputs
        tensors = {t.name: Tensor(t.name, t.shape, 1000 + t.start) for t in op.tensors}
        placed = op.with_tensors(tensors)
        assert [t.start for t in placed.tensors] == [1000 + t.start for t in op.tensors]
        assert (placed.inputs, placed.out) == (op.inputs, op.out)


@every_operation
def test_plans(kind: type[Operation]) -> None:
    for op, _ in runs(kind):
        claimed: list[Slot] = []

        def claim(slot: Slot, claimed: list[Slot] = claimed) -> Write:
            claimed.append(slot)
            return Write.ADD

        planned = op.with_plan(claim)
        assert planned.writes == tuple((slot, Write.ADD) for slot in claimed)
        assert claimed in ([], list(reversed(op.inputs)))
        plain = planned.without_plan()
        assert plain == op.without_plan()
        assert (plain.inputs, plain.out, plain.tensors) == (op.inputs, op.out, op.tensors)


@every_operation
def test_the_backward_pass_reads_what_it_declares(kind: type[Operation]) -> None:
    for op, run in runs(kind):
        expected = gradients(op, run)
        values = dict(run.values)
        if not op.backward_reads_input:
            values |= {slot: np.full_like(run.values[slot], np.nan) for slot in op.inputs}
        if not op.backward_reads_output:
            values[op.out] = np.full_like(run.values[op.out], np.nan)
        run.values = values
        for found, wanted in zip(gradients(op, run), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


@every_operation
def test_the_backward_pass_writes_as_planned(kind: type[Operation]) -> None:
    for op, run in runs(kind):
        before = np.random.default_rng(3).normal(size=(len(X), 1))
        added, written = [], []
        for write, results in ((Write.ADD, added), (Write.SET, written)):
            planned: Any = op.with_plan(lambda slot, write=write: write)  # type: ignore[misc]
            run.gradients = {op.out: np.ones(run.values[op.out].shape)}
            run.gradients |= {s: np.repeat(before, s.width, axis=1) for s in op.inputs}
            REFERENCE[kind][1](planned, run)
            results += [run.gradients[slot] for slot, _ in planned.writes]
        if len(set(op.inputs)) == len(op.inputs):
            for more, one in zip(added, written, strict=True):
                np.testing.assert_allclose(more, one + before, rtol=1e-12, atol=1e-12)


@every_operation
def test_what_is_saved_for_the_backward_pass_is_declared(kind: type[Operation]) -> None:
    for op, run in runs(kind):
        saved = run.saved_for_backward.get(op.out, {})
        for each in op.saved_for_backward:
            rows = saved[each.name].reshape(len(X), -1)
            assert rows.shape == (len(X), each.width)
            assert each.replaces is None or each.replaces in op.inputs


@every_operation
def test_what_works_in_training_alone_passes_its_input_on(kind: type[Operation]) -> None:
    for op, run in runs(kind, training=False):
        same = all(
            run.values[slot].shape == run.values[op.out].shape
            and np.array_equal(run.values[slot], run.values[op.out])
            for slot in op.inputs
        )
        assert not op.training_only or (len(op.inputs) == 1 and same)


@every_operation
def test_what_ignores_a_shift_does(kind: type[Operation]) -> None:
    for op, run in runs(kind):
        if op.ignores_shift:
            expected = run.values[op.out].copy()
            for slot in op.inputs:
                run.values[slot] = run.values[slot] + np.arange(1.0, 1 + slot.width)
            forward((op,), run)
            np.testing.assert_allclose(run.values[op.out], expected, rtol=1e-9, atol=1e-9)


@every_operation
def test_columns_are_copies_of_those_that_are_named(kind: type[Operation]) -> None:
    for op, run in [*runs(kind), *runs(kind, training=False)]:
        sources = op.column_sources
        if sources is None:
            continue
        assert len(sources) == op.out.width
        for column, source in enumerate(sources):
            if source is not None:
                slot, place = source
                assert slot in op.inputs
                copied = run.values[slot][:, place]
                np.testing.assert_array_equal(run.values[op.out][:, column], copied)


@every_operation
def test_codes_pick_rows_of_their_tables(kind: type[Operation]) -> None:
    for op, run in runs(kind):
        for slot, column, table in op.codes:
            values = run.values[slot]
            run.values[slot] = values.copy()
            run.values[slot][:, column] = 2.0
            forward((op,), run)
            row = run.weights.parameter(table)[2]
            assert all(row[0] in line for line in run.values[op.out])


@every_operation
def test_sparse_rows_give_what_dense_ones_do(kind: type[Operation]) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    from fastmlp.data.rows import SparseRows

    for op, run in runs(kind):
        if op.reads_sparse:
            expected = run.values[op.out].copy()
            rows = sparse.csr_array(run.values.pop(op.inputs[0]))
            parts = rows.data, rows.indices, rows.indptr.astype(np.int64)
            run.sparse[op.inputs[0]] = SparseRows(*parts, rows.shape)
            forward((op,), run)
            np.testing.assert_allclose(run.values[op.out], expected, rtol=1e-12, atol=1e-12)


def test_multiply_adds_are_those_of_the_weights() -> None:
    model = network(LAYERS[0], "numpy").build(X.shape[1])
    weights = [t.size for t in model.training_state.program.parameters if t.name.endswith("weight")]
    assert sum(op.multiply_adds for op in model.training_state.program.ops) == sum(weights)
