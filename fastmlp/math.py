"""Elementary functions for activations and losses of one's own; both backends run them."""

from __future__ import annotations

from .kernels.reference.math import cos, erf, exp, expm1, log, log1p, sin, tanh

__all__ = ["cos", "erf", "exp", "expm1", "log", "log1p", "sin", "tanh"]
