"""``fastmlp warmup`` says how long it took."""

from __future__ import annotations

import re

import pytest

from fastmlp.cli import main


@pytest.mark.slow
def test_warmup(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["warmup"]) == 0
    assert re.fullmatch(r"all kernels are compiled \(\d+\.\d s\)\n", capsys.readouterr().out)
