"""The guide to extending, carried out to the letter on a copy of the sources."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documents import Block, blocks, run
from paths import ROOT

GUIDE = ROOT / "docs/extending.md"
TEXT = GUIDE.read_text(encoding="utf-8")
FOR_USERS = "## Without touching the project"
DERIVATION = "### The derivation"
COPIED = ("fastmlp", "kernels", "benchmarks", "tests", "docs", "pyproject.toml")

# Tests that go over all that is declared, and what they call the additions.
ITERATING = (
    *("tests/contracts/test_kernel_table.py", "tests/contracts/test_reference_kernels.py"),
    *("tests/contracts/test_every_layer.py", "tests/contracts/test_every_declaration.py"),
    *("tests/contracts/test_derivations.py", "tests/contracts/test_features.py"),
    *("tests/declarations", "tests/inspection/test_explain.py", "tests/program/test_ops.py"),
    *("tests/kernels/compiled/test_twins.py", "tests/inference/test_operation_format.py"),
    *("tests/export/test_every_activation.py", "tests/importers/test_every_activation.py"),
)
ADDED = (
    "prelu or lisht or cauchy or adamax or every or exists or index or links or pairs or "
    "names or same_functions"
)
# The modules and tests that an addition touches, at most.
TOUCHED = {"## An activation": 4, "## A loss": 4, "## An optimizer": 4, "## A layer": 8}


def section_of(block: Block) -> str:
    """The last heading before a block."""
    before = TEXT.splitlines()[: block.line - 2]
    return next(line for line in reversed(before) if line.startswith("##"))


def chapter_of(block: Block) -> str:
    """The last heading of the second level before a block."""
    before = TEXT.splitlines()[: block.line - 2]
    return next(line for line in reversed(before) if line.startswith("## "))


def file_of(block: Block) -> str:
    """The path that the words before a block end with."""
    before = "\n".join(TEXT.splitlines()[: block.line - 2])
    found = re.search(r"`([\w/]+\.(?:py|md))`:\s*$", before)
    assert found, f"no file is named before line {block.line}"
    return found[1]


def changes() -> list[tuple[str, Block]]:
    """Files and what happens to them, in order."""
    return [
        (file_of(block), block)
        for block in blocks(GUIDE)
        if section_of(block) not in (DERIVATION, FOR_USERS)
    ]


def hunks(block: Block) -> list[tuple[str, str]]:
    """What each part of a change looks for and what it puts in its place."""
    parts = []
    for part in re.split(r"^@@\n", block.text, flags=re.MULTILINE):
        lines = part.splitlines(keepends=True)
        assert all(line[0] in " +-\n" for line in lines), part
        old = "".join(line[1:] or "\n" for line in lines if line[0] != "+")
        new = "".join(line[1:] or "\n" for line in lines if line[0] != "-")
        parts.append((old, new))
    return parts


def carry_out(folder: Path) -> Path:
    """Make all changes of the guide in a folder of sources."""
    section = TEXT[TEXT.index(DERIVATION) + len(DERIVATION) :]
    page = "# PReLU\n" + section[: section.index("\n### ")]
    (folder / "docs/derivations/prelu.md").write_text(page, encoding="utf-8")
    for name, block in changes():
        path = folder / name
        if block.language == "python":
            assert not path.exists(), name
            path.write_text(block.text, encoding="utf-8")
            continue
        assert block.language == "diff", name
        text = path.read_text(encoding="utf-8")
        for old, new in hunks(block):
            assert text.count(old) == 1, f"{name} has {text.count(old)} times\n{old}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extended")
    copy_of_the_sources(folder)
    return carry_out(folder)


def copy_of_the_sources(folder: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "node_modules")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy(ROOT / name, folder / name)


def run_in(folder: Path, *command: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize("kind", TOUCHED)
def test_it_touches_few_files(kind: str) -> None:
    touched = {name for name, block in changes() if chapter_of(block) == kind}
    assert 0 < len({name for name in touched if name.endswith(".py")}) <= TOUCHED[kind]


def test_the_result_is_in_the_style_of_the_project(extended: Path) -> None:
    pytest.importorskip("ruff")
    modules = sorted({name for name, _ in changes() if name.endswith(".py")})
    run_in(extended, "ruff", "check", *modules)
    run_in(extended, "ruff", "format", "--check", *modules)


@pytest.mark.slow
def test_the_tests_of_what_is_added_pass(extended: Path) -> None:
    pytest.importorskip("numba")
    run_in(extended, "pytest", "-q", "-p", "no:cacheprovider", *ITERATING, "-k", ADDED)


def test_what_users_do_works() -> None:
    pytest.importorskip("numba")
    examples = [block for block in blocks(GUIDE) if section_of(block) == FOR_USERS]
    assert examples
    namespace: dict[str, object] = {}
    for block in examples:
        run(block, GUIDE, namespace)
