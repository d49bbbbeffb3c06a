"""Every promise of docs/guarantees.md, by a few of the trials of ``python -m tests.soak``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak import promises as promises
from tests.soak.promise import PROMISES
from tests.soak.trying import Report, trials


@pytest.mark.parametrize("name", PROMISES)
def test_quick_form(name: str, tmp_path: Path) -> None:
    reports: list[Report] = []
    made = PROMISES[name]
    trials(made, made.quick_numbers, tmp_path, reports.append)
    assert [each for report in reports for each in report["broken"]] == []
    assert sum(sum(report["outcomes"].values()) for report in reports) == made.quick
