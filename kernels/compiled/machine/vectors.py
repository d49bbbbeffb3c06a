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

from .intrinsics import emit_prefetch

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
        self.bytes = self.lanes * self._bits // 8

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

    def address(self, base: Any, *steps: tuple[Any, Any]) -> Any:
        """An address plus products of two integers, in numbers."""
        for times, distance in steps:
            elements = self.builder.mul(_integer(times), _integer(distance))
            base = self.builder.add(base, self.builder.mul(elements, INT(self._bits // 8)))
        return base

    def parts(self, length: Any, size: Any) -> Any:
        """How many parts of a size a length has, the last of which may be shorter."""
        size = _integer(size)
        above = self.builder.sub(self.builder.add(length, size), INT(1))
        return self.builder.sdiv(above, size)

    def hidden(self, pointer: Any) -> Any:
        """The pointer, of which LLVM does not know that others lie at a fixed distance.

        It would make each from the one before, in a chain that takes longer than the arithmetic.
        """
        kind = ir.FunctionType(pointer.type, [pointer.type])
        return self.builder.asm(kind, "", "=r,0", [pointer], False)

    def at_most(self, number: Any, bound: Any) -> Any:
        """The lesser of two integers."""
        number, bound = _integer(number), _integer(bound)
        return self.builder.select(self.is_less(number, bound), number, bound)

    def is_less(self, left: Any, right: Any) -> Any:
        """Whether one integer is less than another."""
        return self.builder.icmp_signed("<", _integer(left), _integer(right))

    def zeros(self) -> Any:
        """A vector of zeros."""
        return ir.Constant(self.type, None)

    def first_lanes(self, count: Any, lanes: int | None = None) -> Any:
        """A mask of the lanes below `count`."""
        lanes = self.lanes if lanes is None else lanes
        numbers = ir.VectorType(_INT32, lanes)
        count = self._spread(self.builder.trunc(count, _INT32), numbers)
        return self.builder.icmp_signed(">", count, ir.Constant(numbers, list(range(lanes))))

    def number(self, bits: Any) -> Any:
        """A number of the dtype from the bits of a float64 in an integer."""
        number = self.builder.bitcast(bits, ir.DoubleType())
        is_double = self.element == ir.DoubleType()
        return number if is_double else self.builder.fptrunc(number, self.element)

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

    def load_first(self, pointer: Any, count: Any) -> Any:
        """Load a vector of which `count` lanes may be read, and something in place of others."""
        if MASKED:
            return self.load(pointer, self.first_lanes(count))
        whole = self.builder.icmp_signed(">=", count, INT(self.lanes))
        return self.when(
            whole,
            lambda: [self.load(pointer)],
            lambda: [self.load(pointer, self.first_lanes(count))],
        )[0]

    def ask(self, pointer: Any) -> None:
        """Ask for the cache line at a pointer."""
        emit_prefetch(self.builder, pointer)

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

        def step(i: Any, *others: Any) -> tuple[Any, list[Any]]:
            results, following = body(i, *others), self.builder.add(i, INT(1))
            return self.builder.icmp_signed("<", following, count), [following, *results]

        return self._repeated([INT(0), *values], step)[1:]

    def work_off(self, left: Any, values: list[Any], body: Callable[..., list[Any]]) -> list[Any]:
        """Emit ``while left > 0: left, *values = body(left, *values)`` for a `left` above 0."""

        def step(*before: Any) -> tuple[Any, list[Any]]:
            results = body(*before)
            return self.builder.icmp_signed(">", results[0], INT(0)), results

        return self._repeated([left, *values], step)[1:]

    def _repeated(self, values: list[Any], step: Callable[..., Any]) -> list[Any]:
        """Emit ``more, values = step(*values)``, again and again while there is more."""
        builder = self.builder
        before, block = builder.block, builder.append_basic_block("loop")
        after = builder.append_basic_block("after")
        builder.branch(block)
        builder.position_at_end(block)
        phis = [builder.phi(value.type) for value in values]
        more, results = step(*phis)
        last = builder.block
        for phi, first, next_one in zip(phis, values, results, strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(next_one, last)
        builder.cbranch(more, block, after)
        builder.position_at_end(after)
        return list(results)

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


def constants_at(builder: Any, variant: Any, value: float, vectors: int) -> Any:
    """The address of so many registers' worth of one number."""
    code = Code(builder, variant, vectors * lanes_of(variant))
    numbers = ir.Constant(code.type, [value] * code.lanes)
    return builder.ptrtoint(cgutils.global_constant(builder, "constants", numbers), INT)


def constants(value: float, vectors: int) -> Any:
    """An intrinsic ``f(variant)``: the address of so many registers' worth of one number."""

    @intrinsic
    def address(typing_context: Any, variant: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return constants_at(builder, variant, value, vectors)

        return types.int64(variant), codegen

    return address


def stack_at(builder: Any, variant: Any, vectors: int) -> Any:
    """The address, on the stack, of room for so many registers."""
    place = cgutils.alloca_once(builder, Code(builder, variant).type, size=vectors)
    place.align = _BYTES
    return builder.ptrtoint(place, INT)


def stack(vectors: int) -> Any:
    """An intrinsic ``f(variant)``: the address, on the stack, of room for so many registers."""

    @intrinsic
    def address(typing_context: Any, variant: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return stack_at(builder, variant, vectors)

        return types.int64(variant), codegen

    return address
