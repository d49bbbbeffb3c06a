"""The functions and modules of PyTorch that are known, and what they take."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ..activations import ForeignActivations, Options, Row


def _refuse_other_axes(options: Options) -> str:
    if options["dim"] in (None, 1, -1) and options["dtype"] is None:
        return ""
    return f"it has dim={options['dim']}; columns are dim=1 or -1"


def _refuse_approximation(options: Options) -> str:
    why = "its approximate form is another function than the exact one"
    return "" if options["approximate"] == "none" else why


def _refuse_other_bends(options: Options) -> str:
    fits = options["beta"] == 1 and options["threshold"] >= 20
    return "" if fits else "it has another beta than 1, or a threshold below 20"


_INPLACE = {"inplace": False}

# Functions of torch and torch.nn.functional; modules have the same names in another spelling.
ACTIVATIONS = ForeignActivations(
    "ACTIVATIONS in fastmlp/importers/torch/functions.py",
    {
        "relu": Row("relu", _INPLACE),
        "leaky_relu": Row(
            "leaky_relu", {"negative_slope": 0.01, **_INPLACE}, parameter="negative_slope"
        ),
        "tanh": Row("tanh"),
        "sigmoid": Row("sigmoid"),
        "softmax": Row(
            "softmax", {"dim": None, "_stacklevel": 3, "dtype": None}, refuse=_refuse_other_axes
        ),
        "elu": Row("elu", {"alpha": 1.0, **_INPLACE}, parameter="alpha"),
        "selu": Row("selu", _INPLACE),
        "gelu": Row("gelu", {"approximate": "none"}, refuse=_refuse_approximation),
        "silu": Row("silu", _INPLACE),
        "mish": Row("mish", _INPLACE),
        "softplus": Row("softplus", {"beta": 1.0, "threshold": 20.0}, refuse=_refuse_other_bends),
        "exp": Row("exp"),
    },
)

# What functions that are none of these take after their input.
_OTHERS: dict[str, Options] = {
    "dropout": {"p": 0.5, "training": True, "inplace": False},
    "alpha_dropout": {"p": 0.5, "training": False, "inplace": False},
    "feature_alpha_dropout": {"p": 0.5, "training": False, "inplace": False},
    "flatten": {"start_dim": 0, "end_dim": -1},
    "squeeze": {"dim": None},
    "neg": {},
    "contiguous": {},
}

SIGNATURES: dict[str, Options] = {
    **{name: row.arguments for name, row in ACTIVATIONS.items()},
    **_OTHERS,
}
"""From each function that is known to what it takes after its input."""

# What can follow where a single column has become a vector, and what makes it one.
SHAPELESS = (
    *(name for name, row in ACTIVATIONS.items() if not row.is_rowwise),
    *("neg", "contiguous", "squeeze", "flatten", "view"),
)

_OTHER_MODULES: dict[type[nn.Module], str] = {
    nn.Flatten: "flatten",
    nn.Identity: "contiguous",
    nn.AlphaDropout: "alpha_dropout",
    nn.FeatureAlphaDropout: "feature_alpha_dropout",
    nn.Dropout1d: "feature_alpha_dropout",
}


def _modules() -> dict[type[nn.Module], str]:
    """From each module that is a function to the function's name, which its own spells."""
    functions = {name.replace("_", ""): name for name in ACTIVATIONS}
    kinds = [kind for kind in vars(nn).values() if isinstance(kind, type)]
    return {
        kind: functions[kind.__name__.lower()]
        for kind in kinds
        if kind.__name__.lower() in functions
    }


MODULES: dict[type[nn.Module], str] = {**_modules(), **_OTHER_MODULES}

_QUOTIENTS = (operator.truediv, operator.itruediv, torch.div, torch.divide, torch.true_divide)
# As `parts.arithmetic` calls them.
ARITHMETIC: dict[Any, str] = {
    **dict.fromkeys((operator.add, operator.iadd, torch.add), "add"),
    **dict.fromkeys((operator.sub, operator.isub, torch.sub, torch.subtract), "subtract"),
    **dict.fromkeys((operator.mul, operator.imul, torch.mul, torch.multiply), "multiply"),
    **dict.fromkeys(_QUOTIENTS, "divide"),
}
MATRIX_PRODUCTS = (operator.matmul, torch.matmul, torch.mm)
CONCATENATIONS = (torch.cat, torch.concat, torch.concatenate)
METHODS = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}
SYNONYMS = {"reshape": "view", "ravel": "flatten", "float": "contiguous", "clone": "contiguous"}


def _functions() -> dict[Any, str]:
    """From each function of PyTorch, also those that work in place, to its name here."""
    return {
        getattr(home, spelling): name
        for name in SIGNATURES
        for home in (torch, functional)
        for spelling in (name, f"{name}_")
        if hasattr(home, spelling)
    }


FUNCTIONS = {**_functions(), operator.neg: "neg"}
