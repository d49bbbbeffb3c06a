"""Graphs of operations become parts one after the other: residuals, branches, joins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from taken_checks import assert_taken, kinds
from taken_parts import X, apply, linear, scale

import fastmlp as fm
from fastmlp.importers.assembly import take
from fastmlp.importers.graph import Node, parts_of_graph
from fastmlp.importers.parts import (
    Join,
    Part,
    Step,
    activation,
    dense,
)

EXACT: dict[str, Any] = {"dtype": "float64", "backend": "numpy"}


def graph(*nodes: tuple[str, str, Part | str]) -> list[Node]:
    """Nodes written as (output, inputs, part or merge)."""
    return [
        Node(output, inputs.split(), output, merge=what)
        if isinstance(what, str)
        else Node(output, inputs.split(), output, [what])
        for output, inputs, what in nodes
    ]


def test_residual() -> None:
    f, last = linear(4, 4), linear(4, 2)
    nodes = graph(("f", "x", f), ("sum", "f x", "add"), ("y", "sum", last))
    model = take(parts_of_graph(nodes, "x", "y"), None, **EXACT)
    assert kinds(model) == ["Residual", "Dense"]
    assert_taken(model, X, apply(last, X + apply(f, X)))


def test_paths_side_by_side_keep_their_order() -> None:
    f, g, last = linear(4, 3), linear(4, 2), linear(9, 1)
    nodes = graph(("f", "x", f), ("g", "x", g), ("c", "f x g", "concat"), ("y", "c", last))
    model = take(parts_of_graph(reversed(nodes), "x", "y"), None, **EXACT)
    assert kinds(model) == ["Branch", "Dense"]
    assert_taken(model, X, apply(last, np.hstack([apply(f, X), X, apply(g, X)])))


def test_a_projection_and_a_join_within_a_path() -> None:
    f, g, h, p = linear(4, 3), linear(3, 3), linear(3, 3), linear(4, 3)
    nodes = graph(
        *(("f", "x", f), ("g", "f", g), ("inner", "f g", "add"), ("h", "inner", h)),
        *(("p", "x", p), ("y", "h p", "add")),
    )
    model = take(parts_of_graph(nodes, "x", "y"), None, **EXACT)
    assert kinds(model) == ["Branch"]
    inner = apply(f, X) + apply(g, apply(f, X))
    assert_taken(model, X, apply(h, inner) + apply(p, X))


@pytest.mark.parametrize("merge", ["add", "concat"])
def test_everything_before_is_joined(merge: str) -> None:
    f, g = linear(4, 4), linear(4, 4)
    nodes = graph(("f", "x", f), ("g", "f", g), ("y", "x f g", merge))
    model = take(parts_of_graph(nodes, "x", "y"), None, **EXACT)
    outputs = [X, apply(f, X), apply(g, apply(f, X))]
    assert_taken(model, X, sum(outputs) if merge == "add" else np.hstack(outputs))
    assert sum(name.endswith("weight") for name in model.parameters) == 2


def test_sums_join_what_comes_through_one_place_in_any_order() -> None:
    f, g = linear(4, 4), linear(4, 4)
    nodes = graph(("f", "x", f), ("g", "f", g), ("y", "f x g", "add"))
    model = take(parts_of_graph(nodes, "x", "y"), None, **EXACT)
    assert_taken(model, X, X + apply(f, X) + apply(g, apply(f, X)))


def test_what_the_output_does_not_need_is_left_out() -> None:
    nodes = graph(("y", "x", linear(4, 2)), ("loss", "y", linear(2, 1)))
    assert kinds(take(parts_of_graph(nodes, "x", "y"), None, **EXACT)) == ["Dense"]


def test_a_graph_of_many_blocks() -> None:
    nodes, before = [], "x"
    for number in range(400):
        f = dense(np.eye(4) / 400, np.zeros(4))
        nodes += graph((f"f{number}", before, f), (f"s{number}", f"{before} f{number}", "add"))
        before = f"s{number}"
    model = take(parts_of_graph(nodes, "x", before), None, **EXACT)
    assert_taken(model, X, X * (1 + 1 / 400) ** 400)


CROSSING = graph(
    *(("a", "x", linear(4, 4)), ("b", "x", linear(4, 4))),
    *(("c", "a b", "add"), ("d", "a b", "concat")),
    *(("e", "d", linear(8, 4)), ("y", "c e", "add")),
)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (CROSSING, "a cannot be taken: its output is read by paths that cross"),
        (graph(("y", "x z", "add")), "z is read, but is neither the input nor computed"),
        (graph(("y", "x x", "add")), "y cannot be taken: it joins one input with itself"),
        (
            graph(("f", "x", linear(4, 3)), ("y", "x f", "add")),
            r"y cannot be taken: it adds outputs of the widths \[4, 3\]",
        ),
    ],
)
def test_graphs_that_cannot_be_taken(nodes: list[Node], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        take(parts_of_graph(nodes, "x", "y"), 4, **EXACT)


def test_the_width_of_the_input_comes_from_the_first_tensor_that_tells() -> None:
    layer = linear(4, 2)
    for parts in (
        [activation("relu"), Step(fm.Dropout(0.5)), layer],
        [scale(2, 1), layer],
        [scale(np.ones(4), 0), layer],
        [Join("", "concat", [[activation("tanh"), layer], []])],
    ):
        assert take(parts, None, **EXACT).predict(X).shape[0] == 2000
    both = Join("", "concat", [[activation("tanh")], [activation("relu")]])
    with pytest.raises(ValueError, match="give n_features"):
        take([both, linear(8, 2)], None, **EXACT)
    assert take([both, linear(8, 2)], 4, **EXACT).predict(X).shape == (2000, 2)
