"""The results in Markdown: how they were measured, means over tables, and each table."""

from __future__ import annotations

import textwrap
from collections import Counter

import numpy as np

from fastmlp.peers.machine import describe_machine
from fastmlp.peers.tabular.methods import METHODS
from fastmlp.peers.tabular.summary import Mean, Result, Summary
from fastmlp.peers.wording import digits

from ..shared.rounds import table

TREES, NETWORKS = "hist_gradient_boosting", "realmlp_td"
_WIDTH = 100


def page(found: Summary, picture: str) -> str:
    """Return all of it."""
    parts = [
        *_paragraphs(_conditions(found), _reading(found)),
        table(*_means(found)),
        f"![Errors over CPU seconds]({picture})",
        *_paragraphs(
            "The picture: geometric means over tables, with their standard errors, beside "
            f"{METHODS[TREES].title}; further down is more accurate, further left is sooner. Lines "
            "join the methods that no other one beats in both."
        ),
        "## Table by table",
        *_paragraphs(
            f"The error of {METHODS[TREES].title}, the share of wrong classes in percent or the "
            "root mean square, mean of its splits; then every method's error as a multiple of it, "
            "on the splits that both have. The least is bold; what has fewer splits than others "
            "stands in brackets."
        ),
        table(*_by_table(found)),
        *_paragraphs(*_failed(found)),
    ]
    return "\n\n".join(parts)


def _paragraphs(*texts: str) -> list[str]:
    return ["\n".join(textwrap.wrap(text, _WIDTH)) for text in texts]


def _every(found: Summary) -> list[Result]:
    return [
        result
        for methods in found.results.values()
        for splits in methods.values()
        for result in splits.values()
    ]


def _conditions(found: Summary) -> str:
    every = _every(found)
    loads = [one["load_average"] for one in every if one["load_average"] is not None]
    memory = describe_machine()
    measured = sorted({name for one in every for name in one["measured"].split(", ")})
    versions = ", ".join(name for name in measured if not name.startswith("fastmlp "))
    own = ", ".join(name for name in measured if name.startswith("fastmlp "))
    cpus = " and ".join(sorted({one["cpu"] for one in every}))
    return (
        f"{len(found.tables)} tables, {len(every):,} fits, each in a process of its own with one "
        f"thread, on {cpus}, {memory['available_cores']} cores, Python {memory['python']}. Other "
        f"work ran beside it: the load average was {np.median(loads):.1f} (median; at most "
        f"{max(loads):.1f}), so seconds are those of the processor, not of the clock. "
        f"{versions}{'; ' if own else ''}{own} (with a digest of its sources)."
    )


def _reading(found: Summary) -> str:
    return (
        f"Errors and seconds are multiples of those of {METHODS[TREES].title} (HGB) and of "
        f"{METHODS[NETWORKS].title}: geometric means over the tables that both have (their number "
        "in brackets where it is not all), on the splits that both have, a table counting once. "
        "Behind ± are standard errors over tables, of ratios in percent. Ranks are by error, log "
        "loss and AUC among all methods; a rank among fewer is carried over to all. Half a row is "
        "added to the wrong rows of both, for there are tables without one. Seconds for 10,000 "
        f"rows are medians. The number of splits is {_most_splits(found)} at most; what takes long "
        "has fewer of them, or fewer tables, as the number of fits tells."
    )


def _most_splits(found: Summary) -> int:
    return max(number for method in found.methods for number in found.n_splits(method))


def _means(found: Summary) -> tuple[list[str], list[list[str]]]:
    head = [
        "method",
        "tables",
        "fits",
        "rank",
        "error by HGB's",
        "error by RealMLP-TD's",
        "rank, log loss",
        "rank, AUC",
        "CPU s by HGB's",
        "CPU s by RealMLP-TD's",
        "s for 10,000 rows",
    ]
    ranked = {name: found.mean_rank(name) for name in found.methods}
    order = sorted(found.methods, key=lambda name: getattr(ranked[name], "value", np.inf))
    whole = len(found.tables)
    n_classes = sum(found.about(name)["classes"] is not None for name in found.tables)
    rows = [
        [
            METHODS[name].title,
            str(len(found.n_splits(name))),
            str(sum(found.n_splits(name))),
            _rank(ranked[name], whole),
            _ratio(found.mean_ratio(name, TREES), whole, name == TREES),
            _ratio(found.mean_ratio(name, NETWORKS), whole, name == NETWORKS),
            _rank(found.mean_rank(name, "log_loss"), n_classes),
            _rank(found.mean_rank(name, "auc"), n_classes),
            _times(found.mean_ratio(name, TREES, "fit_cpu_seconds"), name == TREES),
            _times(found.mean_ratio(name, NETWORKS, "fit_cpu_seconds"), name == NETWORKS),
            digits(found.seconds_of_prediction(name)),
        ]
        for name in order
    ]
    return head, rows


def _count(mean: Mean, whole: int) -> str:
    return f" ({mean.n_tables})" if mean.n_tables < whole else ""


def _rank(mean: Mean | None, whole: int) -> str:
    return f"{mean.value:.1f} ± {mean.error:.1f}{_count(mean, whole)}" if mean else ""


def _ratio(mean: Mean | None, whole: int, is_base: bool) -> str:
    if mean is None or is_base:
        return "1" if is_base else ""
    return f"{mean.value:.3f} ± {100 * mean.error:.1f}%{_count(mean, whole)}"


def _times(mean: Mean | None, is_base: bool) -> str:
    return "1" if is_base else digits(mean.value) if mean else ""


def _by_table(found: Summary) -> tuple[list[str], list[list[str]]]:
    others = [method for method in found.methods if method != TREES]
    most = _most_splits(found)
    rows = []
    for name in found.tables:
        about, base = found.about(name), found.error(name, TREES)
        ratios = {method: found.ratio(name, method, TREES) for method in others}
        least = min([1.0, *(value for value in ratios.values() if value is not None)])
        error = "" if base is None else _percent(base) if about["classes"] else digits(base)
        cells = [_marked(error, least == 1.0 and base is not None, False)]
        for method, value in ratios.items():
            text = "" if value is None else f"{value:.3f}"
            has_fewer = len(found.results[name].get(method, ())) < most
            cells.append(_marked(text, value == least, value is not None and has_fewer))
        rows.append([name, f"{about['rows']:,}", *cells])
    return ["table", "rows", "HGB", *(METHODS[method].title for method in others)], rows


def _percent(share: float) -> str:
    return f"{digits(100 * share)}%"


def _marked(text: str, is_bold: bool, is_in_brackets: bool) -> str:
    text = f"**{text}**" if is_bold else text
    return f"({text})" if is_in_brackets else text


def _failed(found: Summary) -> list[str]:
    if not found.failures:
        return []
    counted = Counter(
        f"{METHODS[cell.method].title} on {cell.table} ({message})"
        for cell, message in found.failures.items()
    )
    told = [f"{text}, {count} splits" if count > 1 else text for text, count in counted.items()]
    return [f"Fits that failed: {'; '.join(told)}."]
