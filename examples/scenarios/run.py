"""Run the scenarios beside this file and print a table of how good each network is.

``python examples/scenarios/run.py [--only classification|regression]`` trains one network for each
``*.toml``, as ``fastmlp train --config FILE.toml`` does, and keeps what that writes in a folder for
each scenario. It needs ``pip install "fastmlp[cli]"``.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from pathlib import Path

import pandas as pd

from fastmlp.cli import main as fastmlp

COLUMNS = {
    "classification": ["accuracy", "precision", "recall", "f1", "log_loss"],
    "regression": ["r2", "rmse", "mae", "pearson_r"],
}


def run(scenario: Path, folder: Path) -> dict:
    """Train the network of a scenario and return what ``metrics.json`` says."""
    words = ["train", "--config", str(scenario), "--output_dir", str(folder)]
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        code = fastmlp(words)
    if code:
        sys.exit(f"{scenario.name}: {err.getvalue()}")
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def table(results: dict[str, dict], task: str) -> pd.DataFrame:
    """A row for each scenario of a task."""
    rows = {
        name: {
            "epochs": found["epochs"],
            "seconds": found["timing"]["fit_seconds"],
            "training loss": found["training"]["loss"],
            **{column: found["test"][column] for column in COLUMNS[task]},
        }
        for name, found in results.items()
        if found["settings"]["task"] == task
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def main() -> None:
    """Run the scenarios that are asked for."""
    parser = argparse.ArgumentParser(description="Run the scenarios and print how good they are.")
    parser.add_argument("--only", choices=COLUMNS, help="leave out those of the other task")
    parser.add_argument("--output_dir", type=Path, default=Path("outputs", "scenarios"))
    arguments = parser.parse_args()

    results = {}
    for scenario in sorted(Path(__file__).parent.glob("*.toml")):
        task = "classification" if scenario.stem.startswith("iris") else "regression"
        if arguments.only in (None, task):
            results[scenario.stem] = run(scenario, arguments.output_dir / scenario.stem)
    for task in COLUMNS:
        rows = table(results, task)
        if len(rows):
            print(f"\n{task}, metrics of the test rows\n")
            print(rows.to_string(float_format="{:.3g}".format))


if __name__ == "__main__":
    main()
