"""Whatever the library writes comes to its name whole; and who else writes is known."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from paths import ROOT
from written_files import name_of, writers

# What writes by itself, and why it may.
WRITES_ITSELF = {
    ("common/atomic_file.py", "open"): "here files are made whole",
    ("training/callbacks.py", "open"): "a log grows line by line",
    ("cli/watching.py", "open"): "a log grows line by line",
    ("cli/commands.py", "os.open"): "/dev/null",
    ("peers/worker.py", "os.fdopen"): "a pipe",
    ("peers/tabular/worker.py", "os.fdopen"): "a pipe",
    ("runners/compiled/warmup_workers.py", "os.fdopen"): "a pipe",
    ("common/atomic_file.py", "os.open"): "here files are made whole",
    ("common/atomic_file.py", "figure.savefig"): "into memory",
    ("export/python/file.py", "np.savez"): "into memory",
    ("export/python/beside.py", "os.open"): "a folder, to lock it",
}
CALLS = {"open", "os.open", "os.fdopen"}
_WRITING = re.compile(r"(?=.*[wax+])[rwaxbt+]{1,3}")
ENDS = ("savefig", "write_text", "write_bytes", "savez", "savez_compressed", "tofile", "to_parquet")


def calls_that_write(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name.rpartition(".")[2] in ENDS or name in ("np.save", "numpy.save"):
            found.add(name)
        elif name in CALLS or name.endswith(".open"):
            modes = [
                argument.value
                for argument in (*node.args, *(keyword.value for keyword in node.keywords))
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            ]
            if name == "os.open" or any(map(_WRITING.fullmatch, modes)):
                found.add(name)
    return found


def test_all_other_modules_write_by_atomic_file() -> None:
    found = {
        (path.relative_to(folder).as_posix(), call)
        for folder in (ROOT / "fastmlp", ROOT / "kernels")
        for path in folder.rglob("*.py")
        if not path.is_relative_to(ROOT / "fastmlp/kernels")
        for call in calls_that_write(path)
    }
    assert found == set(WRITES_ITSELF)


@pytest.mark.usefixtures("headless")
def test_trials_have_files_that_differ(tmp_path: Path) -> None:
    """Else a promise that one replaces the other would hold by itself."""
    pytest.importorskip("onnx")
    for kind, both in writers().items():
        contents = []
        for which in (0, 1, 1):
            path = tmp_path / name_of(kind)
            both[which](path)
            contents.append({file.name: file.read_bytes() for file in tmp_path.iterdir()})
            for file in tmp_path.iterdir():
                file.unlink()
        assert contents[0] != contents[1] == contents[2], kind
        assert contents[0].keys() == contents[1].keys(), kind
