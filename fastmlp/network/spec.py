"""Networks written as lists, in the two forms of well-known from-scratch projects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..common.checks import check_number, check_positive_int, describe
from .layers import Activation, BatchNorm, Dense, Dropout, Layer


def read_spec(spec: object, l1: float, l2: float, initializer: str) -> tuple[int, list[Layer]]:
    """Return the input width and the layers of a network written as a list.

    Parameters
    ----------
    spec : list
        ``[2, 8, "relu", 1, "sigmoid"]``: widths, each with the activation behind it, linear where
        there is none. Or tuples ``(units, batch_norm, activation, keep_probability)``: batch norm
        before the activation, dropout of ``1 - keep_probability`` after it. The first entry is the
        input in both; of a tuple only the width counts.
    l1, l2 : float
    initializer : str
        Of every dense layer.

    Raises
    ------
    TypeError, ValueError
        Another form; the message says which entry.
    """
    if isinstance(spec, str) or not isinstance(spec, Sequence) or len(spec) < 2:
        raise ValueError(
            "spec must be a list with the input width and at least one layer, such as "
            f"[2, 8, 'relu', 1, 'sigmoid'], got {describe(spec)}"
        )
    dense: dict[str, Any] = {"l1": l1, "l2": l2, "initializer": initializer}
    if isinstance(spec[0], tuple | list):
        return _from_tuples(spec, dense)
    return _from_names(spec, dense)


def _from_names(spec: Sequence[Any], dense: dict[str, Any]) -> tuple[int, list[Layer]]:
    width = check_positive_int("entry 0 of spec, the input width,", spec[0])
    layers: list[Layer] = []
    place = 1
    while place < len(spec):
        units = check_positive_int(f"entry {place} of spec, a number of units,", spec[place])
        activation = "linear"
        if place + 1 < len(spec) and not hasattr(spec[place + 1], "__index__"):
            activation = spec[place + 1]
            place += 1
        layers.append(Dense(units, activation, **dense))
        place += 1
    return width, layers


def _from_tuples(spec: Sequence[Any], dense: dict[str, Any]) -> tuple[int, list[Layer]]:
    layers: list[Layer] = []
    for place, entry in enumerate(spec):
        if not isinstance(entry, tuple | list) or len(entry) != 4:
            raise ValueError(
                f"entry {place} of spec must be (units, batch_norm, activation, "
                f"keep_probability), got {describe(entry)}"
            )
        units, batch_norm, activation, keep = entry
        units = check_positive_int(f"units in entry {place} of spec", units)
        if place == 0:
            continue
        if not isinstance(batch_norm, bool):
            raise TypeError(
                f"batch_norm in entry {place} of spec must be True or False, got "
                + describe(batch_norm)
            )
        name = f"keep_probability in entry {place} of spec"
        keep = check_number(name, keep, 0, 1, open_low=True)
        if batch_norm:
            layers += [Dense(units, **dense), BatchNorm(), Activation(activation)]
        else:
            layers.append(Dense(units, activation, **dense))
        if keep < 1.0:
            layers.append(Dropout(1.0 - keep))
    return int(spec[0][0]), layers
