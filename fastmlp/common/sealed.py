"""Safetensors files of this library, with a digest of what is in them, and the digest of JSON.

The digest tells damage and changes by other programs, such as a bit that flips in a weight; it is
no signature, for whoever changes a file on purpose can renew it. Files without one are read too:
those of earlier versions, and those of programs that leave it out.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ..errors import ModelFileError
from . import safetensors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..kernels.typing import Array

KEY = "fastmlp"
"""The metadata with what a file describes."""
NOTE = "note."
"""The beginning of the names of the metadata that users give."""
DIGEST = "sha256"
"""The metadata with the digest of all else."""

# What the package safetensors writes beside, in files of PyTorch.
_FOREIGN = "format"


def write(
    path: str | os.PathLike[str], tensors: Mapping[str, Array], metadata: Mapping[str, str]
) -> None:
    """Write arrays, metadata and their digest; see `safetensors.write`."""
    digest = _digest(tensors, metadata)
    safetensors.write(path, tensors, {**metadata, DIGEST: digest})


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Read what `write` has written, the metadata without the digest; see `safetensors.read`.

    Raises
    ------
    ModelFileError
        The file is no safetensors file; it is not as its digest says; or it has none, and has
        metadata that no file of this library has.
    FileNotFoundError
        There is no such file.
    """
    tensors, metadata = safetensors.read(path)
    digest = metadata.pop(DIGEST, None)
    if digest is None:
        # The name of the digest may itself be damaged.
        for key in metadata:
            if key not in (KEY, _FOREIGN) and not key.startswith(NOTE):
                raise ModelFileError(
                    f"{os.fspath(path)!r} has metadata {safetensors.shown(key)}, which no file of "
                    "fastmlp has: it is damaged, or a file of another program"
                )
    elif digest != _digest(tensors, metadata):
        raise ModelFileError(
            f"{os.fspath(path)!r} is damaged, or was changed by another program: its content is "
            f"not that of its digest. Take an undamaged copy; of a change that is wanted, leave "
            f"out the metadata {DIGEST!r}"
        )
    return tensors, metadata


def json_digest(content: Any) -> str:
    """Return the digest of what JSON can hold, however it is laid out."""
    return _sha256([_compact(content)])


def _digest(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> str:
    """Return the digest of metadata and of tensors, which do not depend on their order."""
    names = sorted(tensors)
    layout = [[n, tensors[n].dtype.newbyteorder("<").str, tensors[n].shape] for n in names]
    contents = (safetensors.little_endian_bytes(tensors[name]) for name in names)
    return _sha256((_compact([layout, dict(metadata)]), *contents))


def _compact(content: Any) -> bytes:
    # ASCII alone, for half of a surrogate pair could not be encoded.
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _sha256(parts: Iterable[bytes | memoryview]) -> str:
    # It loads OpenSSL, which takes longer than the rest of a small file.
    from hashlib import sha256

    digest = sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
