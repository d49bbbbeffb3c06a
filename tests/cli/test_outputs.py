"""The files of a run bear their names, and none of them the name of what is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastmlp.cli.outputs import Files


def test_names_are_remembered_in_their_order(tmp_path: Path) -> None:
    files = Files(str(tmp_path / "a/b"), None)
    assert files.written == []
    files.make_folder()
    files.make_folder()
    assert (tmp_path / "a/b").is_dir()
    assert files.path("model.safetensors") == tmp_path / "a/b/model.safetensors"
    assert files.path("metrics.csv") == tmp_path / "a/b/metrics.csv"
    assert [path.name for path in files.written] == ["model.safetensors", "metrics.csv"]


def test_an_extension_stands_behind_each_stem(tmp_path: Path) -> None:
    files = Files(str(tmp_path), "second.try")
    assert files.path("history.csv").name == "history_second.try.csv"
    # So another run's files can be read.
    Files(str(tmp_path), "second", [str(tmp_path / "schema.json")])
    with pytest.raises(ValueError, match=r"schema_second.json would be written over"):
        Files(str(tmp_path), "second", [str(tmp_path / "schema_second.json")])


@pytest.mark.parametrize("name", Files.NAMES)
def test_an_output_is_no_input(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="would be written over"):
        Files(str(tmp_path), None, ["-", None, str(tmp_path / name)])
    with pytest.raises(ValueError, match="has the name of another output"):
        Files(str(tmp_path), None, [], str(tmp_path / name))


def test_where_a_log_may_lie(tmp_path: Path) -> None:
    # The folder of the outputs is made before.
    Files(str(tmp_path / "new"), None, [], str(tmp_path / "new/log.jsonl"))
    Files(str(tmp_path / "new"), None, [], str(tmp_path / "log.jsonl"))
    with pytest.raises(ValueError, match="there is no folder"):
        Files(str(tmp_path / "new"), None, [], str(tmp_path / "other/log.jsonl"))
    with pytest.raises(ValueError, match="would be written over"):
        Files(str(tmp_path / "new"), None, [str(tmp_path / "x")], str(tmp_path / "x"))
