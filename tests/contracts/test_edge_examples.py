"""The scripts of examples/edge, the document on exports and the table of their speed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documents import blocks
from installed import bytes_installed, in_words
from marked_part import END, begin_of, write_between
from paths import ROOT

EXAMPLES = ROOT / "examples" / "edge"
DOCUMENT = ROOT / "docs" / "edge.md"
BEGIN = begin_of("benchmarks.edge")

pytest.importorskip("sklearn")


def need(*tools: str) -> None:
    """Skip where a program is missing."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def python(folder: Path, *words: str, **environment: str) -> str:
    """Run Python in a folder and return what it prints."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def number(text: str, before: str) -> float:
    """The number that follows these words."""
    (found,) = re.findall(re.escape(before) + r" ([-+.e\d]*\d)", text)
    return float(found)


def assert_predicts_as_the_model(text: str) -> None:
    right, total = map(int, re.findall(r"(\d+) of (\d+) test rows are right", text)[0])
    assert right / total > 0.9
    assert "labels as model.predict_classes gives them: True" in text
    assert number(text, "largest difference from model.predict:") <= 1e-5


@pytest.fixture(scope="module")
def c_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ``c_program.py`` has left its files and what it printed, as ``printed.txt``."""
    need("cc")
    folder = tmp_path_factory.mktemp("c_program")
    (folder / "printed.txt").write_text(python(folder, str(EXAMPLES / "c_program.py")))
    return folder


def test_c_program(c_folder: Path) -> None:
    text = (c_folder / "printed.txt").read_text()

    assert_predicts_as_the_model(text)
    assert len(re.findall(r"^\[.*\] +\w+ +\w+ +0\.\d{4}$", text, re.MULTILINE)) == 5


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2,3", "line 2: expected 4 numbers with commas between them, found 1,2,3"),
        ("1,2,3,4,5", "line 2: expected 4 numbers"),
        ("1,2,3,4 cm", "line 2: expected 4 numbers"),
        ("", "line 2: expected 4 numbers"),
        ("1,2,nan,4", "line 2: NaN and infinity are no inputs, found 1,2,nan,4"),
        ("1,2,3,1e99", "line 2: NaN and infinity are no inputs"),
    ],
)
def test_c_program_tells_what_is_wrong_with_a_row(c_folder: Path, line: str, message: str) -> None:
    program = c_folder / "outputs" / "edge" / "c" / "predict_csv"
    given = f"5.1,3.5,1.4,0.2\n{line}\n5.1,3.5,1.4,0.2\n"
    done = subprocess.run([program], input=given, capture_output=True, text=True)

    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert done.stdout.startswith("setosa,")
    assert done.stdout.count("\n") == 1


def test_c_program_reads_spaces_and_windows_line_ends(c_folder: Path) -> None:
    program = c_folder / "outputs" / "edge" / "c" / "predict_csv"
    given = b"5.1, 3.5, 1.4, 0.2 \r\n5.1,3.5,1.4,0.2"
    one, other = subprocess.check_output([program], input=given).splitlines()

    assert one == other


def test_numpy_only(tmp_path: Path) -> None:
    text = python(tmp_path, str(EXAMPLES / "numpy_only.py"))

    assert_predicts_as_the_model(text)


@pytest.mark.parametrize("module", ["fastmlp", "numba", "sklearn"])
def test_nothing_but_numpy_can_be_imported_on_the_device(tmp_path: Path, module: str) -> None:
    source = (EXAMPLES / "numpy_only.py").read_text(encoding="utf-8")
    (only_numpy,) = re.findall(r'^ONLY_NUMPY = """\n(.*?)^"""$', source, re.DOTALL | re.MULTILINE)
    (tmp_path / "program.py").write_text(
        "import csv, sys, numpy\n"
        "try:\n"
        f"    import {module}\n"
        "except ModuleNotFoundError as error:\n"
        "    print(error)\n"
    )

    text = python(tmp_path, "-c", only_numpy, "program.py")

    assert text == f"{module} is not on the device\n"


@pytest.mark.slow
def test_cortex_m4(tmp_path: Path) -> None:
    need("arm-none-eabi-gcc", "qemu-system-arm")
    text = python(tmp_path, str(EXAMPLES / "cortex_m4.py"))

    float_part, int8_part = text.split("int8: ")
    assert number(float_part, "largest difference from the predictor:") <= 1e-5
    assert "bit for bit the same: True" in int8_part
    rights = re.findall(r"(\d+) of (\d+) test rows are right", text)
    (float_right, total), (int8_right, _) = [(int(right), int(total)) for right, total in rights]
    assert float_right / total > 0.95
    assert int8_right >= float_right - 0.005 * total
    constants = [number(part, "tables") for part in (float_part, int8_part)]
    assert constants[0] >= 4 * (64 * 64 + 64 * 32 + 32 * 10)
    assert constants[1] < 0.4 * constants[0]
    for part in (float_part, int8_part):
        least, most = map(int, re.findall(r"instructions a row: (\d+) to (\d+)", part)[0])
        assert 64 * 64 + 64 * 32 + 32 * 10 < least <= most < 200_000


@pytest.mark.parametrize(
    ("script", "hint"),
    [("c_program.py", "apt install gcc"), ("cortex_m4.py", "apt install gcc-arm-none-eabi")],
)
def test_a_missing_tool_is_told_in_a_line(tmp_path: Path, script: str, hint: str) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert hint in done.stderr
    assert done.stderr.count("\n") == 1


def test_document_runs(tmp_path: Path) -> None:
    """Its Python as one script, and its C program with the header that this writes."""
    need("cc")
    found = blocks(DOCUMENT)
    script = "\n".join(block.text for block in found if block.language == "python")
    (program,) = (block.text for block in found if block.language == "c")
    (tmp_path / "script.py").write_text(script)
    (tmp_path / "program.c").write_text(program)

    text = python(tmp_path, "script.py")
    command = ["cc", "-std=c99", "-Wall", "-Werror", "program.c", "-o", "program", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    label, probability = subprocess.check_output([tmp_path / "program"], text=True).split()

    assert label == "setosa"
    probabilities = re.findall(r"\[(0\.\d+|9\.\d+e-01|1\.)", text)
    assert float(probabilities[0]) == pytest.approx(float(probability), abs=1e-3)
    assert text.count("['setosa' 'setosa']") == 2


@pytest.mark.slow
def test_table_is_made_and_written(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    need("cc")
    document = tmp_path / "edge.md"
    document.write_text(f"above\n\n{BEGIN}\nold\n{END}\n\nbelow\n")
    ways = ["C, math.h", "C, int8", "Predictor, numba", "Predictor, NumPy", "Python file"]
    words = ["--quick", "--networks", "20-64-32-3", "--write", str(document), "--only", *ways]

    printed = python(ROOT, "-m", "benchmarks.edge", *words, NUMBA_CACHE_DIR=str(tmp_path))

    text = document.read_text()
    assert text == f"above\n\n{BEGIN}\n\n{printed}{END}\n\nbelow\n"
    for way in ways:
        (line,) = re.findall(rf"^\| {way} \| .* (?:Python|compiler).*\|$", text, re.MULTILINE)
        assert float(line.split("|")[2].split()[0]) > 0
    assert "old" not in text


@pytest.mark.parametrize("text", ["nothing", "{END}\n{BEGIN}\n", "{BEGIN}\n"])
def test_a_document_without_its_comments_is_left_alone(tmp_path: Path, text: str) -> None:
    text = text.format(BEGIN=BEGIN, END=END)
    path = tmp_path / "edge.md"
    path.write_text(text)
    with pytest.raises(ValueError, match="must have a line"):
        write_between(path, "table", "benchmarks.edge")
    assert path.read_text() == text


def test_document_has_a_place_for_the_table() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_600, "1 MB"),
        (57_400_000, "57.4 MB"),
    ],
)
def test_bytes_in_words(size: int, words: str) -> None:
    assert in_words(size) == words


def test_bytes_of_what_must_be_installed() -> None:
    numpy = bytes_installed("numpy")
    assert numpy > 10_000_000
    assert bytes_installed("numpy", "numpy") == numpy
    assert numpy + 100_000 < bytes_installed("numpy", "fastmlp") < numpy + 10_000_000
    # scikit-learn requires NumPy and SciPy.
    assert bytes_installed("scikit-learn") == bytes_installed("scikit-learn", "numpy", "scipy")
    assert bytes_installed("scikit-learn") > bytes_installed("scipy") > numpy
