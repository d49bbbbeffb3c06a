"""Everything public gets bad values, or stands among what does not get them yet."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from valid_calls import UNCALLED, VALID, public


def test_everything_public_has_a_valid_call() -> None:
    unknown = sorted(public().keys() - VALID.keys() - UNCALLED)
    assert not unknown, f"add a valid call of {unknown} to tests/helpers/valid_calls.py"
    assert public().keys() >= VALID.keys() | UNCALLED
    assert not VALID.keys() & UNCALLED


@pytest.mark.parametrize("name", VALID)
def test_valid_calls_are_valid(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    valid = VALID[name](tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        valid.function(**valid.arguments)
