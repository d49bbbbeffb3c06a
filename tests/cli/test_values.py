"""Every spelling of an option and its value means the same."""

from __future__ import annotations

from pathlib import Path

from commands import train

SPELLINGS = [
    [
        *("--task", "classification", "--dataset", "breast_cancer", "--layers", "8", "4"),
        *("--activation", "tanh", "--decay_rate", "0.02", "--learning_rate", "0.005"),
        *("--output", "sigmoid", "--weight_init", "glorot", "--epochs", "3"),
        *("--test_size", "0.3", "--seed", "7", "--extension_name", "x"),
        *("--wanted_features", "mean radius", "--show_loss", "--batch_size", "16"),
    ],
    [
        *("-t", "classification", "-d", "breast_cancer", "-l", "8", "4"),
        *("-a", "tanh", "-decay", "0.02", "-lr", "0.005"),
        *("-o", "sigmoid", "-wi", "glorot", "-e", "3"),
        *("-ts", "0.3", "-s", "7", "-en", "x"),
        *("-wf", "0", "--show-loss", "--batch-size", "16"),
    ],
    [
        *("--task=classification", "--dataset=breast_cancer", "--layers", "8", "4"),
        *("--activation=tanh", "--decay-rate=0.02", "--learning-rate=0.005"),
        *("--output=sigmoid", "--weight-init=glorot", "--epochs=3"),
        *("--test-size=0.3", "--seed=7", "--extension-name=x"),
        *("--wanted-features", "mean radius", "--show-loss", "--batch-size=16"),
    ],
]


def test_every_spelling_means_the_same(tmp_path: Path) -> None:
    results = []
    for number, words in enumerate(SPELLINGS):
        folder = tmp_path / str(number)
        metrics = train(folder, *words, "--l1", "0.001", "--l2", "0.01")
        del metrics["timing"]
        for name in ("output_dir", "wanted_features"):
            del metrics["settings"][name]
        results.append(metrics)
        assert {path.name for path in folder.iterdir()} == {
            *("model_x.safetensors", "metrics_x.json", "metrics_x.csv", "history_x.csv"),
            *("predictions_x.csv", "learning_curve_x.png", "response_feature0_x.png"),
            "confusion_matrix_x.png",
        }
    assert results[0] == results[1] == results[2]
    settings = results[0]["settings"]
    assert (settings["l1"], settings["l2"], settings["seed"]) == (0.001, 0.01, 7)
    assert (settings["test_size"], settings["weight_init"]) == (0.3, "glorot")
