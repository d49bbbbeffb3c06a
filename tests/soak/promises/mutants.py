"""Tests that would let a fault pass are no tests: small changes of the code, and who notices them.

The changes are those of Cosmic Ray (https://cosmic-ray.readthedocs.io): another operator, another
number, a loop of no rounds, a condition turned round, a decorator taken off.
"""

from __future__ import annotations

import importlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .. import ROOT
from ..promise import Trial, promise
from ..survivors import REASONS

# One change of each kind: a sum that becomes a product is noticed where a difference is.
OPERATORS = (
    *("AddNot", "NumberReplacer", "RemoveDecorator", "ZeroIterationForLoop"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ReplaceUnaryOperator_Delete_Not"),
    *("ReplaceUnaryOperator_Delete_USub", "ReplaceBinaryOperator_Add_Sub"),
    *("ReplaceBinaryOperator_Sub_Add", "ReplaceBinaryOperator_Mul_Div"),
    *("ReplaceBinaryOperator_Div_Mul", "ReplaceBinaryOperator_FloorDiv_Mul"),
    *("ReplaceBinaryOperator_Mod_Mul", "ReplaceBinaryOperator_Pow_Mul"),
    *("ReplaceComparisonOperator_Eq_NotEq", "ReplaceComparisonOperator_NotEq_Eq"),
    *("ReplaceComparisonOperator_Lt_LtE", "ReplaceComparisonOperator_LtE_Lt"),
    *("ReplaceComparisonOperator_Gt_GtE", "ReplaceComparisonOperator_GtE_Gt"),
    *("ReplaceComparisonOperator_Is_IsNot", "ReplaceComparisonOperator_IsNot_Is"),
)
COUNT = 600
SECONDS = 600
_TABLE = "tests/contracts/test_kernel_table.py"


def _kernels_of(stem: str) -> str:
    """The rows of the table of kernels that are of a file of this name."""
    if not (ROOT / f"kernels/reference/{stem}.py").exists():
        return ""
    names = importlib.import_module(f"fastmlp.kernels.reference.{stem}").__all__
    return " or ".join(names)


def _own(folder: str, stem: str) -> list[str]:
    """The files of tests that bear a module's name."""
    found = sorted((ROOT / "tests" / folder).glob(f"test_{stem}*.py"))
    return [path.relative_to(ROOT).as_posix() for path in found]


def tests_of(path: str) -> list[list[str]]:
    """What pytest is given for a file of the library, one call after the other."""
    parts, stem = path.split("/"), Path(path).stem
    folder = "/".join(parts[:-1] if parts[0] == "kernels" else parts[1:-1])
    calls = [_own(folder, stem)]
    if parts[0] == "kernels" and (kernels := _kernels_of(stem)):
        calls.append([_TABLE, "-k", kernels])
    elif parts[0] == "kernels":
        calls += [["tests/kernels/compiled/machine"], [_TABLE, "-k", "dense or gradient or loss"]]
    else:
        calls.append([f"tests/{folder}"])
    if "runners" in parts or parts[0] == "kernels":
        calls.append(["tests/contracts/test_gradients.py", "tests/contracts/test_every_layer.py"])
    return [call for call in calls if call]


def subjects() -> list[str]:
    """The files whose tests are tried."""
    folders = ("kernels/reference", "kernels/compiled", "fastmlp/runners", "fastmlp/tables")
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    found += [ROOT / "fastmlp/data/targets.py", ROOT / "fastmlp/common/safetensors.py"]
    paths = [path.relative_to(ROOT).as_posix() for path in found]
    # Which compiler options are best is measured, not tested.
    return [path for path in paths if not path.endswith(("__init__.py", "options.py"))]


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    path: str
    operator: str
    occurrence: int

    def text(self) -> str:
        """The file with its change."""
        from cosmic_ray.mutating import mutate_code
        from cosmic_ray.plugins import get_operator

        operator = get_operator(f"core/{self.operator}")()
        source = (ROOT / self.path).read_text(encoding="utf-8")
        changed: str = mutate_code(source, operator, self.occurrence)
        return changed


def mutants() -> list[Mutant]:
    """Some of all that there are, the same in every run of the same sources."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator

    chosen = []
    for path in subjects():
        nodes = list(ast_nodes(get_ast((ROOT / path).read_text(encoding="utf-8"))))
        for name in OPERATORS:
            operator = get_operator(f"core/{name}")()
            count = sum(len(list(operator.mutation_positions(node))) for node in nodes)
            chosen += [Mutant(path, name, occurrence) for occurrence in range(count)]
    random.Random(0).shuffle(chosen)
    return chosen[:COUNT]


def changed_line(mutant: Mutant, text: str) -> tuple[str, str]:
    """The first line that differs, before and after."""
    before = (ROOT / mutant.path).read_text(encoding="utf-8").splitlines()
    after = text.splitlines()
    for one, other in zip(before, after, strict=False):
        if one != other:
            return one.strip(), other.strip()
    return "", ""


def is_noticed(path: str, copy: Path) -> bool:
    """Whether a test of the file fails, or does not end."""
    # A change of one kernel is one of all in the cache.
    cache = copy / ("cache" if path.startswith("kernels/") else "kept")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(copy)}
    environment.pop("FASTMLP_REQUIRE_ALL", None)
    quick = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow"]
    for call in tests_of(path):
        command = [sys.executable, "-m", "pytest", *quick, *call]
        try:
            run = subprocess.run(
                command, cwd=copy, env=environment, capture_output=True, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return True
        # 5: of its tests none is left, all of them are slow.
        if run.returncode not in (0, 5):
            return True
    return False


@promise(
    "Nine of ten small changes of kernels, runners, targets and readers of tables and files are "
    "noticed by the tests of the changed file.",
    unit="changes",
    full=COUNT,
    quick=1,
)
def changes_are_noticed(folder: Path) -> Iterator[Trial]:
    pytest.importorskip("cosmic_ray")
    copy = folder / "copy"
    names = ("fastmlp", "kernels", "tests", "benchmarks", "examples", "docs", "pyproject.toml")
    copy.mkdir()
    for name in names:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, symlinks=True)
        else:
            shutil.copy(source, copy / name)
    drawn = mutants()

    def trial(number: int) -> str:
        mutant = drawn[number]
        text = mutant.text()
        before, after = changed_line(mutant, text)
        changed = copy / mutant.path
        changed.write_text(text, encoding="utf-8")
        try:
            if is_noticed(mutant.path, copy):
                return "noticed"
        finally:
            shutil.copy(ROOT / mutant.path, changed)
            shutil.rmtree(copy / "cache", ignore_errors=True)
        reason = REASONS.get((mutant.path, before, after))
        assert reason, f"{mutant.path}: nobody noticed that {before!r} became {after!r}"
        return "not noticed, for a reason"

    yield trial
