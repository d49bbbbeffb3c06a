"""The optimizers that are declared: what tests of all of them iterate over."""

from __future__ import annotations

import fastmlp as fm
from fastmlp.declarations.optimizers import OPTIMIZERS, Optimizer

# Beside those with a name, with a number that changes what an optimizer does.
EXAMPLES: dict[str, Optimizer] = {
    **OPTIMIZERS,
    "nesterov": fm.SGD(momentum=0.9, nesterov=True),
    "rate in velocity": fm.SGD(fm.ExponentialDecay(0.1, 0.5), momentum=0.9, rate_in_velocity=True),
    "epsilon hat": fm.Adam(epsilon=1e-3, epsilon_hat=True),
    "ftrl with penalties": fm.Ftrl(l1=0.02, l2=0.1),
}
KINDS = list(dict.fromkeys(type(optimizer) for optimizer in OPTIMIZERS.values()))
