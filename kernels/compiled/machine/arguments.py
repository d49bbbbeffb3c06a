"""How the body of an op comes by its arguments: by name, from the numbers of an instruction.

A body is a function of keyword arguments: annotations say what each number of the instruction is
for it, defaults which numbers of the running step it is told. A pass of the compiler puts the code
that unpacks them at the head of the body, in the place of its parameters. So what is compiled is
one function of the common signature, as if it had been written so by hand.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from numba import types
from numba.core import ir
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.ir_utils import build_definitions
from numba.core.untyped_passes import TranslateByteCode
from numba.extending import intrinsic

VARIANT, ARGS, ATTRIBUTES, COUNTERS, SCALARS = PARAMETERS = (
    *("variant", "args", "attributes", "counters", "scalars"),
)
"""The parameters of the common signature."""


class Kind:
    """What a number is for a body.

    Parameters
    ----------
    place : str
        The parameter of the common signature that it comes from.
    type_of : callable
        Its type, from the variant: a number's, or a pointer's where the number is an address.
    """

    def __init__(self, place: str, type_of: Callable[[Any], Any]) -> None:
        self.place = place

        @intrinsic
        def unpack(typing_context: Any, variant: Any, numbers: Any, index: Any) -> Any:
            kind = type_of(variant)

            def codegen(context: Any, builder: Any, signature: Any, given: Any) -> Any:
                number = builder.load(builder.gep(given[1], [given[2]]))
                if isinstance(kind, types.CPointer):
                    return builder.inttoptr(number, context.get_value_type(kind))
                return context.cast(builder, number, numbers.dtype, kind)

            return kind(variant, numbers, types.int64), codegen

        self.unpack = unpack


if TYPE_CHECKING:
    # Who makes an instruction has addresses, where the body has pointers.
    Address: TypeAlias = int
    Pointer: TypeAlias = Any
    SourcePointer: TypeAlias = Any
    Integers: TypeAlias = Any
    ShortIntegers: TypeAlias = Any
    Doubles: TypeAlias = Any
    Number: TypeAlias = Any
else:
    Address = Kind(ARGS, lambda variant: types.int64)
    Pointer = Kind(ARGS, lambda variant: types.CPointer(variant.dtype))
    SourcePointer = Kind(ARGS, lambda variant: types.CPointer(getattr(types, variant.function)))
    Integers = Kind(ARGS, lambda variant: types.CPointer(types.int64))
    ShortIntegers = Kind(ARGS, lambda variant: types.CPointer(types.int32))
    Doubles = Kind(ARGS, lambda variant: types.CPointer(types.float64))
    Number = Kind(ATTRIBUTES, lambda variant: variant.dtype)

_PLAIN = {int: Address, bool: Address, float: Kind(ATTRIBUTES, lambda variant: types.float64)}
_COUNTER = Kind(COUNTERS, lambda variant: types.int64)


class Arguments(NamedTuple):
    """What a body is told, by name.

    Attributes
    ----------
    args, attributes : mapping from str to Kind
        Numbers of the instruction, in their order.
    step : mapping from str to int or str
        Of the running step: the number of a counter, or `SCALARS` for the pointer to all scalars.
    defaults : mapping from str to number
        Of what an instruction may leave out.
    """

    args: Mapping[str, Kind]
    attributes: Mapping[str, Kind]
    step: Mapping[str, int | str]
    defaults: Mapping[str, float]

    @classmethod
    def of(cls, body: Callable[..., None]) -> Arguments:
        """Read the signature of a body.

        Raises
        ------
        TypeError
            The first parameter is not `variant`, or it is not said what another one is.
        """
        variant, *others = inspect.signature(body, eval_str=True).parameters.values()
        if variant.name != VARIANT:
            raise TypeError(f"the first parameter of {body.__name__} must be {VARIANT!r}")
        found: dict[str, dict[str, Any]] = {ARGS: {}, ATTRIBUTES: {}, COUNTERS: {}}
        defaults: dict[str, float] = {}
        for parameter in others:
            name, annotation, default = parameter.name, parameter.annotation, parameter.default
            kind = _PLAIN.get(annotation, annotation)
            if isinstance(kind, Kind):
                found[kind.place][name] = kind
                if default is not parameter.empty:
                    defaults[name] = default
            elif annotation is parameter.empty and default is not parameter.empty:
                found[COUNTERS][name] = default
            else:
                raise TypeError(f"{body.__name__} does not say what its parameter {name!r} is")
        return cls(found[ARGS], found[ATTRIBUTES], found[COUNTERS], defaults)


@register_pass(mutates_CFG=False, analysis_only=False)
class _Unpack(FunctionPass):  # type: ignore[misc]
    """Gives a body the parameters of the common signature, and its own their values from them."""

    _name = "fastmlp_unpack_arguments"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        func_ir, arguments = state.func_ir, state.pipeline.arguments
        block = func_ir.blocks[min(func_ir.blocks)]
        head = _Head(block)
        for place in (ARGS, ATTRIBUTES):
            for index, (name, kind) in enumerate(getattr(arguments, place).items()):
                head.unpack(name, kind, index)
        for name, index in arguments.step.items():
            if index == SCALARS:
                head.own[name] = head.given[SCALARS]
            else:
                head.unpack(name, _COUNTER, index)
        block.body = [*head.statements, *map(head.in_place_of_parameter, block.body)]
        func_ir.arg_count, func_ir.arg_names = len(PARAMETERS), list(PARAMETERS)
        func_ir._definitions = build_definitions(func_ir.blocks)
        return True


class _Head:
    """Statements that come before all others of a body.

    Attributes
    ----------
    statements : list
    given, own : dict
        Variables that hold the parameters of the common signature, and those of the body.
    """

    def __init__(self, block: Any) -> None:
        self._scope, self._loc = block.scope, block.loc
        self._functions: dict[Kind, Any] = {}
        self.statements: list[Any] = []
        self.given = {
            name: self._assign(ir.Arg(name, index, self._loc))
            for index, name in enumerate(PARAMETERS)
        }
        self.own = {VARIANT: self.given[VARIANT]}

    def _assign(self, value: Any) -> Any:
        target = self._scope.define(f"$head.{len(self.statements)}", self._loc)
        self.statements.append(ir.Assign(value, target, self._loc))
        return target

    def unpack(self, name: str, kind: Kind, index: int) -> None:
        """Make a number of a given array a parameter of the body."""
        if kind not in self._functions:
            self._functions[kind] = self._assign(ir.Global("unpack", kind.unpack, self._loc))
        numbers = [self.given[VARIANT], self.given[kind.place]]
        place = self._assign(ir.Const(index, self._loc))
        call = ir.Expr.call(self._functions[kind], [*numbers, place], (), self._loc)
        self.own[name] = self._assign(call)

    def in_place_of_parameter(self, statement: Any) -> Any:
        """The statement, with a value of ours where it takes one of the body's parameters."""
        if isinstance(statement, ir.Assign) and isinstance(statement.value, ir.Arg):
            return ir.Assign(self.own[statement.value.name], statement.target, statement.loc)
        return statement


def unpacking(arguments: Arguments) -> type:
    """The compiler of bodies that take these arguments."""

    class Unpacking(CompilerBase):  # type: ignore[misc]
        def define_pipelines(self) -> list[Any]:
            self.arguments = arguments
            pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
            pipeline.add_pass_after(_Unpack, TranslateByteCode)
            pipeline.finalize()
            return [pipeline]

    return Unpacking
