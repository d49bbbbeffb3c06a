"""The files of a run, in their folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .inputs import check_outputs


class Files:
    """The files of a run, remembered as they are named.

    Parameters
    ----------
    folder : str
    extension : str or None
        Stands behind each stem.
    inputs : iterable of str or None
        What the run reads.

    Raises
    ------
    ValueError
        The folder holds an input under the name of an output.
    """

    NAMES = (
        *("model.safetensors", "schema.json", "metrics.json", "metrics.csv", "history.csv"),
        *("predictions.csv", "learning_curve.png", "confusion_matrix.png", "predictions.png"),
    )

    def __init__(self, folder: str, extension: str | None, inputs: Iterable[str | None]) -> None:
        self._folder = Path(folder)
        self._suffix = "" if extension is None else f"_{extension}"
        check_outputs(inputs, map(self._place, self.NAMES))
        self.written: list[Path] = []

    def make_folder(self) -> None:
        """Make the folder where it is not there."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        """Where a file goes, which is now remembered."""
        self.written.append(self._place(name))
        return self.written[-1]

    def _place(self, name: str) -> Path:
        stem, ending = name.split(".")
        return self._folder / f"{stem}{self._suffix}.{ending}"
