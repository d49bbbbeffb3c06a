"""`Predictor`: a trained network that only predicts, and the forms in which it is exported."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.error_state import own_error_state
from ..common.warn import warn
from ..data.column_names import names_by_part
from ..data.targets import TargetEncoder
from ..program.program import InferenceProgram, categories, levels
from ..program.state import State, Weights, named
from ..runners.numpy_forward import NumpyForward
from .base import BasePredictor
from .folding import Scaling
from .format import PredictorFile, write_predictor
from .freezing import freeze_program
from .preparation import Column, Preparation

if TYPE_CHECKING:
    from ..data.column_names import Names
    from ..int8.predictor import QuantizedPredictor
    from ..kernels.typing import Array
    from ..runners.forward import Forward


@own_error_state
class Predictor(BasePredictor):
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
        feature_names: Names | None = None,
    ) -> None:
        program = weights.program
        super().__init__(
            _forward(weights, backend, n_threads),
            targets,
            program.n_features,
            program.output.width,
            program.dtype,
            feature_names,
            categories(program),
            {
                column: np.unique(np.concatenate([weights.parameter(t) for t in tensors]))
                for column, tensors in levels(program).items()
            },
        )
        self.program: InferenceProgram = program
        self.backend = backend
        self.n_threads = n_threads
        self._weights = weights

    def __getstate__(self) -> dict[str, Any]:
        # Tables hold addresses of this process's memory; a copy makes its own.
        return {
            "weights": self._weights,
            "targets": self.targets,
            "backend": self.backend,
            "n_threads": self.n_threads,
            "feature_names": dict(self.column_names),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        Predictor.__init__(self, **state)

    @property
    def weights(self) -> Mapping[str, Array]:
        """Read-only, by the names of the program's tensors."""
        return MappingProxyType(named(self.program.parameters, self._weights.parameters))

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
        write_predictor(path, PredictorFile(self._weights, self.targets, self.column_names))

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
            which then needs no library at all. On processors with vector units compilers vectorize
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


def _forward(weights: Weights, backend: str, n_threads: int | str) -> Forward:
    parts = weights, weights.program.ops, weights.program.output
    if backend == "numpy":
        return NumpyForward(*parts)
    # Numba takes half a second to import.
    from ..runners.compiled.prediction import CompiledForward

    return CompiledForward(*parts, n_threads, checks_finite=True)


def freeze(
    state: State,
    targets: TargetEncoder,
    backend: str,
    n_threads: int | str,
    before: Scaling | None = None,
    after: Scaling | None = None,
    feature_names: Names | None = None,
    preparation: Preparation | None = None,
) -> Predictor:
    """Make the predictor of a network.

    Parameters
    ----------
    state : State
    targets : TargetEncoder
    backend : {"numpy", "numba"}
    n_threads : int or "auto"
    before, after : Scaling, optional
        Of X (of two inputs X_deep), and of the output.
    feature_names : sequence or mapping, optional
        As `BasePredictor` takes them; with a preparation those of what it takes.
    preparation : Preparation, optional
        Of X, in the place of `before`, where there is one input.

    Raises
    ------
    ValueError
        X is changed where an Embedding reads it.
    """
    program = state.program
    for column in categories(program):
        scaled = before is not None and (before.scale[column], before.shift[column]) != (1.0, 0.0)
        if scaled or (preparation is not None and not _keeps(preparation.columns[column])):
            raise ValueError(
                f"column {column} of X holds the codes of an Embedding, which must not be "
                "scaled; scale the other columns, and train on these codes as they are"
            )
    n_features = program.n_features if preparation is None else len(preparation.inputs)
    names = names_by_part(feature_names, n_features)
    # Of what a preparation makes, the names are not known.
    of_input = None if preparation is not None else names.get("X", names.get("X_deep"))
    weights = freeze_program(state, before, after, of_input, preparation)
    return Predictor(weights, targets, backend, n_threads, names)


def _keeps(column: Column) -> bool:
    """Tell whether a column is one of X, or 0 and 1 for a category, as it is."""
    return list(column.terms.values()) == [1.0] and column.shift == 0.0
