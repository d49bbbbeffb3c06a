"""From a graph of operations to parts that stand one after the other.

Networks with shortcuts are kept as graphs by other libraries, and as nested lists of layers by
this one. A join of the graph (a sum, or columns side by side) becomes a `Join` at the nearest
place through which everything that it joins has come: its immediate dominator.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from .parts import Join, Part


@dataclass(frozen=True)
class Node:
    """An operation of a graph.

    Attributes
    ----------
    output : hashable
        The name of what it computes.
    inputs : sequence of hashable
        What it reads: one name, or for a join all, in their order.
    label : str
        Its name and type, for errors.
    parts : sequence of Part
        What it does to its input; none passes it on.
    merge : {"add", "concat"} or None
        How it joins its inputs.
    """

    output: Hashable
    inputs: Sequence[Hashable]
    label: str
    parts: Sequence[Part] = ()
    merge: str | None = None


def parts_of_graph(nodes: Iterable[Node], source: Hashable, output: Hashable) -> list[Part]:
    """Write a graph with one input and one output as parts, one after the other.

    Parameters
    ----------
    nodes : iterable of Node
        In any order; those that the output does not depend on are left out.
    source, output : hashable
        The names of the network's input and output.

    Returns
    -------
    list of Part
        For `assembly.take`.

    Raises
    ------
    ValueError
        Something is read that no node computes; or an output has readers that cannot be written
        as nested paths.
    """
    return _Graph({node.output: node for node in nodes}, source, output).path(source, output)


class _Graph:
    def __init__(self, nodes: dict[Hashable, Node], source: Hashable, output: Hashable) -> None:
        self._nodes, self._source = nodes, source
        self._used: set[Hashable] = set()
        self._dominator = {source: source}
        self._depth = {source: 0}
        for name in self._order(output):
            nearest = self._common(self._nodes[name].inputs)
            self._dominator[name] = nearest
            self._depth[name] = self._depth[nearest] + 1

    def _order(self, output: Hashable) -> list[Hashable]:
        """List all that the output depends on, each after all that it reads."""
        ordered: dict[Hashable, None] = {}
        pending = [output]
        while pending:
            name = pending[-1]
            if name == self._source or name in ordered:
                pending.pop()
                continue
            missing = [
                read for read in self._inputs(name) if read != self._source and read not in ordered
            ]
            if missing:
                pending.extend(missing)
            else:
                ordered[pending.pop()] = None
        return list(ordered)

    def _inputs(self, name: Hashable) -> Sequence[Hashable]:
        if name not in self._nodes:
            raise ValueError(f"{name} is read, but is neither the input nor computed from it")
        return self._nodes[name].inputs

    def _common(self, names: Sequence[Hashable]) -> Hashable:
        """The nearest place through which all that leads to these names has come."""
        first = names[0]
        for other in names[1:]:
            while first != other:
                if self._depth[first] < self._depth[other]:
                    first, other = other, first
                first = self._dominator[first]
        return first

    def path(self, start: Hashable, end: Hashable) -> list[Part]:
        """The parts between two places, of which the first dominates the second."""
        backwards: list[Part] = []
        while end != start:
            node = self._nodes[end]
            self._use(node)
            if node.merge is None:
                backwards.extend(reversed(node.parts))
                end = node.inputs[0]
            else:
                end = self._dominator[end]
                backwards.append(self._join(node, node.inputs, end))
        return backwards[::-1]

    def _use(self, node: Node) -> None:
        if node.output in self._used:
            raise ValueError(
                f"{node.label} cannot be taken: its output is read by paths that cross; fastmlp "
                "has paths that start at one place and end at one sum or row of columns"
            )
        self._used.add(node.output)

    def _join(self, node: Node, inputs: Sequence[Hashable], start: Hashable) -> Join:
        """Join inputs at `node`; those that come through one place are joined there first."""
        doors = [self._door(start, name) for name in inputs]
        order = sorted(range(len(inputs)), key=lambda place: doors.index(doors[place]))
        if node.merge == "concat":
            order = list(range(len(inputs)))
        paths: list[Sequence[Part]] = []
        for door, places in groupby(order, key=doors.__getitem__):
            group = [inputs[place] for place in places]
            if door == start:
                paths.extend([] for _ in group)
            elif len(group) == 1:
                paths.append(self.path(start, group[0]))
            else:
                inner = self._common(group)
                paths.append([*self.path(start, inner), self._join(node, group, inner)])
        return Join(node.label, str(node.merge), paths)

    def _door(self, start: Hashable, name: Hashable) -> Hashable:
        """The first place after `start` through which all that leads to `name` comes."""
        while name != start and self._dominator[name] != start:
            name = self._dominator[name]
        return name
