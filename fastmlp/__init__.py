"""Multilayer perceptrons on a CPU: the whole network is one compiled program.

`Sequential` trains networks, made of `Dense` and other layers. Its `freeze`, and `load_predictor`,
give a `Predictor`, which only predicts and can be exported as C, ONNX or Python; `quantize` of that
gives a `QuantizedPredictor` of 8-bit integers. The function `freeze` makes one predictor of a
whole Pipeline of scikit-learn. `from_torch`, `from_sklearn`, `from_keras` and `from_onnx` take in
networks that were trained elsewhere. `kernels` are the functions on plain arrays beneath.

Names are imported from their modules when they are first used, so that ``import fastmlp`` costs
next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import kernels as kernels
    from . import math as math
    from . import preprocessing as preprocessing
    from .declarations.activations import *  # noqa: F403
    from .declarations.custom import register_activation as register_activation
    from .declarations.custom import register_loss as register_loss
    from .declarations.learning_rate import Constant as Constant
    from .declarations.losses import *  # noqa: F403
    from .declarations.optimizers import *  # noqa: F403
    from .declarations.progress import *  # noqa: F403
    from .declarations.schedules import *  # noqa: F403
    from .errors import DivergenceError as DivergenceError
    from .errors import ModelFileError as ModelFileError
    from .errors import TableWarning as TableWarning
    from .errors import TrainingWarning as TrainingWarning
    from .estimators.classifier import MLPClassifier as MLPClassifier
    from .estimators.regressor import MLPRegressor as MLPRegressor
    from .importers.keras import from_keras as from_keras
    from .importers.onnx.networks import from_onnx as from_onnx
    from .importers.pipelines import freeze as freeze
    from .importers.sklearn import from_sklearn as from_sklearn
    from .importers.torch.networks import from_torch as from_torch
    from .inference.predictor import Predictor as Predictor
    from .inspection.gradient_check import check_gradients as check_gradients
    from .inspection.plots_importance import plot_importance as plot_importance
    from .inspection.plots_network import plot_activation_heatmap as plot_activation_heatmap
    from .inspection.plots_network import plot_activation_histograms as plot_activation_histograms
    from .inspection.plots_network import plot_gradient_flow as plot_gradient_flow
    from .inspection.plots_network import plot_learning_curves as plot_learning_curves
    from .inspection.plots_network import plot_weights as plot_weights
    from .inspection.plots_results import plot_confusion_matrix as plot_confusion_matrix
    from .inspection.plots_results import plot_decision_boundary as plot_decision_boundary
    from .inspection.plots_results import plot_feature_response as plot_feature_response
    from .inspection.plots_results import plot_predictions as plot_predictions
    from .inspection.range_test import find_learning_rate as find_learning_rate
    from .inspection.recorder import Recorder as Recorder
    from .int8.predictor import QuantizedPredictor as QuantizedPredictor
    from .model.checkpoint import ModelCheckpoint as ModelCheckpoint
    from .model.checkpoint import resume as resume
    from .model.file import load as load
    from .model.many import fit_many as fit_many
    from .model.predictor_file import load_predictor as load_predictor
    from .model.sequential import Sequential as Sequential
    from .network.embeddings import *  # noqa: F403
    from .network.layers import *  # noqa: F403
    from .runners.compiled.warmup import warmup as warmup
    from .tables.infer import infer_schema as infer_schema
    from .tables.reader import read_table as read_table
    from .tables.schema import Schema as Schema
    from .tabular.classifier import TabularClassifier as TabularClassifier
    from .tabular.regressor import TabularRegressor as TabularRegressor
    from .training.callbacks import Callback as Callback
    from .training.callbacks import CSVLogger as CSVLogger
    from .training.callbacks import EarlyStopping as EarlyStopping
    from .training.callbacks import LambdaCallback as LambdaCallback
    from .training.callbacks import ProgressBar as ProgressBar
    from .training.history import History as History

__version__ = "0.1.0"

_MODULES = {
    "training.callbacks": (
        "Callback",
        "CSVLogger",
        "EarlyStopping",
        "LambdaCallback",
        "ProgressBar",
    ),
    "model.checkpoint": ("ModelCheckpoint", "resume"),
    "declarations.custom": ("register_activation", "register_loss"),
    "errors": ("DivergenceError", "ModelFileError", "TableWarning", "TrainingWarning"),
    "inspection.gradient_check": ("check_gradients",),
    "training.history": ("History",),
    "model.sequential": ("Sequential",),
    "model.file": ("load",),
    "model.many": ("fit_many",),
    "inspection.plots_importance": ("plot_importance",),
    "inspection.plots_network": (
        *("plot_activation_heatmap", "plot_activation_histograms", "plot_gradient_flow"),
        *("plot_learning_curves", "plot_weights"),
    ),
    "inspection.plots_results": (
        *("plot_confusion_matrix", "plot_decision_boundary"),
        *("plot_feature_response", "plot_predictions"),
    ),
    "inference.predictor": ("Predictor",),
    "model.predictor_file": ("load_predictor",),
    "int8.predictor": ("QuantizedPredictor",),
    "inspection.range_test": ("find_learning_rate",),
    "inspection.recorder": ("Recorder",),
    "importers.keras": ("from_keras",),
    "importers.onnx.networks": ("from_onnx",),
    "importers.pipelines": ("freeze",),
    "importers.sklearn": ("from_sklearn",),
    "importers.torch.networks": ("from_torch",),
    "runners.compiled.warmup": ("warmup",),
    "tables.infer": ("infer_schema",),
    "tables.reader": ("read_table",),
    "tables.schema": ("Schema",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}
# Not among ``__all__``: to import them takes scikit-learn, which need not be there.
_ESTIMATORS = {
    "MLPClassifier": "estimators.classifier",
    "MLPRegressor": "estimators.regressor",
    "TabularClassifier": "tabular.classifier",
    "TabularRegressor": "tabular.regressor",
}
# Declarations are listed where they stand; a name is looked for in those first that fits need most.
_DECLARATIONS = (
    "network.layers",
    "network.embeddings",
    "declarations.activations",
    "declarations.losses",
    "declarations.optimizers",
    "declarations.learning_rate",
    "declarations.schedules",
    "declarations.progress",
)
_PACKAGES = ("kernels", "math", "preprocessing")


def __getattr__(name: str) -> Any:
    if name == "__all__":
        declared = [known for module in _DECLARATIONS for known in _declared(module)]
        return ["__version__", *_PACKAGES, *sorted((*_HOME, *declared))]
    if name in _PACKAGES:
        return import_module(f".{name}", __name__)
    home = _HOME.get(name) or _ESTIMATORS.get(name)
    if home is None and not name.startswith("_"):
        home = next((module for module in _DECLARATIONS if name in _declared(module)), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f".{home}", __name__), name)
    except ModuleNotFoundError as error:
        if name in _ESTIMATORS and str(error.name).partition(".")[0] == "sklearn":
            raise import_module(".errors", __name__).missing_extra(
                "scikit-learn", "sklearn"
            ) from error
        raise
    globals()[name] = value
    return value


def _declared(module: str) -> list[str]:
    names: list[str] = import_module(f".{module}", __name__).__all__
    return names


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__"), *_ESTIMATORS})
