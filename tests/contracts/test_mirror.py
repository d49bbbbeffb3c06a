"""Tests stand where what they test stands: a folder for each room, a file for each module."""

from __future__ import annotations

from pathlib import Path

import pytest
from paths import ROOT

TESTS = ROOT / "tests"
# What crosses rooms, and what is no test of a module.
ELSEWHERE = ("benchmarks", "contracts", "helpers", "pages")

# Modules without a test file of their name, and the file that tests them. A folder stands for those
# of its own modules that have none.
TESTED_BY = {
    "cli/options_bench.py": "cli/test_option.py",
    "cli/options_model.py": "cli/test_option.py",
    "common/decimals.py": "contracts/test_callers_settings.py",
    "common/error_state.py": "contracts/test_callers_settings.py",
    "common/warn.py": "inference/test_freezing_digits.py",
    "declarations/activation_table.py": "export/test_every_activation.py",
    "export/c/activations.py": "export/test_every_activation.py",
    "export/c/int8_functions.py": "export/c/test_int8.py",
    "export/onnx/graph.py": "export/onnx/test_file.py",
    "export/words.py": "export/c/test_header.py",
    "importers/activations.py": "importers/test_every_activation.py",
    "importers/keras_activations.py": "importers/test_keras.py",
    "importers/onnx/activations.py": "importers/test_every_activation.py",
    "importers/torch/shapes.py": "importers/torch/test_functions.py",
    "int8/activations.py": "export/test_every_activation.py",
    "int8/constants.py": "export/c/test_int8.py",
    "int8/kernels.py": "int8/test_program.py",
    "kernels/compiled": "contracts/test_kernel_table.py",
    "kernels/compiled/machine": "kernels/compiled/machine/test_gemm.py",
    "kernels/compiled/ops": "contracts/test_kernel_table.py",
    "kernels/compiling.py": "runners/test_compile_notice.py",
    "kernels/constants.py": "kernels/compiled/machine/test_math.py",
    "kernels/formats.py": "kernels/compiled/machine/test_math.py",
    "kernels/quiet.py": "contracts/test_callers_settings.py",
    "kernels/reference": "contracts/test_kernel_table.py",
    "model/copying.py": "inspection/test_gradient_check.py",
    "model/predictor_file.py": "inference/test_format.py",
    "peers": "cli/test_bench.py",
    "program/operation.py": "program/test_ops.py",
    "program/program.py": "program/test_ops.py",
    "runners": "contracts/test_gradients.py",
    "runners/compiled": "contracts/test_whole_runs.py",
    "tabular/average.py": "tabular/test_exported.py",
    "tabular/course.py": "tabular/test_recipe.py",
    "tabular/described.py": "tabular/test_saved.py",
    "tabular/deadline.py": "tabular/test_estimator.py",
    "tabular/fitting.py": "tabular/test_estimator.py",
    "tabular/frozen.py": "tabular/test_exported.py",
    "tabular/judge.py": "tabular/test_scores.py",
    "tabular/losses.py": "tabular/test_recipe.py",
    "tabular/member.py": "tabular/test_recipe.py",
    "tabular/model.py": "tabular/test_saved.py",
    "tabular/outputs.py": "cli/test_predict.py",
    "tabular/plan.py": "tabular/test_recipe.py",
    "tabular/reading.py": "tabular/test_estimator.py",
    "tabular/telling.py": "tabular/test_estimator.py",
}
# They hold no code to run.
WITHOUT_CODE = {"kernels/typing.py"}


def modules() -> set[str]:
    """All modules, by their paths in fastmlp, where those of the kernels are below ``kernels/``."""
    paths = {
        path.relative_to(ROOT / "fastmlp").as_posix()
        for path in (ROOT / "fastmlp").rglob("*.py")
        if not path.is_relative_to(ROOT / "fastmlp/kernels")
    }
    paths |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "kernels").rglob("*.py")}
    return {path for path in paths if Path(path).name not in ("__init__.py", "__main__.py")}


MODULES = modules()


def files() -> list[Path]:
    """All files of tests in the folders of rooms, by their paths in ``tests/``."""
    paths = (path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))
    return sorted(path for path in paths if path.parts[0] not in ELSEWHERE)


def module_of(test: Path) -> str | None:
    """The module whose name a file of tests bears, with or without a word behind it."""
    name = test.stem.removeprefix("test_")
    beside = {Path(m).stem for m in MODULES if Path(m).parent == test.parent}
    named = [stem for stem in beside if name == stem or name.startswith(f"{stem}_")]
    return (test.parent / f"{max(named, key=len)}.py").as_posix() if named else None


TESTED = {module_of(test) for test in files()}


@pytest.mark.parametrize("test", files(), ids=str)
def test_a_file_of_tests_bears_the_name_of_a_module(test: Path) -> None:
    # What each thing of a kind must do, by all modules of its room; a room beside other libraries.
    if not test.name.startswith(("test_every_", "test_with_")):
        assert module_of(test) is not None, "tests of several rooms stand in tests/contracts"


@pytest.mark.parametrize("module", sorted(MODULES - WITHOUT_CODE))
def test_a_module_has_tests(module: str) -> None:
    path = Path(module)
    listed = {module, path.parent.as_posix()} & TESTED_BY.keys()
    own = f"tests/{path.parent.as_posix()}/test_{path.name}"
    assert module in TESTED or listed, f"there is no {own}, nor a row of TESTED_BY"


def test_the_list_holds_what_it_must() -> None:
    own = {module for module in TESTED_BY if module in TESTED}
    assert own == set(), "these have a file of their own now"
    folders = {Path(module).parent.as_posix() for module in MODULES - TESTED - TESTED_BY.keys()}
    assert TESTED_BY.keys() <= MODULES | folders, "these are gone"
    assert [test for test in TESTED_BY.values() if not (TESTS / test).is_file()] == []
    assert len(TESTED_BY) < 0.15 * len(MODULES)


def test_most_modules_have_a_file_of_their_own() -> None:
    assert len(TESTED & MODULES) > 0.6 * len(MODULES)
