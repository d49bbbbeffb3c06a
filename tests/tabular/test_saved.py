"""Estimators in files: the same predictions bit for bit, the same arguments, and no damage."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from framed_houses import HOUSES, dear, price

import fastmlp as fm
from fastmlp.common import sealed

pytestmark = pytest.mark.filterwarnings("ignore::fastmlp.TableWarning")
ATTRIBUTES = ("best_epoch_", "validation_score_", "n_features_in_")


@pytest.fixture(scope="module", params=[1, 3])
def classifier(request: pytest.FixtureRequest) -> Any:
    model = fm.TabularClassifier(
        *("fast", 60.0, request.param, 0.25, "roc_auc"),
        class_weight={"cheap": 1, "dear": 2.5},
        categorical_features=("kind",),
        random_state=7,
    )
    return model.fit(HOUSES, dear())


def test_a_file_gives_the_estimator_back(classifier: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    classifier.save(path)
    for back in (fm.load(path), pickle.loads(pickle.dumps(classifier))):
        assert type(back) is fm.TabularClassifier
        assert back.get_params() == classifier.get_params()
        np.testing.assert_array_equal(
            back.predict_proba(HOUSES), classifier.predict_proba(HOUSES), strict=True
        )
        for name in ATTRIBUTES:
            assert getattr(back, name) == getattr(classifier, name)
        assert back.feature_names_in_.tolist() == list(HOUSES)
        assert back.classes_.tolist() == ["cheap", "dear"]
        assert back.classes_.dtype == classifier.classes_.dtype
        assert back.history_.to_dict() == classifier.history_.to_dict()
        assert [c.kind for c in back.schema_.columns] == [
            c.kind for c in classifier.schema_.columns
        ]
        assert len(back.members_) == classifier.n_members
    again = tmp_path / "again.safetensors"
    fm.load(path).save(again)
    assert fm.load(again).predict(HOUSES).tolist() == classifier.predict(HOUSES).tolist()


def test_no_cell_of_the_table_is_in_the_file(classifier: Any, tmp_path: Path) -> None:
    classifier.save(tmp_path / "m")
    assert b"103.8" not in (tmp_path / "m").read_bytes()


@pytest.mark.parametrize("dtype", ["<U3", "object", "bool", "int32", "float32"])
def test_labels_keep_their_type(dtype: str, tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    labels = np.array(["no", "yes"]) if dtype in ("<U3", "object") else np.array([0, 1])
    y = labels.astype(dtype)[(X[:, 0] > 0).astype(int)]
    model = fm.TabularClassifier("fast", random_state=0).fit(X, y)
    model.save(tmp_path / "m")
    back = fm.load(tmp_path / "m")
    assert back.classes_.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(back.predict(X), model.predict(X))


def test_a_regressor_and_arguments_that_are_objects(tmp_path: Path) -> None:
    state = np.random.RandomState(0)
    model = fm.TabularRegressor(
        "fast", loss="absolute_error", callbacks=[fm.LambdaCallback()], random_state=state
    ).fit(HOUSES, price())
    with pytest.warns(UserWarning, match="does not hold callbacks, random_state, for they are obj"):
        model.save(tmp_path / "m")
    back = fm.load(tmp_path / "m")
    assert (back.callbacks, back.random_state, back.loss) == ((), None, "absolute_error")
    np.testing.assert_array_equal(back.predict(HOUSES), model.predict(HOUSES))


def rewritten(path: Path, change: Any) -> None:
    tensors, metadata = sealed.read(path)
    description = json.loads(metadata["note.estimator"])
    change(description)
    sealed.write(path, tensors, {**metadata, "note.estimator": json.dumps(description)})


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(version=2),
        lambda d: d.update({"class": "TabularTransformer"}),
        lambda d: d.update({"class": "TabularRegressor"}),
        lambda d: d["params"].update(preset="slow"),
        lambda d: d["params"].update(depth=3),
        lambda d: d.update(names=["size"]),
        lambda d: d.update(names=[1, 2]),
        lambda d: d.update(feature_names_in=["a"]),
        lambda d: d.update(classes=None),
        lambda d: d.update(classes="M8[s]"),
        lambda d: d.update(history=3),
        lambda d: d.update(best_epoch="x"),
        lambda d: d.clear(),
    ],
)
def test_damaged_files_are_refused(classifier: Any, tmp_path: Path, change: Any) -> None:
    path = tmp_path / "m"
    classifier.save(path)
    rewritten(path, change)
    with pytest.raises(fm.ModelFileError, match=r"m: damaged|damaged description"):
        fm.load(path)


def test_a_file_that_ends_early_or_lacks_a_network(classifier: Any, tmp_path: Path) -> None:
    path = tmp_path / "m"
    classifier.save(path)
    tensors, metadata = sealed.read(path)
    (tmp_path / "half").write_bytes(path.read_bytes()[:-100])
    with pytest.raises(fm.ModelFileError):
        fm.load(tmp_path / "half")
    first = next(name for name in tensors if name.endswith(".weight"))
    for changed in (
        {name: values for name, values in tensors.items() if name != first},
        {**tensors, "member.9.0.weight": tensors[first]},
        {**tensors, "more": tensors[first]},
    ):
        sealed.write(path, changed, metadata)
        with pytest.raises(fm.ModelFileError):
            fm.load(path)


def test_what_else_reads_the_file(classifier: Any, tmp_path: Path) -> None:
    path = tmp_path / "m"
    classifier.save(path)
    if classifier.n_members > 1:
        with pytest.raises(fm.ModelFileError, match="holds 3 networks"):
            fm.load_predictor(path)
    else:
        assert fm.load_predictor(path).classes.tolist() == ["cheap", "dear"]
    assert fm.load(path, backend="numpy").members_[0].backend == "numpy"


def test_networks_that_nothing_averages(classifier: Any, tmp_path: Path) -> None:
    path = tmp_path / "m"
    classifier.save(path)
    tensors, metadata = sealed.read(path)
    del metadata["note.estimator"]
    sealed.write(path, tensors, metadata)
    if len(classifier.members_) == 1:
        assert isinstance(fm.load(path), fm.Sequential)
        return
    with pytest.raises(fm.ModelFileError, match="m holds 3 networks, but nothing of the estimator"):
        fm.load(path)
