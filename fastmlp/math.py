"""Elementary functions for activations and losses of one's own; both backends run them."""

from __future__ import annotations

from .kernels.reference.math import erf, exp, expm1, log, log1p, tanh

__all__ = ["erf", "exp", "expm1", "log", "log1p", "tanh"]
