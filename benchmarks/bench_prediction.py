"""Prediction, by backend and number of rows."""

from __future__ import annotations

import numpy as np

from .networks import new_model
from .peers.networks import CASES, first_parameters, make_data, prediction_error


class Prediction:
    """``model.predict``; it is held against NumPy in float64 before it is timed."""

    params = (["P", "M"], ["numba", "numpy"], [1, 64, 100_000])
    param_names = ("network", "backend", "rows")
    timeout = 300

    def setup(self, network: str, backend: str, rows: int) -> None:
        case = CASES[network]
        self.x = np.resize(make_data(case, min(rows, 10_000))[0], (rows, case.widths[0]))
        self.model = new_model(case, backend, 1)
        predicted = self.model.predict(self.x)
        assert prediction_error(case, first_parameters(case), self.x, predicted) < 1e-4

    def time_predict(self, network: str, backend: str, rows: int) -> None:
        self.model.predict(self.x)
