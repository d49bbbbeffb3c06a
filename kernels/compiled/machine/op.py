"""Ops: compiled callbacks of one common signature, reached by address.

A program in compiled form is a table of instructions; each holds the address of an op and its
arguments as numbers. Whatever runs the table has no kernel linked into it, and only the ops that
a program names are ever compiled or loaded.

An op reads as the formula that it is::

    @op()
    def scale_columns(
        variant, *, rows=ROWS, x: Pointer, scale: Pointer, out: Pointer, ld: int, columns: int
    ):
        for i in range(rows):
            for j in range(columns):
                out[i * ld + j] = x[i * ld + j] * scale[j]

* `variant` is the compile-time `Variant`: the dtype, and the member of a family of kernels.
* What has an annotation is an argument of the instruction. An address becomes a `Pointer` to
  numbers of the variant's dtype, or one to int64, int32 or float64 (`Integers`, `ShortIntegers`,
  `Doubles`) or to the dtype that the variant's function names (`SourcePointer`). An `Address` stays
  a number, as int and bool do. A float stays a float64; a `Number` is cast to the variant's dtype.
  What has a default may be left out.
* What has none is a counter of the running step, named by its default: `ROWS`, `START`, `BATCH` or
  `STEP`. `SCALARS` are all its scalars, numbered below.

An op allocates nothing. Constants are float64 and would widen the arithmetic of float32, so `cast`
and `like` make them what they stand beside. What is compiled has the common signature
``op(variant, args, attributes, counters, scalars)``, from which `arguments.py` takes what is named:

* ``args``: int64 arguments of the instruction: addresses, row lengths, sizes;
* ``attributes``: its float64 arguments: rates, slopes;
* ``counters``: int64 values of the running step, private to a worker;
* ``scalars``: float64 values of the running step, shared between workers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Set
from functools import cached_property
from typing import Any, Concatenate, Generic, ParamSpec

from numba import types
from numba.core.ccallback import CFunc
from numba.core.errors import NumbaError

from .arguments import Arguments, unpacking
from .cache import compile_callback
from .intrinsics import Variant
from .options import OP_OPTIONS, REDUCTION_OPTIONS

# counters
ROWS = 0  # rows of the batch at hand
START = 1  # place of the batch's first row in the order of the epoch
BATCH = 2  # number of the batch within the epoch
STEP = 3  # updates done before this one, since the model was built
N_COUNTERS = 4

# scalars; those of a program's own follow
WEIGHT_SUM = 0  # sum of the batch's sample weights, its rows where there are none
LOSS_SUM = 1  # sum over the epoch's batches of rows * loss
ROWS_SUM = 2  # rows of the epoch that were trained on
CORRECT_SUM = 3  # correct predictions of the epoch
LAST_LOSS = 4  # loss of the latest batch
LAST_PENALTY = 5  # penalties in it
PENALTY_SUM = 6  # sum over the epoch's batches of rows * penalties
N_SCALARS = 8

P = ParamSpec("P")

_INTEGERS = types.CPointer(types.int64)
_FLOATS = types.CPointer(types.float64)


class CompiledOp(Generic[P]):
    """A kernel's compiled form, one for each dtype and member of its family, made when named.

    Parameters
    ----------
    body : callable
        As the module's documentation describes it; its arguments are P.
    reduction : bool
        Whether sums may be reordered.
    prepare : callable, optional
        Loads what the op calls by name; it is told the dtype.
    members : collection of str
        Those of a family, apart from functions that users register; empty for an op that is none.

    Attributes
    ----------
    name, module : str
    args, attributes : tuple of str
        Names of the int64 and float64 arguments of an instruction, in their order.
    names : frozenset of str
        All of them.
    defaults : mapping from str to number
        Of those that may be left out.
    """

    def __init__(
        self,
        body: Callable[Concatenate[Any, P], None],
        reduction: bool = False,
        prepare: Callable[[str], None] | None = None,
        members: Collection[str] = (),
    ) -> None:
        self.name = body.__name__
        self.module = body.__module__
        self.prepare = prepare
        self.members = members
        self._body = body
        self._options = REDUCTION_OPTIONS if reduction else OP_OPTIONS
        self._compiled: dict[tuple[str, str], CFunc] = {}
        self._lock = threading.Lock()

    # A signature is read when an op is first used: no program uses them all.
    @cached_property
    def _arguments(self) -> Arguments:
        return Arguments.of(self._body)

    @cached_property
    def args(self) -> tuple[str, ...]:
        return tuple(self._arguments.args)

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        return tuple(self._arguments.attributes)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset((*self.args, *self.attributes))

    @cached_property
    def defaults(self) -> Mapping[str, float]:
        return self._arguments.defaults

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.args + self.attributes)})>"

    def select(self, available: Mapping[str, Any]) -> dict[str, Any]:
        """Those arguments, of all that are available, that the op takes."""
        return {name: value for name, value in available.items() if name in self.names}

    def check(self, given: Set[str]) -> None:
        """Refuse names of arguments that are not those of the op.

        Raises
        ------
        TypeError
            One is missing, or there is none of its name.
        """
        if given != self.names:
            wrong = [f"{name!r} is missing" for name in sorted(self.names - given)]
            wrong += [f"there is no {name!r}" for name in sorted(given - self.names)]
            raise TypeError(f"{self!r}: {', '.join(wrong)}")

    def compiled(self, dtype: str, member: str = "") -> CFunc:
        """The compiled callback for one dtype and member, loaded or compiled on first use."""
        key = (dtype, member)
        callback = self._compiled.get(key)
        if callback is None:
            with self._lock:
                if key in self._compiled:
                    return self._compiled[key]
                if self.prepare is not None:
                    self.prepare(dtype)
                signature = (Variant(dtype, member), _INTEGERS, _FLOATS, _INTEGERS, _FLOATS)
                try:
                    callback = compile_callback(
                        self._body,
                        "_".join((dtype, member)).rstrip("_"),
                        (signature, types.void),
                        self._options,
                        unpacking(self._arguments),
                    )
                except NumbaError as error:
                    if not member or member in self.members:
                        raise
                    raise ValueError(
                        f"the registered function {member.rpartition('_')[0]!r} cannot be "
                        "compiled; write it with arithmetic, comparisons, if and fm.math alone, "
                        f"or use backend='numpy'. Numba says: {error}"
                    ) from error
                self._compiled[key] = callback
        return callback

    def address(self, dtype: str, member: str = "") -> int:
        """Address of the compiled op."""
        return int(self.compiled(dtype, member).address or 0)


OPS: dict[str, CompiledOp[...]] = {}
"""All ops by name, for whoever compiles them beforehand."""


def op(
    *,
    reduction: bool = False,
    prepare: Callable[[str], None] | None = None,
    members: Collection[str] = (),
) -> Callable[[Callable[Concatenate[Any, P], None]], CompiledOp[P]]:
    """Declare a function the body of an op; see `CompiledOp` for the arguments."""

    def declare(body: Callable[Concatenate[Any, P], None]) -> CompiledOp[P]:
        made = CompiledOp(body, reduction, prepare, members)
        OPS[made.name] = made
        return made

    return declare
