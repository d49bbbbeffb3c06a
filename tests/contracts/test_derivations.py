"""The derivations: complete, about functions that exist, and true in numbers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from documents import blocks, names_in, run, without_blocks
from paths import ROOT

from fastmlp.declarations.activations import TRAITS
from fastmlp.declarations.losses import LOSSES
from fastmlp.declarations.optimizers import OPTIMIZERS
from fastmlp.kernels import get_backend
from fastmlp.kernels import numpy as reference
from fastmlp.kernels.reference.activations import ACTIVATIONS
from fastmlp.runners.reference_ops import REFERENCE

FOLDER = ROOT / "docs/derivations"
INDEX = FOLDER / "README.md"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path != INDEX)
WITH_FORMULAS = [INDEX, *PAGES, ROOT / "docs/extending.md"]

_REFERS = re.compile(r"^\* `((?:kernels|fastmlp)/\S+\.py)`: (.*)$", re.MULTILINE)
_QUOTED = re.compile(r"`([^`]+)`")
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$", re.DOTALL)


def references(page: Path) -> Iterator[tuple[str, str]]:
    """The file and the name of each function of which a page says that it derives it."""
    for path, names in _REFERS.findall(page.read_text(encoding="utf-8")):
        for name in _QUOTED.findall(names):
            yield path, name


# The rules of optimizers are declared, and held against the kernels with their declarations.
RULES = {optimizer.kernel for optimizer in OPTIMIZERS.values()}
ALL_REFERENCES = {pair for page in PAGES for pair in references(page)}


def test_what_is_referred_to_exists() -> None:
    assert len(ALL_REFERENCES) > 50
    unknown = [pair for pair in ALL_REFERENCES if pair[1] not in names_in(ROOT / pair[0])]
    assert not unknown


# Of activations and losses the declaration has formula and derivative, which
# tests/declarations/test_formulas.py holds against each other and against the kernels: those that
# need no more words have no section.
DECLARED = {loss.kernel for loss in LOSSES.values() if loss.slope}


@pytest.mark.parametrize("name", sorted({*reference.__all__} - RULES))
def test_every_kernel_is_derived(name: str) -> None:
    module = inspect.unwrap(getattr(reference, name)).__globals__["__name__"]
    module = module.removeprefix("fastmlp.").replace(".", "/")
    assert name in DECLARED or (f"{module}.py", name) in ALL_REFERENCES


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_derived(name: str) -> None:
    rule, path = ACTIVATIONS[name], "kernels/reference/activations.py"
    functions = {(path, rule.forward.__name__), (path, rule.backward.__name__)}
    assert TRAITS[name].derivative or functions <= ALL_REFERENCES


def test_the_compiled_twins_are_named() -> None:
    from_compiled = {path for path, _ in ALL_REFERENCES if path.startswith("kernels/compiled/")}
    for page in PAGES:
        sections = re.split(r"^#+ .*$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for section in sections:
            paths = [path for path, _ in _REFERS.findall(section)]
            if any(path.startswith("kernels/reference/") for path in paths):
                assert from_compiled.intersection(paths), (page.name, section[:80])


def test_every_operation_of_a_program_is_derived() -> None:
    text = "".join(without_blocks(page) for page in PAGES)
    assert {operation.__name__ for operation in REFERENCE} == set(re.findall(r"`(\w+Op)`", text))


def anchors(page: Path) -> set[str]:
    """The links that headings of a page can be reached by."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_links_lead_somewhere() -> None:
    for page in WITH_FORMULAS:
        for path, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", without_blocks(page)):
            target = page.parent / path if path else page
            assert target.exists(), (page.name, path)
            assert not anchor or anchor in anchors(target), (page.name, path, anchor)


def formulas(page: Path) -> list[str]:
    """The text of all formulas of a page, code in backticks left out."""
    text = _QUOTED.sub("", without_blocks(page))
    assert text.count("$$") % 2 == 0, page.name
    found = [display or inline for display, inline in _FORMULA.findall(text)]
    inline = [formula for _, formula in _FORMULA.findall(text)]
    assert not [formula for formula in inline if formula != formula.strip() or "\n" in formula]
    assert "$" not in _FORMULA.sub("", text), page.name
    return found


@pytest.mark.parametrize("page", WITH_FORMULAS, ids=lambda page: page.stem)
def test_formulas_are_well_formed(page: Path) -> None:
    mathtext = pytest.importorskip("matplotlib.mathtext")
    parser = mathtext.MathTextParser("path")
    for formula in formulas(page):
        # Markdown takes a backslash before punctuation for an escape, <x for HTML, * for emphasis.
        assert not re.search(r"\\[^A-Za-z]|<\S|[*]", formula), formula
        parser.parse(f"${' '.join(formula.split())}$")


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_formulas_are_true(page: Path, backend: str) -> None:
    if backend == "numba":
        pytest.importorskip("numba")
    namespace: dict[str, object] = {"backend": backend, "kernels": get_backend(backend)}
    start = [block for block in blocks(INDEX) if block.language == "python"]
    checks = [block for block in blocks(page) if block.language == "python"]
    assert checks
    for path, parts in ((INDEX, start), (page, checks)):
        for block in parts:
            run(block, path, namespace)


def test_a_wrong_formula_is_noticed() -> None:
    namespace: dict[str, object] = {}
    for block in blocks(INDEX):
        run(block, INDEX, namespace)
    x = np.linspace(0.5, 1.5, 4)
    exec("close(numerical(lambda x: (x**3).sum(), x), 3 * x**2)", namespace, {"x": x})
    with pytest.raises(AssertionError):
        exec("close(numerical(lambda x: (x**3).sum(), x), 3.001 * x**2)", namespace, {"x": x})
