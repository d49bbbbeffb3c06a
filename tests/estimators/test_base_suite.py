"""scikit-learn's own tests of its networks, run on ours: its file, with the two names replaced."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest

import fastmlp as fm

neural_network = pytest.importorskip("sklearn.neural_network")


def suite() -> ModuleType:
    """The tests of the installed version, in which both names are ours."""
    path = Path(neural_network.__file__).parent / "tests/test_mlp.py"
    spec = importlib.util.spec_from_file_location("tests_of_scikit_learn", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with (
        mock.patch.object(neural_network, "MLPClassifier", fm.MLPClassifier),
        mock.patch.object(neural_network, "MLPRegressor", fm.MLPRegressor),
    ):
        spec.loader.exec_module(module)
    return module


SUITE = suite()
TESTS = {name: value for name, value in vars(SUITE).items() if name.startswith("test_")}
globals().update(TESTS)
# Their own settings: warnings are not errors there.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def global_random_seed() -> int:
    """What their tests ask for."""
    return 42


def test_all_of_theirs_are_run() -> None:
    assert SUITE.MLPClassifier is fm.MLPClassifier
    assert SUITE.MLPRegressor is fm.MLPRegressor
    assert len(TESTS) >= 42
