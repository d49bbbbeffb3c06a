"""Numbers as text that does not depend on how NumPy prints."""

from __future__ import annotations

from typing import Any

import numpy as np


def shortest(number: Any) -> str:
    """The shortest decimal that is read as this number of NumPy's, in its own dtype."""
    # The decimal has so few digits that a Python float keeps them.
    return repr(float(np.format_float_scientific(number, unique=True)))
