"""Options are declared once: parser, help, files of options and calls follow from that."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fastmlp as fm
from fastmlp.cli.commands import COMMANDS
from fastmlp.cli.config import with_config
from fastmlp.cli.option import Command, Group, Option
from fastmlp.cli.options_train import SOURCES, TRAIN
from fastmlp.cli.values import Switch, with_underscores
from fastmlp.peers.options import Options

CALLS: dict[str, list[Callable[..., Any]]] = {
    "model": [fm.Sequential, fm.load],
    "dense": [fm.Dense],
    "fit": [fm.Sequential.fit],
    "optimizer": [fm.Adam],
    "exporter": [fm.Predictor.export_c, fm.Predictor.export_python],
    "measurement": [Options],
}
ALL = [(command, option) for command in COMMANDS for option in command.options]


def parser_of(command: Command) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    command.declare(parser)
    return parser


def value_of(option: Option) -> list[str]:
    """Words that the option takes, or none for a switch."""
    if option.action is not None:
        return []
    if option.choices:
        return [option.choices[-1]]
    return ["3" if accepts(option, "3") else "0.25"]


def accepts(option: Option, word: str) -> bool:
    try:
        return option.parse is None or option.parse(word) is not None
    except argparse.ArgumentTypeError:
        return False


def needed(command: Command, without: Option) -> list[str]:
    """What else must be given."""
    words = []
    for group in command.groups:
        if group.one_of and without not in group.one_of:
            words += [f"--{group.one_of[0].name}", "x"]
        for option in group.options:
            if option is not without and option.is_positional:
                words.insert(0, "x")
            if option is not without and option.required:
                words += [f"--{option.name}", *value_of(option)]
    return words


@pytest.mark.parametrize(("command", "option"), ALL, ids=lambda each: each.name)
def test_every_spelling_gives_the_value(command: Command, option: Option) -> None:
    parser = parser_of(command)
    others = needed(command, option)
    default = None
    if not (option.required or option.is_positional or option in SOURCES):
        default = getattr(parser.parse_args(others), option.name)
        assert default == option.default
    for word in {*option.words, f"--{option.name.replace('_', '-')}"}:
        flag = [] if option.is_positional else [word]
        found = getattr(
            parser.parse_args(with_underscores([*others, *flag, *value_of(option)])), option.name
        )
        assert found != default or option.choices or option.action is Switch
    assert option.help


@pytest.mark.parametrize(("command", "option"), ALL, ids=lambda each: each.name)
def test_the_call_that_takes_it_has_such_an_argument(command: Command, option: Option) -> None:
    if not option.goes_to:
        return
    calls = CALLS[option.goes_to]
    keyword = option.keyword or option.name
    if option.goes_to == "model":
        calls = calls[:1] if command is TRAIN else calls[1:]
    elif option.goes_to == "exporter":
        calls = calls[:1] if "c" in option.only_for else calls[1:]
    assert all(keyword in inspect.signature(call).parameters for call in calls)


@pytest.mark.parametrize("option", TRAIN.options, ids=lambda option: option.name)
def test_a_file_of_options_knows_it(option: Option, tmp_path: Path) -> None:
    path = tmp_path / "options.toml"
    if option.name == "config":
        return
    words = value_of(option)
    value = "true" if not words else f'"{words[0]}"' if option.parse is None else words[0]
    if option.nargs:
        value = f"[{value}]"
    source = "" if option in SOURCES else 'dataset = "x"\n'
    path.write_text(f"{source}{option.name.replace('_', '-')} = {value}\n")
    parser = parser_of(TRAIN)
    found = parser.parse_args(with_config(["train", "--config", str(path)])[1:])
    expected = parser.parse_args([f"--{option.name}", *words, *needed(TRAIN, option)])
    assert getattr(found, option.name) == getattr(expected, option.name)


def test_a_new_option_is_one_declaration(capsys: pytest.CaptureFixture[str]) -> None:
    option = Option(name="some_option", parse=int, default=7, help="of some kind", goes_to="fit")
    command = Command(
        name="train",
        phrase="train",
        run="train:train",
        groups=(*TRAIN.groups, Group("more", (option,))),
    )
    parser = parser_of(command)
    words = with_underscores(["--dataset", "iris", "--some-option", "8"])
    passed = command.passed(parser.parse_args(words), "fit")
    assert passed == {"epochs": 100, "batch_size": 32, "some_option": 8}
    assert command.passed(parser.parse_args(words[:2]), "fit")["some_option"] == 7
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    assert "of some kind" in capsys.readouterr().out


def test_what_was_not_given_is_left_to_the_call() -> None:
    arguments = parser_of(TRAIN).parse_args(["--dataset", "iris", "--clip_norm", "2"])
    assert TRAIN.passed(arguments, "optimizer") == {"clip_norm": 2.0}


def test_names_are_those_of_one_option() -> None:
    for command in COMMANDS:
        words = [word for option in command.options for word in option.words]
        assert len(set(words)) == len(words)


def test_what_was_given_is_told_from_defaults() -> None:
    options = {option.name: option for option in TRAIN.options}
    words = ["--dataset", "iris", "--layers", "64", "32", "--no_stratify"]
    arguments = parser_of(TRAIN).parse_args(words)
    given = [name for name, option in options.items() if option.is_given(arguments)]
    assert sorted(given) == ["dataset", "layers", "stratify"]
    assert not options["layers"].is_given(parser_of(TRAIN).parse_args(words[:2]))
