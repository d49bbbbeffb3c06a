# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Registered functions, compiled: numbers in them take the type of the arguments.

In Numba a constant such as 0.5 is a float64 and widens all arithmetic with it; an integer does
too. A pass of the compiler gives constants the type of the first argument before types are
inferred, so that a function of one's own is as narrow, and vectorizes as well, as the kernels.
"""

from __future__ import annotations

import operator
from types import CellType, FunctionType
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core import ir
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.untyped_passes import IRProcessing

from ...custom import STEP, Custom
from ...reference import math
from .intrinsics import like
from .options import INLINED, device


@register_pass(mutates_CFG=False, analysis_only=False)
class _NumbersLikeArguments(FunctionPass):  # type: ignore[misc]
    _name = "fastmlp_numbers_like_arguments"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        if not state.args or state.args[0] not in (types.float32, types.float64):
            return False
        number = np.float32 if state.args[0] == types.float32 else np.float64
        kept = _kept(state.func_ir)
        changed = False
        for block in state.func_ir.blocks.values():
            for assignment in block.find_insts(ir.Assign):
                value = assignment.value
                if not isinstance(value, ir.Const | ir.Global | ir.FreeVar):
                    continue
                is_number = type(value.value) in (float, int, np.float64, np.int64)
                if is_number and assignment.target.name not in kept:
                    assignment.value = ir.Const(number(value.value), value.loc)
                    changed = True
        return changed


def _kept(func_ir: Any) -> set[str]:
    """Variables of numbers that must stay what they are: integer exponents, bounds of range."""
    kept = set()
    for block in func_ir.blocks.values():
        for expression in block.find_exprs():
            if expression.op in ("binop", "inplace_binop") and expression.fn in (
                operator.pow,
                operator.ipow,
            ):
                if type(_constant(func_ir, expression.rhs)) is int:
                    kept.add(expression.rhs.name)
            elif expression.op == "call":
                if _constant(func_ir, expression.func) is range:
                    kept.update(argument.name for argument in expression.args)
            elif expression.op == "getitem":
                kept.add(expression.index.name)
    return kept


def _constant(func_ir: Any, variable: Any) -> Any:
    """The value of a variable that is a constant or a global; None of any other."""
    try:
        definition = func_ir.get_definition(variable)
    except KeyError:
        return None
    return definition.value if isinstance(definition, ir.Const | ir.Global | ir.FreeVar) else None


class _Compiler(CompilerBase):  # type: ignore[misc]
    def define_pipelines(self) -> list[Any]:
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.add_pass_after(_NumbersLikeArguments, IRProcessing)
        pipeline.finalize()
        return [pipeline]


def _compiled(function: Any, above: tuple[Any, ...] = ()) -> Any:
    """A function with those that it calls, which Numba would not compile by itself."""
    function = getattr(function, "py_func", function)
    above = (*above, function)

    def callee(value: Any) -> Any:
        is_ours = isinstance(value, FunctionType) and value.__module__ != math.__name__
        return _compiled(value, above) if is_ours and value not in above else value

    code = function.__code__
    names = function.__globals__.keys() & {*code.co_names}
    called = {name: callee(function.__globals__[name]) for name in names}
    cells = [CellType(callee(cell.cell_contents)) for cell in function.__closure__ or ()]
    copy = FunctionType(
        code,
        {**function.__globals__, **called},
        function.__name__,
        function.__defaults__,
        tuple(cells) or None,
    )
    return numba.njit(pipeline_class=_Compiler, **INLINED)(copy)


def _value(function: Any, arity: int) -> Any:
    # Numba knows some functions that are not written in Python, such as abs.
    compiled = _compiled(function) if hasattr(function, "__code__") else function
    if arity == 1:
        return device(lambda x: like(x, compiled(x)))
    return device(lambda x, y: like(x, compiled(x, y)))


def _slope(custom: Custom, arity: int) -> Any:
    if custom.derivative is not None:
        return _value(custom.derivative, arity)
    forward = _value(custom.forward, arity)

    # In double precision, whatever the network's: the difference of neighbors has few digits.
    @device
    def step(x):
        return STEP * max(1.0, abs(np.float64(x)))

    if arity == 1:

        @device
        def of_one(x):
            above, below = np.float64(x) + step(x), np.float64(x) - step(x)
            return like(x, (forward(above) - forward(below)) / (above - below))

        return of_one

    @device
    def of_two(x, y):
        above, below, other = np.float64(x) + step(x), np.float64(x) - step(x), np.float64(y)
        return like(x, (forward(above, other) - forward(below, other)) / (above - below))

    return of_two


def activation_functions(custom: Custom) -> tuple[Any, Any]:
    """Compiled ``forward(z, parameter)`` and ``backward(d, z, out, parameter)``."""
    value = _value(custom.forward, 1)
    forward = device(lambda z, parameter: value(z))
    if custom.of_output:
        by_output = _value(custom.derivative, 2)
        return forward, device(lambda d, z, out, parameter: d * by_output(z, out))
    slope = _slope(custom, 1)
    return forward, device(lambda d, z, out, parameter: d * slope(z))


def loss_functions(custom: Custom) -> tuple[Any, Any]:
    """Compiled ``value(prediction, y, parameter)`` and its derivative by the prediction."""
    value, slope = _value(custom.forward, 2), _slope(custom, 2)
    return (
        device(lambda prediction, y, parameter: value(prediction, y)),
        device(lambda prediction, y, parameter: slope(prediction, y)),
    )
