"""Changes of shape in a traced forward after which rows are rows and columns columns."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import torch.fx


def keeps_rows(name: str, options: Mapping[str, Any], in_tail: bool) -> bool:
    """Tell whether ``flatten`` or ``squeeze`` leaves rows as they are.

    Parameters
    ----------
    name : {"flatten", "squeeze"}
    options : mapping of str to object
        Its arguments after the input.
    in_tail : bool
        Whether a single column may become a vector here.
    """
    if name == "flatten" and options["start_dim"] == 1 and options["end_dim"] in (1, -1):
        return True
    return in_tail and (name == "flatten" or options["dim"] in (None, 1, -1))


def view_keeps_rows(node: torch.fx.Node, in_tail: bool) -> bool:
    """Tell whether a ``view`` or ``reshape`` leaves rows as they are; see `keeps_rows`."""
    shape = node.args[1:] or (node.kwargs.get("shape"),)
    if len(shape) == 1 and isinstance(shape[0], tuple | list):
        shape = tuple(shape[0])
    if shape == (-1,) and in_tail:
        return True
    return len(shape) == 2 and (shape[0] == -1 or _is_row_count(shape[0]))


def _is_row_count(value: object) -> bool:
    """Tell whether a node is ``x.size(0)``, ``x.shape[0]`` or ``x.size()[0]``."""
    if not isinstance(value, torch.fx.Node):
        return False
    if value.op == "call_method" and value.target == "size":
        return bool(value.args[1:] == (0,))
    if value.target is not operator.getitem or value.args[1] != 0:
        return False
    shape = value.args[0]
    if not isinstance(shape, torch.fx.Node):
        return False
    return shape.target == "size" or bool(shape.args[1:] == ("shape",))
