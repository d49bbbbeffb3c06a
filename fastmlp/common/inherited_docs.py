"""Documentation that classes share: it is written once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import TypeVar

_Class = TypeVar("_Class", bound=type)
_SECTION = re.compile(r"^(Parameters|Attributes)\n-+\n(.*?)(?=\n\n\S|\Z)", re.MULTILINE | re.DOTALL)


def inherits_entries(shared: str) -> Callable[[_Class], _Class]:
    """Return a decorator that adds entries of parameters and attributes to a docstring.

    Parameters
    ----------
    shared : str
        Sections of numpydoc, from the margin on. The class's docstring has one of parameters, and
        one of attributes if it has such of its own. Entries of parameters come in the constructor's
        order, of attributes the shared ones last.
    """
    common = _sections(shared)

    def decorate(cls: _Class) -> _Class:
        # Under ``python -OO`` there is no documentation.
        if cls.__doc__:
            text = inspect.cleandoc(cls.__doc__)
            own = _sections(text)
            sections = {title: own.get(title, []) + common[title] for title in common}
            order = list(inspect.signature(cls).parameters)
            sections["Parameters"].sort(key=lambda entry: order.index(_first_name(entry)))
            written = "\n\n".join(map(_written, sections.items()))
            before, after = _SECTION.split(text, maxsplit=1)[0], _SECTION.split(text)[-1]
            cls.__doc__ = f"{before}{written}{after}\n"
        return cls

    return decorate


def _sections(text: str) -> dict[str, list[str]]:
    """Return the entries of each section: one begins where a line does at the margin."""
    return {title: re.split(r"\n(?=\S)", body) for title, body in _SECTION.findall(text.rstrip())}


def _written(section: tuple[str, list[str]]) -> str:
    title, entries = section
    return "\n".join([title, "-" * len(title), *entries])


def _first_name(entry: str) -> str:
    return re.split(r"\W", entry, maxsplit=1)[0]
