"""Running the command line within a test."""

from __future__ import annotations

import pytest

from fastmlp.cli import main


def error_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line on stderr with which the command ends."""
    try:
        code = main(words)
    except SystemExit as exit_:
        code = exit_.code
    assert code == 2
    error = capsys.readouterr().err
    assert error.startswith("fastmlp: error: ")
    assert error.count("\n") == 1
    return error
