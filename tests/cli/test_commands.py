"""The commands of the command line: what all of them say, and how they end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from commands import error_of

import fastmlp as fm
from fastmlp.cli import main

ERRORS = [
    (["train", "-d", "irys"], "unknown dataset 'irys'; did you mean 'iris'"),
    (["train", "-d", "iris", "-a", "rleu"], "did you mean 'relu'"),
    (["train", "-d", "iris", "-wi", "hee"], "did you mean 'he'"),
    (["train", "-d", "iris", "--optimizer", "adan"], "did you mean 'adam'"),
    (["train", "-d", "iris", "-o", "softmix"], "did you mean 'softmax'"),
    (["train", "-d", "iris", "-o", "linear"], "linear"),
    (["train", "-d", "diabetes", "-o", "softmax"], "softmax"),
    (["train", "-d", "diabetes", "-t", "classification"], "use --task regression"),
    (["train", "-d", "iris", "-wf", "petal lenght (cm)"], "did you mean 'petal length (cm)'"),
    (["train", "-d", "iris", "-wf", "4"], "there is no feature 4: they are numbered 0 to 3"),
    (["train", "-d", "iris", "-ts", "1.5"], "-ts/--test_size: value must be"),
    (["train", "-d", "iris", "-ts", "nan"], "-ts/--test_size: value must be"),
    (["train", "-d", "iris", "-e", "0"], "-e/--epochs: value must be an integer >= 1, got 0"),
    (["train", "-d", "iris", "-e", "ten"], "-e/--epochs: 'ten' is not an integer"),
    (["train", "-d", "iris", "-lr", "fast"], "-lr/--learning_rate: 'fast' is not a number"),
    (["train", "-d", "iris", "--l2", "-1"], "--l2: value must be"),
    (["train", "-d", "iris", "-s", "4294967296"], "-s/--seed: value must be"),
    (["train", "-d", "iris", "-en", "../x"], "-en/--extension_name: '../x' cannot be part"),
    (["train", "-d", "iris", "--epohcs", "3"], "unrecognized arguments: --epohcs 3"),
    (["train"], "-d/--dataset"),
    (["trane"], "invalid choice: 'trane'"),
    ([], "COMMAND"),
]


@pytest.mark.parametrize(("words", "part"), ERRORS, ids=[" ".join(words) for words, _ in ERRORS])
def test_errors_are_one_line(
    words: list[str],
    part: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert part in error_of(capsys, *words)
    assert not (tmp_path / "outputs" / "model.safetensors").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "file"
    taken.write_text("")
    assert str(taken) in error_of(capsys, "train", "-d", "iris", "--output-dir", str(taken))


def test_data_that_cannot_be_downloaded(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    without_network: None,
) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    error = error_of(capsys, "train", "-d", "california_housing", "--output-dir", str(tmp_path))
    assert "cannot be downloaded" in error


@pytest.mark.parametrize("package", ["matplotlib", "sklearn", "tqdm"])
def test_a_missing_package_is_named_with_its_extra(
    package: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from importlib import util

    find_spec = util.find_spec
    monkeypatch.setattr(
        util, "find_spec", lambda name: None if name == package else find_spec(name)
    )
    error = error_of(capsys, "train", "-d", "iris", "--output-dir", str(tmp_path))
    assert package.replace("sklearn", "scikit-learn") in error
    assert "pip install 'fastmlp[cli]'" in error


def test_ctrl_c_ends_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: object, *_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fm.Sequential, "fit", interrupt)
    assert main(["train", "-d", "iris", "--output-dir", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "fastmlp: interrupted\n"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"fastmlp {fm.__version__}\n"


@pytest.mark.parametrize(
    "words", [["--help"], ["train", "--help"], ["predict", "--help"], ["warmup", "--help"]]
)
def test_help_imports_nothing_slow(words: list[str]) -> None:
    program = (
        "import sys\n"
        "from fastmlp.cli import main\n"
        "try:\n"
        f"    main({words!r})\n"
        "finally:\n"
        "    slow = {'llvmlite', 'matplotlib', 'numba', 'pandas', 'scipy', 'sklearn'}\n"
        "    print('imported:', sorted(slow & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith("imported: []\n")
    assert run.stderr == ""


def test_python_m_fastmlp() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "fastmlp", "--version"], capture_output=True, text=True
    )
    assert (run.returncode, run.stdout) == (0, f"fastmlp {fm.__version__}\n")
