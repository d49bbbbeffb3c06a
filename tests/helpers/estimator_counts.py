"""How many of scikit-learn's own tests and checks, and of comparisons, have passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

FOLDER = "tests/estimators/"
_SUITE, _CHECKS = "test_base_suite.py::", "test_base_checks.py::test_checks["
# Of the file of scikit-learn's tests itself, no test of theirs.
_OWN = "test_all_of_theirs_are_run"
NOT_ASKED = "not asked of it"
JUDGED = "judged"


def lines(stats: Mapping[str, Iterable[Any]], version: str) -> list[str]:
    """Return what to say at the end of a run, by the reports of each outcome.

    Parameters
    ----------
    stats : dict of lists of TestReport
        Those of pytest's terminal reporter.
    version : str
        Of scikit-learn.
    """
    suite: Counter[str] = Counter()
    checks: dict[str, Counter[str]] = {}
    judged, compared = 0, Counter[str]()
    for outcome in ("passed", "failed", "error", "skipped", "xfailed", "xpassed"):
        for report in stats.get(outcome, ()):
            name = str(report.nodeid).rpartition(FOLDER)[2]
            told = [key for key, _ in getattr(report, "user_properties", ())]
            if name.startswith(_SUITE) and _OWN not in name:
                suite[outcome] += 1
            elif name.startswith(_CHECKS):
                estimator = name.removeprefix(_CHECKS).rpartition("-check_")[0]
                counts = checks.setdefault(estimator, Counter())
                counts[NOT_ASKED if NOT_ASKED in told else outcome] += 1
            if JUDGED in told:
                judged += told.count(JUDGED)
                compared[outcome] += 1
    found = []
    if suite:
        found.append(f"test_mlp.py: {suite['passed']} of {suite.total()} passed")
    found += [f"checks of {each}: {_told(checks[each])}" for each in sorted(checks)]
    if compared:
        found.append(f"random settings compared number by number: {judged}")
    return [f"scikit-learn {version}, {line}" for line in found]


def _told(counts: Counter[str]) -> str:
    asked = counts.total() - counts[NOT_ASKED]
    parts = [f"{counts['passed']} of {asked} passed"]
    parts += [f"{counts['xfailed']} expected failures", f"{counts[NOT_ASKED]} {NOT_ASKED}"]
    return ", ".join(parts)
