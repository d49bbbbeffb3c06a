"""The functions and modules of PyTorch that are known, and what they take."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import nn
from torch.nn import functional

# What each function takes after its input.
SIGNATURES: dict[str, dict[str, Any]] = {
    "relu": {"inplace": False},
    "leaky_relu": {"negative_slope": 0.01, "inplace": False},
    "tanh": {},
    "sigmoid": {},
    "softmax": {"dim": None, "_stacklevel": 3, "dtype": None},
    "elu": {"alpha": 1.0, "inplace": False},
    "selu": {"inplace": False},
    "gelu": {"approximate": "none"},
    "silu": {"inplace": False},
    "mish": {"inplace": False},
    "softplus": {"beta": 1.0, "threshold": 20.0},
    "exp": {},
    "dropout": {"p": 0.5, "training": True, "inplace": False},
    "alpha_dropout": {"p": 0.5, "training": False, "inplace": False},
    "feature_alpha_dropout": {"p": 0.5, "training": False, "inplace": False},
    "flatten": {"start_dim": 0, "end_dim": -1},
    "squeeze": {"dim": None},
    "neg": {},
    "contiguous": {},
}

PLAIN = ("relu", "tanh", "sigmoid", "selu", "silu", "mish", "exp")
# What can follow where a single column has become a vector, and what makes it one.
SHAPELESS = (
    *(*PLAIN, "leaky_relu", "elu", "gelu", "softplus", "neg", "contiguous"),
    *("squeeze", "flatten", "view"),
)

# Which function a module is, and which of its attributes are arguments.
MODULES: dict[type[nn.Module], tuple[str, tuple[str, ...]]] = {
    nn.ReLU: ("relu", ()),
    nn.LeakyReLU: ("leaky_relu", ("negative_slope",)),
    nn.Tanh: ("tanh", ()),
    nn.Sigmoid: ("sigmoid", ()),
    nn.Softmax: ("softmax", ("dim",)),
    nn.ELU: ("elu", ("alpha",)),
    nn.SELU: ("selu", ()),
    nn.GELU: ("gelu", ("approximate",)),
    nn.SiLU: ("silu", ()),
    nn.Mish: ("mish", ()),
    nn.Softplus: ("softplus", ("beta", "threshold")),
    nn.Flatten: ("flatten", ("start_dim", "end_dim")),
    nn.Identity: ("contiguous", ()),
    nn.AlphaDropout: ("alpha_dropout", ("p",)),
    nn.FeatureAlphaDropout: ("feature_alpha_dropout", ("p",)),
    nn.Dropout1d: ("feature_alpha_dropout", ("p",)),
}

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
