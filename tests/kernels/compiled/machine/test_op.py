"""Ops: bodies that name what they are told, and calls that name what they give."""

from __future__ import annotations

import ctypes
import inspect
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import numba

from fastmlp.kernels.compiled.machine.arguments import (
    SCALARS,
    Address,
    Doubles,
    Integers,
    Number,
    Pointer,
    ShortIntegers,
    SourcePointer,
)
from fastmlp.kernels.compiled.machine.call import call
from fastmlp.kernels.compiled.machine.intrinsics import is_given, is_same
from fastmlp.kernels.compiled.machine.op import BATCH, OPS, ROWS, START, STEP, CompiledOp
from fastmlp.kernels.compiled.ops.rows import copy_columns, store_rows
from fastmlp.runners.compiled.tasks import instruction

BOTH = pytest.mark.parametrize("dtype", ["float32", "float64"])


def tell(
    variant,
    *,
    step=STEP,
    out: Doubles,
    pointer: Pointer,
    rate: float,
    source: SourcePointer,
    integers: Integers,
    short: ShortIntegers,
    address: Address,
    size: int,
    flag: bool,
    number: Number,
    rows=ROWS,
    scalars=SCALARS,
    batch=BATCH,
    start=START,
):
    out[0] = pointer[1]
    out[1] = source[1]
    out[2] = integers[1]
    out[3] = short[1]
    out[4] = float(address)
    out[5] = float(size)
    out[6] = 1.0 if flag else 0.0
    out[7] = rate
    out[8] = number
    out[9] = float(1000 * rows + 100 * start + 10 * batch + step)
    out[10] = scalars[1]
    # Parameters are variables like any other.
    size, rows = size * rows, 1
    out[11] = float(size + rows)


@BOTH
def test_a_body_is_told_each_number_by_its_name(dtype: str) -> None:
    op = CompiledOp(tell, members=("uint8",))
    out, given = np.zeros(12), {"pointer": np.array([1, 2.5], dtype)}
    given |= {"source": np.array([3, 200], np.uint8), "integers": np.array([4, -(2**40)])}
    given["short"] = np.array([5, -6], np.int32)
    numbers = {name: array.ctypes.data for name, array in {"out": out, **given}.items()}
    numbers |= {"address": 7, "size": 8, "flag": True, "rate": 0.1, "number": 0.1}
    args = np.array([numbers[name] for name in op.args], np.int64)
    attributes = np.array([numbers[name] for name in op.attributes])
    counters, scalars = np.array([1, 2, 3, 4]), np.array([0.5, 0.75])
    places = [a.ctypes.data for a in (args, attributes, counters, scalars)]
    prototype = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * 4)
    prototype(op.address(dtype, "uint8"))(0, *places)
    told = [2.5, 200.0, -(2.0**40), -6.0, 7.0, 8.0, 1.0, 0.1, float(np.dtype(dtype).type(0.1))]
    assert out.tolist() == [*told, 1234.0, 0.75, 9.0]


def test_the_order_of_numbers_is_that_of_the_signature() -> None:
    op = CompiledOp(tell)
    names = [name for name in inspect.signature(tell).parameters if name in op.names]
    assert [name for name in names if name in op.args] == list(op.args)
    assert op.attributes == ("rate", "number")
    assert op.names.isdisjoint({"variant", "rows", "start", "batch", "step", "scalars"})


def compare(variant, *, out: Doubles, x: Pointer, y: Pointer):
    out[0] = 1.0 if is_given(y) else 0.0
    out[1] = 1.0 if is_same(x, y) else 0.0


@pytest.mark.parametrize(("y", "told"), [("x", [1.0, 1.0]), ("z", [1.0, 0.0]), (None, [0.0, 0.0])])
def test_a_body_can_tell_where_pointers_lead(y: str | None, told: list[float]) -> None:
    arrays = {"x": np.zeros(1), "z": np.zeros(1)}
    out = np.full(2, np.nan)
    op: CompiledOp[...] = CompiledOp(compare)
    call(op, out.dtype, out=out, x=arrays["x"], y=None if y is None else arrays[y])
    assert out.tolist() == told


def unannotated(variant, *, x): ...


def of_no_kind(variant, *, x: str): ...


def without_variant(x: int): ...


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (unannotated, "unannotated does not say what its parameter 'x' is"),
        (of_no_kind, "of_no_kind does not say what its parameter 'x' is"),
        (without_variant, "the first parameter of without_variant must be 'variant'"),
    ],
)
def test_a_body_that_does_not_say_what_it_takes_is_refused(body: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        assert CompiledOp(body).args


ARGUMENTS = {"x": 1, "ld_x": 2, "out": 3, "ld": 4, "columns": 5, "accumulate": True}


def test_an_instruction_has_the_numbers_in_order() -> None:
    made = instruction(copy_columns, **dict(reversed(ARGUMENTS.items())))
    assert made.op is copy_columns
    assert made.args == [1, 2, 3, 4, 5, 1]
    assert made.attributes == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"columns": None}, "'columns' is missing"),
        ({"colums": 5}, "there is no 'colums'"),
        ({"rows": 5}, "there is no 'rows'"),
        ({"x": None, "y": 1}, "'x' is missing, there is no 'y'"),
    ],
)
def test_an_instruction_with_other_arguments_is_refused(
    change: dict[str, int | None], words: str
) -> None:
    given = {name: n for name, n in {**ARGUMENTS, **change}.items() if n is not None}
    with pytest.raises(TypeError, match=rf"<op copy_columns\(x, .*\)>: {words}$"):
        instruction(copy_columns, **given)


def optional(variant, *, out: Doubles, x: int = 3, rate: float = 0.5):
    out[0] = x + rate


def test_what_has_a_default_may_be_left_out() -> None:
    op: CompiledOp[...] = CompiledOp(optional)
    assert instruction(op, out=1).args == [1, 3]
    assert instruction(op, out=1, rate=2.0).attributes == [2.0]
    out = np.zeros(1)
    call(op, out.dtype, out=out, x=4)
    assert out[0] == 4.5
    with pytest.raises(TypeError, match="'out' is missing"):
        instruction(op, x=4)


def test_a_call_takes_row_lengths_from_arrays() -> None:
    """Of the array before them in the signature, unless they are given."""
    x, out = np.arange(6.0).reshape(2, 3), np.zeros((2, 4))
    call(copy_columns, x.dtype, 2, x=x, out=out, columns=3, accumulate=False)
    np.testing.assert_array_equal(out, [[0, 1, 2, 0], [3, 4, 5, 0]])
    call(copy_columns, x.dtype, 1, x=x, ld_x=2, out=out[1:], columns=3, accumulate=True)
    np.testing.assert_array_equal(out[1], [3, 5, 7, 0])
    with pytest.raises(TypeError, match="'ld' is missing, 'out' is missing"):
        call(copy_columns, x.dtype, 2, x=x, columns=3, accumulate=False)


def test_all_ops_are_known_by_name() -> None:
    assert OPS["store_rows"] is store_rows
    assert all(op.name == name for name, op in OPS.items())


def traced(variant, *, rows=ROWS, out: Doubles):
    total = 0.0
    for i in range(rows):
        total += i
    out[0] = total


def test_the_compiler_tells_the_lines_of_a_body(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """As what measures the coverage of compiled code asks it to."""
    seen = set()

    class Listener:
        def notify(self, loc: Any) -> None:
            seen.add((loc.filename, loc.line))

        def close(self) -> None: ...

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("numba.core.lowering.get_registered_loc_notify", lambda: [Listener()])
    CompiledOp(traced).address("float64")
    lines, first = inspect.getsourcelines(traced)
    file = inspect.getsourcefile(traced)
    assert {(file, first + n) for n in range(1, len(lines))} <= seen
