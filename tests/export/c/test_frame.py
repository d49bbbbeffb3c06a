"""What a header says of itself: text of users, macros, classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_harness import compile_header
from c_networks import (
    export,
    labeled,
)

import fastmlp as fm

ATTACKS = (
    "*/ int x; /*",
    "ends with a backslash \\",
    "quotes \" and ' and a new\nline",
    "trigraph ??/",
    "Größe in µm \u202e 名前",
    "tab\tbell\a\x7f%s\\n",
    "//",
    "",
)


@pytest.mark.parametrize("compiler", ["gcc", "clang++"])
def test_text_of_users_stays_text(tmp_path: Path, compiler: str) -> None:
    model = fm.Sequential([fm.Dense(len(ATTACKS), "softmax")]).build(len(ATTACKS))
    rows = np.eye(len(ATTACKS), dtype=np.float32)
    model.fit(rows, np.array(ATTACKS), epochs=1, verbose=0)
    frozen = model.freeze()
    frozen.feature_names = ATTACKS
    header = export(frozen, tmp_path)
    assert header.read_text().isascii()
    compiled = compile_header(header, compiler=compiler)
    outputs, _ = compiled(rows)
    labels = [compiled.label(j) for j in range(len(ATTACKS))]
    assert labels == frozen.classes.tolist()
    found = [labels[j] for j in compiled.classes(outputs)]
    assert found == frozen.predict_classes(rows).tolist()


def test_what_the_header_says(tmp_path: Path) -> None:
    text = export(labeled(("width (cm)", "height")), tmp_path).read_text()
    about = text[: text.index("#ifndef")]
    for line in (
        f"written by fastmlp {fm.__version__}",
        "dense 2 -> 4, relu\n *   dense 4 -> 3, softmax",
        f"{(2 * 4 + 4 + 4 * 3 + 3) * 4} bytes",
        "16 bytes",
        "20 multiply-adds",
        'x[0]  "width (cm)"',
        'x[1]  "height"',
        'y[2]  "top"',
    ):
        assert line in about
    assert max(map(len, text.splitlines())) <= 100
    assert 'model_labels[MODEL_N_LABELS] = {\n    "low",\n    "middle",\n    "top",\n}' in text


def test_classes(tmp_path: Path) -> None:
    """Labels of a pair of classes, of equal outputs the first, and numbers as text."""
    model = fm.Sequential([fm.Dense(1, "sigmoid")], backend="numpy")
    x = np.linspace(-1.0, 1.0, 40).reshape(-1, 1)
    model.fit(x, np.where(x[:, 0] > 0, 7, -3), epochs=2, batch_size=4, verbose=0)
    frozen = model.freeze()
    compiled = compile_header(export(frozen, tmp_path))
    assert [compiled.label(j) for j in range(2)] == ["-3", "7"]
    outputs, _ = compiled(x)
    labels = np.array([-3, 7])[compiled.classes(outputs)]
    np.testing.assert_array_equal(labels, frozen.predict_classes(x))
    below = np.nextafter(np.float32(0.5), np.float32(0))
    assert compiled.classes(np.array([[0.5], [below]])).tolist() == [1, 0]

    many = compile_header(export(labeled(), tmp_path, prefix="many"), prefix="many")
    ties = np.array([[0.2, 0.4, 0.4], [0.5, 0.5, 0.0], [0.1, 0.1, 0.8]])
    assert many.classes(ties).tolist() == [1, 0, 2]
