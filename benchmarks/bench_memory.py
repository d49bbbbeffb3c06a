"""The most memory that a process holds."""

from __future__ import annotations

from .networks import TRAINING, new_model
from .peers.networks import CASES, make_data


class PeakMemory:
    """With the data, which is part of it."""

    params = (TRAINING,)
    param_names = ("network",)
    timeout = 300

    def peakmem_data(self, network: str) -> None:
        make_data(CASES[network])

    def peakmem_fit(self, network: str) -> None:
        case = CASES[network]
        x, y = make_data(case)
        new_model(case, "numba", 1).fit(x, y, epochs=1, batch_size=case.batch, verbose=0)


class PeakMemoryOfPrediction:
    """One million rows."""

    params = (["P"],)
    param_names = ("network",)
    timeout = 300

    def peakmem_data(self, network: str) -> None:
        make_data(CASES[network])

    def peakmem_predict(self, network: str) -> None:
        case = CASES[network]
        new_model(case, "numba", 1).predict(make_data(case)[0])


def peakmem_import() -> None:
    """Import what a fit needs."""
    import fastmlp.compiled_runner  # noqa: F401
