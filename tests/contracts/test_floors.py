"""The house as CONTRIBUTING draws it: imports go down only, and no two modules need each other."""

from __future__ import annotations

import ast
import re
from itertools import pairwise

import pytest
from imports import Import, circles, imports, modules
from paths import ROOT

# Methods by which an object offers what is built above it, and the reading of a file that holds it.
# Each imports it when it is called; what is above the object may import the object, and needs no
# other way to it.
FACADES = {
    ("fastmlp.model.sequential", "fastmlp.inspection.attributions"),
    ("fastmlp.model.sequential", "fastmlp.inspection.explain"),
    ("fastmlp.model.sequential", "fastmlp.inspection.explanation"),
    ("fastmlp.training.history", "fastmlp.inspection.plots_network"),
    ("fastmlp.model.file", "fastmlp.tabular.saved"),
    ("fastmlp.inference.predictor", "fastmlp.export.c.header"),
    ("fastmlp.inference.predictor", "fastmlp.export.onnx.file"),
    ("fastmlp.inference.predictor", "fastmlp.export.python.file"),
    ("fastmlp.inference.predictor", "fastmlp.int8.predictor"),
    ("fastmlp.inference.predictor", "fastmlp.int8.quantize"),
    ("fastmlp.int8.predictor", "fastmlp.export.c.int8"),
}
# What users import by name; nothing of the library imports them, and they may import anything.
FACES = {"fastmlp", "fastmlp.__main__", "fastmlp.math"}

ARROWS = [found for found in imports() if found.source not in FACES]


def rooms() -> dict[str, int]:
    """The floor of each room, from CONTRIBUTING's table."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## The floors", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (\d+) \| `([\w/.]+)` \| (.+) \|$", section, re.MULTILINE)
    found = {}
    for floor, folder, sentence in rows:
        assert sentence.endswith("."), f"{folder} needs a sentence"
        name = folder.removesuffix("/").removesuffix(".py").replace("/", ".")
        found[name if name == "kernels" else f"fastmlp.{name}"] = int(floor)
    return found


ROOMS = rooms()


def room(module: str) -> str:
    """The innermost room that a module lies in."""
    inside = [name for name in ROOMS if module == name or module.startswith(f"{name}.")]
    assert inside, f"{module} lies in no room of CONTRIBUTING's table of floors"
    return max(inside, key=len)


def test_every_module_has_a_room_and_every_room_a_module() -> None:
    found = {room(module) for module in modules() if module not in FACES}
    assert found == ROOMS.keys()


def test_floors_are_drawn_from_the_ground_up() -> None:
    assert all(low <= high for low, high in pairwise(ROOMS.values()))


def between_rooms() -> list[Import]:
    return [
        found
        for found in ARROWS
        if found.target not in FACES and room(found.source) != room(found.target)
    ]


def test_imports_go_down_only() -> None:
    up = {
        (found.source, found.target)
        for found in between_rooms()
        if ROOMS[room(found.target)] >= ROOMS[room(found.source)]
    }
    assert up - FACADES == set(), "these imports go up, or to another room of the same floor"
    assert FACADES - up == set(), "these are no longer there; take them off the list"


def test_nothing_imports_the_faces() -> None:
    # The number of the version stands in the package itself.
    found = {(found.source, found.target) for found in ARROWS if found.target in FACES}
    assert {target for _, target in found} <= {"fastmlp"}


def test_no_two_modules_import_each_other() -> None:
    arrows = [
        (found.source, found.target)
        for found in ARROWS
        if (found.source, found.target) not in FACADES and found.target not in FACES
    ]
    assert circles(arrows) == []
    assert circles([(room(source), room(target)) for source, target in arrows]) == []


def test_kernels_import_nothing_of_fastmlp() -> None:
    assert not [
        found
        for found in ARROWS
        if found.source.startswith("kernels") and not found.target.startswith("kernels")
    ]


def test_imports_in_functions_say_why() -> None:
    """They keep optional packages or time at the start out, and a comment says which."""
    for found in ARROWS:
        if found.within_a_function and (found.source, found.target) not in FACADES:
            lines = modules()[found.source].read_text(encoding="utf-8").split("\n")
            above = found.line - 2
            # A comment stands above the first of several imports.
            while lines[above].strip().startswith(("from ", "import ", ")", '"')) or re.match(
                r"^\s+[\w, ]+,?$", lines[above]
            ):
                above -= 1
            place = f"{found.source}, line {found.line}"
            assert lines[above].strip().startswith("#"), f"{place} has no comment above it"


@pytest.mark.parametrize("name", [name for name in modules() if name in ROOMS])
def test_each_room_says_what_it_is_for(name: str) -> None:
    path = modules()[name]
    if path.name != "__init__.py" or name == "kernels":
        return
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    for word in ("In: ", "Out: ", "May not know: "):
        assert word in text, f"{name} does not say {word!r}"


def test_circles_are_found() -> None:
    arrows = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "e"), ("d", "f"), ("f", "d")]
    assert circles(arrows) == [["d", "f"], ["a", "b", "c"]]
