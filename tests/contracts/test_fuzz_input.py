"""Whatever is passed in, there is a result or a ValueError or TypeError that says why not."""

from __future__ import annotations

import array
import collections
import contextlib
import datetime
import decimal
import fractions
import json
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastmlp as fm
from fastmlp.common import safetensors

BACKENDS = fm.kernels.available_backends()

few = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

NUMBERS = (
    *(0, 1, 2, -1, 0.5, -0.0, 3.25, True, np.nan, np.inf, -np.inf),
    *(1e-45, 5e-324, 1e-300, 3e38, 1e39, 1e300, 1e308, 2**31, 2**63, 2**64, 10**400),
)
THINGS = (
    *("", "a", "1", b"x", None, 1j, ..., [], {}, (), object(), print, np.datetime64("NaT", "D")),
    *(datetime.date(2020, 1, 1), decimal.Decimal("NaN"), fractions.Fraction(1, 3), np.float16(2)),
    *(np.ma.masked, np.array(3), np.array([1, 2]), range(3), float, np.void(b"x")),
)
DTYPES = (
    *("f4", "f8", "f2", ">f4", ">f8", "longdouble", "u1", "i1", "i8", "u8", ">i4", "?"),
    *("c8", "U3", "S3", "O", "M8[D]", "m8[s]", "V4", [("a", "f4"), ("b", "i4")]),
)


class Refuses:
    """An object that claims to be an array."""

    shape, ndim, dtype = (8, 3), 2, np.dtype("f4")

    def __array__(self, dtype=None, copy=None):
        raise ValueError("not today")

    def __len__(self):
        return 8


@st.composite
def arrays(draw, rows=8, columns=3):
    """Arrays with values, dtypes and memory layouts that hardly anyone thinks of."""
    shape = draw(
        st.one_of(
            st.just((rows, columns)),
            st.just((rows,)),
            st.just((rows, 1)),
            st.lists(st.integers(0, 9), max_size=3).map(tuple),
        )
    )
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    seed = draw(st.integers(0, 2**32 - 1))
    values = np.random.default_rng(seed).integers(0, 3, shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if dtype.names or dtype.kind == "V":
            made = np.zeros(shape, dtype)
        else:
            made = values.astype("i8" if dtype.kind in "Mm" else "O").astype(dtype)
        spoil = draw(st.sampled_from((None, None, *NUMBERS, *(THINGS if dtype == "O" else ()))))
        if spoil is not None and made.size and not dtype.names:
            with contextlib.suppress(TypeError, ValueError, OverflowError):
                made.flat[draw(st.integers(0, made.size - 1))] = spoil
    layout = draw(st.sampled_from(("C", "F", "strided", "reversed", "still", "read-only", "list")))
    if layout == "F":
        made = np.asfortranarray(made)
    elif layout == "strided" and made.ndim:
        made = np.repeat(made, 2, axis=-1)[..., ::2]
    elif layout == "reversed" and made.ndim:
        made = made[::-1]
    elif layout == "still" and made.ndim and len(made):
        made = np.broadcast_to(made[:1], made.shape)
    elif layout == "read-only":
        made.flags.writeable = False
    return made.tolist() if layout == "list" else made


def others():
    made = [
        lambda: Refuses(),
        lambda: array.array("d", [1.0, 2.0]),
        lambda: memoryview(b"12345678"),
        lambda: collections.deque([[1.0, 2.0, 3.0]] * 8),
        lambda: np.ma.masked_array(np.ones((8, 3)), mask=np.eye(8, 3)),
        lambda: np.ma.masked_array(np.ones((8, 3)), mask=False),
        lambda: np.zeros((8, 3), "f4").view(np.recarray),
        lambda: (np.zeros((8, 2)), np.zeros((8, 1))),
        lambda: [np.zeros(3)] * 7 + [np.zeros(2)],
        lambda: iter([1, 2, 3]),
        lambda: {0: [1.0] * 3},
        lambda: {1.0, 2.0},
        lambda: [[[]]] * 8,
        lambda: [[1, [2], 3]] * 8,
    ]
    return st.sampled_from(made).map(lambda make: make())


anything = st.one_of(
    arrays(), arrays(), arrays(), others(), st.sampled_from(NUMBERS), st.sampled_from(THINGS)
)

OUTPUTS = {
    "softmax": [fm.Dense(3, "softmax")],
    "sigmoid": [fm.Dense(1, "sigmoid")],
    "multilabel": [fm.BatchNorm(), fm.Dense(3, "sigmoid")],
    "numbers": [fm.Dense(2, "relu"), fm.Dense(1)],
    "columns": [fm.Dense(3, "tanh")],
    "counts": [fm.Dense(1, "exp")],
    "wide": [fm.WideAndDeep(1, deep=[fm.Dense(2)])],
}


def network(kind, backend, dtype="float32"):
    loss = "poisson" if kind == "counts" else "auto"
    layers = OUTPUTS[kind]
    return fm.Sequential(layers, loss=loss, dtype=dtype, backend=backend, random_state=0)


# What Python and NumPy say when they are taken by surprise.
SURPRISES = (
    "unsupported operand",
    "object is not",
    "ambiguous",
    "broadcast",
    "unpack",
    "argument must be",
)


def outcome(call):
    """The result, or None where the call was refused as it should be."""
    try:
        return call()
    except (ValueError, TypeError) as error:
        refusal = error
    text = str(refusal)
    assert len(text) > 10, repr(refusal)
    assert not [surprise for surprise in SURPRISES if surprise in text], repr(refusal)
    return None


def arrays_in(*values):
    return [v for v in values if isinstance(v, np.ndarray) and v is not np.ma.masked]


METHODS = ("fit", "train_step", "evaluate", "gradients", "predict", "predict_classes")


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning:numpy")
@few
@given(
    x=anything,
    y=anything,
    kind=st.sampled_from(sorted(OUTPUTS)),
    method=st.sampled_from(METHODS),
    dtype=st.sampled_from(("float32", "float64")),
    backend=st.sampled_from(BACKENDS),
)
def test_x_and_y(x, y, kind, method, dtype, backend):
    model = network(kind, backend, dtype)
    if method not in ("fit", "train_step"):
        model.build(3)
    before = [value.copy() for value in arrays_in(x, y)]
    if method == "fit":
        result = outcome(lambda: model.fit(x, y, epochs=2, batch_size=3, verbose=0))
    elif method.startswith("predict"):
        result = outcome(lambda: getattr(model, method)(x))
    else:
        result = outcome(lambda: getattr(model, method)(x, y))
    for array_now, array_before in zip(arrays_in(x, y), before, strict=True):
        assert array_now.tobytes() == array_before.tobytes()
    if result is None and method in ("fit", "train_step"):
        assert_first_weights(model, network(kind, backend, dtype))


def assert_first_weights(model, fresh):
    """Not built or, where the loss was not finite in training, with the weights of before."""
    try:
        parameters = model.parameters
    except ValueError:
        return
    fresh.build(next(iter(parameters.values())).shape[0])
    for name, value in fresh.parameters.items():
        assert parameters[name].tobytes() == value.tobytes()


X = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
LABELS = np.arange(8) % 3

scalars = st.one_of(
    st.sampled_from([n for n in NUMBERS if not (isinstance(n, int) and n > 2)]),
    st.sampled_from(THINGS),
)


@few
@given(
    arguments=st.dictionaries(
        st.sampled_from(
            (
                *("epochs", "batch_size", "validation_data", "validation_split", "sample_weight"),
                *("class_weight", "shuffle", "callbacks", "verbose"),
            )
        ),
        st.one_of(scalars, scalars, arrays(8, 1), others()),
        min_size=1,
        max_size=2,
    ),
    backend=st.sampled_from(BACKENDS),
)
def test_arguments_of_fit(arguments, backend):
    model = network("softmax", backend)
    arguments = {"epochs": 1, "verbose": 0, **arguments}
    if outcome(lambda: model.fit(X, LABELS, **arguments)) is None:
        with pytest.raises(ValueError, match="no parameters yet"):
            _ = model.parameters


@few
@given(
    name=st.sampled_from(("layers", "loss", "optimizer", "dtype", "backend", "random_state")),
    value=st.one_of(scalars, others()),
)
def test_arguments_of_networks(name, value):
    arguments = {"layers": [fm.Dense(3, "softmax")], "backend": "numpy", name: value}
    model = outcome(lambda: fm.Sequential(**arguments))
    if model is not None:
        model.fit(X, LABELS, epochs=1, verbose=0)


DECLARATIONS = [
    *(fm.Dense, fm.BatchNorm, fm.Dropout, fm.Activation, fm.Residual, fm.WideAndDeep),
    *(fm.SGD, fm.RMSprop, fm.Adam, fm.AdamW, fm.AdaGrad, fm.Nadam, fm.Ftrl),
    *(fm.Huber, fm.Quantile, fm.BinaryCrossentropy, fm.CategoricalCrossentropy),
    *(fm.ExponentialDecay, fm.InverseTimeDecay, fm.StepDecay, fm.CosineDecay, fm.OneCycle),
    *(fm.ReduceOnPlateau, fm.LeakyReLU, fm.ELU, fm.EarlyStopping),
]


@few
@given(
    declaration=st.sampled_from(DECLARATIONS),
    arguments=st.lists(scalars, max_size=4),
)
def test_arguments_of_declarations(declaration, arguments):
    made = outcome(lambda: declaration(*arguments))
    if made is not None:
        assert repr(made)


@few
@given(n_features=st.one_of(scalars, others(), st.tuples(scalars, scalars)))
def test_build(n_features):
    model = network("wide", "numpy")
    outcome(lambda: model.build(n_features))


# Files.


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "model"
    layers = [fm.Residual([fm.Dense(3, "relu")]), fm.BatchNorm(), fm.Dense(3, "softmax")]
    optimizer = fm.Adam(fm.ReduceOnPlateau(0.1))
    model = fm.Sequential(layers, optimizer=optimizer, backend="numpy", random_state=0)
    model.fit(X, np.array(list("abc"))[LABELS], epochs=2, verbose=0)
    model.save(path)
    return path


def use(path):
    """A file is refused, or its model works as any other."""
    try:
        model = fm.load(path, backend="numpy")
    except fm.ModelFileError:
        return
    x = np.ones((8, model.training_state.program.input.width))
    outcome(lambda: model.predict(x))
    outcome(lambda: model.predict_classes(x))
    outcome(lambda: model.fit(x, np.array(list("abc"))[LABELS], epochs=1, verbose=0))
    again = path.with_name("again")
    model.save(again)
    fm.load(again, backend="numpy")


@settings(few, max_examples=250)
@given(data=st.data())
def test_bytes_of_a_model_file(content, data):
    raw = bytearray(content.read_bytes())
    header = int.from_bytes(raw[:8], "little")
    for _ in range(data.draw(st.integers(1, 4))):
        end = data.draw(st.sampled_from((8, header, len(raw))))
        raw[data.draw(st.integers(0, end - 1))] = data.draw(st.integers(0, 255))
    path = content.with_name("changed")
    path.write_bytes(raw)
    use(path)


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for place, entry in enumerate(value):
            yield from places(entry, (*path, place))


VALUES = (
    *(None, True, -1, 0, 2, 2.5, float("nan"), float("inf"), 10**30, "", "x", "float64", [], {}),
    *([1], [None], ["c", "b", "a"], {"type": "Dense", "units": 3}, {"type": "MSE"}, [[[]]]),
)


@settings(few, max_examples=400)
@given(data=st.data())
def test_descriptions_of_a_model_file(content, data):
    tensors, metadata = safetensors.read(content)
    description = json.loads(metadata["fastmlp"])
    *way, last = data.draw(st.sampled_from([place for place in places(description) if place]))
    parent = description
    for key in way:
        parent = parent[key]
    if data.draw(st.booleans()):
        parent[last] = data.draw(st.sampled_from(VALUES))
    else:
        del parent[last]
    path = content.with_name("changed")
    safetensors.write(path, tensors, {**metadata, "fastmlp": json.dumps(description)})
    use(path)
