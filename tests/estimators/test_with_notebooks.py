"""Estimators as notebooks show them: their arguments, and no link to another library's pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from beside import CLASSES, X, classifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

import fastmlp as fm

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def links(html: str) -> set[str]:
    """Where the page leads, but for what its style and its scripts mention."""
    body = re.sub(r"<(style|script).*?</\1>", "", html, flags=re.DOTALL)
    return set(re.findall(r'href="([^"]*)"', body))


@pytest.mark.parametrize("each", [fm.MLPClassifier, fm.MLPRegressor])
@pytest.mark.parametrize("is_fitted", [False, True])
def test_a_network(each: Any, is_fitted: bool) -> None:
    estimator = each(hidden_layer_sizes=(4, 3), solver="sgd", max_iter=2, random_state=0)
    if is_fitted:
        estimator.fit(X, CLASSES)
    html = estimator._repr_html_()
    assert each.__name__ in html
    assert ("<span>Fitted</span>" in html) == is_fitted
    for name in estimator.get_params():
        assert name in html
    # There are pages of scikit-learn's own class only, and they are of another library.
    assert estimator._get_doc_link() == ""
    assert links(html) == set()
    assert estimator._repr_mimebundle_().keys() == {"text/plain", "text/html"}


def test_a_pipeline_leads_to_the_pages_of_its_own_parts_alone() -> None:
    pipeline = make_pipeline(StandardScaler(), classifier(fm)).fit(X, CLASSES)
    found = links(estimator_html_repr(pipeline))
    assert any("StandardScaler" in link for link in found)
    assert not any("MLPClassifier" in link for link in found)


def test_texts_tell_what_differs_from_the_defaults() -> None:
    assert repr(fm.MLPClassifier(n_threads=2, alpha=0.0001)) == "MLPClassifier(n_threads=2)"
    assert str(fm.MLPRegressor(loss="poisson")) == "MLPRegressor(loss='poisson')"
