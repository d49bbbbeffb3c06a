"""Reading Markdown documents: their blocks of code and the names of which they speak."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(r"^```(\S*)[ ]*(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: language, the rest of its first line, text, and line of the document."""

    language: str
    title: str
    text: str
    line: int


def blocks(path: Path) -> list[Block]:
    """All fenced blocks of a document."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(match[1], match[2], match[3], text.count("\n", 0, match.start()) + 2)
        for match in _FENCE.finditer(text)
    ]


def without_blocks(path: Path) -> str:
    """The text of a document between its blocks."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def run(block: Block, path: Path, namespace: dict[str, object]) -> None:
    """Execute a block of Python; errors point at its line in the document."""
    code = "\n" * (block.line - 1) + block.text
    exec(compile(code, str(path), "exec"), namespace)


def names_in(path: Path) -> set[str]:
    """Functions, classes and variables of a module, and methods as ``Class.method``."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            members = [part for part in node.body if isinstance(part, ast.FunctionDef)]
            names |= {f"{node.name}.{member.name}" for member in members}
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names
