"""Code on vector registers, emitted as LLVM's instructions: what this machine has, and how.

Numba has no vectors, and what LLVM makes of loops over scalars reaches a fifth of the speed of the
multipliers in a matrix product. Sizes and distances are counted in elements; memory is given by
address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils, config
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

INT = ir.IntType(64)
_INT32 = ir.IntType(32)

_given = config.CPU_FEATURES
_FEATURES = frozenset((get_host_cpu_features() if _given is None else _given).split(","))
_BYTES = 64 if "+avx512f" in _FEATURES else 32 if "+avx" in _FEATURES else 16
_IS_ARM = binding.get_process_triple().startswith(("aarch64", "arm64"))

REGISTERS = 32 if _IS_ARM or "+avx512f" in _FEATURES else 16
"""How many vector registers there are."""

MASKED = "+avx" in _FEATURES
"""Whether part of a register can be loaded and stored at the cost of a whole one."""


def lanes_of(variant: Any) -> int:
    """How many numbers of the variant's dtype a register holds."""
    return int(_BYTES * 8 // variant.dtype.bitwidth)


class Code:
    """Emits instructions on vectors of `lanes` numbers; a vector of one is a plain number."""

    def __init__(self, builder: Any, variant: Any, lanes: int | None = None) -> None:
        self.builder = builder
        self.lanes = lanes_of(variant) if lanes is None else lanes
        self.element = ir.FloatType() if variant.dtype == types.float32 else ir.DoubleType()
        self.type = self._vector(self.lanes)
        self._bits = int(variant.dtype.bitwidth)

    def _vector(self, lanes: int) -> Any:
        return self.element if lanes == 1 else ir.VectorType(self.element, lanes)

    def pointer(self, address: Any, *steps: tuple[Any, Any]) -> Any:
        """Pointer to numbers at an address plus products of two integers."""
        pointer = self.builder.inttoptr(address, self.element.as_pointer())
        for times, distance in steps:
            pointer = self.moved(pointer, self.builder.mul(_integer(times), _integer(distance)))
        return pointer

    def moved(self, pointer: Any, distance: Any) -> Any:
        """The pointer `distance` numbers further on."""
        return self.builder.gep(pointer, [_integer(distance)])

    def hidden(self, pointer: Any) -> Any:
        """The pointer, of which LLVM does not know that others lie at a fixed distance.

        It would make each from the one before, in a chain that takes longer than the arithmetic.
        """
        kind = ir.FunctionType(pointer.type, [pointer.type])
        return self.builder.asm(kind, "", "=r,0", [pointer], False)

    def at_most(self, number: int, bound: Any) -> Any:
        """The lesser of two integers."""
        within = self.builder.icmp_signed("<", INT(number), bound)
        return self.builder.select(within, INT(number), bound)

    def zeros(self) -> Any:
        """A vector of zeros."""
        return ir.Constant(self.type, None)

    def first_lanes(self, count: Any, lanes: int | None = None) -> Any:
        """A mask of the lanes below `count`."""
        lanes = self.lanes if lanes is None else lanes
        numbers = ir.VectorType(_INT32, lanes)
        count = self._spread(self.builder.trunc(count, _INT32), numbers)
        return self.builder.icmp_signed(">", count, ir.Constant(numbers, list(range(lanes))))

    def spread(self, number: Any) -> Any:
        """A vector whose lanes all hold `number`."""
        return number if self.lanes == 1 else self._spread(number, self.type)

    def _spread(self, value: Any, kind: Any) -> Any:
        first = self.builder.insert_element(ir.Constant(kind, ir.Undefined), value, _INT32(0))
        return self.shuffle(first, first, [0] * kind.count)

    def shuffle(self, left: Any, right: Any, lanes: list[int]) -> Any:
        """Those lanes of two vectors, or one lane of the first as a plain number."""
        if len(lanes) == 1:
            return self.builder.extract_element(left, _INT32(lanes[0]))
        order = ir.Constant(ir.VectorType(_INT32, len(lanes)), lanes)
        return self.builder.shuffle_vector(left, right, order)

    def load(self, pointer: Any, mask: Any = None, lanes: int | None = None) -> Any:
        """Load a vector, or the lanes of a mask and zeros in place of the others."""
        kind = self.type if lanes is None else self._vector(lanes)
        pointer = self.builder.bitcast(pointer, kind.as_pointer())
        if mask is None:
            return self.builder.load(pointer, align=self._bits // 8)
        values = [pointer, _INT32(self._bits // 8), mask, ir.Constant(kind, None)]
        return self._call("masked.load", kind, kind, values)

    def store(self, value: Any, pointer: Any, mask: Any = None) -> None:
        """Store a vector, or the lanes of a mask."""
        pointer = self.builder.bitcast(pointer, value.type.as_pointer())
        if mask is None:
            self.builder.store(value, pointer, align=self._bits // 8)
        else:
            values = [value, pointer, _INT32(self._bits // 8), mask]
            self._call("masked.store", value.type, ir.VoidType(), values)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """``a * b + c``, rounded once where the machine can."""
        return self._call("fmuladd", a.type, a.type, [a, b, c])

    def _call(self, name: str, kind: Any, result: Any, values: list[Any]) -> Any:
        vector = f"v{kind.count}" if isinstance(kind, ir.VectorType) else ""
        memory = ".p0" if name.startswith("masked") else ""
        name = f"llvm.{name}.{vector}f{self._bits}{memory}"
        module = self.builder.module
        function = module.globals.get(name)
        if function is None:
            function_type = ir.FunctionType(result, [value.type for value in values])
            function = ir.Function(module, function_type, name)
        return self.builder.call(function, values)

    def loop(self, count: Any, values: list[Any], body: Callable[..., list[Any]]) -> list[Any]:
        """Emit ``for i in range(count): values = body(i, *values)`` for a count of at least 1."""
        builder = self.builder
        before, block = builder.block, builder.append_basic_block("loop")
        after = builder.append_basic_block("after")
        builder.branch(block)
        builder.position_at_end(block)
        phis = [builder.phi(value.type) for value in (INT(0), *values)]
        results = body(*phis)
        i = builder.add(phis[0], INT(1))
        last = builder.block
        for phi, first, next_one in zip(phis, (INT(0), *values), (i, *results), strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(next_one, last)
        builder.cbranch(builder.icmp_signed("<", i, count), block, after)
        builder.position_at_end(after)
        return results

    def when(
        self,
        condition: Any,
        then: Callable[[], list[Any]],
        otherwise: Callable[[], list[Any]],
    ) -> list[Any]:
        """Emit ``values = then() if condition else otherwise()``."""
        with self.builder.if_else(condition) as (first, second):
            with first:
                left, left_block = then(), self.builder.block
            with second:
                right, right_block = otherwise(), self.builder.block
        phis = []
        for yes, no in zip(left, right, strict=True):
            phi = self.builder.phi(yes.type)
            phi.add_incoming(yes, left_block)
            phi.add_incoming(no, right_block)
            phis.append(phi)
        return phis


def _integer(value: Any) -> Any:
    return INT(value) if isinstance(value, int) else value


Emitter = Callable[..., None]
"""What emits a function's body: it is given a builder, the variant and the arguments."""


def call_emitted(builder: Any, variant: Any, name: str, emit: Emitter, arguments: Any) -> None:
    """Call a function of integers, which `emit` writes into the module where it is not yet."""
    function = builder.module.globals.get(name)
    if function is None:
        kind = ir.FunctionType(ir.VoidType(), [INT] * len(arguments))
        function = ir.Function(builder.module, kind, name)
        function.linkage = "internal"
        # Without `optsize` LLVM unrolls these loops: no faster, and twice the time to compile.
        for attribute in ("noinline", "nounwind", "optsize"):
            function.attributes.add(attribute)
        body = ir.IRBuilder(function.append_basic_block("entry"))
        emit(body, variant, *function.args)
        body.ret_void()
    builder.call(function, arguments)


def call_case(
    builder: Any, variant: Any, key: Any, cases: Mapping[int, tuple[str, Emitter]], arguments: Any
) -> None:
    """Call the function, by `call_emitted`, whose case is `key`."""
    end, nowhere = builder.append_basic_block("end"), builder.append_basic_block("nowhere")
    switch = builder.switch(key, nowhere)
    for case, (name, emit) in cases.items():
        block = builder.append_basic_block("case")
        switch.add_case(INT(case), block)
        builder.position_at_end(block)
        call_emitted(builder, variant, name, emit, arguments)
        builder.branch(end)
    builder.position_at_end(nowhere)
    builder.unreachable()
    builder.position_at_end(end)


@intrinsic
def lanes(typing_context: Any, variant: Any) -> Any:
    """How many numbers a vector register holds."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return INT(lanes_of(variant))

    return types.int64(variant), codegen


@intrinsic
def itemsize(typing_context: Any, variant: Any) -> Any:
    """Bytes of a number."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return INT(variant.dtype.bitwidth // 8)

    return types.int64(variant), codegen


def constants(value: float, vectors: int) -> Any:
    """An intrinsic ``f(variant)``: the address of so many registers' worth of one number."""

    @intrinsic
    def address(typing_context: Any, variant: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            code = Code(builder, variant, vectors * lanes_of(variant))
            numbers = ir.Constant(code.type, [value] * code.lanes)
            place = cgutils.global_constant(builder, "constants", numbers)
            return builder.ptrtoint(place, INT)

        return types.int64(variant), codegen

    return address


def stack(vectors: int) -> Any:
    """An intrinsic ``f(variant)``: the address, on the stack, of room for so many registers."""

    @intrinsic
    def address(typing_context: Any, variant: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place = cgutils.alloca_once(builder, Code(builder, variant).type, size=vectors)
            place.align = _BYTES
            return builder.ptrtoint(place, INT)

        return types.int64(variant), codegen

    return address
