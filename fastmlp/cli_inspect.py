"""What ``fastmlp inspect`` does: describe a model's file in words."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .model_file import load
from .preparation import CategoryColumn, Preparation
from .summary import summarize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .preparation import Column, Target

_MOST_SHOWN = 30


def inspect(arguments: argparse.Namespace) -> None:
    """Print what a model's file holds."""
    # Nothing is computed, so nothing need be compiled or loaded for it.
    model = load(arguments.model, backend="numpy")
    print(summarize(model.layers, model._program), end="\n\n")
    facts = {
        "dtype": model.dtype,
        "loss": repr(model.loss),
        "optimizer": repr(model.optimizer),
        "random_state": model.random_state,
        "epochs": model._epoch,
        "updates": model._state.step,
    }
    if len(model.history) and "loss" in model.history:
        facts["last loss"] = f"{model.history['loss'][-1]:.6g}"
    if model.classes is not None:
        facts["labels"] = _listing(map(repr, model.classes.tolist()))
    _print_pairs(facts)
    preparation = Preparation.of(model)
    if preparation is not None:
        _print_preparation(preparation)
    notes = {key: text for key, text in model.metadata.items() if key != Preparation.KEY}
    if notes:
        print("\nmetadata")
        _print_pairs({f"  {key}": " ".join(text.split()) for key, text in notes.items()})


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
    if (target.mean, target.scale) == (0.0, 1.0):
        return f"{target.name}: a number"
    return f"{target.name}: a number, learned as (y - {target.mean:.6g}) / {target.scale:.6g}"


def _column(column: Column) -> str:
    if isinstance(column, CategoryColumn):
        names = [repr(name) if name else "(missing)" for name in column.categories]
        return f"{len(names)} categories: {_listing(names)}"
    unit = {"number": "", "boolean": " (true is 1)", "date": " (days since 1970)"}[column.kind]
    return f"{column.kind}{unit}, read as (x - {column.mean:.6g}) / {column.scale:.6g}"


def _listing(words: Iterable[str]) -> str:
    listed = list(words)
    more = f", ... ({len(listed)} in all)" if len(listed) > _MOST_SHOWN else ""
    return ", ".join(listed[:_MOST_SHOWN]) + more


def _print_pairs(pairs: dict[str, Any]) -> None:
    width = max(map(len, pairs))
    for name, value in pairs.items():
        print(f"{name:{width}}  {value}")
