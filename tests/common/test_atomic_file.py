"""A file is replaced only when the new one is complete."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frozen_networks import classifier

from fastmlp.common import safetensors
from fastmlp.common.atomic_file import atomic_file, atomic_text, save_figure


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_interrupted_write_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    (tmp_path / "m").write_bytes(b"old")
    original = safetensors._little_endian_bytes
    written = []

    def fail_at_the_second(array: np.ndarray) -> memoryview:
        if written:
            raise error
        written.append(array)
        return original(array)

    monkeypatch.setattr(safetensors, "_little_endian_bytes", fail_at_the_second)
    with pytest.raises(type(error)):
        safetensors.write(tmp_path / "m", {"a": np.zeros(2), "b": np.zeros(2)})
    assert (tmp_path / "m").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["m"]


def test_write_to_a_folder_or_into_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        safetensors.write(tmp_path / "folder", {})
    with pytest.raises(FileNotFoundError):
        safetensors.write(tmp_path / "missing" / "m", {})
    assert os.listdir(tmp_path) == ["folder"]


def test_write_replaces_and_follows_links(tmp_path: Path) -> None:
    long_name = tmp_path / ("n" * 250)
    safetensors.write(long_name, {"x": np.zeros(2)})
    (tmp_path / "link").symlink_to(long_name)
    safetensors.write(tmp_path / "link", {"y": np.ones(3)})
    assert (tmp_path / "link").is_symlink()
    assert list(safetensors.read(long_name)[0]) == ["y"]
    assert len(os.listdir(tmp_path)) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    predictor, pipe = classifier("numpy")[0].freeze(), tmp_path / "pipe"
    predictor.save(tmp_path / "file")
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)
    reader.start()
    predictor.save(pipe)
    reader.join(30)
    assert found == [(tmp_path / "file").read_bytes()]
    assert pipe.is_fifo()


def without_nameless(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on systems that have no such files."""
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)


def without_them_in_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> int:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "open", refuse)


def without_names_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **named: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "link", refuse)


SYSTEMS = [without_nameless, without_them_in_the_folder, without_names_for_them]


@pytest.mark.parametrize("system", SYSTEMS)
def test_systems_without_files_that_have_no_name(
    system: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m").write_bytes(b"old")
    system(monkeypatch)
    content = os.urandom(300_000)
    with atomic_file(tmp_path / "m", "bytes") as file:
        file.write(content)
    assert (tmp_path / "m").read_bytes() == content

    def fail() -> None:
        with atomic_file(tmp_path / "m", "bytes") as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (tmp_path / "m").read_bytes() == content
    assert os.listdir(tmp_path) == ["m"]


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name are Linux's")
def test_nothing_is_there_until_the_file_is_complete(tmp_path: Path) -> None:
    with tempfile.TemporaryFile(dir=tmp_path) as tried:
        if os.fstat(tried.fileno()).st_nlink:
            pytest.skip("this file system has no files without a name")
    with atomic_file(tmp_path / "m", "bytes") as file:
        file.write(b"new")
        file.flush()
        assert os.listdir(tmp_path) == []
    assert os.listdir(tmp_path) == ["m"]


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name are Linux's")
@pytest.mark.parametrize("other", ["puts it in its place", "takes it away"])
def test_another_writer_of_the_file(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both give their files the same name on the way, so that each may move the other's."""
    path, replace = tmp_path / "m", os.replace
    path.write_bytes(b"old")
    turns: list[str] = []

    def late(source: str, target: str) -> None:
        turns.append(source)
        if len(turns) == 1:
            if other == "puts it in its place":
                replace(source, target)
            else:
                os.unlink(source)
        replace(source, target)

    monkeypatch.setattr(os, "replace", late)
    with atomic_file(path, "bytes") as file:
        file.write(b"new")
    assert len(turns) == (1 if other == "puts it in its place" else 2)
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["m"]


def test_what_a_killed_writer_has_left_goes_away(tmp_path: Path) -> None:
    seen = set()

    def write() -> None:
        with atomic_file(tmp_path / "m", "bytes") as file:
            file.write(b"new")

    def link(source: Any, name: str, **named: Any) -> None:
        seen.add(name)
        linked(source, name, **named)

    linked = os.link
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(os, "link", link)
        write()
    for name in seen:
        Path(name).write_bytes(b"complete, but never put in its place")
    write()
    assert (tmp_path / "m").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["m"]


@pytest.mark.parametrize("system", [lambda monkeypatch: None, *SYSTEMS])
def test_content_is_on_the_disk_before_its_name(
    system: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system(monkeypatch)
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def flushed(number: int) -> None:
        fsync(number)
        done.append(f"{os.fstat(number).st_size} bytes")

    def replaced(source: str, target: str) -> None:
        replace(source, target)
        done.append("replaced")

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", replaced)
    with atomic_file(tmp_path / "m", "bytes") as file:
        file.write(b"new")
    assert done[-2:] == ["3 bytes", "replaced"]


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "m", "bytes") as file:
        file.write(b"new")
    (tmp_path / "usual").touch()
    modes = [stat.filemode((tmp_path / name).stat().st_mode) for name in ("m", "usual")]
    assert modes[0] == modes[1]


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder with a file ``m`` into which nobody can write, root neither."""
    folder = tmp_path / "read_only"
    folder.mkdir()
    (folder / "m").write_bytes(b"old")
    if os.geteuid():
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)
        return
    for command in (["--bind"], ["-o", "remount,bind,ro"]):
        what = [str(folder)] * (2 if command == ["--bind"] else 1)
        run = subprocess.run(
            ["mount", *command, *what], capture_output=True, text=True, check=False
        )
        if run.returncode:
            pytest.skip(f"root writes everywhere but to what is mounted: {run.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_folder_that_cannot_be_written(read_only: Path) -> None:
    for name in ("m", "new"):
        with pytest.raises(OSError, match=f"'{read_only / name}'$") as told:  # noqa: SIM117
            with atomic_file(read_only / name, "bytes") as file:
                file.write(b"new")
        assert told.value.errno in (errno.EACCES, errno.EROFS)
    assert os.listdir(read_only) == ["m"]
    assert (read_only / "m").read_bytes() == b"old"


def test_errors_name_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=f"No space left on device: '{tmp_path}/m'$"):
        safetensors.write(tmp_path / "m", {})
    assert not os.listdir(tmp_path)


def test_text_is_the_same_on_every_system(tmp_path: Path) -> None:
    with atomic_text(tmp_path / "t", "text") as file:
        file.write("ä\n\r\nb\n")
    assert (tmp_path / "t").read_bytes() == b"\xc3\xa4\n\r\nb\n"
    with pytest.raises(UnicodeEncodeError):  # noqa: SIM117
        with atomic_text(tmp_path / "t", "text") as file:
            file.write("x" * 100_000 + "\ud800")
    assert (tmp_path / "t").read_bytes() == b"\xc3\xa4\n\r\nb\n"
    assert os.listdir(tmp_path) == ["t"]


def test_text_on_a_full_disk() -> None:
    """What is left in buffers is nobody's warning later; pytest makes one an error."""
    if not os.path.exists("/dev/full"):
        pytest.skip("/dev/full is Linux's")
    with pytest.raises(OSError, match="No space left"):  # noqa: SIM117
        with atomic_text("/dev/full", "text") as file:
            file.write("text")


@pytest.mark.usefixtures("headless")
def test_pictures(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    for name, found in (("a.png", "a.png"), ("b", "b.png"), ("c.pdf", "c.pdf"), (".d", ".d.png")):
        save_figure(figure, tmp_path / name, 50)
        content = (tmp_path / found).read_bytes()
        assert content.startswith(b"%PDF" if found.endswith("pdf") else b"\x89PNG")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(ValueError, match="'what' is not supported"):
        save_figure(figure, tmp_path / "a.what", 50)
    assert sorted(os.listdir(tmp_path)) == before
