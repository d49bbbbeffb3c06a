"""`Sequential`, the layer that users touch: checks, converts, and hands over to a runner."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import check_int, check_positive_int, describe, find_name
from ..common.error_state import calls_users, has_own_error_state, own_error_state
from ..data.batches import Batches, Validation
from ..data.features import check_codes, check_feature_pair, check_features, check_weights
from ..data.rows import FeaturePair, as_dtype, deep_part
from ..data.targets import TargetEncoder, target_encoder
from ..declarations.losses import Loss, choose_loss
from ..declarations.optimizers import Optimizer, get_optimizer
from ..declarations.schedules import Schedule
from ..kernels import get_backend
from ..network.build import Blueprint, build_program, fill_first_values, output_activation
from ..network.layers import Layer, WideAndDeep, check_layers
from ..network.spec import read_spec
from ..network.summary import summarize
from ..program.program import Program, categories
from ..program.state import Snapshot, State, named, view
from ..runners import numpy_runner
from ..runners.backends import check_threads, choose_backend
from ..runners.numpy_runner import NumpyRunner
from ..training.callbacks import Callback
from ..training.chunks import Chunks, ChunkSource
from ..training.divergence import explain
from ..training.fit import check_fit_arguments, check_monitors, run_fit
from ..training.history import History
from ..training.sources import ArraySource, FitData, Source

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..inference.predictor import Predictor
    from ..inspection.explanation import Explanation
    from ..kernels.typing import Array
    from ..runners.compiled.runner import CompiledRunner


@own_error_state
class Sequential:
    """A network of layers, one after the other, with its loss and optimizer.

    Parameters
    ----------
    layers : list of Layer
    loss : str or Loss
        ``"auto"``: categorical cross-entropy for softmax, binary cross-entropy for sigmoid, else
        mean squared error.
    optimizer : str or Optimizer
    dtype : {"float32", "float64"}
    backend : {"auto", "numba", "numpy"}
        What computes; auto is numba where it is installed.
    random_state : int, optional
        Seed of the first weights, the order of rows, dropout and the validation split. None
        draws one.
    n_threads : int or "auto"
        Threads of the numba backend; auto is a rule over sizes and cores. The results are the
        same bits for any number.

    Attributes
    ----------
    history : History
        All epochs since the model was made or reset.
    metadata : dict of str to str
        Notes that are saved with the model.
    stop_training : bool
        A callback sets it to end the fit after the epoch.

    Examples
    --------
    >>> import fastmlp as fm
    >>> model = fm.Sequential([fm.Dense(8, activation="tanh"), fm.Dense(1)], random_state=0)
    >>> history = model.fit([[0.0], [1.0]], [1.0, 3.0], epochs=5, verbose=0)
    >>> model.predict([[0.5]]).shape
    (1, 1)
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        loss: str | Loss = "auto",
        optimizer: str | Optimizer = "adam",
        dtype: str = "float32",
        backend: str = "auto",
        random_state: int | None = None,
        n_threads: int | str = "auto",
    ) -> None:
        self.layers = check_layers(layers, "Sequential")
        self.optimizer = get_optimizer(optimizer)
        self.loss = choose_loss(loss, output_activation(self.layers))
        self.dtype = _check_dtype(dtype)
        self.backend = choose_backend(backend)
        self.n_threads = check_threads(n_threads)
        if random_state is None:
            self.random_state = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        else:
            self.random_state = check_int("random_state", random_state, 0)
        self.history = History()
        self.metadata: dict[str, str] = {}
        self.stop_training = False
        self.fit_epochs = 0
        self._blueprint: Blueprint | None = None
        self._allocated: State | None = None
        self._made: NumpyRunner | CompiledRunner | None = None
        self._categories: dict[int, int] = {}
        self._unfinished: dict[str, Any] | None = None
        self._start()

    @classmethod
    def from_spec(
        cls,
        spec: Sequence[Any],
        l1: float = 0.0,
        l2: float = 0.0,
        initializer: str = "auto",
        **arguments: Any,
    ) -> Sequential:
        """Make a network from a list, built for the width that stands first in it.

        Parameters
        ----------
        spec : list
            ``[2, 8, "relu", 1, "sigmoid"]``: the input width, then widths, each with its
            activation, linear where none follows. Or one tuple ``(units, batch_norm, activation,
            keep_probability)`` for each layer, batch norm before the activation, dropout of
            ``1 - keep_probability`` after it; of the first, the input, only the width counts.
        l1, l2 : float
            Penalties of every dense layer.
        initializer : str
            Of every dense layer.
        **arguments
            Those of `Sequential` but for its layers.

        Raises
        ------
        TypeError, ValueError
            The list has another form; the message names the entry.

        Examples
        --------
        >>> import fastmlp as fm
        >>> model = fm.Sequential.from_spec([2, 8, "relu", 1, "sigmoid"], random_state=0)
        >>> [layer.units for layer in model.layers]
        [8, 1]
        """
        width, layers = read_spec(spec, l1, l2, initializer)
        return cls(layers, **arguments).build(width)

    def _start(self) -> None:
        """Set everything that training changes, but the vectors, to its beginning."""
        weights, shuffles, dropout = np.random.SeedSequence(self.random_state).spawn(3)
        self._weight_seed = weights
        self._shuffle_rng = np.random.default_rng(shuffles)
        self._dropout_seed = int(dropout.generate_state(1, np.uint64)[0])
        self._targets: TargetEncoder | None = None
        self._schedule_states: list[dict[str, Any]] | None = None
        self._epoch = 0

    def __getstate__(self) -> dict[str, Any]:
        # The runner holds addresses of this process's memory; a copy makes its own.
        return {**vars(self), "_made": None}

    # Building

    def build(self, n_features: int | tuple[int, int]) -> Sequential:
        """Allocate the parameters for this many columns of X and draw the first weights.

        Parameters
        ----------
        n_features : int, or (int, int) for ``X = (X_wide, X_deep)``

        Raises
        ------
        ValueError
            The model was built for another number.
        """
        self._commit(self._planned(n_features))
        return self

    def _planned(self, n_features: int | tuple[int, int]) -> Blueprint:
        """The program for this input; nothing is changed."""
        if isinstance(n_features, tuple):
            if len(n_features) != 2:
                raise ValueError(f"n_features must be a number or two, got {n_features}")
            n_wide, n_deep = (check_positive_int("n_features", n) for n in n_features)
            n_features = (n_wide, n_deep)
            self._check_takes_parts()
        else:
            n_features = check_positive_int("n_features", n_features)
        if self._blueprint is not None:
            built_for = self._blueprint.program.n_features
            if built_for != n_features:
                raise ValueError(
                    f"the model was built for {built_for} features, got {n_features}; make a new "
                    "model for other data"
                )
            return self._blueprint
        return build_program(self.layers, n_features, self.loss, self.optimizer, self.dtype)

    def _check_takes_parts(self) -> None:
        first = self.layers[0]
        if not isinstance(first, WideAndDeep) or first.wide or first.deep_columns:
            raise ValueError(
                "X = (X_wide, X_deep) needs a WideAndDeep first in the network, without wide and "
                f"deep_columns of its own; this network starts with {describe(first)}"
            )

    def _commit(self, planned: Blueprint) -> None:
        """Allocate what was planned, unless that was done before."""
        if self._blueprint is None:
            self._allocated = State(planned.program, self._dropout_seed)
            self._blueprint = planned
            self._categories = categories(planned.program)
            self._fill(planned)

    def _fill(self, blueprint: Blueprint) -> None:
        rng = np.random.default_rng(self._weight_seed)
        fill_first_values(blueprint.parameters, self._state.parameters, rng)
        fill_first_values(blueprint.buffers, self._state.buffers)

    def _make_runner(self) -> NumpyRunner | CompiledRunner:
        if self.backend == "numpy":
            return NumpyRunner(self._state)
        get_backend("numba")
        from ..runners.compiled.runner import CompiledRunner

        return CompiledRunner(self._state, self.n_threads)

    @property
    def _state(self) -> State:
        if self._allocated is None:
            raise ValueError(
                "the model has no parameters yet; call fit(X, y) or build(n_features) first"
            )
        return self._allocated

    @property
    def _program(self) -> Program:
        return self._state.program

    @property
    def _runner(self) -> NumpyRunner | CompiledRunner:
        if self._made is None or self._made.state is not self._state:
            self._made = self._make_runner()
        return self._made

    def reset(self) -> None:
        """Draw the same first weights again and forget labels, history and optimizer state."""
        self._start()
        self._unfinished = None
        self.history = History()
        if self._blueprint is not None:
            self._state.forget_training()
            self._fill(self._blueprint)

    @property
    def parameters(self) -> Mapping[str, Array]:
        """Writable views of the live parameters by name, in their order."""
        return MappingProxyType(named(self._program.parameters, self._state.parameters))

    @property
    def buffers(self) -> Mapping[str, Array]:
        """Writable views of the live running statistics by name."""
        return MappingProxyType(named(self._program.buffers, self._state.buffers))

    @property
    def epochs_left(self) -> int:
        """Epochs that the fit at hand, or that in a loaded checkpoint, has still to do; else 0."""
        return 0 if self._unfinished is None else int(self._unfinished["epochs"])

    @property
    def classes(self) -> Array | None:
        """The labels in the order of the outputs; None before a fit and for a regression."""
        return None if self._targets is None else self._targets.classes

    def get_weights(self) -> Snapshot:
        """A copy of parameters and buffers for `set_weights`."""
        return self._state.snapshot("parameters", "buffers")

    def set_weights(self, snapshot: Snapshot) -> None:
        """Write parameters and buffers back; the count of updates goes on."""
        self._state.write(snapshot)

    # Checking input

    def _features(self, X: object, name: str = "X") -> tuple[Features, int | tuple[int, int]]:
        """X, checked, and its number of columns, or of both parts."""
        built_for = None if self._blueprint is None else self._program.n_features
        if isinstance(X, tuple) and len(X) == 2 and self._takes_pair():
            n_wide, n_deep = built_for if isinstance(built_for, tuple) else (None, None)
            wide, deep = check_feature_pair(X, n_wide, n_deep, dtype=self.dtype)
            if self._categories:
                check_codes(deep, self._categories, "X_deep")
            return FeaturePair(wide, deep), (wide.shape[1], deep.shape[1])
        if isinstance(built_for, tuple):
            given = "a list; pass a tuple of two" if isinstance(X, list) else "one array"
            raise ValueError(f"the model was built for X = (X_wide, X_deep), got {given}")
        x = check_features(X, built_for, dtype=self.dtype, name=name)
        if self._categories:
            check_codes(x, self._categories, name)
        return x, x.shape[1]

    def _takes_pair(self) -> bool:
        if self._blueprint is None:
            return isinstance(self.layers[0], WideAndDeep)
        return self._program.wide is not None

    def _encoder(self, program: Program) -> TargetEncoder:
        """What y means; a copy, so that nothing is learnt before all is checked."""
        if self._targets is not None:
            return copy.copy(self._targets)
        activation = output_activation(self.layers)
        return target_encoder(activation.name, program.output.width, self.loss.name, self.dtype)

    def _weights(
        self,
        sample_weight: object,
        factors: Array | None,
        n_rows: int,
        may_be_zero: bool = False,
    ) -> Array | None:
        weights = check_weights(sample_weight, n_rows)
        if factors is not None:
            weights = factors if weights is None else np.multiply(weights, factors, out=factors)
        if weights is None:
            return None
        with np.errstate(all="ignore"):
            rounded = weights.astype(self.dtype, copy=False)
            total = rounded.sum()
        if not np.isfinite(total) or (total <= 0 and not may_be_zero):
            raise ValueError(
                f"the products of sample_weight and class_weight sum to {total:g} in {self.dtype}; "
                "they must not be zero for every row, nor beyond the dtype's range"
            )
        return rounded

    # Training

    @calls_users
    def fit(
        self,
        X: object,
        y: object = None,
        *,
        epochs: int = 10,
        batch_size: int | None = 64,
        validation_data: tuple[Any, ...] | None = None,
        validation_split: float = 0.0,
        sample_weight: object = None,
        class_weight: Mapping[Any, float] | str | None = None,
        shuffle: bool = True,
        callbacks: Iterable[Callback] = (),
        verbose: int = 1,
    ) -> History:
        """Train for `epochs` more passes over the rows.

        Parameters
        ----------
        X : array_like, shape (n, n_features)
            A C-contiguous array of float32, float64 or uint8 is read where it lies, also one that
            is a memory map larger than the memory, and so are y and the weights where their dtype
            is that of the network, or int64 for labels: they must stay as they are until the fit
            has ended. A first layer `WideAndDeep` takes a pair ``(X_wide, X_deep)`` too, of which
            X_wide may be a SciPy sparse matrix; its CSR form is read where it lies.

            Or, without y, an iterable of chunks ``(X, y)`` or ``(X, y, sample_weight)`` that can be
            read again and again, such as a list or a PyTorch DataLoader: once before the first
            epoch, for the labels and the number of updates, and once in each epoch.
        y : array_like
            Labels, 0/1 columns or numbers, as the output layer asks for.
        epochs : int
        batch_size : int or None
            Rows of an update; None is all of them. A last, smaller batch is trained on too. Of
            chunks, each is cut into batches by itself, and None makes each one batch.
        validation_data : tuple (X, y) or (X, y, sample_weight), optional
        validation_split : float
            Share of the rows that is drawn for validation, stratified for classes; the same rows
            in each fit of the same data.
        sample_weight : array_like, shape (n,), optional
        class_weight : dict or "balanced", optional
            Factors by label; they multiply the sample weights.
        shuffle : bool
            Of chunks, the rows within each are shuffled.
        callbacks : iterable of Callback
        verbose : {0, 1, 2}
            Nothing; a progress bar on a terminal (by tqdm), else about ten lines; a line an epoch.

        Returns
        -------
        History
            Of these epochs; ``model.history`` holds all.

        Raises
        ------
        ValueError, TypeError
            Unusable input; the model is left as it was.
        DivergenceError
            The loss is not finite; the model is left as the last finite epoch had it.
        """
        arguments = check_fit_arguments(epochs, batch_size, shuffle, callbacks, verbose)
        size, shuffled = arguments.batch_size, arguments.shuffle
        source: Source
        validation: Validation | None = None
        if y is None and not hasattr(X, "shape"):
            if validation_split or sample_weight is not None:
                raise ValueError(
                    "validation_split and sample_weight do not go with chunks; give "
                    "validation_data, and weights as the third part of each chunk"
                )
            source = ChunkSource(self, Chunks(X), size, shuffled)
            planned, encoder = source.scan(class_weight)
        else:
            x, n_features = self._features(X)
            planned = self._planned(n_features)
            name = "X_deep" if isinstance(x, FeaturePair) else "X"
            check_codes(deep_part(x), categories(planned.program), name)
            encoder = self._encoder(planned.program)
            encoded = encoder.encode(y, len(x), fit=True)
            weights = self._weights(
                sample_weight, encoder.class_weights(class_weight, encoded), len(x)
            )
            seed = [self.random_state, 4]
            data = FitData.split(x, encoded, weights, encoder, validation_split, seed)
            source, validation = ArraySource(self, data, size, shuffled), data.validation
        if validation_data is not None:
            if validation is not None:
                raise ValueError("give validation_data or validation_split, not both")
            validation = self._validation(validation_data, encoder, planned.program.n_features)
        check_monitors(
            arguments.callbacks,
            self._schedules(planned.program),
            encoder.task != "regression",
            validation is not None,
        )
        self._commit(planned)
        self._targets = encoder
        self._unfinished = {
            "epochs": arguments.epochs,
            "batch_size": size,
            "shuffle": shuffled,
            "validation_split": validation_split,
        }
        try:
            return run_fit(self, source, validation, arguments)
        finally:
            self._unfinished = None

    def _validation(
        self, given: object, encoder: TargetEncoder, n_features: int | tuple[int, int]
    ) -> Validation:
        if not isinstance(given, tuple | list) or len(given) not in (2, 3):
            raise ValueError(
                "validation_data must be (X, y) or (X, y, sample_weight), got " + describe(given)
            )
        x, found = self._features(given[0], "validation_data's X")
        if found != n_features:
            raise ValueError(f"X has {n_features} features, but validation_data's has {found}")
        encoded = encoder.encode(given[1], len(x), fit=False)
        weights = self._weights(given[2] if len(given) == 3 else None, None, len(x))
        return Validation(x, encoded, weights)

    def train_step(self, X: object, y: object, sample_weight: object = None) -> float:
        """Do one update on this batch and return its loss.

        The learning rate is that of the epoch that the next `fit` would begin with.
        """
        x, encoded, weights = self._prepared(X, y, sample_weight)
        state, rates = self._state, self._rates(1)
        before = state.snapshot()
        session = self._runner.session(Batches(x, encoded, weights, len(x)), rates)
        try:
            session.start_epoch(rates)
            session.run(0)
            if not state.is_finite():
                raise FloatingPointError(0)
        except FloatingPointError:
            problem = explain(state, x, encoded, weights, self._epoch, 0)
            state.restore(before)
            raise problem from None
        finally:
            session.close()
        return session.loss_sum / session.rows_sum

    def _prepared(
        self, X: object, y: object, sample_weight: object
    ) -> tuple[Features, Array, Array | None]:
        """Check and encode a batch to train on; the model is built for it, and knows its labels."""
        x, n_features = self._features(X)
        planned = self._planned(n_features)
        name = "X_deep" if isinstance(x, FeaturePair) else "X"
        check_codes(deep_part(x), categories(planned.program), name)
        encoder = self._encoder(planned.program)
        encoded = encoder.encode(y, len(x), fit=True)
        weights = self._weights(sample_weight, None, len(x))
        self._commit(planned)
        self._targets = encoder
        return x, encoded, weights

    def _schedules(self, program: Program) -> list[tuple[Schedule, dict[str, Any]]]:
        """The schedule of each optimizer and what it remembers."""
        schedules = [optimizer.schedule for optimizer in program.optimizers]
        states = self._schedule_states or [schedule.start() for schedule in schedules]
        return list(zip(schedules, states, strict=True))

    def _rates(self, steps: int) -> list[float | Array]:
        """The learning rates of each optimizer in the coming epoch."""
        return [
            schedule.rates(self._epoch, steps, state)
            for schedule, state in self._schedules(self._program)
        ]

    def _observe(self, logs: Mapping[str, float]) -> None:
        """Let the schedules see an epoch's values, and count the epoch."""
        self._schedule_states = [
            schedule.observe(logs, state) for schedule, state in self._schedules(self._program)
        ]
        self._epoch += 1
        if self._unfinished is not None:
            self._unfinished["epochs"] -= 1

    # Using

    @has_own_error_state
    def predict(self, X: object) -> Array:
        """The output for each row, ``(n, units)``: probabilities for softmax and sigmoid."""
        runner = self._runner
        return runner.predict(self._features(X)[0])

    def predict_classes(self, X: object) -> Array:
        """Labels as y had them; ``(n, k)`` of 0 and 1 for multilabel."""
        program = self._program
        return self._encoder(program).decode(self.predict(X))

    def evaluate(self, X: object, y: object, sample_weight: object = None) -> dict[str, float]:
        """Loss, penalties included, and the metrics of the task (by scikit-learn)."""
        from ..training.metrics import classification_metrics, regression_metrics

        program = self._program
        x, _ = self._features(X)
        encoder = self._encoder(program)
        encoded = encoder.encode(y, len(x), fit=False)
        weights = self._weights(sample_weight, None, len(x))
        read = self._runner.predict(x, head=True)
        outputs = numpy_runner.output_from_head(program, read)
        loss, _ = numpy_runner.reported_loss(self._state, [(read, encoded, weights)])
        if encoder.task == "regression":
            return {"loss": loss, **regression_metrics(encoded, outputs, weights)}
        codes = encoder.class_codes(encoded)
        codes = encoded if codes is None else codes
        return {"loss": loss, **classification_metrics(encoder.task, codes, outputs, weights)}

    def gradients(
        self, X: object, y: object, sample_weight: object = None, training: bool = True
    ) -> dict[str, Array]:
        """Gradients of the reported loss of this batch, named like the parameters.

        With `training`, batch statistics and the next step's dropout mask are used. Nothing is
        updated, running statistics included.
        """
        program = self._program
        x, _ = self._features(X)
        encoded = self._encoder(program).encode(y, len(x), fit=False)
        weights = self._weights(sample_weight, None, len(x))
        return self._gradients(x, encoded, weights, training)

    def _gradients(
        self, x: Features, y: Array, weights: Array | None, training: bool = True
    ) -> dict[str, Array]:
        """The gradients of rows that are checked and encoded."""
        gradients = self._runner.gradients(as_dtype(x, self.dtype), y, weights, training)
        tensors = self._program.parameters
        return {tensor.name: view(gradients, tensor).copy() for tensor in tensors}

    def activations(self, X: object, training: bool = False) -> dict[str, Array]:
        """Preactivations and outputs of the layers: ``"0.preactivation"``, ``"0.output"``, ..."""
        state = self._state
        return numpy_runner.activations(state, self._features(X)[0], training)

    def explain(self, x: object, y: object = None) -> Explanation:
        """Every step of the forward and backward pass and of the update for one example.

        Nothing of the model changes. With `y` the numbers are those of ``train_step(x, y)`` on this
        one row: dropout with the next step's mask, BatchNorm with the statistics of the batch, of
        which beta alone is left. The gradients are those of `gradients`, and the update is done to
        a copy of the model. Without `y` they are those of a prediction.

        Parameters
        ----------
        x : array_like, shape (n_features,) or (1, n_features)
            ``(x_wide, x_deep)`` where the model takes two inputs.
        y : optional
            The target: a label, a number, or one entry for each output.

        Returns
        -------
        Explanation
            ``print`` it; ``.table()`` is one for rich; ``.steps`` hold the arrays.

        Raises
        ------
        ValueError, TypeError
            More than one example, or input that `train_step` refuses too.
        DivergenceError
            The update is not finite.
        """
        from ..inspection.explain import explain_example

        return explain_example(self, x, y)

    def summary(self) -> str:
        """Print and return a table: layer, output width, parameters."""
        text = summarize(self.layers, self._program)
        print(text)
        return text

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model, optimizer state included, to a file in the safetensors format."""
        from .file import save

        save(self, path)

    def freeze(self, scaler: object = None) -> Predictor:
        """Return a predictor: the network as it is now, ready to predict and to be exported.

        BatchNorm is folded into the dense layers, in float64, dropout is gone, and the weights are
        copies that nothing changes: the model may be trained further.

        Parameters
        ----------
        scaler : StandardScaler, MinMaxScaler, MaxAbsScaler or RobustScaler, optional
            A fitted one of scikit-learn, through which X went in training: folded into the first
            layer, so that the predictor takes X as it was before. Of two inputs it is that of
            X_deep.

        Returns
        -------
        Predictor
            Its outputs are those of `predict` to 1e-5 (float32) or 1e-12 (float64) of the largest,
            where no running mean is a thousand times its deviation.

        Warns
        -----
        UserWarning
            A column of X, or of what a BatchNorm reads, is so far from 0 beside its deviation that
            the network's dtype has few digits for it once its mean is no longer taken off first.

        Raises
        ------
        ValueError
            The model is not built; the scaler is not fitted, clips, has another number of columns
            or scales the codes of an Embedding.
        TypeError
            `scaler` is something else.

        Examples
        --------
        >>> import fastmlp as fm
        >>> model = fm.Sequential([fm.Dense(8), fm.BatchNorm(), fm.Dense(1)]).build(4)
        >>> [type(op).__name__ for op in model.freeze().program.ops]
        ['DenseOp', 'DenseOp']
        """
        from ..inference.freezing import warn_of_lost_digits
        from ..inference.predictor import freeze
        from ..inference.scalers import feature_names_of, scaling_of

        program, state = self._program, self._state
        before = names = None
        if scaler is not None:
            before, names = scaling_of(scaler, program.input.width), feature_names_of(scaler)
            warn_of_lost_digits(program, before.shift, names)
        targets = self._encoder(program)
        return freeze(state, targets, self.backend, self.n_threads, before, feature_names=names)

    def __repr__(self) -> str:
        layers = ", ".join(type(layer).__name__ for layer in self.layers)
        return f"Sequential([{layers}], loss={self.loss.name!r}, backend={self.backend!r})"


def _check_dtype(dtype: object) -> str:
    if isinstance(dtype, np.dtype | type):
        dtype = np.dtype(dtype).name
    return find_name("dtype", dtype, ("float32", "float64"))
