"""The table of features: the tests that it names exist, and no public name is left out."""

from __future__ import annotations

import re

from documents import names_in
from layer_examples import LAYERS
from optimizer_examples import KINDS
from paths import ROOT

import fastmlp as fm
from fastmlp.declarations.losses import OWN_LOSSES

TEXT = (ROOT / "docs/features.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+?) \| (`tests/.+`) \|$", TEXT, flags=re.MULTILINE)


def test_every_test_that_is_named_exists() -> None:
    assert len(ROWS) > 40
    for feature, shown_by in ROWS:
        tests = [test.strip(" `") for test in shown_by.split(",")]
        for test in tests:
            path, _, name = test.partition("::")
            assert name.split("::")[-1].startswith("test_"), (feature, test)
            assert name.replace("::", ".") in names_in(ROOT / path), (feature, test)


def test_every_row_names_a_test() -> None:
    lines = [line for line in TEXT.splitlines() if line.startswith("| ")]
    assert len(lines) == len(ROWS) + 2 * TEXT.count("| --- |")


def test_every_public_name_is_in_the_table() -> None:
    features = " ".join(feature for feature, _ in ROWS)
    words = set(re.findall(r"\w+", features))
    public = {name for name in fm.__all__ if not name.startswith("__")}
    # Tests that every one of these passes make a row of their own.
    public -= {kind.__name__ for kind in (*LAYERS, *KINDS, *map(type, OWN_LOSSES))}
    assert public <= words, sorted(public - words)
