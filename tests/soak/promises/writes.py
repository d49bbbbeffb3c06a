"""Files are replaced as wholes, whatever happens to who writes them."""

from __future__ import annotations

import os
import py_compile
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from killed_writers import INTERRUPTED, REFUSED, Writers
from modules import load_module
from written_files import PAIR, X, name_of

from ..promise import Trial, promise

KINDS = (
    *("model.safetensors", "predictor.safetensors", "schema.json", "metrics.json"),
    *("history.csv", "history.json", "curve.png", "net.h", "net.onnx", "net.py", PAIR),
)
STEPS = 380
SIZES = 1000
ROOMS = 4
PAGE = 4096

_TEMPORARY = re.compile(r"\.[0-9a-f]{24}\.[a-z]+\.tmp")
_PASSING = re.compile(r"net\.[0-9a-f]{16}\.npz")


class Place:
    """A folder in which the first file of each kind can stand, and the second be written.

    Parameters
    ----------
    folder : Path
        Where files are written; it is emptied before each trial.
    right : Path
        An empty folder for what they should be.
    writers : Writers
    """

    def __init__(self, folder: Path, right: Path, writers: Writers) -> None:
        self._folder, self._right, self.writers = folder, right, writers
        for kind in KINDS:
            for which in (0, 1):
                self._where(kind, which).mkdir(parents=True)
                path = self._where(kind, which) / name_of(kind)
                assert writers.run(kind=kind, which=which, path=path) == 0
        self._outputs = [self._output(self._where(PAIR, which)) for which in (0, 1)]

    def _where(self, kind: str, which: int) -> Path:
        return self._right / kind / str(which)

    @staticmethod
    def _output(folder: Path) -> bytes:
        output: bytes = load_module(folder / name_of(PAIR)).predict(X).tobytes()
        return output

    def path(self, kind: str) -> Path:
        """Where the file is written."""
        return self._folder / name_of(kind)

    def size(self, kind: str) -> int:
        """Bytes of the larger of its second files."""
        return max(path.stat().st_size for path in self._where(kind, 1).glob("*.*"))

    def steps(self, kind: str) -> int:
        """Lines of code that the second file takes, where the first one is there."""
        count = self._right / "steps"
        path = self.with_first(kind)
        assert self.writers.run(kind=kind, which=1, path=path, count=count) == 0
        return int(count.read_text())

    def with_first(self, kind: str) -> Path:
        """The path of a kind, with its first file there and nothing else."""
        for path in self._folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in self._where(kind, 0).glob("*.*"):
            shutil.copyfile(path, self._folder / path.name)
        target = self.path(kind)
        if target.suffix == ".py":
            # As an import leaves it; the second file is of the same length, and often second.
            py_compile.compile(str(target), doraise=True)
        return target

    def found(self, kind: str) -> int:
        """Which of the two files is there; they are whole, or this raises AssertionError."""
        if kind == PAIR:
            return self._outputs.index(self._output(self._folder))
        content = self.path(kind).read_bytes()
        right = [(self._where(kind, which) / name_of(kind)).read_bytes() for which in (0, 1)]
        assert content in right, f"{len(content)} bytes that are neither file"
        return right.index(content)

    def seen(self, kind: str) -> int | str:
        """As `found`, while writers are at work."""
        try:
            return self.found(kind)
        except ImportError as error:
            # The weights were replaced after the Python file had been read; it must say so.
            if "has lost its weights" not in str(error):
                raise
            return "refused"

    def left(self, kind: str) -> list[Path]:
        """What is there beside what should be."""
        own = {path.name for path in self._where(kind, 0).glob("*.*")} | {"__pycache__"}
        return [path for path in self._folder.iterdir() if path.name not in own]

    def check_empty(self, kind: str) -> None:
        """Nothing has been left."""
        assert self.left(kind) == []


@contextmanager
def made_ready(folder: Path, place: Path | None = None) -> Iterator[Place]:
    """A place, with who writes into it."""
    place = folder / "place" if place is None else place
    place.mkdir(exist_ok=True)
    with Writers() as writers:
        yield Place(place, folder / "right", writers)


def after_a_kill(place: Place, kind: str) -> str:
    """The file is whole; what is left has no name of a user's, and goes away."""
    which = place.found(kind)
    told = ("the old file", "the new file")[which]
    names = [path.name for path in place.left(kind)]
    assert all(_TEMPORARY.fullmatch(name) or _PASSING.fullmatch(name) for name in names), names
    assert sum(_TEMPORARY.fullmatch(name) is not None for name in names) <= 1, names
    if names:
        # The next writer takes it away.
        assert place.writers.run(kind=kind, which=1, path=place.path(kind)) == 0
        assert place.found(kind) == 1
        place.check_empty(kind)
    if any(map(_PASSING.fullmatch, names)):
        return f"{told}, with weights under the other name"
    return f"{told}, and a temporary one" if names else told


@promise(
    "A writer that is killed before any line of its code leaves the old file or the new one, and "
    "nothing else that the next writer does not take away.",
    unit="kills",
    full=STEPS * len(KINDS),
    quick=33,
)
def writers_killed_at_each_step(folder: Path) -> Iterator[Trial]:
    with made_ready(folder) as place:
        steps = {kind: place.steps(kind) for kind in KINDS}
        assert max(steps.values()) <= STEPS, steps

        def trial(number: int) -> str:
            part, turn = divmod(number, len(KINDS))
            kind = KINDS[turn]
            path = place.with_first(kind)
            step = part * steps[kind] // STEPS
            assert place.writers.run(kind=kind, which=1, path=path, step=step) == -9
            return after_a_kill(place, kind)

        yield trial


@promise(
    "A Ctrl-C before any line of a writer's code leaves the old file or the new one, and nothing "
    "else; of a Python file the next export may have to take weights away.",
    unit="interrupts",
    full=STEPS * len(KINDS),
    quick=22,
)
def writers_interrupted_at_each_step(folder: Path) -> Iterator[Trial]:
    with made_ready(folder) as place:
        steps = {kind: place.steps(kind) for kind in KINDS}

        def trial(number: int) -> str:
            part, turn = divmod(number, len(KINDS))
            kind = KINDS[turn]
            job = {"kind": kind, "which": 1, "path": place.with_first(kind), "interrupted": True}
            code = place.writers.run(step=part * steps[kind] // STEPS, **job)
            assert code == INTERRUPTED
            assert kind == PAIR or place.left(kind) == []
            return after_a_kill(place, kind)

        yield trial


@promise(
    "A writer that is killed at any moment leaves the old file or the new one, and nothing else "
    "that the next writer does not take away.",
    unit="kills",
    full=1100,
    quick=22,
)
def writers_killed_at_random_moments(folder: Path) -> Iterator[Trial]:
    with made_ready(folder) as place:

        def trial(number: int) -> str:
            kind = KINDS[number % len(KINDS)]
            path = place.with_first(kind)
            seconds = random.Random(number).uniform(0.0, 0.06)
            code = place.writers.run(kind=kind, which=None, path=path, seconds=seconds)
            assert code == -9
            return after_a_kill(place, kind)

        yield trial


@promise(
    "A file that may not become as large as it is leaves the old one, and nothing else.",
    unit="sizes",
    full=SIZES * len(KINDS),
    quick=22,
)
def files_without_room(folder: Path) -> Iterator[Trial]:
    with made_ready(folder) as place:

        def trial(number: int) -> str:
            part, turn = divmod(number, len(KINDS))
            kind = KINDS[turn]
            size = place.size(kind)
            # The last is one that has room.
            limit = -(-size * part // (SIZES - 1))
            path = place.with_first(kind)
            code = place.writers.run(kind=kind, which=1, path=path, limit=limit)
            assert code == (REFUSED if limit < size else 0)
            place.check_empty(kind)
            assert place.found(kind) == (code == 0)
            return "refused" if code else "written"

        yield trial


@contextmanager
def small_disk(folder: Path, *options: str) -> Iterator[Path]:
    """A file system of its own, in memory."""
    disk = folder / "disk"
    disk.mkdir()
    settings = ",".join(("size=512k", "nr_inodes=64", *options))
    command = ["mount", "-t", "tmpfs", "-o", settings, "none", str(disk)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"to try a full disk one must be mounted: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@promise(
    "A disk with any number of pages left, or with no room for one file more, has the old file "
    "or the new one, and nothing else.",
    unit="full disks",
    full=(ROOMS + 1) * len(KINDS),
    quick=22,
)
def full_disks(folder: Path) -> Iterator[Trial]:
    with small_disk(folder) as disk, made_ready(folder, disk) as place:

        def trial(number: int) -> str:
            room, turn = divmod(number, len(KINDS))
            kind = KINDS[turn]
            path = place.with_first(kind)
            fillers = list(filled(disk, None if room == ROOMS else room))
            code = place.writers.run(kind=kind, which=1, path=path)
            for filler in fillers:
                filler.unlink()
            assert code in (0, REFUSED)
            place.check_empty(kind)
            assert place.found(kind) == (code == 0)
            return "refused" if code else "written"

        yield trial


def filled(disk: Path, pages: int | None) -> Iterator[Path]:
    """Fill a disk but for some pages; with None, as many files as it can hold."""
    if pages is not None:
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "filler").write_bytes(bytes(free - pages * PAGE))
        yield disk / "filler"
        return
    for number in range(os.statvfs(disk).f_favail):
        (disk / f"filler{number}").touch()
        yield disk / f"filler{number}"


@promise(
    "Of two that write a file at the same time one is the last: who reads has a whole file.",
    unit="pairs of writers",
    full=440,
    quick=11,
)
def writers_at_the_same_time(folder: Path) -> Iterator[Trial]:
    with made_ready(folder) as place:

        def trial(number: int) -> str:
            # Two files have the most to lose.
            kind = KINDS[number // 2 % len(KINDS)] if number % 2 else PAIR
            path = place.with_first(kind)
            jobs = [{"kind": kind, "which": which, "path": path, "times": 5} for which in (0, 1)]
            place.writers.start(*jobs)
            seen = set()
            while place.writers.are_busy():
                seen.add(place.seen(kind))
            assert place.writers.wait() == [0, 0]
            place.check_empty(kind)
            place.found(kind)
            return f"{len(seen)} seen on the way"

        yield trial
