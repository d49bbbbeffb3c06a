"""Options of the command line, declared once and read by the parser and by the commands.

A command is its groups of options. The parser, the help, files of options and the calls that an
option's value goes to are made from these declarations.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .values import Stored


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option, whose value the command finds under its name.

    Attributes
    ----------
    name : str
        The long one, with underscores; users may write hyphens too.
    help : str
        A default follows, unless it is None, empty or a bool.
    short : str
        Another spelling, such as ``"-l"``.
    default : object
    metavar, parse, choices, nargs, required, action
        As argparse takes them; `parse` is its ``type``.
    is_positional : bool
    goes_to : str
        The call that takes the value, see `passed`.
    keyword : str
        The name of the argument there, where it is another one.
    only_for : tuple of str
        Values of ``--format`` that it is for; any where it is empty.
    """

    name: str
    help: str
    short: str = ""
    default: Any = None
    metavar: str | None = None
    parse: Callable[[str], Any] | None = None
    choices: Sequence[str] | None = None
    nargs: str | None = None
    required: bool = False
    action: Any = None
    is_positional: bool = False
    goes_to: str = ""
    keyword: str = ""
    only_for: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The words by which it is given."""
        if self.is_positional:
            return (self.name,)
        return (self.short, f"--{self.name}") if self.short else (f"--{self.name}",)

    def is_given(self, arguments: argparse.Namespace) -> bool:
        """Whether it stood on the command line, or in a file of options."""
        return self.name in getattr(arguments, "given", ())

    def declare(self, parser: argparse.ArgumentParser, group: Any) -> None:
        """Add it to a group of a parser's options."""
        settings: dict[str, Any] = {
            "metavar": self.metavar,
            "type": self.parse,
            "choices": self.choices,
            "nargs": self.nargs,
            "action": self.action or Stored,
            "default": self.default,
        }
        if self.required:
            settings["required"] = True
        if self.default is None or self.default == [] or isinstance(self.default, bool):
            # Suppressed as the option's own default, it stays out of the help text.
            parser.set_defaults(**{self.name: self.default})
            settings["default"] = argparse.SUPPRESS
        given = {key: value for key, value in settings.items() if value is not None}
        group.add_argument(*self.words, help=self.help, **given)


@dataclass(frozen=True)
class Group:
    """Options under one heading of the help.

    Of those in `one_of`, which come first, exactly one is given.
    """

    title: str
    options: tuple[Option, ...]
    one_of: tuple[Option, ...] = ()

    def declare(self, parser: argparse.ArgumentParser) -> None:
        """Add all to a parser."""
        group: Any = parser.add_argument_group(self.title) if self.title else parser
        if self.one_of:
            exclusive = group.add_mutually_exclusive_group(required=True)
            for option in self.one_of:
                option.declare(parser, exclusive)
        for option in self.options:
            option.declare(parser, group)


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command and its options.

    Attributes
    ----------
    name, phrase : str
        Its name, and a phrase for what it does.
    run : str
        The function that carries it out, as ``"module:function"`` of this package. It is imported
        when it is called, for that takes long.
    groups : tuple of Group
    usage, description, epilog : str
        Of its help; made from the options and the phrase where they are empty.
    """

    name: str
    phrase: str
    run: str
    groups: tuple[Group, ...] = ()
    usage: str = ""
    description: str = ""
    epilog: str = ""

    @property
    def options(self) -> tuple[Option, ...]:
        """All options."""
        return tuple(o for group in self.groups for o in (*group.one_of, *group.options))

    def declare(self, parser: argparse.ArgumentParser) -> None:
        """Give a parser the options and texts of this command."""
        parser.usage = self.usage or None
        if self.description:
            parser.description = self.description
        parser.epilog = self.epilog or None
        for group in self.groups:
            group.declare(parser)
        parser.set_defaults(command=self)

    def passed(self, arguments: argparse.Namespace, call: str) -> dict[str, Any]:
        """Return the values of the options that go to a call, by the names of its arguments.

        An option that was not given and has no default is left to the call.
        """
        values: Mapping[str, Any] = vars(arguments)
        return {
            option.keyword or option.name: values[option.name]
            for option in self.options
            if option.goes_to == call and values[option.name] is not None
        }

    def carry_out(self, arguments: argparse.Namespace) -> None:
        """Run the command."""
        module, _, function = self.run.partition(":")
        getattr(import_module(f".{module}", __package__), function)(arguments)
