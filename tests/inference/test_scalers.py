"""Scalers in front of a network are folded into it, or refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from frozen_networks import kinds, relative, rows, trained
from random_weights import TOLERANCE

import fastmlp as fm

SCALERS = ["StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", SCALERS)
def test_scaler_is_folded(name: str, dtype: str) -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    X = rows(dtype="float64") * [1, 10, 0.1, 3, 1] + [0, 5, 1, -4, 20]
    switches = {"StandardScaler": ("with_mean", "with_std")}
    switches["RobustScaler"] = ("with_centering", "with_scaling")
    for arguments in ({}, *({switch: False} for switch in switches.get(name, ()))):
        scaler = getattr(preprocessing, name)(**arguments).fit(X)
        model = trained([fm.Dense(8, "relu"), fm.Dense(2)], dtype=dtype)
        predictor = model.freeze(scaler)
        expected = model.predict(scaler.transform(X))
        assert "ScaleOp" not in kinds(predictor)
        assert relative(predictor(X), expected) <= TOLERANCE[dtype]
        branch = trained([fm.Residual([fm.Dense(5, "relu")]), fm.Dense(2)], dtype=dtype)
        expected = branch.predict(scaler.transform(X))
        assert relative(branch.freeze(scaler)(X), expected) <= TOLERANCE[dtype]


def test_scaler_beside_an_embedding_and_a_wide_input() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    X = rows()
    X[:, 2] = np.arange(len(X)) % 4
    scaler = preprocessing.StandardScaler().fit(X)
    model = trained([fm.Embedding(4, 3, column=2), fm.Dense(8, "relu"), fm.Dense(2)])
    with pytest.raises(ValueError, match=r"column 2 of X holds the codes"):
        model.freeze(scaler)
    scaler.mean_[2], scaler.scale_[2] = 0.0, 1.0
    predictor = model.freeze(scaler)
    assert "ScaleOp" not in kinds(predictor)
    assert relative(predictor(X), model.predict(scaler.transform(X))) <= 1e-5

    wide = np.abs(rows(3))
    model = fm.Sequential(
        [fm.WideAndDeep(2, "softmax", deep=[fm.Dense(8, "relu")])], backend="numpy", random_state=0
    )
    model.build((3, 5))
    scaler = preprocessing.StandardScaler().fit(X)
    expected = model.predict((wide, scaler.transform(X)))
    assert relative(model.freeze(scaler)((wide, X)), expected) <= 1e-5


def test_scalers_that_cannot_be_folded() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    model, X = trained([fm.Dense(2)]), rows()
    with pytest.raises(ValueError, match=r"not fitted; call scaler\.fit"):
        model.freeze(preprocessing.StandardScaler())
    with pytest.raises(ValueError, match=r"fitted on 3 columns, but the network reads 5"):
        model.freeze(preprocessing.StandardScaler().fit(X[:, :3]))
    with pytest.raises(ValueError, match=r"clip=True is not linear"):
        model.freeze(preprocessing.MinMaxScaler(clip=True).fit(X))
    # It may do something else.
    derived = type("StandardScaler", (preprocessing.StandardScaler,), {})().fit(X)
    with pytest.raises(ValueError, match=r"PowerTransformer cannot .*StandardScaler, MinMaxScaler"):
        model.freeze(preprocessing.PowerTransformer().fit(X[:50]))
    for scaler in (derived, X, "standard"):
        with pytest.raises(TypeError, match=r"StandardScaler, MinMaxScaler"):
            model.freeze(scaler)
    with pytest.raises(ValueError, match=r"no parameters yet"):
        fm.Sequential([fm.Dense(1)]).freeze()


def test_names_of_columns_come_with_a_scaler() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows(2), columns=["length", "width"])
    model = trained([fm.Dense(1)], 2)
    predictor = model.freeze(preprocessing.StandardScaler().fit(frame))
    assert predictor.feature_names == ("length", "width")
    assert model.freeze().feature_names is None


def test_columns_of_a_frame_must_come_in_their_order() -> None:
    pandas = pytest.importorskip("pandas")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    frame = pandas.DataFrame(rows(3), columns=["a", "b", "c"])
    predictor = trained([fm.Dense(2)], 3).freeze(preprocessing.StandardScaler().fit(frame))
    quantized, turned = predictor.quantize(frame), frame[["c", "a", "b"]]
    for predict in (predictor, quantized):
        expected = predict(frame.to_numpy())
        assert np.array_equal(predict(frame), expected)
        with pytest.raises(
            ValueError, match=r"x has other columns .* it lacks a, c and it has x, z"
        ):
            predict(frame.set_axis(["x", "b", "z"], axis=1))
        with pytest.raises(ValueError, match=r"another order, c, a, b, than .* a, b, c"):
            predict(turned)
        assert np.array_equal(predict(turned[list(predictor.feature_names)]), expected)
