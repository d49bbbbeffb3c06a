"""What a fit is given, as digests: a fit that is resumed must go on with the same rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..data.rows import FeaturePair, SparseRows

if TYPE_CHECKING:
    from ..data.batches import Validation
    from ..data.rows import Features
    from ..kernels.typing import Array

Parts = dict[str, list["Array"]]

_BLOCK = 2**24
_HINTS = {
    "sample weights": "sample_weight and class_weight are given again with the rows",
    "validation data": "validation_data is given again with the rows",
}


class Digests:
    """A digest of each part of what a fit is given, made when it is first asked for.

    Reading all rows once takes a part of an epoch; only a model that is saved during its fit needs
    that.

    Parameters
    ----------
    parts : dict of str to list of ndarray
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._found: dict[str, str] | None = None

    @classmethod
    def of_file(cls, found: Mapping[str, str]) -> Digests:
        """Those that a file holds."""
        made = cls({})
        made._found = dict(found)
        return made

    def __getstate__(self) -> dict[str, Any]:
        # A copy of a model that is being fitted does not take the rows along.
        return {"_parts": {}, "_found": self.to_dict()}

    def to_dict(self) -> dict[str, str]:
        """Return the digests by part."""
        if self._found is None:
            self._found = {name: _digest(arrays) for name, arrays in self._parts.items()}
        return self._found

    def check_same(self, others: Digests) -> None:
        """Hold what a resumed fit is given to what these are of.

        Raises
        ------
        ValueError
            Something else is given.
        """
        given = others.to_dict()
        for name, digest in self.to_dict().items():
            if given.get(name) != digest:
                hint = _HINTS.get(name)
                missing = hint is not None and name not in given
                raise ValueError(
                    f"the fit to resume had {'' if missing else 'other '}{name}"
                    f"{f'; {hint}' if hint else ''}. It goes on with the same values in the same "
                    "dtypes; to train the model on others, use fastmlp.load(path) and its fit"
                )
        if "sample weights" in given.keys() - self.to_dict().keys():
            raise ValueError(
                "the fit to resume had no sample weights; leave out sample_weight and class_weight"
            )


def parts_of(x: Features, y: Array, weight: Array | None) -> Parts:
    """Return the arrays that tell rows from others."""
    parts = {"X": _arrays(x), "y": [y]}
    if weight is not None:
        parts["sample weights"] = [weight]
    return parts


def validation_parts(validation: Validation | None) -> Parts:
    """Return the arrays of rows for validation; those that are drawn from X are the seed's."""
    if validation is None or validation.rows is not None:
        return {}
    weight = [] if validation.weight is None else [validation.weight]
    return {"validation data": [*_arrays(validation.x), validation.y, *weight]}


def _arrays(x: Features) -> list[Array]:
    if isinstance(x, FeaturePair):
        return [*_arrays(x.wide), x.deep]
    return [x.data, x.indices, x.indptr] if isinstance(x, SparseRows) else [x]


def _digest(arrays: list[Array]) -> str:
    digest = hashlib.sha1(usedforsecurity=False)
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        rows = max(1, _BLOCK // max(1, array[:1].nbytes))
        for start in range(0, len(array), rows):
            digest.update(array[start : start + rows].tobytes())
    return digest.hexdigest()
