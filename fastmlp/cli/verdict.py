"""What the numbers of a training say, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..inspection.axes import readable

if TYPE_CHECKING:
    from ..tables.target import Target

# Where numbers differ by less than this share they are as good as equal.
_SAME = 0.005
# Rows that were learned from are easier: a loss of others that is larger by this share is told,
# where that is also so much of what the worst baseline loses.
_PARTED, _TOLD = 0.5, 0.1


def verdict(
    target: Target, measured: Mapping[str, Mapping[str, Any]], baselines: Mapping[str, Any]
) -> list[str]:
    """Sentences on how good the network is beside its baselines, and on rows that it knows.

    Parameters
    ----------
    target : Target
    measured : mapping
        The metrics of the training rows and the test rows.
    baselines : mapping
        Those of the baselines on the test rows, the constant one first.
    """
    name = "log_loss" if target.classes else "rmse"
    words = name.replace("_", " ").replace("rmse", "RMSE")
    own = measured["test"][name]
    found = []

    def compared(first: float, second: float) -> str:
        return f"({words} {readable(first)} and {readable(second)})"

    for title, metrics in baselines.items():
        other = metrics[name]
        if own <= other * (1 - _SAME):
            continue
        how = "no better than" if own <= other * (1 + _SAME) else "worse than"
        found.append(f"on the test rows the network is {how} the {title} {compared(own, other)}")
    if not found and baselines:
        title, metrics = min(baselines.items(), key=lambda pair: float(pair[1][name]))
        beside = compared(own, metrics[name])
        found.append(f"on the test rows the network is better than the {title} {beside}")
    known = measured["training"][name]
    worst = max((metrics[name] for metrics in baselines.values()), default=0)
    if own > known * (1 + _PARTED) and own - known > _TOLD * worst:
        found.append(
            f"the network is better on the training rows than on the test rows "
            f"{compared(known, own)}: it has learned them by heart (overfitting), or the test rows "
            "are of another kind"
        )
    return found
