"""Results as tables in Markdown, short and in full, and as a picture."""

from __future__ import annotations

import textwrap
from os import PathLike
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from .networks import CASES, Case
from .peer import AUTO, BASE, LIBRARIES
from .wording import cost, count_of, digits

if TYPE_CHECKING:
    from .measure import Comparison, Measurement, Results

# By Okabe and Ito, whose colors the color-blind can tell apart.
_COLORS = dict(
    zip(
        (name for name in LIBRARIES if name != BASE),
        ("#0072B2", "#D55E00", "#CC79A7", "#E69F00", "#009E73"),
        strict=True,
    )
)
# Its width, where two cases are 1 apart.
_BAR = 0.17


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """The median between the lower and the upper quartile."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return low, middle, high


def short(results: Results) -> str:
    """The machine, one row for each case and number of threads, and what the numbers mean."""
    lines = [
        *_conditions(results),
        "",
        *table(results),
        "",
        *textwrap.wrap(_explanation(results), 100),
        *_omissions(results),
    ]
    return "\n".join([*lines, ""])


def markdown(results: Results) -> str:
    """What `short` gives, then a table for each case with all that was found."""
    lines = ["# fastmlp beside other libraries", "", short(results)]
    for comparison in results.comparisons:
        lines += [*_details(comparison), ""]
    return "\n".join(lines)


def table(results: Results) -> list[str]:
    """The lines of a table with fastmlp's times, and the others' as multiples of them."""
    libraries = _libraries(results)
    rows = []
    for comparison in results.comparisons:
        case = CASES[comparison.case]
        for threads, base in comparison.of(BASE).items():
            time = cost(case, comparison.rows, median(base.seconds))
            ratios = (_ratio(comparison, library, threads) for library in libraries)
            rows.append([case.title, str(threads), time, *ratios])
    titles = (LIBRARIES[library].title for library in (BASE, *libraries))
    return aligned(["network", "threads", *titles], rows)


def _libraries(results: Results) -> list[str]:
    """Those that were measured beside fastmlp, in their usual order."""
    found = {one.library for part in results.comparisons for one in part.measurements}
    return [library for library in LIBRARIES if library in found and library != BASE]


def _ratio(comparison: Comparison, library: str, threads: int | str) -> str:
    """The median of a library's time by fastmlp's with so many threads; at "auto" its best."""
    one, ratios = _measured(comparison, library, threads), _ratios(comparison, library, threads)
    if one is None or ratios is None:
        return ""
    return digits(median(ratios)) + "*" * (not one.agrees)


def _ratios(comparison: Comparison, library: str, threads: int | str) -> list[float] | None:
    one = _measured(comparison, library, threads)
    return None if one is None else comparison.ratios(one, threads)


def _measured(comparison: Comparison, library: str, threads: int | str) -> Measurement | None:
    """What stands beside fastmlp with so many threads."""
    return comparison.best(library) if threads == AUTO else comparison.of(library).get(threads)


def _conditions(results: Results) -> list[str]:
    machine, load = results.machine, results.load
    # Numbers of threads are set anew for each process.
    variables = ", ".join(
        f"`{name}={value}`"
        for name, value in machine["variables"].items()
        if not name.endswith("_NUM_THREADS")
    )
    return [
        f"* {machine['cpu']}, {machine['available_cores']} of {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB; {machine['system']}; Python {machine['python']}",
        f"* load average {load['start']} at the start, {load['end']} at the end; environment: "
        + (variables or "no `OPENBLAS_*`, `MKL_*`, `OMP_*` or `XLA_*` variable is set"),
        "* " + ", ".join(f"{name} {number}" for name, number in sorted(results.versions.items())),
    ]


def _explanation(results: Results) -> str:
    options = results.options
    parts = [
        "Beside fastmlp's time stand those of the others, as multiples of it, with as many threads"
    ]
    if any(AUTO in part.of(BASE) for part in results.comparisons):
        parts.append(
            '; where threads is "auto", by fastmlp\'s own choice, with the number of threads that '
            "suits them best"
        )
    parts.append(
        f". Medians of {options.rounds} round{'s' * (options.rounds != 1)}, in which the libraries "
        "took turns."
    )
    if options.rows is not None:
        parts.append(f" At most {options.rows:,} rows an epoch or prediction.")
    if options.variants is not None:
        parts.append(f" The fastest of at most {options.variants} ways to use a library.")
    if any(not one.agrees for part in results.comparisons for one in part.measurements):
        parts.append(" *: its losses or predictions differ too much for the same work.")
    return "".join(parts)


def _omissions(results: Results) -> list[str]:
    lines = []
    if results.missing:
        lines.append(f"Not installed, so not measured: {', '.join(results.missing)}.")
    for part in results.comparisons:
        failed = {name: why for name, why in part.skipped.items() if name not in LIBRARIES}
        lines += [f"{part.case}: {name} failed: {why}" for name, why in failed.items()]
    return lines and ["", *lines]


def _details(comparison: Comparison) -> list[str]:
    case = CASES[comparison.case]
    unit = "ns a row" if case.predicts else "us a step"
    scale = 1e9 / comparison.rows if case.predicts else 1e6
    has_auto = AUTO in comparison.of(BASE)
    head = ["library", "threads", f"{unit} (quartiles)", "times fastmlp's (quartiles)"]
    head += ["times fastmlp's at auto"] * has_auto
    if case.predicts:
        head += ["largest error"]
    else:
        epochs = comparison.compared_epochs
        head += ["ms a fit besides", "loss, one epoch in order", f"loss, {epochs} epochs"]
    rows = []
    for one in comparison.measurements:
        times = [scale * seconds for seconds in one.seconds]
        cells = [LIBRARIES[one.library].title, str(one.threads), _spread(times)]
        cells += [_spread(comparison.ratios(one, one.threads))]
        cells += [_spread(comparison.ratios(one, AUTO))] * has_auto
        cells += _found(case, one)
        tried = f"{len(one.trials)} of {comparison.variants[one.library]}"
        rows.append([*cells, "yes" if one.agrees else "**no**", one.variant, tried])
    head += ["same work", "fastest way", "ways tried"]
    lines = [f"**{case.name}**: {case}; {comparison.rows:,} rows", "", *aligned(head, rows)]
    notes = [f"{name}: {why}" for name, why in comparison.skipped.items()]
    notes += [
        f"{one.library}, {count_of(one.threads)}, {variant}: {why}"
        for one in comparison.measurements
        for variant, why in one.failures.items()
    ]
    return lines + ["", *(f"* {note}" for note in notes)] * bool(notes)


def _spread(values: list[float] | None) -> str:
    if values is None:
        return ""
    low, middle, high = map(digits, quartiles(values))
    return f"**{middle}** ({low} to {high})"


def _found(case: Case, one: Measurement) -> list[str]:
    if case.predicts:
        return [f"{one.error:.1e}"]
    assert one.fixed_seconds is not None
    return [
        f"{1e3 * one.fixed_seconds:.2g}",
        f"{one.loss_same_order:.6f}",
        f"{one.loss_random_order:.5f}",
    ]


def aligned(head: list[str], rows: list[list[str]]) -> list[str]:
    """A table whose columns are aligned in plain text too."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells: list[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    return [line(head), line(["-" * width for width in widths]), *map(line, rows)]


def draw(results: Results, path: str | PathLike[str]) -> None:
    """Write a bar chart of the ratios: a panel for each number of threads, a color a library.

    Raises
    ------
    ImportError
        Matplotlib is not installed.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    # Beside an older library, which measurements are imported into, it need not be there.
    from ..common.atomic_file import save_figure

    settings = list(
        dict.fromkeys(threads for part in results.comparisons for threads in part.of(BASE))
    )
    width = max(6.0, 1.2 + 1.5 * len(results.comparisons))
    figure = Figure(figsize=(width, 1.2 + 2.4 * len(settings)), layout="constrained")
    panels = figure.subplots(len(settings), squeeze=False, sharey=True)[:, 0]
    for axes, threads in zip(panels, settings, strict=True):
        shown = [part for part in results.comparisons if threads in part.of(BASE)]
        _draw_panel(axes, shown, threads)
        title = "auto, beside the best of each library" if threads == AUTO else count_of(threads)
        axes.set_title(title, loc="left", fontsize="medium")
    libraries = _libraries(results)
    if libraries:
        figure.legend(
            handles=[Patch(color=_COLORS[name], label=LIBRARIES[name].title) for name in libraries],
            loc="outside upper center",
            ncols=len(libraries),
            frameon=False,
        )
    figure.supylabel("time, as a multiple of fastmlp's", fontsize="medium")
    save_figure(figure, path, dpi=150)


def _draw_panel(axes: Any, comparisons: list[Comparison], threads: int | str) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    names = []
    for group, comparison in enumerate(comparisons):
        found = {
            library: quartiles(ratios)
            for library in LIBRARIES
            if library != BASE and (ratios := _ratios(comparison, library, threads)) is not None
        }
        for place, (library, (low, middle, high)) in enumerate(found.items()):
            bars = axes.bar(
                group + _BAR * (place - (len(found) - 1) / 2),
                middle - 1,
                0.92 * _BAR,
                bottom=1,
                color=_COLORS[library],
                yerr=[[middle - low], [high - middle]],
                error_kw={"elinewidth": 0.8},
            )
            axes.bar_label(bars, [digits(middle)], fontsize=7, padding=2)
        case, base = CASES[comparison.case], comparison.of(BASE)[threads]
        time = cost(case, comparison.rows, median(base.seconds))
        network, _, rest = case.title.partition(", ")
        names.append(f"{network}\n{rest}\nfastmlp: {time}")
    axes.set_xticks(range(len(names)), names, fontsize=7)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")
    axes.margins(y=0.18)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
