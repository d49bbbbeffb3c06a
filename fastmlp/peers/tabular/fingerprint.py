"""A digest of what decides fastmlp's results."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import fastmlp

# These only call it.
_OUTSIDE = ("cli", "peers")
# In the source tree it is a link, which a search does not follow.
_LINKED = "kernels"
_LENGTH = 10


@cache
def fingerprint() -> str:
    """The first digits of the digest of the library that is imported."""
    return digest(Path(fastmlp.__file__).parent)[:_LENGTH]


def digest(root: Path) -> str:
    """Of all sources in a folder, but of those that only call the library."""
    paths = {path.relative_to(root) for path in root.rglob("*.py")}
    linked = (root / _LINKED).resolve()
    paths |= {Path(_LINKED) / path.relative_to(linked) for path in linked.rglob("*.py")}
    found = hashlib.sha256()
    for path in sorted(paths):
        if path.parts[0] not in _OUTSIDE:
            found.update(f"{path.as_posix()}\n".encode() + (root / path).read_bytes())
    return found.hexdigest()
