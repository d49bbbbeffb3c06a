"""The guide to extending, carried out to the letter on a copy of the sources."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documents import ROOT, Block, blocks, run

GUIDE = ROOT / "docs/extending.md"
COPIED = (
    *("fastmlp", "kernels", "benchmarks"),
    *("tests/conftest.py", "tests/kernels/test_kernel_table.py"),
    *("tests/kernels/test_reference_finite_differences.py", "pyproject.toml"),
)


def file_of(block: Block) -> str:
    """The path that the words before a block end with."""
    before = GUIDE.read_text(encoding="utf-8").splitlines()[: block.line - 2]
    found = re.search(r"`([\w/]+\.py)`:\s*$", "\n".join(before))
    assert found, f"no file is named before line {block.line}"
    return found[1]


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
    """Make all changes of the guide; the paths of new files."""
    made = []
    for block in blocks(GUIDE):
        if block.language not in ("python", "diff") or is_for_users(block):
            continue
        name = file_of(block)
        path = folder / name
        if block.language == "python":
            assert not path.exists(), name
            path.write_text(block.text, encoding="utf-8")
            made.append(name)
            continue
        text = path.read_text(encoding="utf-8")
        for old, new in hunks(block):
            assert text.count(old) == 1, f"{name} has {text.count(old)} times\n{old}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    return made


def is_for_users(block: Block) -> bool:
    """Whether a block belongs to the part that changes nothing in the project."""
    text = GUIDE.read_text(encoding="utf-8")
    return block.line > text[: text.index("## Without touching the project")].count("\n")


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("extended")
    ignore = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder, carry_out(folder)


def run_in(folder: Path, *command: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(folder),
            "NUMBA_CACHE_DIR": str(folder / "cache"),
        },
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_it_adds_what_it_says(extended: tuple[Path, list[str]]) -> None:
    assert [name for name in extended[1] if name.startswith("tests/")] == [
        "tests/kernels/test_reference_layernorm.py",
        "tests/test_layernorm.py",
        "tests/test_additions.py",
    ]


def test_the_result_is_in_the_style_of_the_project(extended: tuple[Path, list[str]]) -> None:
    pytest.importorskip("ruff")
    folder, made = extended
    changed = {file_of(block) for block in blocks(GUIDE) if block.language == "diff"}
    run_in(folder, "ruff", "check", *made, *changed)
    run_in(folder, "ruff", "format", "--check", *made, *changed)


@pytest.mark.slow
def test_the_tests_that_it_adds_pass(extended: tuple[Path, list[str]]) -> None:
    pytest.importorskip("numba")
    folder, made = extended
    tests = [name for name in made if name.startswith("tests/")]
    run_in(folder, "pytest", "-q", "-p", "no:cacheprovider", *tests)
    # In the same test, so that all kernels are compiled once.
    names = "layernorm or softsign or log_cosh or in_the_table or same_functions"
    table = "tests/kernels/test_kernel_table.py"
    run_in(folder, "pytest", "-q", "-p", "no:cacheprovider", table, "-k", names)


def test_what_users_do_works() -> None:
    examples = [block for block in blocks(GUIDE) if block.language == "python"]
    examples = [block for block in examples if is_for_users(block)]
    assert examples
    namespace: dict[str, object] = {}
    for block in examples:
        run(block, GUIDE, namespace)
