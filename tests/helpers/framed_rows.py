"""Data frames with columns of other names or in another order."""

from __future__ import annotations

import numpy as np
import pandas as pd

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(RNG.normal(size=(40, 3)) * [1, 100, 1], columns=["age", "pay", "years"])
