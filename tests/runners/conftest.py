"""What tests of threads look after."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    """The test leaves no thread behind."""
    pytest.importorskip("numba")
    from threaded_fits import no_thread_left_behind

    with no_thread_left_behind():
        yield
