"""The options of commands that read tables."""

from __future__ import annotations

import argparse

from ..tables.options import ReadOptions
from .option import Option
from .values import Switch

READING = (
    Option(
        name="separator",
        metavar="SIGN",
        help="between the cells of a line: a sign, or tab, space, ... (default: found out)",
    ),
    Option(
        name="decimal",
        metavar="SIGN",
        help="before the decimals of a number (default: found out, column by column)",
    ),
    Option(
        name="thousands",
        metavar="SIGN",
        help="between the thousands of a number (default: found out, column by column)",
    ),
    Option(
        name="encoding",
        metavar="NAME",
        help="of the text: utf-8, cp1252, ... (default: found out)",
    ),
    Option(
        name="header",
        action=Switch,
        default=True,
        help="the first line names the columns (default; --no-header: it holds data)",
    ),
    Option(
        name="na_values",
        metavar="TEXT",
        nargs="+",
        default=[],
        help="cells that are missing values besides empty ones, in any column",
    ),
)

UNDERSTANDING = (
    Option(name="numeric", metavar="COLUMN", nargs="+", default=[], help="columns of numbers"),
    Option(
        name="categorical",
        metavar="COLUMN",
        nargs="+",
        default=[],
        help="columns of categories, though they may look like numbers",
    ),
    Option(name="dates", metavar="COLUMN", nargs="+", default=[], help="columns of dates or times"),
    Option(
        name="drop",
        metavar="COLUMN",
        nargs="+",
        default=[],
        help="columns of --data to leave out, such as a running number",
    ),
    Option(
        name="keep",
        metavar="COLUMN",
        nargs="+",
        default=[],
        help="columns not to leave out, though they seem to name or count the rows",
    ),
    Option(
        name="join_case",
        metavar="COLUMN",
        nargs="+",
        default=[],
        help="columns whose texts are the same where they differ by case alone",
    ),
    Option(
        name="schema",
        metavar="FILE.json",
        help="how to understand the columns: a schema.json of another training, edited perhaps",
    ),
)

STRICT = Option(
    name="strict",
    action=Switch,
    default=False,
    help="whatever a note would tell of a table is an error",
)


def reading_of(arguments: argparse.Namespace) -> ReadOptions:
    """What the options say of how a file is written."""
    return ReadOptions(
        *(arguments.separator, arguments.decimal, arguments.thousands, arguments.encoding),
        *(arguments.header, tuple(arguments.na_values)),
    )
