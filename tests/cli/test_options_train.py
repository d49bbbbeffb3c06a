"""The options of a command in its help."""

from __future__ import annotations

import pytest

from fastmlp.cli import main
from fastmlp.cli.options_train import TRAIN
from fastmlp.tabular.plan import PRESETS


def test_help_names_every_option_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    words = set(text.replace(",", " ").split())
    assert words >= {
        *("-t", "-d", "-l", "-a", "-decay", "-lr", "-o", "-wi", "-e", "-ts", "-s", "-en", "-wf"),
        *("--task", "--dataset", "--layers", "--activation", "--decay_rate", "--learning_rate"),
        *("--l1", "--l2", "--output", "--weight_init", "--epochs", "--test_size", "--seed"),
        *("--extension_name", "--wanted_features", "--show_loss", "--batch_size", "--optimizer"),
        *("--dropout", "--batch_norm", "--backend", "--threads", "--dtype", "--output_dir"),
        *("--data", "--target", "--drop", "--patience", "--clip_value", "--clip_norm"),
        *("--validation_size", "--config", "--log", "--preset", "--time_limit"),
    }
    assert "(default: [64, 32])" in text
    assert "(default: None)" not in text
    assert "==SUPPRESS==" not in text


def test_presets_are_those_of_the_estimators() -> None:
    (preset,) = (option for option in TRAIN.options if option.name == "preset")
    assert set(preset.choices or ()) == set(PRESETS)
