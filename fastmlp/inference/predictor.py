"""`Predictor`: a trained network that only predicts, frozen, and what it can be written as."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from ..common.checks import describe
from ..common.error_state import own_error_state
from ..common.warn import warn
from ..data.features import check_codes, check_feature_pair
from ..data.rows import FeaturePair
from ..data.targets import TargetEncoder
from ..program.program import InferenceProgram, categories
from ..program.state import State, Weights, named
from ..runners.numpy_forward import NumpyForward
from .arguments import check_out, labels_for, one_or_many
from .freezing import Scaling, freeze_program

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..int8.predictor import QuantizedPredictor
    from ..kernels.typing import Array
    from ..runners.compiled.prediction import CompiledForward


@own_error_state
class Predictor:
    """A trained network that only predicts.

    `Sequential.freeze` and `fastmlp.load_predictor` make them. BatchNorm is folded into the dense
    layers, dropout is gone, and the weights can no longer be changed. Threads may share one.

    Attributes
    ----------
    program : InferenceProgram
        What it computes.
    weights : mapping of str to ndarray
        Read-only, by the names of the program's tensors.
    backend : {"numpy", "numba"}
    n_threads : int or "auto"
        Threads of the numba backend for many rows.
    targets : TargetEncoder
        Turns outputs into labels.
    classes : ndarray or None
        The labels in the order of the outputs; None for a regression.
    task : {"binary", "multiclass", "multilabel", "regression"}
    feature_names : tuple of str or None
        One for each column of X, where they are known; of two inputs, X_wide's first.

    Examples
    --------
    >>> import fastmlp as fm
    >>> model = fm.Sequential([fm.Dense(4, activation="relu"), fm.Dense(1)]).build(3)
    >>> predictor = model.freeze()
    >>> predictor([0.5, 1.0, -2.0]).shape, predictor([[0.5, 1.0, -2.0]]).shape
    ((1,), (1, 1))
    """

    def __init__(
        self,
        weights: Weights,
        targets: TargetEncoder,
        backend: str,
        n_threads: int | str = "auto",
        feature_names: Sequence[str] | None = None,
    ) -> None:
        self.program: InferenceProgram = weights.program
        self.backend = backend
        self.n_threads = n_threads
        self.feature_names = None if feature_names is None else tuple(feature_names)
        self._weights = weights
        self.targets = targets
        self._start()

    def _start(self) -> None:
        """Set what calls work with."""
        self._dtype = np.dtype(self.program.dtype)
        self._row_shape = (self.program.input.width,)
        self._out_shape = (self.program.output.width,)
        self._categories = categories(self.program)
        # Two inputs, and codes that must be looked at, take the long way.
        simple = self.program.wide is None and not self._categories
        self._short_dtype = self._dtype if simple else None
        self._forward: CompiledForward | NumpyForward
        self._rows: Callable[[Array], Array | None] | None = None
        parts = self._weights, self.program.ops, self.program.output
        if self.backend == "numpy":
            self._forward = NumpyForward(*parts)
            return
        from ..runners.compiled.prediction import CompiledForward

        self._forward = compiled = CompiledForward(*parts, self.n_threads)
        if simple:
            self._rows = compiled.rows

    def __getstate__(self) -> dict[str, Any]:
        # Tables hold addresses of this process's memory; a copy makes its own.
        names = ("program", "backend", "n_threads", "feature_names", "targets", "_weights")
        return {name: vars(self)[name] for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start()

    @property
    def weights(self) -> Mapping[str, Array]:
        """Read-only, by the names of the program's tensors."""
        return MappingProxyType(named(self.program.parameters, self._weights.parameters))

    @property
    def dtype(self) -> str:
        """``"float32"`` or ``"float64"``."""
        return self.program.dtype

    @property
    def n_features(self) -> int | tuple[int, int]:
        """Columns of X, or of X_wide and X_deep."""
        return self.program.n_features

    @property
    def n_outputs(self) -> int:
        """Outputs of a row."""
        return self.program.output.width

    @property
    def task(self) -> str:
        """What the outputs mean: binary, multiclass, multilabel or regression."""
        return self.targets.task

    @property
    def classes(self) -> Array | None:
        """The labels in the order of the outputs; None for a regression."""
        return self.targets.classes

    def __call__(self, x: object, out: Array | None = None) -> Array:
        """Predict one row or many.

        Parameters
        ----------
        x : array_like, shape (n_features,) or (n, n_features)
            A pair ``(x_wide, x_deep)`` where the network has two inputs. One row is fastest as an
            array of the network's dtype.
        out : ndarray, optional
            C-contiguous, of the network's dtype and of the shape of the result, which is written
            there and not allocated.

        Returns
        -------
        ndarray, shape (units,) or (n, units)
            As `Sequential.predict`: probabilities for softmax and sigmoid, values otherwise.

        Raises
        ------
        TypeError, ValueError
            x is not numbers, has another number of columns, or holds NaN, infinity or codes that
            an Embedding does not know; `out` does not fit. Then `out` is as it was.
        """
        if type(x) is np.ndarray and x.dtype is self._short_dtype and x.shape == self._row_shape:
            if out is not None:
                check_out(out, self._out_shape, self._dtype)
            result = self._forward.row(x, out)
            if result is not None:
                return result
        if self._rows is not None and out is None and self._is_plain(x):
            result = self._rows(x)
            if result is not None:
                return result
        return self._checked(x, out)

    @own_error_state
    def _checked(self, x: object, out: Array | None) -> Array:
        """Predict what had to be looked at, or converted, first."""
        features, single = self._features(x)
        shape = self._out_shape if single else (len(features), *self._out_shape)
        if out is None:
            return self._forward(features).reshape(shape)
        check_out(out, shape, self._dtype)
        self._forward(features, out.reshape(-1, shape[-1]))
        return out

    def _is_plain(self, x: object) -> TypeGuard[Array]:
        """Whether the kernels can read rows where they lie."""
        return (
            type(x) is np.ndarray
            and x.ndim == 2
            and x.shape[1:] == self._row_shape
            and len(x) > 0
            and x.dtype in (np.float32, np.float64)
            and x.flags.c_contiguous
            and x.flags.aligned
        )

    def predict_classes(self, x: object) -> Array:
        """Predict the labels of one row or many.

        Parameters
        ----------
        x : array_like, shape (n_features,) or (n, n_features)
            As `__call__` takes it.

        Returns
        -------
        ndarray, shape (n,)
            Labels as y had them in training: those with the largest output, or, of one sigmoid
            unit, the second from 0.5 on. For multilabel ``(n, units)`` of 0 and 1. Of one row its
            label, or ``(units,)``.

        Raises
        ------
        TypeError, ValueError
            As `__call__` raises them; ValueError for a regression, which has no classes.
        """
        return labels_for(self(x), self.targets)

    def _features(self, x: object) -> tuple[Features, bool]:
        """X, checked, and whether it was one row."""
        program = self.program
        if program.wide is not None:
            return self._feature_pair(x, program.wide.width)
        rows, single = one_or_many(x, program.input.width, self._dtype, self.feature_names)
        if self._categories:
            check_codes(rows, self._categories, "x")
        return rows, single

    def _feature_pair(self, x: object, n_wide: int) -> tuple[FeaturePair, bool]:
        if not isinstance(x, tuple) or len(x) != 2:
            raise ValueError(
                f"the network reads two inputs: pass a tuple (x_wide, x_deep), got {describe(x)}"
            )
        wide, deep = x
        # A sparse array has as many dimensions as it says, and is not NumPy's to reshape.
        single = np.ndim(wide) == np.ndim(deep) == 1
        if single:
            wide = wide if hasattr(wide, "reshape") else np.asarray(wide)
            wide, deep = wide.reshape(1, -1), np.reshape(deep, (1, -1))
        n_deep = self.program.input.width
        pair = FeaturePair(*check_feature_pair((wide, deep), n_wide, n_deep, dtype=self._dtype))
        if self._categories:
            check_codes(pair.deep, self._categories, "X_deep")
        return pair, single

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the predictor to a file in the safetensors format.

        `fastmlp.load_predictor` reads it, with NumPy alone.

        Parameters
        ----------
        path : str or path-like
            Of the file; its folder must exist.

        Raises
        ------
        ValueError
            The network has an operation that was added to the library: save the model in its place.
        OSError
            The file cannot be written.
        """
        from .file import save

        save(self, path)

    def export_c(
        self,
        path: str | os.PathLike[str],
        prefix: str = "model",
        math: str = "math.h",
        quantize: str | None = None,
        calibration: object = None,
    ) -> None:
        """Write the network as one C99 header, which C++ can include too.

        It holds ``int model_predict(const float *x, float *y, float *scratch)`` for one row, the
        macros ``MODEL_N_FEATURES``, ``MODEL_N_OUTPUTS`` and ``MODEL_SCRATCH`` (lengths of x, y and
        scratch), and for a classifier ``int model_predict_class(const float *y)`` and, where labels
        are known, ``model_labels``; double in place of float where the network's dtype is float64.
        The header allocates nothing and keeps no state: threads may call it at once, each with its
        own scratch. Of two inputs x holds those of X_wide, then those of X_deep.

        ``model_predict`` returns ``MODEL_OK`` (0), or leaves y as it was and returns

        * ``MODEL_ERROR_NULL`` (1): x, y or scratch is a null pointer;
        * ``MODEL_ERROR_NOT_FINITE`` (2): x holds NaN or infinity. Compile without ``-ffast-math``,
          which removes this check;
        * ``MODEL_ERROR_CATEGORY`` (3): a code that an Embedding does not know.

        Parameters
        ----------
        path : str or path-like
            Of the header; its folder must exist.
        prefix : str
            A C identifier that all names begin with, in capitals those of macros.
        math : {"math.h", "inline"}
            Where ``exp``, ``tanh``, ... come from: the C library, or polynomials in the header,
            which then needs no library at all. On processors with vector units compilers vectorise
            the polynomials, but not calls of the library: networks with tanh, gelu or softplus are
            then several times as fast. It has no effect on int8.
        quantize : {None, "int8"}
            With ``"int8"``, weights and activations of 8 bits, see `quantize`.
        calibration : array_like, shape (n, n_features), optional
            Rows for int8, as `quantize` takes them.

        Raises
        ------
        TypeError
            `prefix` or `math` is no string.
        ValueError
            The network holds what the header cannot, such as a registered activation (int8 takes
            it); another argument is out of bounds.
        OSError
            The file cannot be written.
        """
        from ..export.c.header import export_c, export_quantized

        if quantize is None and calibration is None:
            export_c(self, path, prefix, math)
        else:
            export_quantized(self, path, prefix, math, quantize, calibration)

    def export_onnx(self, path: str | os.PathLike[str]) -> None:
        """Write the network as an ONNX graph of standard operations; needs the package ``onnx``.

        Its input is ``X``, (n, n_features) of the network's dtype, or ``X_wide`` and ``X_deep``;
        its outputs are ``probabilities``, of a network that ends in softmax or sigmoid, and
        ``label`` (``labels`` for multilabel), else ``output``. NaN and infinity in X are not
        refused: runtimes have no errors for values.

        Parameters
        ----------
        path : str or path-like
            Of the file; its folder must exist.

        Raises
        ------
        ImportError
            ``onnx`` is not installed.
        ValueError
            The network has a registered activation.
        OSError
            The file cannot be written.
        """
        from ..export.onnx.file import export_onnx

        export_onnx(self, path)

    def export_python(self, path: str | os.PathLike[str], weights: str = "inside") -> None:
        """Write the network as one readable Python file that needs only NumPy: ``predict(X)``.

        A classifier has ``predict_classes(X)`` too. Run as a program, the file reads rows of CSV
        from standard input and prints the outputs.

        Parameters
        ----------
        path : str or path-like
            Of the file; its folder must exist.
        weights : {"inside", "beside"}
            In the file, or in a ``.npz`` file of the same name beside it.

        Raises
        ------
        ValueError
            The network has a registered activation; `weights` is something else.
        OSError
            A file cannot be written.
        """
        from ..export.python.file import export_python

        export_python(self, path, weights)

    def quantize(self, X: object, y: object = None) -> QuantizedPredictor:
        """A predictor that computes with integers of 8 bits, as the C code of it does bit for bit.

        Parameters
        ----------
        X : array_like, shape (n, n_features)
            Rows from which the ranges of all activations are taken, such as the training rows: some
            hundred or more, in which each column takes values like those to come.
        y : array_like, shape (n,) or as y was in training, optional
            Their labels or numbers, for the report.

        Returns
        -------
        QuantizedPredictor
            Its ``report`` says what is lost against this predictor on the rows.

        Warns
        -----
        UserWarning
            A few rows lie so far beyond the others that the ranges leave them out; many rows change
            class, or outputs differ by much.

        Raises
        ------
        ValueError
            The network has an Embedding or a wide part; X or y does not fit it; values overflow on
            these rows.
        TypeError
            X or y is not numbers or labels.
        """
        from ..int8.quantize import quantize

        small = quantize(self, X, y)
        for message in small.report.warnings:
            warn(message)
        return small

    def __repr__(self) -> str:
        return (
            f"<Predictor {self.n_features} -> {self.n_outputs}, {self.task}, {self.dtype}, "
            f"backend {self.backend!r}>"
        )


def freeze(
    state: State,
    targets: TargetEncoder,
    backend: str,
    n_threads: int | str,
    before: Scaling | None = None,
    after: Scaling | None = None,
    feature_names: Sequence[str] | None = None,
) -> Predictor:
    """The predictor of a network; `before` and `after` scale X and the output."""
    if before is not None:
        for column in categories(state.program):
            if (before.scale[column], before.shift[column]) != (1.0, 0.0):
                raise ValueError(
                    f"column {column} of X holds the codes of an Embedding, which must not be "
                    "scaled; scale the other columns, and train on these codes as they are"
                )
    weights = freeze_program(state, before, after, feature_names)
    return Predictor(weights, targets, backend, n_threads, feature_names)
