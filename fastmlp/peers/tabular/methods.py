"""Ways to learn from a table, each with the defaults of its package and one thread.

A frame is prepared as its method is usually given one: fastmlp takes it as it is; boosted trees
take texts as categories and gaps as gaps; networks of pytabkit take categories, and numbers whose
gaps are filled with medians; a linear model and scikit-learn's networks get medians, scaled numbers
and one column for each category. scikit-learn's networks get scaled targets, too: with targets in
the hundreds of thousands they learn nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import fastmlp as fm

from .fingerprint import fingerprint

# Of warming up, which only imports; fastmlp warms up in full, so that all is compiled.
_WARM_EPOCHS = 1
_MISSING = "missing"


@dataclass(frozen=True)
class Request:
    """What an estimator is made for.

    Attributes
    ----------
    X : pandas.DataFrame
        The prepared rows that it will be fitted with.
    is_regression : bool
    seed : int
    is_quick : bool
        Whether it only warms up.
    """

    X: Any
    is_regression: bool
    seed: int
    is_quick: bool = False

    def pick(self, classifier: Any, regressor: Any) -> Any:
        """That of the two which fits the targets."""
        return regressor if self.is_regression else classifier


@dataclass(frozen=True)
class Method:
    """A way to learn from a table.

    Attributes
    ----------
    title : str
    make : callable
        Gives an estimator of scikit-learn's kind for a `Request`.
    needs : tuple of str
        Packages that must be importable.
    versions : tuple of str
        Distributions whose versions say what was measured; of fastmlp none, for its sources do.
    seconds : float
        About what a fit of 1,000 rows takes, by which work is put into an order.
    prepare : callable
        What becomes of all rows of a frame before they are split.
    warms_up : bool
        Whether it is fitted once before it is measured, because it compiles or imports in a fit.
    """

    title: str
    make: Callable[[Request], Any]
    needs: tuple[str, ...]
    versions: tuple[str, ...]
    seconds: float
    prepare: Callable[[Any], Any]
    warms_up: bool = False

    def missing(self) -> str | None:
        """The first package that is not installed."""
        return next((name for name in self.needs if find_spec(name) is None), None)

    def measured(self) -> str:
        """Names and versions of what is measured; of fastmlp a digest of its sources as well."""
        if not self.versions:
            return f"fastmlp {fm.__version__} {fingerprint()}"
        return ", ".join(f"{name} {version(name)}" for name in self.versions)


def as_it_is(X: Any) -> Any:
    """The frame."""
    return X


def with_categories(X: Any) -> Any:
    """Texts as a category dtype."""
    return X.astype(dict.fromkeys(texts(X), "category"))


def with_filled_categories(X: Any) -> Any:
    """Texts as a category dtype in which what is missing is a category."""
    return with_categories(X.assign(**{name: X[name].fillna(_MISSING) for name in texts(X)}))


def texts(X: Any) -> list[str]:
    """Names of the columns that are not numbers."""
    return list(X.select_dtypes(exclude=["number", "bool"]).columns)


def _with_fastmlp(preset: str) -> Callable[[Request], Any]:
    def make(request: Request) -> Any:
        kind = request.pick(fm.TabularClassifier, fm.TabularRegressor)
        return kind(preset=preset, random_state=request.seed, n_threads=1)

    return make


def _with_pytabkit(name: str) -> Callable[[Request], Any]:
    def make(request: Request) -> Any:
        import pytabkit
        import torch
        from sklearn.compose import make_column_selector, make_column_transformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline

        torch.set_num_threads(1)
        kind = getattr(pytabkit, f"{name}_{request.pick('Classifier', 'Regressor')}")
        epochs = {"n_epochs": _WARM_EPOCHS} if request.is_quick else {}
        network = kind(device="cpu", n_threads=1, random_state=request.seed, **epochs)
        if not request.X.isna().any(axis=None):
            return network
        filled = make_column_transformer(
            (SimpleImputer(strategy="median"), make_column_selector(dtype_include="number")),
            remainder="passthrough",
            verbose_feature_names_out=False,
        )
        return make_pipeline(filled.set_output(transform="pandas"), network)

    return make


def _as_numbers(model: Any) -> Any:
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (categories, make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(columns, model)


def _linear(request: Request) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    # With the default of 100 it stops early on some tables.
    return _as_numbers(Ridge() if request.is_regression else LogisticRegression(max_iter=1000))


def _sklearn_mlp(**arguments: Any) -> Callable[[Request], Any]:
    def make(request: Request) -> Any:
        from sklearn.compose import TransformedTargetRegressor
        from sklearn.neural_network import MLPClassifier, MLPRegressor
        from sklearn.preprocessing import StandardScaler

        kind = request.pick(MLPClassifier, MLPRegressor)
        network = kind(random_state=request.seed, **arguments)
        if request.is_regression:
            network = TransformedTargetRegressor(network, transformer=StandardScaler())
        return _as_numbers(network)

    return make


def _hist_gradient_boosting(request: Request) -> Any:
    from sklearn import ensemble

    kind = f"HistGradientBoosting{request.pick('Classifier', 'Regressor')}"
    return getattr(ensemble, kind)(random_state=request.seed)


def _lightgbm(request: Request) -> Any:
    import lightgbm

    kind = request.pick(lightgbm.LGBMClassifier, lightgbm.LGBMRegressor)
    return kind(random_state=request.seed, n_jobs=1, verbose=-1)


def _xgboost(request: Request) -> Any:
    import xgboost

    kind = request.pick(xgboost.XGBClassifier, xgboost.XGBRegressor)
    return kind(random_state=request.seed, n_jobs=1, enable_categorical=True)


def _catboost(request: Request) -> Any:
    import catboost

    kind = request.pick(catboost.CatBoostClassifier, catboost.CatBoostRegressor)
    return kind(
        random_seed=request.seed,
        thread_count=1,
        cat_features=texts(request.X),
        allow_writing_files=False,
        verbose=False,
    )


def _own(preset: str, seconds: float) -> Method:
    needs = ("numba", "sklearn", "pandas", "pyarrow")
    make = _with_fastmlp(preset)
    return Method(f"fastmlp {preset}", make, needs, (), seconds, as_it_is, warms_up=True)


def _of_pytabkit(title: str, name: str, seconds: float) -> Method:
    return Method(
        title,
        _with_pytabkit(name),
        ("pytabkit", "torch"),
        ("pytabkit", "torch"),
        seconds,
        with_filled_categories,
        warms_up=True,
    )


def _of_sklearn(title: str, make: Callable[[Request], Any], seconds: float) -> Method:
    return Method(title, make, ("sklearn", "pandas"), ("scikit-learn",), seconds, with_categories)


# The cheapest first.
METHODS = {
    "linear": _of_sklearn("linear model", _linear, 0.01),
    "hist_gradient_boosting": _of_sklearn("HistGradientBoosting", _hist_gradient_boosting, 0.2),
    "lightgbm": Method(
        *("LightGBM", _lightgbm, ("lightgbm",), ("lightgbm",), 0.2, with_categories),
    ),
    "xgboost": Method("XGBoost", _xgboost, ("xgboost",), ("xgboost",), 0.2, with_categories),
    "fast": _own("fast", 0.5),
    "sklearn_mlp": _of_sklearn("scikit-learn MLP", _sklearn_mlp(), 1.5),
    "sklearn_mlp_3x256": _of_sklearn(
        "scikit-learn MLP 3 x 256",
        _sklearn_mlp(hidden_layer_sizes=(256, 256, 256), early_stopping=True),
        1.6,
    ),
    "default": _own("default", 1.7),
    "catboost": Method(
        *("CatBoost", _catboost, ("catboost",), ("catboost",), 2.0, with_filled_categories),
    ),
    "best": _own("best", 5.0),
    "realmlp_td_s": _of_pytabkit("RealMLP-TD-S", "RealMLP_TD_S", 5.5),
    "realmlp_td": _of_pytabkit("RealMLP-TD", "RealMLP_TD", 10.0),
    "tabm": _of_pytabkit("TabM", "TabM_D", 60.0),
}


def installed(names: Iterable[str], say: Callable[[str], None]) -> list[str]:
    """Those methods whose packages are there; of the others it is told what is missing."""
    found = []
    for name in names:
        missing = METHODS[name].missing()
        if missing is None:
            found.append(name)
        else:
            say(f"{METHODS[name].title} skipped: {missing} is not installed")
    return found
