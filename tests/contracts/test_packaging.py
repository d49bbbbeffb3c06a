"""What is installed is what lies in the tree, under the right names; README's words hold."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import warnings
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from paths import ROOT

import fastmlp

# Folders by the path that they are installed under; the second is a link there in the tree.
KERNELS = "fastmlp/kernels"
SOURCES = {"fastmlp": ROOT / "fastmlp", KERNELS: ROOT / "kernels"}


def modules() -> set[str]:
    """Each module of the tree by the path that it is installed under."""
    return {
        f"{installed}/{path.relative_to(folder).as_posix()}"
        for installed, folder in SOURCES.items()
        for path in folder.rglob("*.py")
    }


def copy_of_the_sources(folder: Path) -> Path:
    """What a build reads, so that it leaves nothing behind in the tree."""
    folder.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("fastmlp", "kernels"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignore)
    return folder


def build_wheel(source: Path, folder: Path) -> zipfile.ZipFile:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    run = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(source)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    return build_wheel(copy_of_the_sources(folder / "source"), folder)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def listed_packages() -> set[str]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    packages = re.search(r"^packages = \[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    assert packages is not None
    return set(re.findall(r'"(.+?)"', packages[1]))


def test_listed_packages_are_the_folders_with_modules() -> None:
    assert listed_packages() == {str(Path(name).parent).replace("/", ".") for name in modules()}


def test_each_package_has_an_init() -> None:
    for package in listed_packages():
        assert f"{package.replace('.', '/')}/__init__.py" in modules()


def test_the_only_link_is_relative_and_leads_to_the_kernels() -> None:
    link = ROOT / KERNELS
    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.resolve() == SOURCES[KERNELS]
    assert [path for path in (ROOT / "fastmlp").rglob("*") if path.is_symlink()] == [link]


@pytest.mark.slow
def test_wheel_holds_every_module_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == modules() | {"fastmlp/py.typed"}
    assert not any(name.startswith("kernels") for name in wheel.namelist())


@pytest.mark.slow
def test_bench_runs_from_a_wheel_in_another_folder(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    wheel.extractall(installed)
    # Whoever runs it there must not be given this file for the package of that name.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "fastmlp.py").write_text("raise ImportError('the wrong module')\n")
    start = (
        "import sys; sys.path[0] = sys.argv.pop(1); from fastmlp.cli import main; sys.exit(main())"
    )
    options = ["--cases", "T", "--threads", "1", "--peers", "--rows", "64", "--rounds", "1"]
    run = subprocess.run(
        [sys.executable, "-c", start, str(installed), "bench", *options],
        cwd=elsewhere,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert "| 2-8-8-1, batch 32 | 1 " in run.stdout


@pytest.mark.slow
def test_metadata(wheel: zipfile.ZipFile, metadata: Message) -> None:
    assert metadata["Name"] == "fastmlp"
    assert metadata["Version"] == fastmlp.__version__
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["Requires-Python"] == ">=3.10"
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "fastmlp = fastmlp.cli:main" in wheel.read(name).decode()
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


@pytest.mark.slow
def test_each_extra_brings_something(metadata: Message) -> None:
    requirements = metadata.get_all("Requires-Dist") or []
    needed = {re.split(r"[^\w-]", text)[0] for text in requirements if "extra ==" not in text}
    assert needed == {"numba", "numpy"}
    brought = set(re.findall(r"extra == [\"'](.+?)[\"']", " ".join(requirements)))
    assert brought == set(metadata.get_all("Provides-Extra") or [])


@pytest.mark.slow
def test_source_distribution_builds_the_same_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    build = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    run = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=copy_of_the_sources(tmp_path / "source"),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        # Early releases of Python 3.10 have no filters; later versions warn where none is named.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(tmp_path)
    unpacked = tmp_path / archive.name.removesuffix(".tar.gz")
    assert set(build_wheel(unpacked, tmp_path).namelist()) == set(wheel.namelist())


def test_readme_has_the_two_commands_that_ci_runs() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    train, test = re.findall(r"^```bash\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    for command in (train, test):
        assert command.startswith("python3 -m venv .venv && . .venv/bin/activate && pip install -e")
        assert "\n" not in command
    assert train.endswith("fastmlp train --dataset breast_cancer")
    assert "&& pytest" in test


def test_readme_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    training, estimator, table, device = re.findall(
        r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    )
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(training, "<README.md>", "exec"), names)
    loss, accuracy = map(float, capsys.readouterr().out.split())
    assert loss < 0.2
    assert accuracy > 0.9
    assert getattr(names["probabilities"], "shape", None) == (143, 1)
    exec(compile(estimator, "<README.md>", "exec"), names)
    score, epochs = map(float, capsys.readouterr().out.split())
    assert score > 0.95
    assert epochs > 10
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        exec(compile(table, "<README.md>", "exec"), names)
    assert {note.category.__name__ for note in told} <= {"TableWarning"}
    assert capsys.readouterr().out == "['a' 'a' 'b' 'b']\n"
    pytest.importorskip("onnx")
    exec(compile(device, "<README.md>", "exec"), names)
    assert re.fullmatch(r"\[0?\.\d+\] \[[01] [01] [01]\]\n", capsys.readouterr().out)
    files = {"predictor.safetensors", "model.h", "model8.h", "model.py", "model.onnx"}
    assert files <= {path.name for path in tmp_path.iterdir()}


def test_readme_names_the_paths_and_extras_there_are() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in re.findall(r"^\| `([\w./]+/)` \|", text, re.MULTILINE):
        assert (ROOT / path).is_dir()
    extras = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(re.search(rf"^{extra} = \[", pyproject, re.MULTILINE) for extra in extras)
    assert extras == {"cli", "plot", "sklearn", "tables", "export", "all", "peers"}
