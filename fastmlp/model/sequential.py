"""`Sequential`, the layer that users touch: checks, converts, and hands over to a runner."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.checks import check_instance, check_int
from ..common.error_state import calls_users, has_own_error_state, own_error_state
from ..declarations.losses import Loss
from ..declarations.optimizers import Optimizer, get_optimizer
from ..network.declaration import Network
from ..network.layers import Layer
from ..network.spec import read_spec
from ..network.summary import summarize
from ..program.state import Snapshot, named
from ..runners.backends import check_threads, choose_backend
from ..training.callbacks import Callback
from ..training.examples import read_examples, read_rows
from ..training.first_rows import draw_from_rows
from ..training.fit import check_fit_arguments, run_fit
from ..training.history import History
from ..training.prepare import prepare_fit
from ..training.runner import make_runner
from ..training.sources import FitData
from ..training.state import TrainingState
from ..training.step import evaluate, gradients, step

if TYPE_CHECKING:
    from ..inference.predictor import Predictor
    from ..inspection.attributions import Attributions
    from ..inspection.explanation import Explanation
    from ..kernels.typing import Array
    from ..runners.runner import Runner


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
        Threads of the numba backend. The results are the same bits for any number. "auto" is as
        many as the sizes are worth, up to the cores that this process may use: those of its
        affinity, of the quota of its control groups, of ``OMP_NUM_THREADS`` and
        ``LOKY_MAX_CPU_COUNT``. Threads of one process that train or predict at the same time share
        these, and a fit has no more at work than cores are free. So joblib's processes, for which
        it sets the first variable, and its threads never take more cores than there are. A number
        is kept to. threadpoolctl limits libraries of OpenMP and BLAS, which this is none of.

    Attributes
    ----------
    history : History
        All epochs since the model was made or reset.
    metadata : dict of str to str
        Notes that are saved with the model.
    stop_training : bool
        A callback sets it to end the fit after the epoch.
    training_state : TrainingState
        All that training changes, for code of the library that works on the model from within.

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
        network = Network.of(layers, loss, optimizer, dtype)
        self.backend = choose_backend(backend)
        self.n_threads = check_threads(n_threads)
        if random_state is None:
            seed = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        else:
            seed = check_int("random_state", random_state, 0)
        self.training_state = TrainingState(network, seed)
        self.history = History()
        self.metadata: dict[str, str] = {}
        self.stop_training = False
        self.fit_epochs = 0
        self._runner: Runner | None = None

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

    def __getstate__(self) -> dict[str, Any]:
        # The runner holds addresses of this process's memory; a copy makes its own.
        return {**vars(self), "_runner": None}

    # What was declared

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, as they were given."""
        return self.training_state.network.layers

    @property
    def loss(self) -> Loss:
        """The loss."""
        return self.training_state.network.loss

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer; another one may take its place until the model is built."""
        return self.training_state.network.optimizer

    @optimizer.setter
    def optimizer(self, optimizer: str | Optimizer) -> None:
        if self.training_state.blueprint is not None:
            raise AttributeError(
                "the model is built, and its optimizer has its state; make a new model for "
                "another optimizer, or use a schedule in place of its learning rate"
            )
        self.training_state.network.optimizer = get_optimizer(optimizer)

    @property
    def dtype(self) -> str:
        """``"float32"`` or ``"float64"``."""
        return self.training_state.network.dtype

    @property
    def random_state(self) -> int:
        """The seed; another one is used from the building or the next reset on."""
        return self.training_state.seed

    @random_state.setter
    def random_state(self, random_state: int) -> None:
        self.training_state.seed = check_int("random_state", random_state, 0)
        if self.training_state.blueprint is None:
            self.training_state.reset()

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
        training = self.training_state
        training.build(training.plan(n_features))
        return self

    @property
    def runner(self) -> Runner:
        """What carries the network out, made when it is first needed."""
        state = self.training_state.state
        if self._runner is None or self._runner.state is not state:
            self._runner = make_runner(state, self.backend, self.n_threads)
        return self._runner

    def reset(self) -> None:
        """Draw the same first weights again and forget labels, history and optimizer state."""
        self.training_state.reset()
        self.history = History()

    @property
    def parameters(self) -> Mapping[str, Array]:
        """Writable views of the live parameters by name, in their order."""
        state = self.training_state.state
        return MappingProxyType(named(state.program.parameters, state.parameters))

    @property
    def buffers(self) -> Mapping[str, Array]:
        """Writable views of the live running statistics by name."""
        state = self.training_state.state
        return MappingProxyType(named(state.program.buffers, state.buffers))

    @property
    def epochs_left(self) -> int:
        """Epochs that the fit at hand, or that in a loaded checkpoint, has still to do; else 0."""
        unfinished = self.training_state.unfinished
        return 0 if unfinished is None else unfinished.epochs

    @property
    def classes(self) -> Array | None:
        """The labels in the order of the outputs; None before a fit and for a regression."""
        targets = self.training_state.targets
        return None if targets is None else targets.classes

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """The names of X's columns, or of X_deep's, where the first fit was on a data frame."""
        names = self.training_state.feature_names
        return names.get("X", names.get("X_deep"))

    def get_weights(self) -> Snapshot:
        """A copy of parameters and buffers for `set_weights`."""
        return self.training_state.state.snapshot("parameters", "buffers")

    def set_weights(self, snapshot: Snapshot) -> None:
        """Write parameters and buffers back; the count of updates goes on."""
        check_instance("snapshot", snapshot, Snapshot, "what get_weights returns")
        self.training_state.state.write(snapshot)
        self.training_state.awaits_rows = False

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
        training = self.training_state
        # One that is resumed after its last epoch has only its callbacks to end.
        fewest = 1 if training.continues is None else 0
        arguments = check_fit_arguments(
            epochs, batch_size, shuffle, validation_split, callbacks, verbose, fewest
        )
        source, validation = prepare_fit(
            training,
            arguments,
            X,
            y,
            sample_weight=sample_weight,
            class_weight=class_weight,
            validation_data=validation_data,
        )
        return run_fit(self, training, self.runner, source, validation, arguments)

    def train_step(self, X: object, y: object, sample_weight: object = None) -> float:
        """Do one update on this batch and return its loss.

        The learning rate is that of the epoch that the next `fit` would begin with.
        """
        training = self.training_state
        examples = read_examples(training, X, y, sample_weight, learn=True)
        examples.adopt(training)
        draw_from_rows(training, FitData(examples.x, examples.y, examples.weight).sample)
        return step(training, self.runner, examples)

    # Using

    @has_own_error_state
    def predict(self, X: object) -> Array:
        """The output for each row, ``(n, units)``: probabilities for softmax and sigmoid."""
        runner = self.runner
        return runner.predict(read_rows(self.training_state, X).x)

    def predict_classes(self, X: object) -> Array:
        """Labels as y had them; ``(n, k)`` of 0 and 1 for multilabel."""
        encoder = self.training_state.encoder()
        return encoder.decode(self.predict(X))

    def evaluate(self, X: object, y: object, sample_weight: object = None) -> dict[str, float]:
        """Loss, penalties included, and the metrics of the task, as scikit-learn defines them."""
        runner = self.runner
        return evaluate(runner, read_examples(self.training_state, X, y, sample_weight))

    def gradients(
        self, X: object, y: object, sample_weight: object = None, training: bool = True
    ) -> dict[str, Array]:
        """Gradients of the reported loss of this batch, named like the parameters.

        With `training`, batch statistics and the next step's dropout mask are used. Nothing is
        updated, running statistics included.
        """
        runner = self.runner
        examples = read_examples(self.training_state, X, y, sample_weight)
        return gradients(runner, examples.x, examples.y, examples.weight, training)

    def activations(self, X: object, training: bool = False) -> dict[str, Array]:
        """Preactivations and outputs of the layers: ``"0.preactivation"``, ``"0.output"``, ..."""
        # Compiled fits need no NumPy runner, which takes 1 ms to import.
        from ..runners import numpy_runner

        state = self.training_state.state
        return numpy_runner.activations(state, read_rows(self.training_state, X).x, training)

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

    def attributions(
        self, X: object, baseline: object = None, output: object = None, n_steps: int = 50
    ) -> Attributions:
        """What each column of each row has added to its prediction, by integrated gradients.

        ``(x - b) * mean of df/dx over the way from b to x``, f the output of `predict`, b the
        baseline. The sum over the columns is ``f(x) - f(b)``; a column that f does not depend on
        has 0. The gradients are exact, and their mean is a sum over the nodes of Gauss and
        Legendre, as captum's ``IntegratedGradients`` has it. Where f has kinks, as with relu, more
        steps bring the sum closer.

        Parameters
        ----------
        X : array_like, shape (n, n_features)
            ``(X_wide, X_deep)`` where the model takes two inputs; the columns of X_wide then come
            first.
        baseline : array_like, shape (n_features,) or (n, n_features), optional
            What rows are held against; None is 0 in each column, which is the mean of columns that
            were standardized. Of others ``X_train.mean(axis=0)`` says more.
        output : int or array_like of int, shape (n,), optional
            The column of `predict`, or that of each row. None: the only one; of several classes the
            predicted one of each row.
        n_steps : int
            Gradients that are computed for each row.

        Returns
        -------
        Attributions
            ``.values``, ``(n, n_features)`` in the model's dtype; ``.base_values``, ``(n,)``;
            ``.importance``, the mean absolute ones, which `fastmlp.plot_importance` draws.

        Raises
        ------
        ValueError, TypeError
            X or the baseline is unusable, or sparse; there is no such output, or none is said of
            several numbers; columns are codes of an `Embedding`.

        References
        ----------
        Sundararajan, Taly & Yan, "Axiomatic Attribution for Deep Networks", ICML 2017, section 3.

        Examples
        --------
        >>> import fastmlp as fm
        >>> model = fm.Sequential([fm.Dense(1)], dtype="float64", random_state=0).build(2)
        >>> model.parameters["0.weight"][:, 0] = [2.0, -1.0]
        >>> model.attributions([[1.0, 3.0]]).values.round(6).tolist()
        [[2.0, -3.0]]
        """
        from ..inspection.attributions import attribute

        return attribute(self, X, baseline, output, n_steps)

    def summary(self) -> str:
        """Print and return a table: layer, output width, parameters."""
        text = summarize(self.layers, self.training_state.program)
        print(text)
        return text

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model, optimizer state included, to a file in the safetensors format."""
        # Files and frozen networks are not needed to train: a first fit starts 15 ms sooner.
        from .format import ModelFile, write_model

        write_model(path, ModelFile(self.training_state, self.history, self.metadata))

    def freeze(self, scaler: object = None) -> Predictor:
        """Return a predictor: the network as it is now, ready to predict and to be exported.

        BatchNorm is folded into the dense layers, in float64, dropout is gone, and the weights are
        copies that nothing changes: the model may be trained further.

        Parameters
        ----------
        scaler : fitted transformer of scikit-learn, optional
            What X went through in training: it becomes part of the network, so that the predictor
            takes X as it was before. StandardScaler, MinMaxScaler, MaxAbsScaler and RobustScaler
            are folded into the first layer; of two inputs it is that of X_deep. OneHotEncoder,
            OrdinalEncoder, SimpleImputer, selections of features, and what ColumnTransformer,
            FeatureUnion and Pipeline make of all these can be folded in too, where there is one
            input. In the place of a column of texts the predictor then takes 1 or 0 for each
            category. A list of ``(name, transformer)`` is that of a Pipeline's steps.

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
            The caller must put in values for gaps, or 0 and 1 for texts.

        Raises
        ------
        ValueError
            The model is not built; the scaler is not fitted, clips, has another number of columns
            or scales the codes of an Embedding; a step cannot be folded in.
        TypeError
            `scaler` is something else.

        Examples
        --------
        >>> import fastmlp as fm
        >>> model = fm.Sequential([fm.Dense(8), fm.BatchNorm(), fm.Dense(1)]).build(4)
        >>> [type(op).__name__ for op in model.freeze().program.ops]
        ['DenseOp', 'DenseOp']
        """
        # As in `save`.
        from .freezing import freeze_training

        return freeze_training(self.training_state, self.backend, self.n_threads, scaler)

    def __repr__(self) -> str:
        layers = ", ".join(type(layer).__name__ for layer in self.layers)
        return f"Sequential([{layers}], loss={self.loss.name!r}, backend={self.backend!r})"
