"""What may stand in place of a learning rate."""

from __future__ import annotations

from typing import Any

import pytest

from fastmlp.declarations.learning_rate import Constant, as_schedule
from fastmlp.declarations.schedules import StepDecay


def test_as_schedule() -> None:
    schedule = StepDecay(0.1, 0.5, 3)
    assert as_schedule(schedule) is schedule
    assert as_schedule(1) == Constant(1.0)
    with pytest.raises(ValueError, match="learning_rate must be a finite number >= 0, got -1"):
        as_schedule(-1)
    not_a_rate: Any = "fast"
    with pytest.raises(TypeError, match="learning_rate must be a number or a schedule, got 'fast'"):
        as_schedule(not_a_rate)
