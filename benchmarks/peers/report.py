"""Results as a table in Markdown, and as a picture."""

from __future__ import annotations

from os import PathLike
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from .measure import BASE
from .networks import CASES

if TYPE_CHECKING:
    from .measure import Comparison, Measurement, Results

_TRAINING = (
    *("case", "threads", "library", "us a step", "times fastmlp's (quartiles)", "ms a fit besides"),
    *("loss, one epoch in order", "loss, {epochs} epochs", "same work", "variant"),
)
_PREDICTION = (
    *("case", "threads", "library", "ns a row", "times fastmlp's (quartiles)"),
    *("largest error", "same work", "variant"),
)


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """The median between the lower and the upper quartile."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return low, middle, high


def markdown(results: Results) -> str:
    """The machine, the versions, and a table for each case."""
    machine = results.machine
    lines = [
        "# fastmlp beside other libraries",
        "",
        f"* {machine['cpu']}, {machine['available_cores']} of {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB; {machine['system']}; Python {machine['python']}",
        *_variables(machine["variables"]),
        f"* load average {results.load['start']} at the start, {results.load['end']} at the end",
        "* " + ", ".join(f"{name} {number}" for name, number in sorted(results.versions.items())),
        f"* medians of {results.options.rounds} rounds, in which the libraries took turns; "
        "quartiles of the ratio within a round",
        "",
    ]
    for comparison in results.comparisons:
        lines += [*_table(comparison), ""]
    return "\n".join(lines)


def _variables(variables: dict[str, str]) -> list[str]:
    if not variables:
        return []
    return ["* set: " + ", ".join(f"`{name}={value}`" for name, value in variables.items())]


def _table(comparison: Comparison) -> list[str]:
    case = CASES[comparison.case]
    columns = _PREDICTION if case.predicts else _TRAINING
    head = [column.format(epochs=comparison.compared_epochs) for column in columns]
    lines = [
        f"**{comparison.case}**: {case}, {comparison.rows:,} rows, threads: {comparison.threads}",
        "",
        _row(head),
        _row(["---"] * len(head)),
    ]
    for library, measurement in comparison.libraries.items():
        low, middle, high = quartiles(comparison.ratios(library))
        ratio = "1" if library == BASE else f"**{middle:.2f}** ({low:.2f} to {high:.2f})"
        cells = [comparison.case, str(comparison.threads), library]
        values = _prediction if case.predicts else _training
        cells += values(comparison, measurement, ratio)
        cells += ["yes" if measurement.agrees else "**no**", measurement.variant]
        lines.append(_row(cells))
    if comparison.skipped:
        skipped = "; ".join(f"{name}: {why}" for name, why in comparison.skipped.items())
        lines += ["", f"Skipped: {skipped}"]
    return lines


def _training(comparison: Comparison, measurement: Measurement, ratio: str) -> list[str]:
    fixed = measurement.fixed_seconds
    return [
        f"{1e6 * median(measurement.seconds):.4g}",
        ratio,
        "" if fixed is None else f"{1e3 * fixed:.2g}",
        f"{measurement.loss_same_order:.6f}",
        f"{measurement.loss_random_order:.5f}",
    ]


def _prediction(comparison: Comparison, measurement: Measurement, ratio: str) -> list[str]:
    return [
        f"{1e9 * median(measurement.seconds) / comparison.rows:.4g}",
        ratio,
        f"{measurement.error:.1e}",
    ]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def draw(results: Results, path: str | PathLike[str]) -> None:
    """Write a bar chart of the ratios: a panel for each number of threads, a bar a library.

    Raises
    ------
    ImportError
        Matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    threads = sorted({comparison.threads for comparison in results.comparisons})
    libraries = [
        library
        for library in dict.fromkeys(
            library for comparison in results.comparisons for library in comparison.libraries
        )
        if library != BASE
    ]
    figure = Figure(figsize=(8, 0.8 + 2.8 * len(threads)), layout="constrained")
    panels = figure.subplots(len(threads), squeeze=False)[:, 0]
    for axes, number in zip(panels, threads, strict=True):
        part = [comparison for comparison in results.comparisons if comparison.threads == number]
        _draw_panel(axes, part, libraries)
        axes.set_title(f"{number} thread{'s' * (number > 1)}", loc="left", fontsize="medium")
    if libraries:
        panels[0].legend(
            ncols=len(libraries),
            frameon=False,
            fontsize="small",
            loc="lower right",
            bbox_to_anchor=(1, 1),
        )
    figure.supylabel("time, as a multiple of fastmlp's", fontsize="medium")
    figure.savefig(path, dpi=150)


def _draw_panel(axes: Any, comparisons: list[Comparison], libraries: list[str]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    width = 0.8 / max(1, len(libraries))
    for place, library in enumerate(libraries):
        # An empty bar keeps a library's colour where it was skipped.
        bars = [
            quartiles(comparison.ratios(library))
            if library in comparison.libraries
            else (float("nan"),) * 3
            for comparison in comparisons
        ]
        positions = [group - 0.4 + (place + 0.5) * width for group in range(len(bars))]
        drawn = axes.bar(
            positions,
            [middle - 1 for _, middle, _ in bars],
            width,
            bottom=1,
            yerr=[[m - low for low, m, _ in bars], [high - m for _, m, high in bars]],
            error_kw={"elinewidth": 0.8},
            label=library,
        )
        labels = ["" if middle != middle else f"{middle:.3g}" for _, middle, _ in bars]
        axes.bar_label(drawn, labels, fontsize=6, padding=1)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(range(len(comparisons)), [comparison.case for comparison in comparisons])
    axes.margins(y=0.15)
    axes.spines[["top", "right"]].set_visible(False)
