"""The process of a library answers, errors too."""

from __future__ import annotations

import pytest

from fastmlp.peers.process import PeerError, Process


def test_a_worker_tells_its_errors_in_a_line_and_goes_on() -> None:
    pytest.importorskip("numba")
    with Process("fastmlp", 1) as process:
        with pytest.raises(PeerError, match=r"^ValueError: unknown case 'X'; known: B1, .*$"):
            process.ask("setup", case="X", rows=8, variants=None)
        assert process.is_alive()
        assert "fastmlp" in process.ask("versions")
