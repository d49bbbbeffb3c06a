"""The digest of fastmlp's sources."""

from __future__ import annotations

from pathlib import Path

import pytest

import fastmlp
from fastmlp.peers.tabular.fingerprint import digest, fingerprint


def test_it_is_that_of_the_library() -> None:
    found = fingerprint()
    assert len(found) == 10
    assert found == digest(Path(fastmlp.__file__).parent)[:10]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("model/a.py", True),
        ("kernels/b.py", True),
        ("new.py", True),
        ("peers/c.py", False),
        ("cli/d.py", False),
        ("notes.md", False),
    ],
)
def test_sources_change_it(tmp_path: Path, name: str, changes: bool) -> None:
    for path in ("model/a.py", "kernels/b.py", "peers/c.py", "cli/d.py"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text("x = 1\n")
    before = digest(tmp_path)
    (tmp_path / name).write_text("x = 2\n")
    assert (digest(tmp_path) != before) is changes
