"""Options from a TOML file, which are read as if they came first on the command line."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from ..errors import missing_extra
from .options_train import CONFIG, OF_A_TABLE, SOURCES, TRAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["with_config"]


def with_config(words: Sequence[str]) -> list[str]:
    """Put the options of the file that ``--config`` names in front of the others, which win.

    A key is the long name of an option in either spelling; true and false stand for an option
    without a value and for its counterpart, an array for several values. Where the command line
    names a data set of its own, that of the file is left out.

    Parameters
    ----------
    words : sequence of str
        The command and its options, long ones with underscores.

    Raises
    ------
    ValueError
        The file is not TOML, or a value cannot be an option's.
    OSError
        It cannot be read.
    ImportError
        Python 3.10 needs the package tomli.
    """
    if not words or words[0] != TRAIN.name:
        return list(words)
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    finder.add_argument(*CONFIG.words)
    try:
        path = finder.parse_known_args(list(words))[0].config
    except argparse.ArgumentError:
        # The command's own parser says what is missing.
        return list(words)
    if path is None:
        return list(words)
    given = {word.partition("=")[0] for word in words}
    options = {key.replace("-", "_"): value for key, value in _read(path).items()}
    if CONFIG.name in options:
        raise ValueError(f"{path}: a file of options cannot name another one")
    if given.intersection(word for option in SOURCES for word in option.words):
        for option in (*SOURCES, *OF_A_TABLE):
            options.pop(option.name, None)
    command, *rest = words
    return [command, *(word for item in options.items() for word in _words(path, *item)), *rest]


def _read(path: str) -> dict[str, Any]:
    toml: Any
    if sys.version_info >= (3, 11):
        import tomllib as toml
    else:
        try:
            import tomli as toml
        except ImportError as error:
            raise missing_extra("tomli", "cli") from error
    try:
        # Editors mark UTF-8 by a byte order mark.
        with open(path, encoding="utf-8-sig") as file:
            options: dict[str, Any] = toml.loads(file.read())
    except ValueError as error:
        raise ValueError(f"{path} is not a TOML file: {error}") from error
    return options


def _words(path: str, key: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [f"--{key}" if value else f"--no_{key}"]
    if isinstance(value, list) and all(isinstance(item, (int, float, str)) for item in value):
        return [f"--{key}", *map(str, value)]
    if isinstance(value, (int, float, str)):
        return [f"--{key}={value}"]
    raise ValueError(
        f"{path}: {key} is a {type(value).__name__}; an option takes a number, a string, true, "
        "false or an array of numbers or strings"
    )
