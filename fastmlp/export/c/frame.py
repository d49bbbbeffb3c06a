"""The frame of a header: what it says of itself, macros, labels and the guard around it all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from ... import __version__
from ...common.atomic_file import atomic_file
from ...kernels.typing import Array
from .source import literal, quoted, string


def comment(lines: Iterable[str]) -> list[str]:
    """Lines of a block comment; text from users must be `quoted` in them."""
    return ["/*", *(f" * {line}".rstrip() for line in lines), " */"]


@dataclass
class Header:
    """A header for one network; `text` writes it.

    Attributes
    ----------
    prefix : str
        Checked by `check_prefix`.
    c_type : str
        Of ``x``, ``y`` and ``scratch``: ``"float"`` or ``"double"``.
    title : list of str
        The first lines of the comment at the top.
    layers : list of str
        The network in words.
    sizes : list of (str, str)
        What is said of weights, scratch and work: a name and a value each.
    n_features, n_outputs, n_scratch : int
    task : str
        ``"binary"``, ``"multiclass"``, ``"multilabel"`` or ``"regression"``; the first two get a
        function that finds the class.
    feature_names : tuple of str or None
    labels : list of str
        One for each class; empty where there are none.
    errors : dict of str to str
        What ``predict`` may return beside ``OK``: the end of a macro's name, and when.
    includes : list of str
        Such as ``"math.h"``.
    body : list of str
        Lines of the weights and of the functions.
    """

    prefix: str
    c_type: str
    title: list[str]
    layers: list[str]
    sizes: list[tuple[str, str]]
    n_features: int
    n_outputs: int
    n_scratch: int
    task: str
    feature_names: tuple[str, ...] | None
    labels: list[str]
    errors: dict[str, str]
    includes: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)

    @property
    def macro(self) -> str:
        """The beginning of the names of macros."""
        return self.prefix.upper()

    @property
    def has_classes(self) -> bool:
        """Tell whether each row has one class."""
        return self.task in ("binary", "multiclass")

    def text(self) -> str:
        """The whole file."""
        guard = f"{self.macro}_FASTMLP_H"
        lines = [
            *comment(self._about()),
            f"#ifndef {guard}",
            f"#define {guard}",
            "",
            *(f"#include <{name}>" for name in self.includes),
            *([""] if self.includes else []),
            *self._restrict(),
            "",
            *self._macros(),
            "",
            "#ifdef __cplusplus",
            'extern "C" {',
            "#endif",
            "",
            *self._labels(),
            *self.body,
            "",
            *self._class_function(),
            "#ifdef __cplusplus",
            "}",
            "#endif",
            "",
            f"#endif /* {guard} */",
        ]
        return "\n".join(lines) + "\n"

    def _about(self) -> list[str]:
        aligned = max(len(name) for name, _ in self.sizes)
        lines = [*self.title, "", "Layers", *(f"  {line}" for line in self.layers)]
        lines += ["", "Sizes", *(f"  {name.ljust(aligned)}  {text}" for name, text in self.sizes)]
        lines += ["", "Features", *self._features(), "", "Outputs", *self._outputs()]
        return [*lines, "", "Use", *self._use()]

    def _features(self) -> list[str]:
        if self.feature_names is None:
            last = self.n_features - 1
            return ["  x[0]: without a name"] if last == 0 else [f"  x[0] to x[{last}]: no names"]
        return [f"  x[{i}]  {quoted(name)}" for i, name in enumerate(self.feature_names)]

    def _outputs(self) -> list[str]:
        if self.has_classes and self.n_outputs == 1:
            low, high = [f", {quoted(label)}" for label in self.labels] or ["", ""]
            return [
                f"  y[0]  probability of class 1{high}",
                f"        (below one half: class 0{low})",
            ]
        if self.labels:
            return [f"  y[{j}]  {quoted(label)}" for j, label in enumerate(self.labels)]
        last = self.n_outputs - 1
        return ["  y[0]"] if last == 0 else [f"  y[0] to y[{last}]"]

    def _use(self) -> list[str]:
        macro, p, t = self.macro, self.prefix, self.c_type
        result = f"{p}_predict_class(y)" if self.has_classes else "y[0]"
        result = f"{p}_labels[{result}]" if self.has_classes and self.labels else result
        return [
            f"  {t} x[{macro}_N_FEATURES], y[{macro}_N_OUTPUTS], scratch[{macro}_SCRATCH];",
            f"  if ({p}_predict(x, y, scratch) == {macro}_OK) {{ ... {result} ... }}",
            "",
            "Nothing is allocated, nothing global changes: threads may predict side by side, each",
            "with its own y and scratch. x, y and scratch must not overlap. The check for NaN and",
            "infinity in x needs IEEE arithmetic: compile without -ffast-math.",
        ]

    def _restrict(self) -> list[str]:
        name = f"{self.macro}_RESTRICT"
        return [
            "/* C++ has no restrict, but compilers have their own. */",
            "#if !defined(__cplusplus)",
            f"#define {name} restrict",
            "#elif defined(__GNUC__) || defined(_MSC_VER)",
            f"#define {name} __restrict",
            "#else",
            f"#define {name}",
            "#endif",
        ]

    def _macros(self) -> list[str]:
        values = {
            "N_FEATURES": (self.n_features, f"{self.c_type}s in x"),
            "N_OUTPUTS": (self.n_outputs, f"{self.c_type}s in y"),
            "SCRATCH": (self.n_scratch, f"{self.c_type}s in scratch"),
        }
        if self.labels:
            values["N_LABELS"] = (len(self.labels), f"strings in {self.prefix}_labels")
        values["OK"] = (0, f"what {self.prefix}_predict returns when y is written")
        for code, (name, when) in enumerate(self.errors.items(), 1):
            values[name] = (code, when)
        lines = [f"#define {self.macro}_{name} {value}" for name, (value, _) in values.items()]
        aligned = max(map(len, lines))
        notes = [note for _, note in values.values()]
        return [
            f"{line.ljust(aligned)} /* {note} */" for line, note in zip(lines, notes, strict=True)
        ]

    def _labels(self) -> list[str]:
        if not self.labels:
            return []
        return [
            "/* The labels of the classes, as text in UTF-8. */",
            f"static const char *const {self.prefix}_labels[{self.macro}_N_LABELS] = {{",
            *(f"    {string(label)}," for label in self.labels),
            "};",
            "",
        ]

    def _class_function(self) -> list[str]:
        if not self.has_classes:
            return []
        head = f"static inline int {self.prefix}_predict_class(const {self.c_type} *y)"
        if self.n_outputs == 1:
            half = literal(0.5, self.c_type)
            return [
                "/* The number of the class that y tells. */",
                head,
                "{",
                f"    return y[0] >= {half} ? 1 : 0;",
                "}",
                "",
            ]
        return [
            "/* The number of the class that y tells; of equal ones the first. */",
            head,
            "{",
            "    int best = 0;",
            f"    for (int j = 1; j < {self.macro}_N_OUTPUTS; ++j)",
            "        best = y[j] > y[best] ? j : best;",
            "    return best;",
            "}",
            "",
        ]


def labels_of(classes: Array | None) -> list[str]:
    """The labels of a predictor as text."""
    return [] if classes is None else [str(label) for label in classes.tolist()]


def total_features(n_features: int | tuple[int, int]) -> int:
    """Numbers in one row: of two inputs the wide ones, then the deep ones."""
    return n_features if isinstance(n_features, int) else sum(n_features)


def version_line(prefix: str, what: str) -> str:
    """The first line of a header."""
    return f"{prefix}: {what}, written by fastmlp {__version__}."


def write_header(path: str | os.PathLike[str], header: Header) -> None:
    """Write a header; the file appears only once it is complete.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    text = header.text()
    with atomic_file(path, "h") as file:
        file.write(text.encode("ascii"))
