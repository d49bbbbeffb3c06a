"""What is said of scikit-learn's tests and checks at the end of a run is what has passed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from estimator_counts import FOLDER, JUDGED, NOT_ASKED, lines


def report(name: str, *told: str) -> Any:
    return SimpleNamespace(nodeid=FOLDER + name, user_properties=[(key, 1) for key in told])


def test_counts() -> None:
    check = "test_base_checks.py::test_checks[MLPClassifier(solver='sgd')-check_{}]"
    stats = {
        "passed": [
            report("test_base_suite.py::test_fit"),
            report("test_base_suite.py::test_alpha[0-a]"),
            report("test_base_suite.py::test_all_of_theirs_are_run"),
            report(check.format("fit_score()")),
            report(check.format("array_api_input"), NOT_ASKED),
            report("test_base.py::test_the_same", JUDGED, JUDGED, JUDGED),
            report("test_base.py::test_widths"),
        ],
        "failed": [report("test_base_suite.py::test_shuffle"), report(check.format("n"))],
        "": [report("test_base_suite.py::test_setup")],
    }
    assert lines(stats, "1.9.1") == [
        "scikit-learn 1.9.1, test_mlp.py: 2 of 3 passed",
        "scikit-learn 1.9.1, checks of MLPClassifier(solver='sgd'): 1 of 2 passed, "
        "0 expected failures, 1 not asked of it",
        "scikit-learn 1.9.1, random settings compared number by number: 3",
    ]


def test_nothing_is_said_where_none_were_run() -> None:
    assert lines({"passed": [report("test_base.py::test_widths")]}, "1.9.1") == []
