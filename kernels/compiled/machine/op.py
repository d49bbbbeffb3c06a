"""Ops: compiled callbacks of one common signature, reached by address.

A program in compiled form is a table of instructions; each holds the address of an op and its
arguments as numbers. Whatever runs the table has no kernel linked into it, and only the ops that
a program names are ever compiled or loaded.

The common signature is ``op(variant, args, attributes, counters, scalars)``:

* ``variant``: the compile-time `Variant` (dtype, and the member of a family of kernels);
* ``args``: int64 arguments of the instruction: addresses, row lengths, sizes;
* ``attributes``: its float64 arguments: rates, slopes;
* ``counters``: int64 values of the running step, private to a worker, see below;
* ``scalars``: float64 values of the running step, shared between workers, see below.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence

from numba import types
from numba.core.ccallback import CFunc
from numba.core.errors import NumbaError

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
N_SCALARS = 8

_INTEGERS = types.CPointer(types.int64)
_FLOATS = types.CPointer(types.float64)


class Op:
    """A kernel's compiled form, one for each dtype and member of its family, made when named.

    Parameters
    ----------
    function : callable
        The body, with the common signature.
    args, attributes : sequence of str
        Names of the int64 and float64 arguments in their order.
    reduction : bool
        Whether sums may be reordered.
    prepare : callable, optional
        Loads what the op calls by name; it is told the dtype.
    members : collection of str
        Those of a family, apart from functions that users register; empty for an op that is none.
    """

    def __init__(
        self,
        function: Callable[..., None],
        args: Sequence[str],
        attributes: Sequence[str],
        reduction: bool,
        prepare: Callable[[str], None] | None,
        members: Collection[str],
    ) -> None:
        self.name = function.__name__
        self.module = function.__module__
        self.args = tuple(args)
        self.attributes = tuple(attributes)
        self._function = function
        self.prepare = prepare
        self.members = members
        self._options = REDUCTION_OPTIONS if reduction else OP_OPTIONS
        self._compiled: dict[tuple[str, str], CFunc] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.args + self.attributes)})>"

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
                        self._function,
                        "_".join((dtype, member)).rstrip("_"),
                        (signature, types.void),
                        self._options,
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


OPS: dict[str, Op] = {}


def op(
    *args: str,
    attributes: Sequence[str] = (),
    reduction: bool = False,
    prepare: Callable[[str], None] | None = None,
    members: Collection[str] = (),
) -> Callable[[Callable[..., None]], Op]:
    """Declare a function of the common signature an op with these arguments."""

    def declare(function: Callable[..., None]) -> Op:
        made = Op(function, args, attributes, reduction, prepare, members)
        OPS[made.name] = made
        return made

    return declare
