"""What a matrix product is given, read from memory."""

from __future__ import annotations

from typing import Any, NamedTuple

from .vectors import INT, Code, constants_at


class Given(NamedTuple):
    """The arguments of a product."""

    m: Any
    n: Any
    k: Any
    a: Any
    a_row: Any
    a_column: Any
    b: Any
    ld_b: Any
    transposed: Any
    start: Any
    ld_start: Any
    c: Any
    ld_c: Any
    factor: Any

    @classmethod
    def at(cls, builder: Any, address: Any) -> Given:
        numbers = builder.inttoptr(address, INT.as_pointer())
        places = (builder.gep(numbers, [INT(place)]) for place in range(len(cls._fields)))
        return cls(*[builder.load(place) for place in places])


class Operands:
    """A product's operands, and what of them is read where some of the terms are added."""

    def __init__(self, builder: Any, variant: Any, address: Any, first: Any) -> None:
        self.builder, self.variant = builder, variant
        self.code = code = Code(builder, variant)
        self.given = given = Given.at(builder, address)
        self.turned = builder.icmp_signed("!=", given.transposed, INT(0))
        self.b_row = builder.select(self.turned, INT(1), given.ld_b)
        self.b_column = builder.select(self.turned, given.ld_b, INT(1))
        self.b = code.address(given.b, (self.b_row, first))
        # Later terms are added to what the first ones have left in C.
        later = code.is_less(0, first)
        absent = builder.icmp_signed("==", given.start, INT(0))
        zeros = constants_at(builder, variant, 0.0, 4)
        self.start, self.ld_start, self.start_column = (
            builder.select(later, in_c, builder.select(absent, in_zeros, in_start))
            for in_c, in_zeros, in_start in (
                (given.c, zeros, given.start),
                (given.ld_c, INT(0), given.ld_start),
                (INT(1), INT(0), INT(1)),
            )
        )
