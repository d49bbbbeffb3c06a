"""Loss and gradient of all rows, again and again: blocks of them that stay in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...common.arrays import aligned_zeros
from ...data.rows import Layout
from ...kernels.compiled.machine.op import LAST_LOSS, LAST_PENALTY, STEP, WEIGHT_SUM
from ...kernels.compiled.machine.runner import N_SYNC
from ...kernels.compiled.ops.gradients import add_block
from ..runner import BatchGradients
from .buffer_plan import BufferPlan, for_training
from .executable import Executable
from .lowering import Lowering, address, reads_z
from .lowering_training import LossParts, lower_block, report_batch
from .tasks import Symbol, bound_rows, instruction
from .workers import Team, objective_threads

if TYPE_CHECKING:
    from ...data.batches import Batches
    from ...kernels.typing import Array
    from ...program.program import Program
    from ...program.state import State

# A block's activations and gradients stay in a core's own cache beside the weights.
_BLOCK_BYTES = 2**19
_FEWEST_ROWS, _MOST_ROWS = 64, 512
# Groups of blocks, which threads share out.
_MOST_GROUPS = 16


def block_rows(program: Program, n_rows: int) -> int:
    """How many rows a block has: a function of sizes alone, never of threads."""
    if any(op.couples_rows for op in program.ops):
        return n_rows
    widths = program.input.width + sum(op.out.width for op in program.ops)
    fit = _BLOCK_BYTES // (widths * np.dtype(program.dtype).itemsize)
    most = max(_FEWEST_ROWS, min(fit, _MOST_ROWS))
    # Blocks of about one size: threads share them out.
    even = -(-n_rows // -(-n_rows // most))
    return min(n_rows, -(-even // 8) * 8)


class CompiledObjective:
    """Loss and gradient of the same rows at the parameters of the moment.

    Blocks of rows fall into groups, each with its own sums, which are added last, in their order:
    results are the same bits for any number of threads.

    Parameters
    ----------
    state : State
    rows : Batches
        All rows, as one batch.
    n_threads : int or "auto"
    """

    def __init__(self, state: State, rows: Batches, n_threads: int | str) -> None:
        program = state.program
        self._state, self._rows = state, rows
        self._size = block_rows(program, rows.n_rows)
        self._blocks = -(-rows.n_rows // self._size)
        self._in_group = -(-self._blocks // _MOST_GROUPS)
        self._groups = -(-self._blocks // self._in_group)
        self._gradients = aligned_zeros((self._groups, program.n_parameters), program.dtype)
        self._losses = np.zeros(self._groups)
        work = 3.0 * rows.n_rows * program.n_parameters
        workers = objective_threads(n_threads, work, self._groups)
        weight = rows.weight
        self._weight_sum = float(rows.n_rows) if weight is None else float(weight.sum(dtype=float))
        shares = [self._share() for _ in range(workers)]
        self._total = state.with_own_gradients()
        self._end, self._parts = self._ending()
        self._sums = _Sums(shares, self._blocks, self._in_group)
        self._team = Team(self._sums, workers, n_threads == "auto")

    def _share(self) -> Executable:
        """The tables of one worker, with memory of its own."""
        rows, state = self._rows, self._state.with_own_gradients()
        layout = Layout.of(rows.x)
        plan = for_training(state.program, reads_z, layout.is_sparse)
        lowering = Lowering(state, plan, state.program.ops, self._size, True, False)
        parts = lower_block(lowering, layout, rows.y.ndim == 1, rows.weight is not None)
        add = instruction(
            add_block,
            gradients=address(state.gradients),
            count=state.program.n_parameters,
            loss=parts.loss,
            shards=parts.shards,
            blocks=self._in_group,
            gradient_sums=address(self._gradients),
            loss_sums=address(self._losses),
        )
        lowering.single(add)
        executable = Executable(lowering, gradients=state.gradients)
        executable.scalars[WEIGHT_SUM] = self._weight_sum
        arrays = {**bound_rows(rows.x), Symbol.Y: rows.y}
        if rows.weight is not None:
            arrays[Symbol.WEIGHTS] = rows.weight
        executable.bind(arrays)
        return executable

    def _ending(self) -> tuple[Executable, LossParts]:
        """What follows once the groups are added: penalties, and the loss with them."""
        lowering = Lowering(self._total, BufferPlan(), (), 1, True, False)
        parts = LossParts(lowering.scalars(1), lowering.scalars(1), 1)
        report_batch(lowering, parts)
        executable = Executable(lowering, gradients=self._total.gradients)
        executable.scalars[WEIGHT_SUM] = self._weight_sum
        return executable, parts

    def evaluate(self) -> BatchGradients:
        """Return both; the gradients stay as they are until the next call."""
        for share in self._sums.shares:
            share.counters[0, STEP] = self._state.step
        self._team.run(0, self._groups, self._size, self._rows.n_rows)
        gradients: Array = self._total.gradients
        np.add.reduce(self._gradients, axis=0, out=gradients)
        self._end.scalars[self._parts.loss] = sum(self._losses.tolist())
        self._end.run_as(0, 0, 1, self._rows.n_rows, self._rows.n_rows)
        loss, penalty = self._end.scalars[[LAST_LOSS, LAST_PENALTY]].tolist()
        return BatchGradients(loss, penalty, gradients)

    def close(self) -> None:
        """Let the threads go."""
        self._team.close()


class _Sums:
    """What the workers run: the sums of each group of blocks.

    Apart from the objective, which has the team: helpers must not keep alive what ends them.

    Parameters
    ----------
    shares : list of Executable
        One for each worker.
    blocks, in_group : int
        How many there are, and in each group.
    """

    def __init__(self, shares: list[Executable], blocks: int, in_group: int) -> None:
        self.shares = shares
        self.sync = np.zeros(N_SYNC, dtype=np.int64)
        self._workers, self._blocks, self._in_group = len(shares), blocks, in_group

    def use(self, workers: int) -> None:
        """From now on there are so many workers."""
        self._workers = workers

    def run_as(self, worker: int, first: int, last: int, batch_size: int, n_rows: int) -> int:
        """Add up a worker's own groups."""
        groups = range(last * worker // self._workers, last * (worker + 1) // self._workers)
        for group in groups:
            start = group * self._in_group
            stop = min(start + self._in_group, self._blocks)
            # Python looks at signals between groups.
            self.shares[worker].run_as(0, start, stop, batch_size, n_rows)
        return last
