"""The files of a run, in their folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .inputs import check_folder, check_outputs, is_same


class Files:
    """The files of a run, remembered as they are named.

    Parameters
    ----------
    folder : str
    extension : str or None
        Stands behind each stem.
    inputs : iterable of str or None
        What the run reads.
    log : str, optional
        A further file that it writes.

    Raises
    ------
    ValueError
        An input, or the log, has the name of an output, or the folder is none.
    """

    NAMES = (
        *("model.safetensors", "schema.json", "metrics.json", "metrics.csv", "history.csv"),
        *("predictions.csv", "learning_curve.png", "confusion_matrix.png", "predictions.png"),
    )

    def __init__(
        self,
        folder: str,
        extension: str | None,
        inputs: Iterable[str | None] = (),
        log: str | None = None,
    ) -> None:
        self._folder = Path(folder)
        self._suffix = "" if extension is None else f"_{extension}"
        if self._folder.exists() and not self._folder.is_dir():
            raise ValueError(f"--output_dir {folder} is a file, not a folder")
        own = [self._place(name) for name in self.NAMES]
        check_outputs(inputs, [*own, log])
        if log is not None:
            _check_log(Path(log), own, self._folder)
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


def _check_log(log: Path, own: Iterable[Path], folder: Path) -> None:
    if any(is_same(log, path) for path in own):
        raise ValueError(f"--log {log} has the name of another output; name another file")
    if not is_same(log.parent, folder):
        check_folder(log)
