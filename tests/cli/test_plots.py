"""Pictures of a training can be read: nothing is cut off, covered or put in one place."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import train
from houses import houses, write

from fastmlp.cli import main, plots
from fastmlp.cli.plots import (
    draw_confusion,
    draw_learning_curves,
    draw_predictions,
    import_matplotlib,
)
from fastmlp.tables.target import Target
from fastmlp.training.history import History

QUICK = ("--backend", "numpy", "-e", "3")
PNG = b"\x89PNG\r\n\x1a\n"
LONG = [
    f"the {kind} district of {part} {number}"
    for number in range(1, 6)
    for kind in ("very old", "new $")
    for part in ("Charlottenburg", "West", "the_harbor")
]


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The figures that are saved, by the name of the file; a warning is an error."""
    found: dict[str, Any] = {}
    save = plots.save_figure

    def saved(figure: Any, path: Any, dpi: int) -> None:
        found[Path(path).name] = figure
        save(figure, path, dpi)

    monkeypatch.setattr(plots, "save_figure", saved)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield found


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def names(axis: Any) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels() if label.get_text()]


def check_readable(figure: Any) -> None:
    """Nothing stands outside of the figure, no names overlap, no legend hides a curve."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")
        canvas.draw()
    renderer = canvas.get_renderer()
    whole = figure.bbox
    for axes in figure.axes:
        box = axes.get_tightbbox(renderer)
        assert whole.x0 - 1 <= box.x0
        assert box.x1 <= whole.x1 + 1
        assert whole.y0 - 1 <= box.y0
        assert box.y1 <= whole.y1 + 1
        for axis in (axes.xaxis, axes.yaxis):
            # Boxes of names that lean overlap though the names do not.
            shown = [label for label in axis.get_ticklabels() if label.get_rotation() % 90 == 0]
            boxes = [label.get_window_extent(renderer) for label in shown]
            for first, second in pairwise(boxes):
                width = min(first.x1, second.x1) - max(first.x0, second.x0)
                height = min(first.y1, second.y1) - max(first.y0, second.y0)
                # Boxes of text are a little larger than its letters.
                assert width <= 1 or height <= 2, (shown[0].get_text(), width, height)
        legend = axes.get_legend()
        if legend is not None:
            of_legend = legend.get_window_extent(renderer)
            inside = axes.get_window_extent(renderer)
            assert of_legend.x0 >= inside.x1 - 2 or of_legend.y0 >= inside.y1 - 2


def column_of(figures: dict[str, Any], folder: Path, *words: str) -> Any:
    train(folder, *words, *QUICK)
    responses = [figure for name, figure in figures.items() if name.startswith("response")]
    for figure in figures.values():
        check_readable(figure)
    return responses[0].axes[0]


def table(folder: Path, **columns: Any) -> str:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return str(write(folder / "t.csv", rows))


RNG = np.random.default_rng(0)
X = RNG.normal(size=300).round(3)


def test_all_pictures_of_a_training(figures: dict[str, Any], tmp_path: Path) -> None:
    data = str(write(tmp_path / "houses.csv", houses()))
    words = ("--drop", "id", "-wf", "Stadt, Ort", "Größe", "member", "rooms", "day", "note")
    for target in ("price", "kind"):
        train(tmp_path / target, "--data", data, "--target", target, *words, *QUICK)
        assert len(figures) == 8
        for name, figure in figures.items():
            check_readable(figure)
            assert (tmp_path / target / name).read_bytes().startswith(PNG)
        figures.clear()


def test_classes_in_the_order_of_numbers(figures: dict[str, Any], tmp_path: Path) -> None:
    y = np.arange(300) % 12 - 1
    data = table(tmp_path, x=y + 0.1 * X, y=y)
    axes = column_of(figures, tmp_path, "--data", data, "--target", "y", "-t", "classification")
    expected = [str(label) for label in range(-1, 11)]
    assert texts(axes) == expected
    colors = {tuple(np.round(line.get_color(), 3)) for line in axes.lines}
    assert len(colors) == 12
    confusion = figures["confusion_matrix.png"].axes[0]
    assert names(confusion.xaxis) == names(confusion.yaxis) == expected
    assert confusion.get_title() == "test rows"


def test_more_classes_than_a_legend_holds(figures: dict[str, Any], tmp_path: Path) -> None:
    places = np.arange(300) % 30
    data = table(tmp_path, x=places + 0.1 * X, y=[LONG[place] for place in places])
    axes = column_of(figures, tmp_path, "--data", data, "--target", "y")
    assert texts(axes)[0] == "20 others"
    assert len({*texts(axes)}) == 11
    confusion = figures["confusion_matrix.png"].axes[0]
    assert len({*names(confusion.xaxis)}) == 30


def test_long_names_of_categories_stay_apart(figures: dict[str, Any], tmp_path: Path) -> None:
    places = RNG.integers(0, 30, 300)
    data = table(tmp_path, place=[LONG[place] for place in places], y=1e6 * places + 1e5 * X)
    axes = column_of(figures, tmp_path, "--data", data, "--target", "y")
    assert len({*names(axes.xaxis)}) == 30
    (line,) = axes.lines
    assert len({*line.get_xdata()}) == 30
    assert any("," in name for name in names(axes.yaxis))
    assert not any("1e" in text.get_text() for text in axes.texts)


def test_few_short_names_stand_upright(figures: dict[str, Any], tmp_path: Path) -> None:
    kinds = np.array(["red", "green", ""])[RNG.integers(0, 3, 300)]
    data = table(tmp_path, color=kinds, y=X + (kinds == "red"))
    axes = column_of(figures, tmp_path, "--data", data, "--target", "y")
    assert names(axes.xaxis) == ["(missing)", "green", "red"]
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {0.0}


def test_dates(figures: dict[str, Any], tmp_path: Path) -> None:
    days = np.datetime64("2019-01-01") + (np.arange(300) * 3).astype("m8[D]")
    data = table(tmp_path, day=days, y=np.arange(300) + X)
    axes = column_of(figures, tmp_path, "--data", data, "--target", "y")
    assert any(name.startswith("20") for name in names(axes.xaxis))
    assert axes.get_xlabel() == "day"


def test_what_was_watched_bears_its_name(figures: dict[str, Any], tmp_path: Path) -> None:
    history = History()
    for epoch in range(3):
        history.append(epoch, {"loss": 30000.0 - epoch, "val_loss": 40000.0 + epoch})
    for watched in ("validation", "test"):
        draw_learning_curves(tmp_path / "l.png", history, watched)
        (axes,) = figures["l.png"].axes
        assert texts(axes) == ["training", watched]
        assert all("," in name for name in names(axes.yaxis))
        check_readable(figures["l.png"])


@pytest.mark.parametrize("n", [2, 3, 12, 13, 24, 25, 60, 90])
@pytest.mark.parametrize("long", [True, False])
def test_confusion(n: int, long: bool, figures: dict[str, Any], tmp_path: Path) -> None:
    classes = tuple(f"{place} {LONG[place % 30]}" if long else f"{place}" for place in range(n))
    matrix = np.diag(np.full(n, 12345)).tolist()
    draw_confusion(tmp_path / "c.png", matrix, Target("y", "category", classes))
    figure = figures["c.png"]
    check_readable(figure)
    width, height = figure.get_size_inches()
    assert max(width, height) <= 16


def test_predictions(figures: dict[str, Any], tmp_path: Path) -> None:
    y = np.linspace(1e6, 2e6, 50)
    draw_predictions(tmp_path / "p.png", y, y + 50000.0)
    (axes,) = figures["p.png"].axes
    assert axes.get_title() == "test rows"
    assert "RMSE 50,000" in axes.texts[0].get_text()
    check_readable(figures["p.png"])


def test_signs_that_fonts_lack_are_not_told(tmp_path: Path) -> None:
    rows = [{"東京": f"{x:.2f}", "京都": "大" if x > 0 else "小"} for x in X]
    data = str(write(tmp_path / "t.csv", rows))
    words = ["train", "--data", data, "--target", "京都", "--output-dir", str(tmp_path), *QUICK]
    run = subprocess.run([sys.executable, "-m", "fastmlp", *words], capture_output=True)
    assert run.returncode == 0
    assert run.stderr == b""


def test_matplotlib_is_imported_once_and_not_for_predictions(tmp_path: Path) -> None:
    import_matplotlib()
    assert "matplotlib.figure" in sys.modules
    assert main(["train", "-d", "iris", "--output-dir", str(tmp_path), "-l", "4", *QUICK]) == 0
    code = "import sys, fastmlp.cli.predict, fastmlp.cli.train; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert run.stdout == "False\n"


def test_names_that_are_cut_differ() -> None:
    from fastmlp.inspection.axes import on_one_line, wrapped

    for shown in (on_one_line, wrapped):
        cut = [shown(name) for name in LONG]
        assert len({*cut}) == len(LONG)
        assert all(len(line) <= 30 for name in cut for line in name.split("\n"))
        assert not any(first == second for first, second in combinations(cut, 2))
    assert on_one_line("a  b\nc") == "a b c"
    assert on_one_line("$x$") == r"\$x\$"
