"""Model files are data: whatever is in them, they are refused or give the model that was saved."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.common import safetensors, sealed

from .. import ROOT
from ..kinds_of_files import KINDS, Kind
from ..mutations import as_json, edited, edited_tensors, edited_texts, mutated
from ..promise import Trial, promise
from ..watch import watch

_SAYS_CUT = "A file of any kind that was cut, at any byte, is refused by its name."
_SAYS = (
    "{} that are damaged or hostile are refused by `fm.ModelFileError` with the file's name, or "
    "are what was saved; with a right digest, or none, they can be used. None takes 64 MB, 10 s, "
    "or anything but itself."
)


def _read(kind: Kind, path: Path) -> Any:
    """Read a file; None where it is refused, in one line that names it."""
    with watch(path.parent, path.stat().st_size):
        try:
            return kind.read(path)
        except fm.ModelFileError as error:
            message = str(error)
    assert str(path) in message, message
    assert len(message) < 10_000, len(message)
    return None


def _refused_or_the_same(kind: Kind, path: Path, content: bytes) -> str:
    found = _read(kind, path)
    if found is None:
        return "refused"
    kind.write(found, path)
    assert path.read_bytes() == content, "it is read, and is not what was saved"
    return "the same"


def refused_or_used(kind: Kind, path: Path) -> str:
    found = _read(kind, path)
    if found is None:
        return "refused"
    with watch(path.parent, path.stat().st_size), warnings.catch_warnings():
        # Of cells that cannot be read, and of outputs that overflow.
        warnings.simplefilter("ignore")
        try:
            arrays = kind.use(found, path)
        except ValueError:
            # A table that lacks its columns, rows of another width, and so on.
            return "refused in use"
    for array in arrays:
        assert isinstance(array, np.ndarray)
        assert len(array)
        assert array.dtype.kind in "fiubUO", array.dtype
    return "used"


class _Safetensors:
    """A file of tensors and its changed forms."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        self._tensors, self._metadata = sealed.read(path)
        # As files of earlier versions, without a digest.
        safetensors.write(path, self._tensors, self._metadata)
        self.unsealed = path.read_bytes()

    def change(self, random: Random, path: Path) -> bool:
        """Write a changed form; whether it still has the digest of what was there before."""
        way = random.randrange(5)
        if way < 2:
            content = (self.content, self.unsealed)[way]
            path.write_bytes(mutated(random, content, _head(content)))
        elif way == 2:
            head = _head(self.content)
            header = as_json(edited(random, json.loads(self.content[8:head]))).encode()
            changed = len(header).to_bytes(8, "little") + header + self.content[head:]
            path.write_bytes(changed)
        else:
            tensors, metadata = self._tensors, self._metadata
            if way == 3:
                tensors = edited_tensors(random, tensors)
            else:
                metadata = edited_texts(random, metadata)
            try:
                sealed.write(path, tensors, metadata)
            except UnicodeEncodeError:
                # Half of a surrogate pair, of which there is no file.
                path.write_bytes(b"")
        return way in (0, 2)


def _head(content: bytes) -> int:
    return 8 + int.from_bytes(content[:8], "little")


class _Json:
    """A file of JSON and its changed forms."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        self._sealed = json.loads(self.content)
        self._tree = {key: value for key, value in self._sealed.items() if key != sealed.DIGEST}
        self.unsealed = json.dumps(self._tree).encode()

    def change(self, random: Random, path: Path) -> bool:
        """Write a changed form; whether it still has the digest of what was there before."""
        way = random.randrange(4)
        if way == 0:
            content = mutated(random, self.content, len(self.content))
        elif way == 1:
            content = as_json(edited(random, self._sealed)).encode()
        elif way == 2:
            content = as_json(edited(random, self._tree)).encode()
        else:
            tree = edited(random, self._tree)
            content = as_json({**tree, sealed.DIGEST: sealed.json_digest(tree)}).encode()
        path.write_bytes(content)
        # The line may have been edited away, which is how people edit.
        return way < 2 and b'"sha256"' in content


def forms(kind: Kind, folder: Path) -> list[_Safetensors] | list[_Json]:
    """The files of a kind, and their changed forms."""
    kind.contents(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # What is imported or allocated once is no matter of the files.
        for name in kind.files:
            kind.use(kind.read(folder / name), folder / name)
    if kind.name == "schemas":
        return [_Json(folder / name) for name in kind.files]
    return [_Safetensors(folder / name) for name in kind.files]


def _trials_of(kind: Kind) -> Callable[[Path], Iterator[Trial]]:
    def trials(folder: Path) -> Iterator[Trial]:
        files = forms(kind, folder)
        path = folder / "changed"

        def trial(number: int) -> str:
            random = Random(number)
            file = random.choice(files)
            if file.change(random, path):
                return _refused_or_the_same(kind, path, file.content)
            return refused_or_used(kind, path)

        yield trial

    trials.__name__ = f"damaged_{kind.name}"
    return trials


for _kind in KINDS:
    promise(_SAYS.format(_kind.name.capitalize()), unit="mutations", full=100_000, quick=100)(
        _trials_of(_kind)
    )


@promise(_SAYS_CUT, unit="lengths", full=40_000, quick=150)
def cut_files(folder: Path) -> Iterator[Trial]:
    cuts = [
        (kind, content, length)
        for kind in KINDS
        for content in kind.contents(folder)
        for length in range(len(content))
    ]
    path = folder / "cut"
    assert len(cuts) <= 40_000, "there are more lengths than trials"

    def trial(number: int) -> str:
        # Once every length has been tried, the beginning is cut off.
        kind, content, length = cuts[number % len(cuts)]
        path.write_bytes(content[:length] if number < len(cuts) else content[length:])
        return _refused_or_the_same(kind, path, content)

    yield trial


@promise(
    "As above, with files of all kinds without a digest, changed by what they make the readers run "
    "(atheris).",
    unit="slices of 30 s",
    full=121,
    quick=1,
)
def guided_mutations(folder: Path) -> Iterator[Trial]:
    pytest.importorskip("atheris", reason="atheris is not installed")
    for kind in KINDS:
        (folder / kind.name / "corpus").mkdir(parents=True)

    def trial(number: int) -> str:
        # The first one shows that all is in working order.
        seconds = 30 if number else 3
        own = folder / KINDS[number % len(KINDS)].name
        limits = (f"-max_total_time={seconds}", f"-seed={number + 1}", "-max_len=20000")
        # Linux counts the memory of this process as its own; trials have limits themselves.
        limits += ("-rss_limit_mb=0",)
        corpus = (f"-artifact_prefix={own}/broken-", str(own / "corpus"))
        command = (sys.executable, "-m", "tests.soak.guided", own.name, str(own))
        done = subprocess.run(
            [*command, *limits, *corpus], cwd=ROOT, capture_output=True, text=True, errors="replace"
        )
        broken = {path.name: path.read_bytes() for path in own.glob("broken-*")}
        assert not done.returncode, f"{broken}\n{done.stdout[-1500:]}\n{done.stderr[-500:]}"
        return "nothing found"

    yield trial
