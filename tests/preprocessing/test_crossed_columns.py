"""Crossed columns: hashed as described, the same in every process, a transformer as others are."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import fastmlp as fm

CrossedColumns = fm.preprocessing.CrossedColumns

ROWS = [["a", 1, 30.0], ["b", 2, 40.0], ["a", 2, None], ["b", 1, 55.0]]


def frame() -> Any:
    return pandas.DataFrame(ROWS, columns=["letter", "digit", "age"])


def finalized(number: int) -> int:
    """One step of splitmix64, in Python's integers."""
    z = (number + 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def bucket(parts: list[bytes], n_buckets: int) -> int:
    """The bucket of a cross, from what is hashed of each category."""
    state = 0
    for part in parts:
        digest = hashlib.blake2b(part, digest_size=8).digest()
        state = finalized((state + int.from_bytes(digest, "little")) % 2**64)
    return state % n_buckets


def checks() -> list[Any]:
    """Those of scikit-learn, but for arrays of other libraries, for which SciPy is not set up."""
    pairs = estimator_checks_generator(CrossedColumns([(0,)], n_buckets=16))
    return [
        pytest.param(estimator, check, id=check.func.__name__)
        for estimator, check in pairs
        if check.func.__name__ != "check_array_api_input"
    ]


@pytest.mark.parametrize(("estimator", "check"), checks())
def test_conventions_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def test_buckets_are_those_of_the_described_hash() -> None:
    crossed = CrossedColumns([("letter", "digit"), "letter"], n_buckets=[1000, 50])
    X = crossed.fit_transform(frame())
    assert X.format == "csr"
    assert X.shape == (4, 1050)
    assert X.dtype == np.float32
    assert X.has_canonical_format
    expected = [
        [
            bucket([b"s" + letter.encode(), b"n%d" % digit], 1000),
            1000 + bucket([b"s" + letter.encode()], 50),
        ]
        for letter, digit, _ in ROWS
    ]
    assert X.indices.reshape(4, 2).tolist() == expected
    assert (X.data == 1).all()


def test_the_order_within_a_cross_counts() -> None:
    forward, backward = (
        CrossedColumns([cross], n_buckets=2**20).fit_transform(frame()).indices
        for cross in (("letter", "digit"), ("digit", "letter"))
    )
    assert (forward != backward).all()


def test_other_processes_make_the_same_columns() -> None:
    code = (
        "import fastmlp as fm; rows = [['a', 1], ['b', 2.5], [None, True], [b'c', float('nan')]];"
        "print(fm.preprocessing.CrossedColumns([(0, 1)]).fit_transform(rows).indices.tolist())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }
    parts = [(b"sa", b"n1"), (b"sb", b"n2.5"), (b"missing", b"n1"), (b"bc", b"missing")]
    assert outputs == {f"{[bucket(list(pair), 4096) for pair in parts]}\n"}


@pytest.mark.parametrize(
    "column",
    [
        [1, 0, 3],
        [1.0, 0.0, 3.0],
        np.array([1, 0, 3], np.uint8),
        np.array([1.0, -0.0, 3.0], np.float32),
        np.array([1, 0, 3], object),
        np.array([True, np.False_, np.float32(3)], object),
        pandas.Series([1, 0, 3], dtype="Int64"),
        pandas.Series([1, 0, 3], dtype="category"),
    ],
)
def test_equal_numbers_are_one_category(column: Any) -> None:
    X = pandas.DataFrame({"number": column})
    found = CrossedColumns(["number"], 1000).fit_transform(X).indices
    assert found.tolist() == [bucket([part], 1000) for part in (b"n1", b"n0", b"n3")]


@pytest.mark.parametrize(
    "column",
    [
        ["x", None, ""],
        np.array(["x", np.nan, ""], object),
        pandas.Series(["x", pandas.NA, ""], dtype="string"),
        pandas.Series(["x", None, ""], dtype="category"),
    ],
)
def test_missing_values_are_one_category(column: Any) -> None:
    X = pandas.DataFrame({"text": column})
    found = CrossedColumns(["text"], 1000).fit_transform(X).indices
    assert found.tolist() == [bucket([part], 1000) for part in (b"sx", b"missing", b"s")]


def test_arrays_and_frames_agree() -> None:
    X = np.array([["a", "u"], ["b", "v"], ["a", "v"]])
    by_number = CrossedColumns([(0, 1)]).fit_transform(X)
    by_name = CrossedColumns([("p", "q")]).fit_transform(pandas.DataFrame(X, columns=["p", "q"]))
    np.testing.assert_array_equal(by_number.indices, by_name.indices)


def test_bins_are_quantiles_of_the_training_rows() -> None:
    ages = np.arange(101.0)
    crossed = CrossedColumns([(0,)], n_buckets=1000, bins={0: 4}).fit(ages.reshape(-1, 1))
    np.testing.assert_array_equal(crossed.bin_edges_[0], [25.0, 50.0, 75.0])
    found = crossed.transform([[-5.0], [24.9], [25.0], [74.0], [1e9], [np.nan]]).indices
    parts = [b"n0", b"n0", b"n1", b"n2", b"n3", b"missing"]
    assert found.tolist() == [bucket([part], 1000) for part in parts]


def test_given_edges_and_equal_quantiles() -> None:
    X = np.array([[0.0], [0.0], [0.0], [8.0]])
    assert CrossedColumns([0], bins={0: 4}).fit(X).bin_edges_[0].tolist() == [0.0, 2.0]
    crossed = CrossedColumns([0], n_buckets=1000, bins={0: [1, 5]}).fit(X)
    assert crossed.bin_edges_[0].tolist() == [1.0, 5.0]
    assert crossed.transform(X).indices[-1] == bucket([b"n2"], 1000)


def test_missing_values_have_a_bin_of_their_own() -> None:
    crossed = CrossedColumns([("age", "letter")], n_buckets=1000, bins={"age": 2}).fit(frame())
    assert crossed.bin_edges_["age"].tolist() == [40.0]
    assert crossed.transform(frame()).indices[2] == bucket([b"missing", b"sa"], 1000)


def test_unseen_categories_need_no_special_case() -> None:
    crossed = CrossedColumns([(0,)], n_buckets=1000).fit([["a"], ["b"]])
    assert crossed.transform([["never seen"]]).indices == [bucket([b"snever seen"], 1000)]


def test_buckets_are_used_evenly() -> None:
    """4096 categories in 256 buckets: the counts are Poisson's, chi-square about 255 +- 23."""
    X = np.arange(4096).reshape(-1, 1)
    counts = np.bincount(CrossedColumns([0], n_buckets=256).fit_transform(X).indices, minlength=256)
    assert 150 < np.square(counts - 16).sum() / 16 < 370


def test_names() -> None:
    crossed = CrossedColumns([("letter", "digit"), "digit"], n_buckets=[2, 1]).fit(frame())
    names = ["letter_x_digit_0", "letter_x_digit_1", "digit_0"]
    assert crossed.get_feature_names_out().tolist() == names
    unnamed = CrossedColumns([(0, 2)], n_buckets=1).fit(ROWS)
    assert unnamed.get_feature_names_out().tolist() == ["x0_x_x2_0"]
    assert unnamed.get_feature_names_out(["p", "q", "r"]).tolist() == ["p_x_r_0"]


def test_parameters_clone_and_pickle() -> None:
    crossed = CrossedColumns(
        [("letter", "digit")], n_buckets=64, bins={"digit": 2}, dtype="float64"
    )
    assert clone(crossed).get_params() == crossed.get_params()
    with pytest.raises(NotFittedError):
        crossed.transform(frame())
    again = pickle.loads(pickle.dumps(crossed.fit(frame())))
    X = again.transform(frame())
    assert X.dtype == np.float64
    np.testing.assert_array_equal(X.indices, crossed.transform(frame()).indices)


def test_in_a_pipeline_of_columns() -> None:
    X = pandas.concat([frame()] * 8, ignore_index=True).drop(index=2)
    y = (X["letter"] == "a") ^ (X["digit"] == 1)
    columns = ColumnTransformer(
        [
            ("scaled", StandardScaler(), ["digit"]),
            ("crossed", CrossedColumns([("letter", "digit")], n_buckets=64), ["letter", "digit"]),
        ],
        sparse_threshold=1.0,
    )
    pipeline = make_pipeline(columns, LogisticRegression(C=100.0)).fit(X, y)
    assert (pipeline.predict(X) == y).all()
    names = columns.get_feature_names_out()
    assert names[:2].tolist() == ["scaled__digit", "crossed__letter_x_digit_0"]
    assert len(names) == 65


BAD: dict[str, tuple[Any, Any, type[Exception], str]] = {
    "no list": (
        "letter",
        {},
        TypeError,
        "a list of tuples of columns, got 'letter'",
    ),
    "no cross": ([], {}, ValueError, "at least one cross, got none"),
    "empty cross": ([()], {}, ValueError, r"at least one column, and each only once, got \(\)"),
    "twice": ([("letter", 0)], {}, ValueError, "each only once"),
    "name": (
        [("letter", "size")],
        {},
        ValueError,
        "no column 'size'; its columns are letter",
    ),
    "number": ([(0, 3)], {}, ValueError, "columns 0 to 2, got column 3"),
    "negative": ([(-1,)], {}, ValueError, "columns 0 to 2, got column -1"),
    "kind": ([(0.5,)], {}, TypeError, "a name or a number, got 0.5"),
    "boolean": ([(True,)], {}, TypeError, "a name or a number, got True"),
    "buckets": ([(0,)], {"n_buckets": 0}, ValueError, "n_buckets must be"),
    "few buckets": ([(0,)], {"n_buckets": [1, 2]}, ValueError, "2 numbers for 1 crosses"),
    "bins of text": (
        [(0,)],
        {"bins": {"letter": 3}},
        ValueError,
        "must hold numbers, got 'a'",
    ),
    "no bins": ([(0,)], {"bins": {"age": 0}}, ValueError, r"bins\['age'\] must be"),
    "edges": ([(0,)], {"bins": {"age": [3, 1]}}, ValueError, "a list of ascending edges"),
    "bins of nothing": ([(0,)], {"bins": {"size": 3}}, ValueError, "no column 'size'"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments(name: str) -> None:
    crosses, arguments, kind, message = BAD[name]
    with pytest.raises(kind, match=message):
        CrossedColumns(crosses, **arguments).fit(frame())


def test_bad_rows() -> None:
    with pytest.raises(ValueError, match="given by name, but X has no column names"):
        CrossedColumns([("letter",)]).fit(ROWS)
    with pytest.raises(ValueError, match="X has no rows"):
        CrossedColumns([(0,)]).fit(frame()[:0])
    with pytest.raises(ValueError, match="no values to take quantiles of"):
        CrossedColumns([(0,)], bins={0: 3}).fit([[None], [None]])
    dates = pandas.DataFrame({"day": pandas.to_datetime(["2020-01-01"])})
    refused = "column 'day' holds .*; categories are strings, numbers"
    for unit in ("s", "ns"):
        with pytest.raises(TypeError, match=refused):
            CrossedColumns(["day"]).fit_transform(dates.astype(f"datetime64[{unit}]"))
    with pytest.raises(TypeError, match="column 'x0': unhashable"):
        CrossedColumns([0]).fit_transform(np.array([[["a"]], [{}]], object)[1:])


def test_without_scikit_learn() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None; import fastmlp as fm; fm.preprocessing\n"
        "try: fm.preprocessing.CrossedColumns\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "fastmlp[sklearn]" in done.stdout
