"""Bytes on disk of what must be installed."""

from __future__ import annotations

import os
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import fastmlp
from fastmlp.peers.wording import digits


def bytes_installed(*names: str) -> int:
    """Bytes of distributions and of all that they require, without compiled Python.

    fastmlp counts as its sources, wherever they lie.
    """
    found: dict[str, int] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        if name == "fastmlp":
            found[name] = _bytes_below(Path(fastmlp.__file__).parent)
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            # What another system needs, or what is built in.
            continue
        found[name] = _bytes_of(package)
        waiting += _required(package)
    return sum(found.values())


def _required(package: Distribution) -> list[str]:
    # Not everywhere that asv looks for benchmarks.
    from packaging.markers import default_environment
    from packaging.requirements import Requirement

    environment = {**default_environment(), "extra": ""}
    wanted = map(Requirement, package.requires or ())
    return [
        one.name.lower().replace("_", "-")
        for one in wanted
        if one.marker is None or one.marker.evaluate(environment)
    ]


def _bytes_of(package: Distribution) -> int:
    paths = [Path(str(package.locate_file(file))) for file in package.files or ()]
    return sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.exists())


def _bytes_below(folder: Path) -> int:
    return sum(
        (Path(parent) / name).stat().st_size
        for parent, _, names in os.walk(folder, followlinks=True)
        for name in names
        if name.endswith(".py")
    )


_UNITS = ("bytes", "kB", "MB", "GB")


def in_words(size: float) -> str:
    """Three digits and a unit of a thousand times the one before."""
    power = 0
    while size >= 999.5 and power + 1 < len(_UNITS):
        size, power = size / 1000, power + 1
    return f"{digits(size)} {_UNITS[power]}"
