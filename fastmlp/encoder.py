"""From a program to tasks: which op works on which memory, forward, backward and update."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from . import cuts
from .cuts import Cut
from .kernels.compiled.activations import ELEMENTWISE
from .kernels.compiled.dense import is_narrow
from .kernels.compiled.op import N_SCALARS, OPS
from .kernels.compiled.runner import CHECK_LOSS, CHECK_WEIGHTS
from .program import (
    ActivationOp,
    AddOp,
    BatchNormOp,
    DenseOp,
    DropoutOp,
    Group,
    Op,
    Program,
    SelectOp,
    Slot,
    Tensor,
    Write,
)
from .state import State, aligned_zeros
from .storage import Storage
from .tasks import Instruction, Symbol, Tasks, instruction

if TYPE_CHECKING:
    from .kernels.typing import Array


def reads_z(activation: str) -> bool:
    """Whether an activation's derivative looks at the preactivation."""
    return activation in ELEMENTWISE and ELEMENTWISE[activation].reads_z


def address(array: Array) -> int:
    """Address of an array's first element."""
    return int(array.ctypes.data)


@dataclass(frozen=True, slots=True)
class Memory:
    """A buffer of one row length; parts of its columns have addresses."""

    address: int
    ld: int
    itemsize: int
    key: tuple[str, int]

    def at(self, column: int) -> int:
        return self.address + column * self.itemsize


class Encoder:
    """Writes the tasks of one program over one set of buffers.

    Parameters
    ----------
    state : State
    storage : Storage
    ops : tuple of Op
    rows : int
        Rows of the largest batch: the size of the buffers, and what shards are cut by.
    """

    def __init__(self, state: State, storage: Storage, ops: tuple[Op, ...], rows: int) -> None:
        self.state = state
        self.program: Program = state.program
        self.ops = ops
        self.rows = rows
        self.storage = storage
        self.tasks = Tasks(self.program.dtype)
        self.itemsize = np.dtype(self.program.dtype).itemsize
        self.keep: list[Array] = []
        self.n_scalars = N_SCALARS
        self._inv_stds: dict[Slot, int] = {}
        self._buffers = [self._memory(number, width) for number, width in enumerate(storage.widths)]

    # Memory

    def _new(self, shape: tuple[int, ...], dtype: Any = None) -> int:
        array = aligned_zeros(shape, dtype or self.program.dtype)
        self.keep.append(array)
        return address(array)

    def hold(self, array: Array) -> int:
        """Address of an array that lives as long as the encoder's tables."""
        self.keep.append(array)
        return address(array)

    def _memory(self, number: int, width: int) -> Memory:
        place = self._new((self.rows, width))
        return Memory(place, width, self.itemsize, ("buffer", number))

    def value(self, slot: Slot) -> Memory:
        return self._buffers[self.storage.values[slot]]

    def gradient(self, slot: Slot) -> Memory:
        return self._buffers[self.storage.gradients[slot]]

    def parameter(self, tensor: Tensor, element: int = 0) -> int:
        return address(self.state.parameters) + (tensor.start + element) * self.itemsize

    def d_parameter(self, tensor: Tensor, element: int = 0) -> int:
        return address(self.state.gradients) + (tensor.start + element) * self.itemsize

    def buffer(self, tensor: Tensor, element: int = 0) -> int:
        return address(self.state.buffers) + (tensor.start + element) * self.itemsize

    def scalars(self, count: int) -> int:
        """Numbers of `count` scalars in a row."""
        self.n_scalars += count
        return self.n_scalars - count

    def cut(self, slot: Slot) -> Cut:
        return cuts.columns(slot.width, self.rows)

    # Rows in and out

    def gather(self, x_dtype: str, ordered: bool) -> None:
        """Copy the batch's rows of X."""
        slot = self.program.input
        cut, out = cuts.rows(slot.width, self.rows), self.value(slot)

        def make(shard: int) -> Instruction:
            return instruction(
                "gather_rows",
                x_dtype,
                source=Symbol.X,
                ld_source=slot.width,
                order=Symbol.ORDER if ordered else 0,
                out=out.address,
                ld=out.ld,
                columns=slot.width,
                shard=shard,
                shards=cut.shards,
            )

        self.tasks.add(cut, make, writes=[out.key])

    def store(self, slot: Slot) -> None:
        """Write a slot's rows to their places in an array of all rows."""
        x = self.value(slot)
        self.single(
            "store_rows",
            x=x.address,
            ld_x=x.ld,
            out=Symbol.OUT,
            columns=slot.width,
            reads=[x.key],
        )

    def single(self, op: str, *, reads: Any = (), writes: Any = (), **arguments: float) -> None:
        """A task of one shard."""
        made = instruction(op, **arguments)
        self.tasks.add(Cut("single", (0, 1)), lambda shard: made, reads=reads, writes=writes)

    def columnwise(
        self,
        width: int,
        make: Callable[[int, int], Instruction],
        *,
        reads: list[Any],
        writes: list[Any],
        reads_whole: Any = (),
    ) -> None:
        """A task cut by columns; `make` is told the first column and how many there are."""
        cut = cuts.columns(width, self.rows)
        self.tasks.add(
            cut,
            lambda shard: make(*cut.part(shard)),
            reads=reads,
            writes=writes,
            reads_whole=reads_whole,
        )

    def copy(self, x: Memory, out: Memory, accumulate: bool = False) -> None:
        """``out = x``, or ``out += x``."""

        def make(first: int, count: int) -> Instruction:
            return instruction(
                "copy_rows",
                x=x.at(first),
                ld_x=x.ld,
                out=out.at(first),
                ld=out.ld,
                columns=count,
                accumulate=accumulate,
            )

        self.columnwise(x.ld, make, reads=[x.key], writes=[out.key])

    # Forward

    def forward(self, training: bool, momentum: bool = True) -> None:
        """All operations; `momentum` says whether running statistics move."""
        for op in self.ops:
            match op:
                case DenseOp():
                    self._dense_forward(op)
                case ActivationOp():
                    self._activation_forward(op)
                case BatchNormOp():
                    self._batchnorm_forward(op, training, op.momentum if momentum else 0.0)
                case DropoutOp():
                    self._dropout_forward(op)
                case AddOp():
                    self._add_forward(op)
                case SelectOp():
                    self._select_forward(op)

    def _dense_forward(self, op: DenseOp) -> None:
        x, z = self.value(op.x), self.value(op.out)
        inputs, width = op.weight.shape
        kind = "narrow_forward" if is_narrow(inputs, width) else "dense_forward"

        def make(first: int, count: int) -> Instruction:
            return instruction(
                kind,
                x=x.address,
                ld_x=x.ld,
                weight=self.parameter(op.weight, first),
                ld_weight=width,
                bias=0 if op.bias is None else self.parameter(op.bias, first),
                z=z.at(first),
                ld_z=z.ld,
                inputs=inputs,
                columns=count,
                accumulate=0,
            )

        self.columnwise(width, make, reads=[], writes=[z.key], reads_whole=[x.key])

    def _activation_forward(self, op: ActivationOp) -> None:
        z, out, width = self.value(op.x), self.value(op.out), op.out.width
        if op.activation.name == "softmax":
            cut = cuts.rows(width, self.rows)

            def share(shard: int) -> Instruction:
                return instruction(
                    "softmax_forward",
                    z=z.address,
                    out=out.address,
                    ld=z.ld,
                    columns=width,
                    shard=shard,
                    shards=cut.shards,
                )

            self.tasks.add(cut, share, reads=[z.key], writes=[out.key])
            return

        def make(first: int, count: int) -> Instruction:
            return instruction(
                "activation_forward",
                op.activation.name,
                z=z.at(first),
                out=out.at(first),
                ld=z.ld,
                columns=count,
                parameter=op.activation.parameter or 0.0,
            )

        self.columnwise(width, make, reads=[z.key], writes=[out.key])

    def _batchnorm_forward(self, op: BatchNormOp, training: bool, momentum: float) -> None:
        x, out, width = self.value(op.x), self.value(op.out), op.out.width
        if not training:
            scale = self._new((width,))

            def infer(first: int, count: int) -> Instruction:
                return instruction(
                    "batchnorm_inference",
                    x=x.at(first),
                    out=out.at(first),
                    ld=x.ld,
                    columns=count,
                    gamma=self.parameter(op.gamma, first),
                    beta=self.parameter(op.beta, first),
                    running_mean=self.buffer(op.running_mean, first),
                    running_var=self.buffer(op.running_var, first),
                    scale=scale + first * self.itemsize,
                    epsilon=op.epsilon,
                )

            self.columnwise(width, infer, reads=[x.key], writes=[out.key])
            return
        x_hat = self._buffers[self.storage.normalised[op.out]]
        if x_hat != x:
            self.copy(x, x_hat)
        mean, inv_std = self._new((width,)), self._inv_std(op)

        def make(first: int, count: int) -> Instruction:
            return instruction(
                "batchnorm_forward",
                x=x_hat.at(first),
                out=out.at(first),
                ld=x_hat.ld,
                columns=count,
                gamma=self.parameter(op.gamma, first),
                beta=self.parameter(op.beta, first),
                running_mean=self.buffer(op.running_mean, first),
                running_var=self.buffer(op.running_var, first),
                mean=mean + first * self.itemsize,
                inv_std=inv_std + first * self.itemsize,
                momentum=momentum,
                epsilon=op.epsilon,
            )

        self.columnwise(width, make, reads=[], writes=[x_hat.key, out.key])

    def _inv_std(self, op: BatchNormOp) -> int:
        """Where BatchNorm leaves 1 / std for its backward pass."""
        if op.out not in self._inv_stds:
            self._inv_stds[op.out] = self._new((op.out.width,))
        return self._inv_stds[op.out]

    def _dropout_forward(self, op: DropoutOp) -> None:
        mask = self._buffers[self.storage.masks[op.out]]
        seed = self.state.seed

        def draw(first: int, count: int) -> Instruction:
            return instruction(
                "dropout_mask",
                mask=mask.at(first),
                ld=mask.ld,
                columns=count,
                first_column=first,
                threshold=int(op.rate * 2**32),
                seed_low=seed & 0xFFFFFFFF,
                seed_high=seed >> 32,
                layer=op.number,
                keep=1.0 - op.rate,
            )

        self.columnwise(op.out.width, draw, reads=[], writes=[mask.key])
        self._mask(self.value(op.x), mask, self.value(op.out))

    def _mask(self, x: Memory, mask: Memory, out: Memory) -> None:
        def make(first: int, count: int) -> Instruction:
            return instruction(
                "apply_mask",
                x=x.at(first),
                mask=mask.at(first),
                out=out.at(first),
                ld=x.ld,
                columns=count,
            )

        self.columnwise(x.ld, make, reads=[x.key, mask.key], writes=[out.key])

    def _add_forward(self, op: AddOp) -> None:
        x, y, out = self.value(op.x), self.value(op.y), self.value(op.out)
        if out == x:
            self.copy(y, out, accumulate=True)
            return
        if out != y:
            self.copy(y, out)
        self.copy(x, out, accumulate=True)

    def _select_forward(self, op: SelectOp) -> None:
        x, out = self.value(op.x), self.value(op.out)
        indices = self._indices(op)

        def make(first: int, count: int) -> Instruction:
            return instruction(
                "select_columns",
                x=x.address,
                ld_x=x.ld,
                indices=indices + 8 * first,
                out=out.at(first),
                ld=out.ld,
                columns=count,
            )

        self.columnwise(op.out.width, make, reads=[], writes=[out.key], reads_whole=[x.key])

    def _indices(self, op: SelectOp) -> int:
        return self.hold(np.array(op.columns, dtype=np.int64))

    # Loss

    def weights(self, ordered: bool, weighted: bool) -> None:
        """Sum the batch's sample weights; a batch whose weights sum to 0 is skipped."""
        self.single(
            "sum_weights",
            order=Symbol.ORDER if ordered else 0,
            weights=Symbol.WEIGHTS if weighted else 0,
            writes=["weight sum"],
        )
        if weighted:
            self.tasks.mark(CHECK_WEIGHTS, reads=["weight sum"])

    def loss(self, coded: bool, ordered: bool, weighted: bool) -> None:
        """Loss and accuracy of the batch; leaves the gradient of the slot that the head reads.

        `coded`: y are class numbers.
        """
        head = self.program.head
        width = head.slot.width
        value, d = self.value(head.slot), self.gradient(head.slot)
        if value != d:
            self.copy(value, d)
        cut = cuts.rows(width, self.rows)
        self._loss_parts = self.scalars(cut.shards)
        self._correct_parts = self.scalars(cut.shards)
        self._loss_shards = cut.shards
        common = {
            "d": d.address,
            "ld": d.ld,
            "columns": width,
            "order": Symbol.ORDER if ordered else 0,
            "weights": Symbol.WEIGHTS if weighted else 0,
            "loss": self._loss_parts,
            "correct": self._correct_parts,
            "shards": cut.shards,
        }
        if head.loss.kernel == "softmax_cross_entropy":
            make = partial(
                instruction,
                "softmax_cross_entropy",
                **common,
                labels=Symbol.Y if coded else 0,
                targets=0 if coded else Symbol.Y,
                label_smoothing=head.loss.parameter,
            )
        else:
            parameter = head.loss.parameter
            if head.loss.kernel == "poisson_loss":
                parameter = float(np.finfo(self.program.dtype).smallest_normal)
            make = partial(
                instruction,
                "elementwise_loss",
                head.loss.kernel,
                **common,
                targets=Symbol.Y,
                parameter=parameter,
                threshold=np.inf if head.threshold is None else head.threshold,
            )
        self.tasks.add(
            cut,
            lambda shard: make(shard=shard),
            reads=["weight sum"],
            writes=[d.key, "loss parts"],
        )

    def report(self) -> None:
        """Penalties, then the batch's loss; a loss that is not finite ends the run here."""
        first = self.n_scalars
        for penalty in self.program.penalties:
            cut = cuts.flat(penalty.weight.start, penalty.weight.stop)
            partial_sums = self.scalars(cut.shards)
            self.tasks.add(
                cut,
                partial(self._penalty, penalty.l1, penalty.l2, cut, partial_sums),
                writes=[("d", penalty.weight.name), "penalties"],
            )
        self.single(
            "report_loss",
            loss=self._loss_parts,
            correct=self._correct_parts,
            shards=self._loss_shards,
            penalty=first,
            n_penalties=self.n_scalars - first,
            reads=["loss parts", "penalties", "weight sum"],
            writes=["loss"],
        )

    def _penalty(
        self, l1: float, l2: float, cut: Cut, partial_sums: int, shard: int
    ) -> Instruction:
        first, count = cut.part(shard)
        return instruction(
            "add_penalty",
            weight=address(self.state.parameters) + first * self.itemsize,
            d_weight=address(self.state.gradients) + first * self.itemsize,
            count=count,
            penalty=partial_sums + shard,
            l1=l1,
            l2=l2,
        )

    # Backward

    def backward(self) -> None:
        """The gradients of all operations, from the last to the first."""
        for op in reversed(self.ops):
            if op.out not in self.storage.gradients:
                continue
            match op:
                case DenseOp():
                    self._dense_backward(op)
                case ActivationOp():
                    self._activation_backward(op)
                case BatchNormOp():
                    self._batchnorm_backward(op)
                case DropoutOp():
                    self._dropout_backward(op)
                case AddOp():
                    self._add_backward(op)
                case SelectOp():
                    self._select_backward(op)

    def _dense_backward(self, op: DenseOp) -> None:
        x, d_z = self.value(op.x), self.gradient(op.out)
        inputs, width = op.weight.shape
        narrow = is_narrow(inputs, width)
        has_bias = op.bias is not None and not op.zero_bias_gradient

        def weight(first: int, count: int) -> Instruction:
            return instruction(
                "narrow_backward_weight" if narrow else "dense_backward_weight",
                x=x.address,
                ld_x=x.ld,
                d_z=d_z.at(first),
                ld_z=d_z.ld,
                d_weight=self.d_parameter(op.weight, first),
                ld_weight=width,
                d_bias=self.d_parameter(op.bias, first) if op.bias and has_bias else 0,
                inputs=inputs,
                columns=count,
            )

        written = [("d", op.weight.name)]
        if op.bias is not None:
            written.append(("d", op.bias.name))
        self.columnwise(width, weight, reads=[d_z.key], writes=written, reads_whole=[x.key])
        if op.d_x is Write.NONE:
            return
        d_x = self.gradient(op.x)

        def source(first: int, count: int) -> Instruction:
            return instruction(
                "narrow_backward_input" if narrow else "dense_backward_input",
                d_z=d_z.address,
                ld_z=d_z.ld,
                weight=self.parameter(op.weight, first * width),
                ld_weight=width,
                d_x=d_x.at(first),
                ld_x=d_x.ld,
                inputs=count,
                columns=width,
                accumulate=op.d_x is Write.ADD,
            )

        self.columnwise(inputs, source, reads=[], writes=[d_x.key], reads_whole=[d_z.key])

    def _pass_on(self, op: ActivationOp | BatchNormOp | DropoutOp) -> None:
        """Hand the gradient, worked on in place, to the operation's input."""
        own = self.gradient(op.out)
        if op.d_x is Write.ADD:
            self.copy(own, self.gradient(op.x), accumulate=True)

    def _activation_backward(self, op: ActivationOp) -> None:
        if op.d_x is Write.NONE:
            return
        z, out, d, width = self.value(op.x), self.value(op.out), self.gradient(op.out), op.out.width
        if op.activation.name == "softmax":
            cut = cuts.rows(width, self.rows)

            def share(shard: int) -> Instruction:
                return instruction(
                    "softmax_backward",
                    out=out.address,
                    d=d.address,
                    ld=d.ld,
                    columns=width,
                    shard=shard,
                    shards=cut.shards,
                )

            self.tasks.add(cut, share, reads=[out.key], writes=[d.key])
        else:

            def make(first: int, count: int) -> Instruction:
                return instruction(
                    "activation_backward",
                    op.activation.name,
                    z=z.at(first),
                    out=out.at(first),
                    d=d.at(first),
                    ld=d.ld,
                    columns=count,
                    parameter=op.activation.parameter or 0.0,
                )

            self.columnwise(width, make, reads=[z.key, out.key], writes=[d.key])
        self._pass_on(op)

    def _batchnorm_backward(self, op: BatchNormOp) -> None:
        d, x_hat = self.gradient(op.out), self._buffers[self.storage.normalised[op.out]]
        inv_std = self._inv_std(op)

        def make(first: int, count: int) -> Instruction:
            return instruction(
                "batchnorm_backward",
                d=d.at(first),
                x_hat=x_hat.at(first),
                ld=d.ld,
                columns=count,
                gamma=self.parameter(op.gamma, first),
                inv_std=inv_std + first * self.itemsize,
                d_gamma=self.d_parameter(op.gamma, first),
                d_beta=self.d_parameter(op.beta, first),
            )

        written = [d.key, ("d", op.gamma.name), ("d", op.beta.name)]
        self.columnwise(op.out.width, make, reads=[x_hat.key], writes=written)
        self._pass_on(op)

    def _dropout_backward(self, op: DropoutOp) -> None:
        if op.d_x is Write.NONE:
            return
        d, mask = self.gradient(op.out), self._buffers[self.storage.masks[op.out]]
        self._mask(d, mask, d)
        self._pass_on(op)

    def _add_backward(self, op: AddOp) -> None:
        own = self.gradient(op.out)
        for slot, write in ((op.y, op.d_y), (op.x, op.d_x)):
            if write is Write.ADD:
                self.copy(own, self.gradient(slot), accumulate=True)
            elif write is Write.SET and self.gradient(slot) != own:
                self.copy(own, self.gradient(slot))

    def _select_backward(self, op: SelectOp) -> None:
        if op.d_x is Write.NONE:
            return
        own, d_x = self.gradient(op.out), self.gradient(op.x)
        self.single(
            "add_columns",
            x=own.address,
            ld_x=own.ld,
            indices=self._indices(op),
            out=d_x.address,
            ld=d_x.ld,
            columns=op.out.width,
            width=op.x.width,
            accumulate=op.d_x is Write.ADD,
            reads=[own.key],
            writes=[d_x.key],
        )

    # Update

    def update(self, per_step: tuple[bool, ...]) -> None:
        """Clip the gradients and move the parameters.

        ``per_step[k]``: optimizer k has a learning rate for each step, not one for all.
        """
        self.tasks.mark(CHECK_LOSS, reads=["loss"])
        self._clip()
        for number, group in enumerate(self.program.groups):
            self._update_group(number, group, per_step[group.optimizer])

    def _names(self, start: int, stop: int) -> list[Any]:
        return [("d", t.name) for t in self.program.parameters if start <= t.start < stop]

    def _clip(self) -> None:
        """Clip by value, then by the norm over all parameters; each group has its own limits."""
        program = self.program
        limits = [program.optimizers[group.optimizer] for group in program.groups]
        for group, optimizer in zip(program.groups, limits, strict=True):
            if optimizer.clip_value is not None:
                self._over_flat(
                    cuts.flat(group.start, group.stop),
                    self._names(group.start, group.stop),
                    partial(self._on_gradients, "clip_by_value", limit=optimizer.clip_value),
                )
        if all(optimizer.clip_norm is None for optimizer in limits):
            return
        cut = cuts.flat(0, program.n_parameters)
        totals = self.scalars(cut.shards)
        self.tasks.add(
            cut,
            lambda shard: self._on_gradients(
                "sum_of_squares", *cut.part(shard), total=totals + shard
            ),
            reads=self._names(0, program.n_parameters),
            writes=["norm"],
        )
        for group, optimizer in zip(program.groups, limits, strict=True):
            if optimizer.clip_norm is not None:
                self._over_flat(
                    cuts.flat(group.start, group.stop),
                    self._names(group.start, group.stop),
                    partial(
                        self._on_gradients,
                        "clip_by_norm",
                        totals=totals,
                        n_totals=cut.shards,
                        limit=optimizer.clip_norm,
                    ),
                    reads_whole=["norm"],
                )

    def _on_gradients(self, op: str, first: int, count: int, **arguments: float) -> Instruction:
        place = address(self.state.gradients) + first * self.itemsize
        return instruction(op, gradients=place, count=count, **arguments)

    def _over_flat(
        self,
        cut: Cut,
        names: list[Any],
        make: Callable[[int, int], Instruction],
        reads_whole: Any = (),
    ) -> None:
        self.tasks.add(
            cut, lambda shard: make(*cut.part(shard)), writes=names, reads_whole=reads_whole
        )

    def _update_group(self, number: int, group: Group, per_step: bool) -> None:
        state, optimizer = self.state, self.program.optimizers[group.optimizer]
        start, stop = group.start, group.stop
        kernel, constants = optimizer.kernel, list(optimizer.constants)
        extra: dict[str, int] = {}
        if kernel == "sgd_update":
            momentum, nesterov = constants
            constants = []
            if optimizer.slots:
                kernel, constants = "sgd_momentum_update", [momentum]
                extra["nesterov"] = int(nesterov)
        if kernel == "nadam_update":
            extra["mu_product"] = address(state.products) + 8 * number
        attributes = dict(zip(OPS[kernel].attributes, constants, strict=True))

        def make(first: int, count: int) -> Instruction:
            slots = {
                name: address(state.moments[row]) + first * self.itemsize
                for row, name in enumerate(optimizer.slots)
            }
            return instruction(
                kernel,
                parameters=address(state.parameters) + first * self.itemsize,
                gradients=address(state.gradients) + first * self.itemsize,
                count=count,
                rates=Symbol.RATES - group.optimizer,
                rate_stride=per_step,
                **slots,
                **extra,
                **attributes,
            )

        product = ("product", number)
        self._over_flat(
            cuts.flat(start, stop), self._names(start, stop), make, reads_whole=[product]
        )
        if kernel == "nadam_update":
            beta_1, _, _, decay = optimizer.constants
            self.single(
                "advance_nadam",
                mu_product=extra["mu_product"],
                beta_1=beta_1,
                momentum_decay=decay,
                writes=[product],
            )
