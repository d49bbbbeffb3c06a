"""A raw table as it is, texts and gaps in it, beside boosted trees.

A data frame goes into fastmlp's default for tables untouched, and into scikit-learn's
HistGradientBoosting with its texts made categories. Run it with
``python examples/raw_table.py FILE.csv TARGET``, a file that pandas reads and the column to be
predicted; without a file it is the passengers of the Titanic, which scikit-learn downloads once.
"""

from __future__ import annotations

import argparse
import textwrap
import warnings
from time import perf_counter
from typing import Any

import pandas as pd
from sklearn.datasets import fetch_openml, get_data_home
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split

import fastmlp as fm

# HistGradientBoosting takes no column of more.
MOST_CATEGORIES = 255

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("file", nargs="?", help="a CSV file, compressed or not")
parser.add_argument("target", nargs="?", help="its column to be predicted")
arguments = parser.parse_args()
if arguments.file and not arguments.target:
    parser.error("FILE.csv goes with the name of the column to be predicted")


def titanic() -> pd.DataFrame:
    """1,309 passengers; who was in which boat, and which body was found, says who survived."""
    try:
        with warnings.catch_warnings():
            # Of tries that fail.
            warnings.simplefilter("ignore")
            data = fetch_openml("titanic", version=1, as_frame=True, n_retries=1)
    except OSError as error:
        print(
            f"skipped: no titanic in {get_data_home()}, and it could not be downloaded ({error}); "
            "python examples/raw_table.py FILE.csv TARGET takes a file"
        )
        raise SystemExit(0) from None
    return data.frame.drop(columns=["boat", "body"])


def for_trees(X: pd.DataFrame) -> pd.DataFrame:
    """Texts as categories, without columns of too many."""
    X = X.copy()
    for name in X.select_dtypes(exclude=["number", "bool"]):
        X[name] = X[name].astype("category")
    many = [name for name in X.select_dtypes("category") if X[name].nunique() > MOST_CATEGORIES]
    return X.drop(columns=many)


def fitted(model: Any, X: pd.DataFrame, y: pd.Series) -> tuple[float, float]:
    """The seconds of a first fit and of a second one."""
    clock = [perf_counter()]
    for _ in range(2):
        model.fit(X, y)
        clock.append(perf_counter())
    return clock[1] - clock[0], clock[2] - clock[1]


frame = pd.read_csv(arguments.file) if arguments.file else titanic()
target = arguments.target or "survived"
frame = frame.dropna(subset=target)
X, y = frame.drop(columns=target), frame[target]
is_number = pd.api.types.is_numeric_dtype(y) and y.nunique() > 20
train, test = train_test_split(
    frame.index, test_size=0.2, stratify=None if is_number else y, random_state=0
)
learner: Any = fm.TabularRegressor if is_number else fm.TabularClassifier
booster: Any = HistGradientBoostingRegressor if is_number else HistGradientBoostingClassifier
network = learner(random_state=0)
trees = booster(categorical_features="from_dtype", random_state=0)
lines = []
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always", fm.TableWarning)
    for model, rows in ((network, X), (trees, for_trees(X))):
        first, second = fitted(model, rows.loc[train], y[train])
        score = model.score(rows.loc[test], y[test])
        lines.append(f"{type(model).__name__:30} {first:7.2f} s {second:6.2f} s   {score:.4f}")

print(f"{len(train):,} rows to learn from, {len(test):,} to judge by. What is learned from:")
print(f"\n{network.schema_}")
for text in dict.fromkeys(str(warning.message) for warning in told):
    print(f"\n{textwrap.fill(text, 98)}")
print(f"\n{'':30} {'first fit':>9} {'second':>8}   {'R2' if is_number else 'accuracy'}")
print(*lines, sep="\n")
