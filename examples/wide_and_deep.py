"""Who earns more than $50,000? Memorized crosses of columns beside a network, on census data.

Cheng et al. 2016 ("Wide & Deep Learning for Recommender Systems") join a linear model over sparse
crossed columns, trained by FTRL with an L1 penalty, to a network over dense columns and embeddings,
and train both at once. This compares the parts alone and together, beside a logistic regression, on
the official split of Adult (UCI, 48,842 rows). Settings were chosen on a fifth of the training
rows, which ``--validate`` looks at again; the test rows took no part in it. Here both parts
together are better than the wide one alone, and not distinguishable from the deep one, whose
embeddings learn from 32,561 rows what the crosses memorize.

It reads ``adult.csv.gz`` in the folder that the environment variable FASTMLP_TEST_DATA names, or
the file given by ``--data``: a table with the columns of the data set, `income` and `split`
("train" or "test"). Run it with ``python examples/wide_and_deep.py``.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

import fastmlp as fm

NUMBERS = ["age", "education_num", "hours_per_week"]
AMOUNTS = ["capital_gain", "capital_loss"]
CATEGORIES = [
    *("workclass", "education", "marital_status", "occupation"),
    *("relationship", "race", "sex", "native_country"),
]
CROSSES = [("education", "occupation"), ("age", "education", "occupation")]
AGE = {"age": 10}
# Nine in ten have no gain and no loss: most of the fifty quantiles are one edge.
BINS = {**AGE, "hours_per_week": 10, "capital_gain": 50, "capital_loss": 50}
SEEDS = range(5)

# Chosen on the validation rows.
EPOCHS = {"wide only": 10, "deep only": 10, "wide and deep": 10}
BATCH = 128
RATE = 3e-3
WIDE = fm.Ftrl(2.0, l1=0.3)


class Features(NamedTuple):
    """The same rows for each kind of model."""

    linear: Any
    wide: csr_matrix
    deep: np.ndarray
    sizes: list[int]


def read(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The official training rows and test rows."""
    table = pd.read_csv(path, skipinitialspace=True)
    return table[table["split"] == "train"], table[table["split"] == "test"]


def logarithms() -> Pipeline:
    """Amounts of money, most of which are 0."""
    return make_pipeline(FunctionTransformer(np.log1p), StandardScaler())


def features(train: pd.DataFrame, other: pd.DataFrame) -> tuple[Features, Features]:
    """Columns for all models, fitted on the training rows."""
    dense = [("numbers", StandardScaler(), NUMBERS), ("amounts", logarithms(), AMOUNTS)]
    one_hot = OneHotEncoder(handle_unknown="ignore")
    # A linear model is better without logarithms, by the validation rows.
    linear = ColumnTransformer(
        [("scaled", StandardScaler(), NUMBERS + AMOUNTS), ("categories", one_hot, CATEGORIES)]
    ).fit(train)
    alone = fm.preprocessing.CrossedColumns(
        [*NUMBERS, *AMOUNTS, *CATEGORIES], n_buckets=512, bins=BINS
    )
    crossed = fm.preprocessing.CrossedColumns(CROSSES, n_buckets=[2**10, 2**13], bins=AGE)
    wide = ColumnTransformer(
        [
            ("alone", alone, [*NUMBERS, *AMOUNTS, *CATEGORIES]),
            ("crossed", crossed, ["age", "education", "occupation"]),
        ],
        sparse_threshold=1.0,
    ).fit(train)
    # Code 0 is kept for categories that no training row has.
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(
        train[CATEGORIES]
    )
    deep = ColumnTransformer(dense).fit(train)
    edges = wide.named_transformers_["alone"].bin_edges_
    sizes = [len(categories) + 1 for categories in codes.categories_]
    sizes += [len(edges[name]) + 1 for name in AMOUNTS]

    def of(rows: pd.DataFrame) -> Features:
        amounts = [np.searchsorted(edges[name], rows[name], side="right") for name in AMOUNTS]
        columns = [deep.transform(rows), codes.transform(rows[CATEGORIES]) + 1, *amounts]
        return Features(
            linear.transform(rows),
            wide.transform(rows).tocsr(),
            np.column_stack(columns).astype(np.float32),
            sizes,
        )

    return of(train), of(other)


def hidden(sizes: list[int]) -> list[Any]:
    """The layers of the deep part: embeddings of categories and binned amounts, then a network."""
    first = len(NUMBERS) + len(AMOUNTS)
    return [
        *(
            fm.Embedding(size, dim=min(8, (size + 1) // 2), column=first + place)
            for place, size in enumerate(sizes)
        ),
        fm.Dense(128, activation="relu"),
        fm.Dropout(0.2),
        fm.Dense(64, activation="relu"),
        fm.Dropout(0.2),
    ]


def network(name: str, rows: Features, y: np.ndarray, seed: int) -> fm.Sequential:
    """Train one of the networks."""
    if name == "deep only":
        layers = [*hidden(rows.sizes), fm.Dense(1, activation="sigmoid")]
    else:
        # A linear layer over a column of zeros stands for no deep part at all.
        deep = [fm.Activation("linear")] if name == "wide only" else hidden(rows.sizes)
        layers = [fm.WideAndDeep(1, "sigmoid", deep=deep, wide_optimizer=WIDE)]
    optimizer = fm.Adam(fm.CosineDecay(RATE, EPOCHS[name]))
    model = fm.Sequential(layers, optimizer=optimizer, random_state=seed)
    model.fit(inputs(name, rows), y, epochs=EPOCHS[name], batch_size=BATCH, verbose=0)
    return model


def inputs(name: str, rows: Features) -> Any:
    """What a network of this name takes as X."""
    nothing = np.zeros((len(rows.deep), 1), np.float32)
    return {
        "wide only": (rows.wide, nothing),
        "deep only": rows.deep,
        "wide and deep": (rows.wide, rows.deep),
    }[name]


def compare(train: pd.DataFrame, other: pd.DataFrame) -> dict[str, np.ndarray]:
    """Accuracy and area under the ROC curve of each model on other rows, one row a seed."""
    y, truth = (np.array(rows["income"] == ">50K", np.int64) for rows in (train, other))
    rows, new = features(train, other)
    scores = {}
    for name in ("logistic regression", *EPOCHS):
        start, found = time.perf_counter(), []
        for seed in SEEDS if name in EPOCHS else range(1):
            if name in EPOCHS:
                model = network(name, rows, y, seed)
                probability = model.predict(inputs(name, new))[:, 0]
            else:
                model = LogisticRegression(max_iter=1000).fit(rows.linear, y)
                probability = model.predict_proba(new.linear)[:, 1]
            accuracy = accuracy_score(truth, probability >= 0.5)
            found.append((accuracy, roc_auc_score(truth, probability)))
        scores[name] = np.array(found)
        line = "   ".join(spread(column) for column in scores[name].T)
        print(f"{name:22}  {line}   {time.perf_counter() - start:5.1f} s", flush=True)
        if name == "wide and deep":
            weight = model.parameters["0.wide_weight"]
            print(f"\n{np.count_nonzero(weight):,} of {weight.size:,} wide weights are not 0")
    return scores


def spread(values: np.ndarray, sign: str = "") -> str:
    """Mean and standard deviation over the seeds."""
    deviation = f" +- {values.std(ddof=1):.4f}" if len(values) > 1 else " " * 10
    return f"{values.mean():{sign}.4f}{deviation}"


def main() -> None:
    """Compare on the test rows, or on a part of the training rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="adult.csv or adult.csv.gz")
    parser.add_argument(
        "--validate", action="store_true", help="score a fifth of the training rows, no test rows"
    )
    arguments = parser.parse_args()
    path = arguments.data or Path(os.environ.get("FASTMLP_TEST_DATA", ".")) / "adult.csv.gz"
    if not path.is_file():
        print(f"skipped: there is no {path}; name the file with --data")
        return
    train, other = read(path)
    if arguments.validate:
        train, other = train_test_split(
            train, test_size=0.2, stratify=train["income"], random_state=0
        )
    kind = "validation" if arguments.validate else "test"
    print(f"{len(train):,} training rows, {len(other):,} {kind} rows, {len(SEEDS)} seeds\n")
    print(f"{'':22}  {'accuracy':16}   {'area under ROC':16}")
    scores = compare(train, other)
    print("\nwide and deep, seed by seed, minus")
    for name in ("logistic regression", "wide only", "deep only"):
        difference = scores["wide and deep"] - scores[name]
        print(f"  {name:20}  " + "   ".join(spread(column, "+") for column in difference.T))


if __name__ == "__main__":
    main()
