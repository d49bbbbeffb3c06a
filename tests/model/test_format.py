"""Files of models: damaged ones are refused, in which words, and one that fails to be written."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_models import NUMBERS, X, fitted, network

import fastmlp as fm
from fastmlp.common import sealed

BACKENDS = fm.kernels.available_backends()


def saved(kind, path):
    fitted(kind, optimizer=fm.Adam(fm.ReduceOnPlateau(0.01))).save(path)
    tensors, metadata = sealed.read(path)
    return tensors, metadata, json.loads(metadata["fastmlp"])


def written(path, tensors, metadata, description):
    sealed.write(path, tensors, {**metadata, "fastmlp": json.dumps(description)})
    return path


def refuse_file(path, message):
    with pytest.raises(fm.ModelFileError, match=message) as caught:
        fm.load(path, backend="numpy")
    assert path.name in str(caught.value)


def test_files_of_others(tmp_path):
    path = tmp_path / "some.file"
    for content in (b"", b"short", b"x,y\n1,2\n" * 10, b"\x89PNG\r\n\x1a\n" * 10, b"\0" * 64):
        path.write_bytes(content)
        refuse_file(path, "not a valid safetensors file")
    sealed.write(path, {"weight": X}, {})
    refuse_file(path, "safetensors file, but not one that fastmlp has written")
    refuse_file(tmp_path, "is a folder, not a file")
    with pytest.raises(FileNotFoundError, match="none"):
        fm.load(tmp_path / "none")


def test_a_model_file_cut_anywhere(tmp_path):
    path = tmp_path / "model"
    fitted("letters").save(path)
    content = path.read_bytes()
    for length in {*range(0, len(content), 97), len(content) - 1}:
        path.write_bytes(content[:length])
        refuse_file(path, "not a valid safetensors file")
    path.write_bytes(content + b"\0")
    refuse_file(path, "1 bytes follow the last tensor")


def test_predictor_files_are_not_models(tmp_path):
    path = written(tmp_path / "model", {"weight": X}, {}, {"kind": "predictor", "version": 1})
    refuse_file(path, r"holds a predictor; read it with fastmlp\.load_predictor")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("version", 2, r"'model' of version 2; this fastmlp reads a 'model' of version 1"),
        ("kind", "forest", r"holds a 'forest' of version 1"),
        ("layers", [], r"at least one layer"),
        ("layers", None, r"damaged"),
        ("layers", [{"type": "Dens", "units": 3}], r"Dens"),
        ("layers", [{"type": "Adam"}], r"list of layers"),
        ("layers", [{"type": "Dense", "units": -3}], r"units must be an integer >= 1, got -3"),
        ("layers", [{"type": "Dense", "units": 3, "color": "red"}], r"color"),
        ("loss", {"type": "MSE"}, r"'mse' does not go with the output activation 'softmax'"),
        ("optimizer", {"type": "SGD"}, r"there is a tensor optimizer\..* does not have"),
        ("optimizer", "adam", r"damaged"),
        ("dtype", "float64", r"float32.* but the network has float64"),
        ("dtype", "int8", r"unknown dtype 'int8'"),
        ("n_features", 4, r"the tensor .* is float32\[3, 3\], but the network has float32\[4, 3\]"),
        ("n_features", -1, r"n_features must be an integer >= 1, got -1"),
        ("n_features", 10**13, r"10000000000000 columns, but weights for fewer than"),
        ("n_features", None, r"n_features must be an integer"),
        ("random_state", -1, r"random_state must be an integer >= 0, got -1"),
        ("step", -1, r"step"),
        ("step", 2**63, r"step"),
        ("step", 1.5, r"step"),
        ("step", None, r"damaged"),
        ("epoch", -1, r"epoch"),
        ("epoch", "1", r"epoch"),
        ("schedules", 3, r"damaged"),
        ("schedules", [], r"damaged"),
        ("schedules", [{}], r"damaged"),
        ("schedules", [{"rate": "x", "best": None, "bad_epochs": 0}], r"damaged"),
        ("shuffle", {}, r"damaged"),
        ("shuffle", {"bit_generator": "MT19937"}, r"damaged"),
        ("history", {"loss": [1]}, r"damaged"),
        ("history", 5, r"damaged"),
        ("targets", 5, r"damaged"),
        ("targets", {}, r"damaged"),
    ],
)
def test_descriptions_that_lie(key, value, message, tmp_path):
    tensors, metadata, description = saved("letters", tmp_path / "model")
    assert key in description
    path = written(tmp_path / "lie", tensors, metadata, {**description, key: value})
    refuse_file(path, message)


@pytest.mark.parametrize("key", ["layers", "loss", "optimizer", "step", "history", "targets"])
def test_descriptions_that_lack_a_part(key, tmp_path):
    tensors, metadata, description = saved("letters", tmp_path / "model")
    del description[key]
    refuse_file(written(tmp_path / "lie", tensors, metadata, description), f"damaged.*{key}")


@pytest.mark.parametrize("text", ["", "null", "[]", "{", "5", '"model"', "[" * 100_000])
def test_descriptions_that_are_none(text, tmp_path):
    path = tmp_path / "lie"
    sealed.write(path, {"weight": X}, {"fastmlp": text})
    refuse_file(path, "damaged description")


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("letters", "dtype", "float64"),
        ("numbers", "dtype", "float64"),
        ("numbers", "units", 2),
        ("numbers", "activation", "exp"),
        ("numbers", "loss", "poisson"),
        ("multilabel", "units", 1),
        ("binary", "activation", "linear"),
    ],
)
def test_targets_of_another_network(kind, key, value, tmp_path):
    """What y means decides what compiled code reads from y's memory."""
    tensors, metadata, description = saved(kind, tmp_path / "model")
    description["targets"] |= {"classes": None, key: value}
    refuse_file(written(tmp_path / "lie", tensors, metadata, description), "damaged")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("0.bias"), r"the tensor 0\.bias is missing"),
        (lambda t: t.pop("optimizer.m.0.bias"), r"the tensor optimizer\.m\.0\.bias is missing"),
        (lambda t: t.update(extra=X), r"a tensor extra that the network does not have"),
        (lambda t: t.update({"0.bias": np.zeros(4, "f4")}), r"0\.bias is float32\[4\], but"),
        (lambda t: t.update({"0.bias": np.zeros(3)}), r"0\.bias is float64\[3\], but"),
        (lambda t: t["0.weight"].fill(np.nan), r"0\.weight has values that are NaN or infinite"),
        (lambda t: t["1.running_var"].fill(np.inf), r"1\.running_var has values that are NaN"),
        (lambda t: t["1.running_var"].fill(-1), r"1\.running_var"),
    ],
)
def test_tensors_of_another_network(change, message, tmp_path):
    tensors, metadata, description = saved("letters", tmp_path / "model")
    change(tensors)
    refuse_file(written(tmp_path / "lie", tensors, metadata, description), message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backend": "nunba"}, r"unknown backend 'nunba'; did you mean 'numba'"),
        ({"n_threads": 0}, r"n_threads must be an integer >= 1, got 0"),
    ],
)
def test_bad_arguments_of_load_do_not_blame_the_file(arguments, message, tmp_path):
    fitted("letters").save(tmp_path / "model")
    with pytest.raises(ValueError, match=message) as caught:
        fm.load(tmp_path / "model", **arguments)
    assert not isinstance(caught.value, fm.ModelFileError)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_saved_can_be_loaded(backend, tmp_path):
    """Moments that overflow (here those of squares of gradients) are no damage."""
    model = network("numbers", backend)
    model.fit(1e4 * X, 1e18 * NUMBERS, epochs=1, verbose=0)
    model.save(tmp_path / "model")
    loaded = fm.load(tmp_path / "model", backend=backend)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize("metadata", [{1: "x"}, {"x": 1}, None, "note"])
def test_metadata_that_is_no_text(metadata, tmp_path):
    model = fitted("numbers")
    model.metadata = metadata
    with pytest.raises(TypeError, match=r"metadata"):
        model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_save_that_fails_keeps_the_file_of_before(tmp_path):
    path = tmp_path / "model"
    fitted("numbers").save(path)
    before = path.read_bytes()
    model = fitted("letters")
    model.metadata = {"note": b"bytes"}
    with pytest.raises(TypeError, match="metadata"):
        model.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
