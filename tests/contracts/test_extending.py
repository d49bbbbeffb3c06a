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

# What the additions change; each of these fails without a row that the guide adds.
LISTS = (
    *("tests/contracts/test_reference_kernels.py", "tests/declarations/test_losses.py"),
    *("tests/contracts/test_derivations.py", "tests/contracts/test_features.py"),
    *("tests/inspection/test_explain.py", "tests/declarations/test_formulas.py"),
    "tests/kernels/reference/test_activations_pytorch.py",
    *("tests/contracts/test_kernel_table.py", "tests/program/test_ops.py"),
)
OF_THEM = (
    "layernorm or softsign or cauchy or every or exists or index or links or pairs or names or "
    "has_a_case or same_functions"
)


def section_of(block: Block) -> str:
    """The last heading before a block."""
    before = TEXT.splitlines()[: block.line - 2]
    return next(line for line in reversed(before) if line.startswith("##"))


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


def carry_out(folder: Path) -> list[str]:
    """Make all changes of the guide; the paths of new modules."""
    section = TEXT[TEXT.index(DERIVATION) + len(DERIVATION) :]
    page = "# Layer normalization\n" + section[: section.index("\n### ")]
    (folder / "docs/derivations/layernorm.md").write_text(page, encoding="utf-8")
    made = []
    for name, block in changes():
        path = folder / name
        if block.language == "python":
            assert not path.exists(), name
            path.write_text(block.text, encoding="utf-8")
            made.append(name)
            continue
        assert block.language == "diff", name
        text = path.read_text(encoding="utf-8")
        for old, new in hunks(block):
            assert text.count(old) == 1, f"{name} has {text.count(old)} times\n{old}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("extended")
    copy_of_the_sources(folder)
    return folder, carry_out(folder)


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


def test_it_adds_what_it_says(extended: tuple[Path, list[str]]) -> None:
    assert [name for name in extended[1] if name.startswith("tests/")] == [
        "tests/kernels/reference/test_layernorm.py",
        "tests/network/test_layers_layernorm.py",
        "tests/contracts/test_additions.py",
    ]


def test_the_result_is_in_the_style_of_the_project(extended: tuple[Path, list[str]]) -> None:
    pytest.importorskip("ruff")
    folder, _ = extended
    modules = sorted({name for name, _ in changes() if name.endswith(".py")})
    run_in(folder, "ruff", "check", *modules)
    run_in(folder, "ruff", "format", "--check", *modules)


@pytest.mark.slow
def test_the_tests_of_what_is_added_pass(extended: tuple[Path, list[str]]) -> None:
    pytest.importorskip("numba")
    folder, made = extended
    pytest_there = ("pytest", "-q", "-p", "no:cacheprovider")
    # One after the other in this test, so that all kernels are compiled once.
    run_in(folder, *pytest_there, *(name for name in made if name.startswith("tests/")))
    run_in(folder, *pytest_there, *LISTS, "-k", OF_THEM)


def test_what_users_do_works() -> None:
    pytest.importorskip("numba")
    examples = [block for block in blocks(GUIDE) if section_of(block) == FOR_USERS]
    assert examples
    namespace: dict[str, object] = {}
    for block in examples:
        run(block, GUIDE, namespace)
