"""``fastmlp inspect``: describe a model's file in words."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..export.costs import Costs, seconds_of_a_row
from ..export.words import in_words
from ..inference.predictor import Predictor
from ..int8.quantize import refuse_layers
from ..kernels import available_backends
from ..model.file import ESTIMATOR
from ..model.predictor_file import load_predictor
from ..network.summary import summarize
from ..runners.compile_notice import told_of_compiling
from ..tables.columns import CategoryColumn, DateColumn
from ..tables.preparation import Preparation
from . import frozen as cli_frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model.sequential import Sequential
    from ..tables.columns import Column
    from ..tables.target import Target
    from .frozen import Frozen

_MOST_SHOWN = 30


def inspect(arguments: argparse.Namespace) -> None:
    """Print a description of a file of a model or a predictor."""
    frozen = cli_frozen.read(arguments.model)
    if not frozen.models:
        _print_predictor(frozen.predictor)
    else:
        if len(frozen.models) > 1:
            print(f"{len(frozen.models)} networks, whose outputs are averaged; the first of them:")
        _print_model(frozen.models[0])
    if frozen.preparation is not None:
        _print_preparation(frozen.preparation)
    _print_costs(frozen, arguments.model if arguments.latency else None)
    notes = frozen.models[0].metadata if frozen.models else {}
    notes = {k: text for k, text in notes.items() if k not in (Preparation.KEY, ESTIMATOR)}
    if notes:
        print("\nmetadata")
        _print_pairs({f"  {key}": " ".join(text.split()) for key, text in notes.items()})


def _print_model(model: Sequential) -> None:
    print(summarize(model.layers, model.training_state.program), end="\n\n")
    facts = {
        "dtype": model.dtype,
        "loss": repr(model.loss),
        "optimizer": repr(model.optimizer),
        "random_state": model.random_state,
        "epochs": model.training_state.epoch,
        "updates": model.training_state.state.step,
    }
    if len(model.history) and "loss" in model.history:
        facts["last loss"] = f"{model.history['loss'][-1]:.6g}"
    if model.classes is not None:
        facts["labels"] = _listing(map(repr, model.classes.tolist()))
    _print_pairs(facts)


def _print_predictor(predictor: Predictor) -> None:
    print(
        "a predictor", *(f"  {line}" for line in in_words(predictor.program)), sep="\n", end="\n\n"
    )
    facts = {"dtype": predictor.dtype, "task": predictor.task, "features": predictor.n_features}
    if predictor.feature_names is not None:
        facts["names"] = _listing(map(repr, predictor.feature_names))
    if predictor.classes is not None:
        facts["labels"] = _listing(map(repr, predictor.classes.tolist()))
    _print_pairs(facts)


def _print_costs(frozen: Frozen, path: str | None) -> None:
    """Print the costs of a prediction; its time is measured where `path` names the file."""
    predictor = frozen.predictor
    costs = Costs.of(predictor)
    try:
        refuse_layers(predictor.program)
        as_int8 = f"possible, with {_bytes(costs.int8_bytes)} of weights, beside factors and tables"
    except ValueError as error:
        as_int8 = f"not possible: {error}"
    print("\nprediction of a row")
    pairs = {
        "  weights": f"{costs.n_weights:,} numbers, {_bytes(costs.weight_bytes)}",
        "  multiply-adds": f"{costs.multiply_adds:,}",
        "  as C": f"about {_bytes(costs.flash_bytes)} of flash, {_bytes(costs.ram_bytes)} of RAM",
        "  as C in int8": as_int8,
    }
    if path is not None:
        with told_of_compiling():
            times = [
                f"{1e6 * seconds_of_a_row(_on(backend, frozen, path)):.3g} us ({backend})"
                for backend in available_backends()
            ]
        pairs["  time here"] = ", ".join(times)
    _print_pairs(pairs)


def _on(backend: str, frozen: Frozen, path: str) -> Predictor:
    """The predictor of a file on a backend."""
    if len(frozen.models) < 2:
        return load_predictor(path, backend, 1)
    state = {**frozen.predictor.__getstate__(), "backend": backend, "n_threads": 1}
    return Predictor(**state)


def _bytes(count: int) -> str:
    return f"{count:,} bytes" if count < 10_000 else f"{count / 1000:,.1f} kB"


def _print_preparation(preparation: Preparation) -> None:
    print(f"\ntarget\n  {_target(preparation.target)}")
    print(f"\ncolumns ({len(preparation.columns)}, read as {len(preparation.features)} numbers)")
    described = {f"  {column.name}": _column(column) for column in preparation.columns}
    shown = dict(list(described.items())[:_MOST_SHOWN])
    _print_pairs(shown)
    if len(described) > len(shown):
        print(f"  ... and {len(described) - len(shown)} more")
    if preparation.constant:
        print("\ncolumns that had one value in all training rows and are not read")
        print(f"  {_listing(map(repr, preparation.constant))}")


def _target(target: Target) -> str:
    if target.classes:
        names = _listing(map(repr, target.classes))
        return f"{target.name}: {len(target.classes)} classes: {names}"
    y = "y"
    if target.log:
        y = f"log(y + {target.shift:g})" if target.shift else "log(y)"
    elif (target.mean, target.scale) == (0.0, 1.0):
        return f"{target.name}: a number"
    return f"{target.name}: a number, learned as ({y} - {target.mean:.6g}) / {target.scale:.6g}"


def _column(column: Column) -> str:
    if isinstance(column, CategoryColumn):
        names = [repr(name) if name else "(missing)" for name in column.categories]
        others = " and all others" if column.other else ""
        return f"{len(names)} categories{others}: {_listing(names)}"
    unit = {"number": "", "yes/no": " (yes is 1)", "date": " (days since 1970)"}[column.kind]
    text = f"{column.kind}{unit}, read as (x - {column.mean:.6g}) / {column.scale:.6g}"
    if not isinstance(column, DateColumn) and column.bound:
        text += f", of which what is beyond {column.bound:g} counts as its logarithm"
    if isinstance(column, DateColumn):
        parts = [part for part in column.parts if part != "elapsed"]
        text += "".join(f", {part} as sine and cosine" for part in parts)
    return text + (", and whether it is missing" if column.indicator else "")


def _listing(words: Iterable[str]) -> str:
    listed = list(words)
    more = f", ... ({len(listed)} in all)" if len(listed) > _MOST_SHOWN else ""
    return ", ".join(listed[:_MOST_SHOWN]) + more


def _print_pairs(pairs: dict[str, Any]) -> None:
    width = max(map(len, pairs))
    for name, value in pairs.items():
        print(f"{name:{width}}  {value}")
