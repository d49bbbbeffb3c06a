"""Tables that commands read, what is told of them, and files that are never written over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
from commands import error_of, read_csv, train
from shops import ODD, QUICK, SAID, shops, write_shops

from fastmlp.cli import main
from fastmlp.cli.inputs import check_outputs, refuse, tell, undecided
from fastmlp.tables.notes import Note

TARGET = ("--target", "price")
CARRIED = ("--id", "id", "--group", "owner")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_notes_are_lines_on_stderr_and_stand_in_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_shops(tmp_path / "shops.csv")
    metrics = train(tmp_path / "o", "--data", data, *TARGET, *CARRIED, *QUICK)
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all(line.startswith("note: ") for line in lines)
    assert [line.removeprefix("note: ") for line in lines] == metrics["notes"]
    told = "\n".join(lines)
    for part in ("cp1252", "'|'", f"'{ODD}'", "--join-case color", "--numeric zip", "--test-last"):
        assert part in told
    schema = json.loads((tmp_path / "o/schema.json").read_text(encoding="utf-8"))
    assert len(schema["notes"]) == len(lines)


def test_strict_lists_all_in_one_line_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_shops(tmp_path / "shops.csv")
    words = ("--data", data, *TARGET, *CARRIED, *QUICK, "--strict")
    before = files(tmp_path)
    outputs = ("--output-dir", str(tmp_path / "o"), "--log", str(tmp_path / "log.jsonl"))
    error = error_of(capsys, "train", *words, *outputs)
    for part in ("--strict: ", "cp1252", "'|'", f"'{ODD}'", "--join-case color", "--test-last"):
        assert part in error
    assert files(tmp_path) == before
    assert capsys.readouterr().out == ""
    # With all of it said there is nothing to tell.
    train(tmp_path / "o", *words, *SAID)
    assert capsys.readouterr().err == ""


def test_strict_predictions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_shops(tmp_path / "shops.csv")
    train(tmp_path, "--data", data, *TARGET, *CARRIED, *QUICK)
    capsys.readouterr()
    model, out = str(tmp_path / "model.safetensors"), tmp_path / "out.csv"
    words = (model, "--data", data, "--backend", "numpy", "--strict", "-o", str(out))
    for command in ("predict", "evaluate"):
        error = error_of(capsys, command, *words)
        assert "--strict: " in error
        assert f"'{ODD}'" in error
        assert not out.exists()
    said = ("--separator", "|", "--encoding", "cp1252", "--na-values", ODD)
    assert main(["predict", *words, *said]) == 0
    assert len(read_csv(out)) == 150


def test_what_was_decided_is_not_told() -> None:
    notes = [Note("a", "decimal", ".", "x"), Note("b", "test_last"), Note("c"), Note("d", "drop")]
    assert undecided(notes, Namespace(given={"test_last", "drop"})) == (
        notes[0],
        *notes[2:],
    )


def test_each_note_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    tell([Note("a"), Note("b", "drop", "x y"), Note("a")])
    assert capsys.readouterr().err == "note: a\nnote: b; --drop 'x y' decides otherwise\n"
    with pytest.raises(ValueError, match=r"^--strict: a; b; --drop 'x y' decides otherwise$"):
        tell([Note("a"), Note("b", "drop", "x y"), Note("a")], strict=True)
    refuse([])


OWN = ("schema.json", "predictions.csv", "metrics.csv", "learning_curve.png")


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("option", ["data", "test_data", "schema", "config", "log"])
def test_training_does_not_write_over_what_it_reads(
    name: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_shops(tmp_path / "shops.csv")
    read = tmp_path / "o" / name
    read.parent.mkdir()
    read.write_text("" if option == "config" else "x\n")
    words = ["--data", data, *TARGET, *QUICK, "--output-dir", str(tmp_path / "o")]
    if option == "data":
        words[1] = str(read)
    else:
        words += [f"--{option}", str(read)]
    before = files(tmp_path)
    error = error_of(capsys, "train", *words)
    assert str(read) in error
    assert ("has the name of another output" if option == "log" else "is read from") in error
    assert files(tmp_path) == before


def test_a_log_does_not_write_over_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_shops(tmp_path / "shops.csv")
    words = ("--data", data, *TARGET, *QUICK, "--output-dir", str(tmp_path / "o"), "--log", data)
    assert "would be written over" in error_of(capsys, "train", *words)
    assert len(Path(data).read_text(encoding="cp1252").splitlines()) == 151


def test_other_commands_do_not_write_over_what_they_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_shops(tmp_path / "shops.csv")
    train(tmp_path / "o", "--data", data, *TARGET, *CARRIED, *QUICK)
    capsys.readouterr()
    model = str(tmp_path / "o/model.safetensors")
    before = files(tmp_path)
    for output in (data, model):
        for words in (
            ("predict", model, "--data", data, "-o", output),
            ("evaluate", model, "--data", data, "-o", output),
            ("export", model, "--format", "c-int8", "--calibration", data, "-o", output),
        ):
            assert f"{output} would be written over" in error_of(capsys, *words)
    weights = str(tmp_path / "o/x.npz")
    os.link(model, weights)
    words = (
        "export",
        model,
        "--format",
        "python",
        "--weights",
        "beside",
        "-o",
        f"{weights[:-3]}py",
    )
    assert f"{weights} would be written over" in error_of(capsys, *words)
    os.remove(weights)
    assert files(tmp_path) == before


def test_links_and_other_ways_to_write_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("x\n")
    Path("link.csv").symlink_to("a.csv")
    os.link("a.csv", "hard.csv")
    for output in ("a.csv", "./a.csv", str(tmp_path / "a.csv"), "link.csv", "hard.csv"):
        with pytest.raises(ValueError, match="would be written over"):
            check_outputs([None, "-", "a.csv"], [None, output])
    with pytest.raises(ValueError, match="would be written over"):
        check_outputs(["none.csv"], ["./none.csv"])
    check_outputs([None, "-", "a.csv"], [None, "-", "b.csv"])


def test_a_table_from_a_pipe(tmp_path: Path) -> None:
    table = ("\n".join(shops()) + "\n").encode("cp1252")

    def run(*words: str) -> subprocess.CompletedProcess[bytes]:
        whole = [sys.executable, "-m", "fastmlp", *words, "--backend", "numpy"]
        return subprocess.run(whole, input=table, capture_output=True)

    found = run("train", "--data", "-", *TARGET, *CARRIED, "-e", "3", "--output-dir", str(tmp_path))
    assert found.returncode == 0
    assert b"Traceback" not in found.stderr
    found = run("predict", str(tmp_path / "model.safetensors"), "--data", "-", "--id", "id")
    assert found.returncode == 0
    lines = found.stdout.decode().splitlines()
    assert lines[0] == "row,id,prediction"
    assert len(lines) == 151
    found = run("train", "--data", "-", "--test-data", "-", *TARGET, "--output-dir", str(tmp_path))
    assert found.returncode == 2
    assert b"cannot both be -" in found.stderr
