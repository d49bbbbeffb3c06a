"""Numbers in the formulas of activations, which several forms of one function share.

The reference, the compiled kernels and the exporters read them here.
"""

from __future__ import annotations

import math

SELU_ALPHA = 1.6732632423543772848170429916717
"""Alpha of SELU's elu (Klambauer et al. 2017, equation 14)."""

SELU_SCALE = 1.0507009873554804934193349852946
"""What SELU multiplies its elu by; lambda in the paper."""

ROOT_HALF = math.sqrt(0.5)
"""1 / sqrt(2): the normal distribution function is (1 + erf(z / sqrt(2))) / 2."""

NORMAL_PEAK = 1.0 / math.sqrt(2.0 * math.pi)
"""The normal density at 0."""

MISH_MAXIMUM = 20.0
"""Above, tanh(log(1 + e^z)) rounds to 1, long before e^(2 z) overflows."""
