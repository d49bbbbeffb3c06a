"""docs/dependencies.md: every requirement with the licence that its package states."""

from __future__ import annotations

import importlib.metadata as metadata
import re

import pytest
from paths import ROOT

PAGE = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
ROWS = {
    name: (comes, licence)
    for name, comes, licence in re.findall(
        r"^\| ([\w-]+) \| (always|`.*?) \| ([\w.-]+) \|", PAGE, re.MULTILINE
    )
}
# As packages write them, in the words of their own.
FAMILIES = {
    "BSD": r"BSD|Redistribution and use|Enthought|Stefan van der Walt",
    "MIT": r"MIT|Ritchie Vink|OSI Approved",
    "Apache": r"Apache",
    "MPL": r"MPL|Mozilla",
    "PSF": r"Python Software Foundation|matplotlib",
}


def requirements() -> dict[str, set[str]]:
    """The extras by which each package comes, without the extras of extras."""
    found: dict[str, set[str]] = {}
    for text in metadata.requires("fastmlp") or []:
        name = re.split(r"[^\w.-]", text)[0]
        extra = re.search(r"extra == [\"']([\w-]+)[\"']", text)
        if name != "fastmlp":
            found.setdefault(name, set()).add(extra[1] if extra else "always")
    return found


def test_each_requirement_has_a_row_and_each_row_is_required() -> None:
    assert ROWS.keys() == requirements().keys()


@pytest.mark.parametrize("name", ROWS)
def test_a_row_names_the_first_extra_that_brings_it(name: str) -> None:
    named = set(re.findall(r"[\w-]+", ROWS[name][0]))
    assert named <= requirements()[name]


@pytest.mark.parametrize("name", sorted(ROWS))
def test_the_licence_is_what_the_package_states(name: str) -> None:
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        # Linters come with "dev"; what fastmlp is measured beside is installed by hand; Python 3.11
        # needs no tomli.
        assert name == "tomli" or requirements()[name] <= {"dev", "peers", "tabular-peers"}
        return
    stated = [about.get("License-Expression") or "", (about.get("License") or "")[:200]]
    stated += [text for text in about.get_all("Classifier") or [] if text.startswith("License")]
    family = ROWS[name][1].split("-")[0]
    if any(stated):
        assert re.search(FAMILIES[family], "\n".join(stated)), stated
