"""Model files are data: whatever is in them, they are refused or give the model that was saved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import fastmlp as fm

from ..promise import Trial, promise


@promise(
    "A model file that was cut, anywhere, is refused by its name and what is wrong.",
    unit="lengths",
    full=1500,
    quick=60,
)
def cut_model_files(folder: Path) -> Iterator[Trial]:
    model = fm.Sequential([fm.Dense(3, "relu"), fm.Dense(1)], random_state=0)
    model.fit(np.eye(4), np.arange(4.0), epochs=1, verbose=0)
    path, cut = folder / "model.safetensors", folder / "cut.safetensors"
    model.save(path)
    content = path.read_bytes()
    assert len(content) >= 1500, "there are fewer lengths than trials"

    def trial(number: int) -> str:
        cut.write_bytes(content[:number])
        with pytest.raises(fm.ModelFileError, match=re.escape(str(cut))):
            fm.load(cut)
        return "refused"

    yield trial
