"""Files made into damaged and hostile ones, at random but the same by the same numbers."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from fastmlp.kernels.typing import Array

# Numbers, names and structures with which readers have trouble.
_WILD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 255, 2**31, 2**53 + 1, 2**63 - 1, 2**64, 10**30, -(10**9)),
    *(0.5, -0.0, 5e-324, 1e-30, 1e308, -1e308, float("inf"), float("nan")),
    *("", "x", "0", "X", "a" * 5000, "\ud800", "\0", "../../etc/passwd", "os.system", "__class__"),
    *(
        "float64",
        "float16",
        "relu",
        "softmax",
        "sigmoid",
        "linear",
        "category",
        "left out",
        "1e999",
    ),
    *([], {}, [[]], [None], [0], [1, 2], ["a", "b"], [[1]], {"": 0}, {"type": "Dense", "units": 3}),
    *(
        {"type": "Adam"},
        {"type": "Sequential"},
        {"type": "Residual", "layers": []},
        {"a": {"b": 1}},
    ),
)
# Stands for brackets that are nested more deeply than Python itself could write them.
_DEEP = "so deep"
_FACTORS = (2, 10, 1000, 10**9, -1, 0.5, 1e-9)


def mutated(random: Random, content: bytes, head: int) -> bytes:
    """Some bytes changed in one to three ways.

    Parameters
    ----------
    random : Random
    content : bytes
    head : int
        So many of the first bytes are changed as often as all others together.
    """
    for _ in range(random.choice((1, 1, 2, 3))):
        size = len(content)
        end = min(head, size) if random.random() < 0.5 else size
        at = random.randrange(end) if end else 0
        length = min(random.choice((1, 1, 2, 4, 8, 64, 300)), size)
        other = random.randrange(size - length + 1)
        block = content[other : other + length]
        way = random.randrange(8)
        before, after = content[:at], content[at:]
        if way == 0 and after:
            content = before + bytes([after[0] ^ 1 << random.randrange(8)]) + after[1:]
        elif way == 1:
            content = before + bytes([random.randrange(256)]) + after[1:]
        elif way == 2:
            content = before + random.randbytes(length) + after
        elif way == 3:
            content = before + after[length:]
        elif way == 4:
            content = before + block + after
        elif way == 5:
            # Two blocks change places, as far as they do not overlap.
            content = content[:other] + after[:length] + content[other + length :]
            content = content[:at] + block + content[at + length :]
        elif way == 6:
            content = before + bytes([random.choice((0, 255, 32))]) * length + after[length:]
        else:
            content = before if random.random() < 0.3 else before + block + after[length:]
    return content


def edited(random: Random, tree: Any) -> Any:
    """A copy of what JSON holds, edited in one to three places."""
    tree = copy.deepcopy(tree)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        places = list(_places(tree))
        if not places:
            return tree
        # Most places are in the depth; half of all edits are as likely at the top.
        depth = random.choice(sorted({len(way) for way in places}))
        near = [way for way in places if len(way) == depth]
        *way, last = random.choice(random.choice((places, near)))
        parent = tree
        for key in way:
            parent = parent[key]
        _edit(random, parent, last, tree, places)
    return tree


def as_json(tree: Any) -> str:
    """Write what was edited."""
    return json.dumps(tree).replace(f'"{_DEEP}"', "[" * 20_000 + "]" * 20_000)


def _edit(random: Random, parent: Any, last: Any, tree: Any, places: list[Any]) -> None:
    value, way = parent[last], random.randrange(8)
    if way == 0:
        del parent[last]
    elif way == 1 and isinstance(parent, dict):
        parent[random.choice([*parent, "x", f"{last}x", ""])] = parent.pop(last)
    elif way == 1:
        parent.insert(last, copy.deepcopy(value))
    elif way == 2:
        # What stands somewhere else.
        found = tree
        for key in random.choice(places):
            found = found[key]
        parent[last] = copy.deepcopy(found)
    elif way == 3 and isinstance(value, list):
        parent[last] = random.choice((value * 2, value[::-1], value[:-1], [value], value * 300))
    elif way == 3 and isinstance(value, int | float):
        parent[last] = random.choice((value + 1, value - 1, value * random.choice(_FACTORS)))
    elif way == 3 and isinstance(value, str):
        at = random.randrange(len(value) + 1)
        parent[last] = value[:at] + random.choice(("", "x", "ü", "\n", value)) + value[at + 1 :]
    elif way == 4:
        parent[last] = random.choice(([value], {"x": value}, [[[value]]], _DEEP))
    else:
        parent[last] = copy.deepcopy(random.choice(_WILD))


def _places(tree: Any) -> Iterator[tuple[Any, ...]]:
    pending: list[tuple[tuple[Any, ...], Any]] = [((), tree)]
    while pending:
        way, value = pending.pop()
        if way:
            yield way
        entries = value.items() if isinstance(value, dict) else ()
        if isinstance(value, list):
            entries = enumerate(value[:50])
        if len(way) < 20:
            pending.extend(((*way, key), entry) for key, entry in entries)


def edited_texts(random: Random, metadata: dict[str, str]) -> dict[str, str]:
    """Metadata of which one is edited within, where it is JSON, or as a text."""
    key = random.choice(list(metadata))
    text = metadata[key]
    if text.startswith("{"):
        return {**metadata, key: as_json(edited(random, json.loads(text)))}
    found = edited(random, metadata)
    return {
        name: value if isinstance(value, str) else as_json(value) for name, value in found.items()
    }


def edited_tensors(random: Random, tensors: dict[str, Array]) -> dict[str, Array]:
    """Tensors of which one is changed, taken out, or called otherwise."""
    name = random.choice(list(tensors))
    values, way = tensors[name].copy(), random.randrange(7)
    found = {key: array for key, array in tensors.items() if key != name}
    if way == 0:
        return found
    if way == 1:
        return {**found, random.choice((f"{name}x", "", "0", name.upper())): values}
    if way == 2 and values.size:
        wild = (np.nan, np.inf, -np.inf, 1e38, -1e38, 1e-45, 0.0, -1.0)
        values.reshape(-1)[random.randrange(values.size)] = random.choice(wild)
    elif way == 3:
        values = values.astype(random.choice(("f2", "f4", "f8", "i4", "u1", "?")))
    elif way == 4:
        values = random.choice((values.T, values.reshape(-1), values[np.newaxis], values[:0]))
    elif way == 5:
        return {**tensors, f"{name}.2": values}
    else:
        values = random.choice(list(tensors.values()))
    return {**found, name: values}
