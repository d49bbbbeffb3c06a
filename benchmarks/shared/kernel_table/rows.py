"""Every kernel once: a new kernel is a row here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastmlp.kernels.typing import ActivationSpec

from .kernel import Inputs, Kernel, Make, reference

# Not read off the backends: the benchmarks of an older fastmlp have the same names.
ACTIVATIONS = (
    *("relu", "leaky_relu", "tanh", "sigmoid", "softmax", "linear", "elu", "selu"),
    *("gelu", "silu", "mish", "softplus", "exp"),
)


def _activations() -> Iterator[Kernel]:
    specs: list[ActivationSpec] = [*ACTIVATIONS, ("leaky_relu", -0.3), ("elu", 0.5)]
    for spec in specs:

        def forward(
            inputs: Inputs, rows: int, columns: int, spec: ActivationSpec = spec
        ) -> dict[str, Any]:
            return {"z": inputs.any(rows, columns), "activation": spec}

        def backward(
            inputs: Inputs, rows: int, columns: int, spec: ActivationSpec = spec
        ) -> dict[str, Any]:
            z = inputs.any(rows, columns)
            with np.errstate(all="ignore"):
                out = reference.activation_forward(z, spec)
            return {"d_out": inputs.any(rows, columns), "z": z, "out": out, "activation": spec}

        name = spec if isinstance(spec, str) else f"{spec[0]} {spec[1]}"
        yield Kernel(f"activation_forward[{name}]", "activation_forward", forward, ("out",))
        yield Kernel(
            f"activation_backward[{name}]",
            "activation_backward",
            backward,
            ("d_z",),
            of_sums=name == "softmax",
        )


def _dense_forward(activation: str, bias: bool, **factor: float) -> Make:
    def make(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
        units = columns // 2 + 1
        return {
            "x": inputs.any(rows, columns),
            "weight": inputs.normal(columns, units),
            "bias": inputs.normal(units) if bias else None,
            "activation": activation,
            **factor,
        }

    return make


def _dense_backward(activation: str, **factor: float) -> Make:
    def make(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
        units = columns // 2 + 1
        x, weight = inputs.any(rows, columns), inputs.normal(columns, units)
        with np.errstate(all="ignore"):
            out, z = reference.dense_forward(x, weight, None, activation, **factor)
        return {
            "d_out": inputs.any(rows, units),
            "x": x,
            "weight": weight,
            "z": z,
            "out": out,
            "activation": activation,
            **factor,
        }

    return make


def _parametric_forward(activation: ActivationSpec) -> Make:
    def make(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
        z, weight = inputs.any(rows, columns), inputs.normal(columns)
        return {"z": z, "weight": weight, "activation": activation}

    return make


def _parametric_backward(activation: ActivationSpec) -> Make:
    def make(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
        forward = _parametric_forward(activation)(inputs, rows, columns)
        # Whether a product that overflows meets its opposite depends on where it is rounded.
        return {"d_out": inputs.normal(rows, columns), **forward}

    return make


def _parametric() -> Iterator[Kernel]:
    activations: list[ActivationSpec] = ["relu", "selu", "mish", "tanh", ("elu", 0.5)]
    for activation in activations:
        name = activation if isinstance(activation, str) else f"{activation[0]} {activation[1]}"
        yield Kernel(
            f"parametric_forward[{name}]",
            "parametric_forward",
            _parametric_forward(activation),
            ("out",),
            # What remains of numbers that cancel.
            tolerance=64.0,
            of_sums=True,
        )
        yield Kernel(
            f"parametric_backward[{name}]",
            "parametric_backward",
            _parametric_backward(activation),
            ("d_z", "d_weight"),
            # Near 0, what remains of f(z) - z is of numbers that cancel.
            tolerance=512.0,
            of_sums=True,
        )


def _scale_forward(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    return {"x": inputs.any(rows, columns), "scale": inputs.normal(columns)}


def _scale_backward(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    x, scale = inputs.normal(rows, columns), inputs.normal(columns)
    return {"d_out": inputs.any(rows, columns), "x": x, "scale": scale}


def _clip_columns(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    low = inputs.normal(columns)
    return {"x": inputs.any(rows, columns), "low": low, "high": low + inputs.positive(columns)}


def _sparse_rows(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    """A tenth of the columns in each row, at least one; the last row is empty."""
    per_row = columns // 10 + 1
    bounds = np.minimum(np.arange(rows + 1), max(1, rows - 1)) * per_row
    indices = inputs.labels(int(bounds[-1]), columns + 1)
    return {"data": inputs.any(int(bounds[-1])), "indices": indices, "indptr": bounds}


def _sparse_forward(units: int, **factor: float) -> Make:
    def make(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
        sparse = _sparse_rows(inputs, rows, columns)
        return {**sparse, "weight": inputs.normal(columns, units), **factor}

    return make


def _sparse_backward(units: int, **factor: float) -> Make:
    def make(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
        sparse = _sparse_rows(inputs, rows, columns)
        # Whether a product that overflows meets its opposite depends on where it is rounded.
        sparse["data"] = inputs.normal(len(sparse["data"]))
        return {"d_out": inputs.any(rows, units), **sparse, "n_in": columns, **factor}

    return make


def _batchnorm_forward(training: bool) -> Make:
    def make(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
        return {
            "x": inputs.any(rows, columns),
            "gamma": inputs.normal(columns),
            "beta": inputs.normal(columns),
            "running_mean": inputs.normal(columns),
            "running_var": inputs.positive(columns),
            "momentum": 0.1,
            "epsilon": 1e-5,
            "training": training,
        }

    return make


def _batchnorm_backward(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    return {
        "d_out": inputs.any(rows, columns),
        "x_hat": inputs.normal(rows, columns),
        "inv_std": inputs.positive(columns),
        "gamma": inputs.normal(columns),
    }


def _periodic_forward(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    # Of angles beyond some thousand turns no digit is left.
    return {
        "x": inputs.normal(rows, columns),
        "frequency": inputs.normal(columns, 5),
        "phase": inputs.normal(columns, 5),
        "weight": inputs.any(columns, 5, 3),
        "bias": inputs.any(columns, 3),
    }


def _periodic_backward(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    given = _periodic_forward(inputs, rows, columns)
    del given["bias"]
    return {"d_out": inputs.any(rows, 3 * columns), **given}


def _piecewise_linear_forward(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    edges = np.sort(inputs.normal(columns, 6), axis=1)
    # One of the bins has no width.
    edges[:, 3] = edges[:, 2]
    return {"x": inputs.any(rows, columns), "edges": edges}


def _piecewise_linear_backward(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    given = _piecewise_linear_forward(inputs, rows, columns)
    return {"d_out": inputs.normal(rows, 5 * columns), **given}


_MASK = {"rate": 0.3, "seed": 0x123456789ABCDEF0, "step": 7, "layer": 2}


def _dropout_mask(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    return {"rows": rows, "columns": columns, **_MASK, "dtype": inputs.dtype}


def _dropout_forward(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    return {"x": inputs.any(rows, columns), **_MASK}


def _dropout_backward(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    mask = reference.dropout_mask(rows, columns, **_MASK, dtype=inputs.dtype)
    return {"d_out": inputs.any(rows, columns), "mask": mask}


def _philox(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    n = rows * columns
    return {
        **{f"c{word}": inputs.words(n) for word in range(4)},
        **{f"key{word}": int(inputs.words(1)[0]) for word in range(2)},
    }


def _softmax_cross_entropy(coded: bool, weighted: bool, smoothing: float) -> Make:
    def make(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
        # Rows of probabilities that do not sum to 1 are allowed.
        shares = inputs.probabilities(rows, columns) * inputs.positive(rows, 1)
        return {
            "logits": inputs.any(rows, columns),
            "y": inputs.labels(rows, columns) if coded else shares,
            "sample_weight": inputs.weights(rows) if weighted else None,
            "label_smoothing": smoothing,
        }

    return make


def _loss(name: str, weighted: bool, **parameter: float) -> Make:
    def make(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
        prediction, y = inputs.any(rows, columns), inputs.normal(rows, columns)
        # Some residuals are exactly 0.
        y[::2, 1::2] = prediction[::2, 1::2]
        if name == "sigmoid_cross_entropy":
            y = np.round(inputs.probabilities(rows, columns))
        if name in ("poisson_deviance", "poisson_loss"):
            prediction, y = np.abs(prediction), np.floor(4.0 * inputs.positive(rows, columns))
        return {
            "logits" if name == "sigmoid_cross_entropy" else "prediction": prediction,
            "y": y,
            "sample_weight": inputs.weights(rows) if weighted else None,
            **parameter,
        }

    return make


def _losses() -> Iterator[Kernel]:
    minus_infinity = {
        "minus infinity": "the reference multiplies log 0 by the 0 of a class that is not the label"
    }
    for coded in (True, False):
        for weighted, smoothing in ((False, 0.0), (True, 0.1)):
            yield Kernel(
                "softmax_cross_entropy"
                f"[{'labels' if coded else 'probabilities'}{', weighted, smoothed' * weighted}]",
                "softmax_cross_entropy",
                _softmax_cross_entropy(coded, weighted, smoothing),
                ("loss", "d_logits"),
                except_for=minus_infinity if coded and smoothing == 0.0 else {},
            )
    parameters: dict[str, dict[str, float]] = {
        "sigmoid_cross_entropy": {"label_smoothing": 0.1},
        "mean_squared_error": {},
        "half_squared_error": {},
        "mean_absolute_error": {},
        "huber_loss": {"delta": 0.7},
        "quantile_loss": {"q": 0.2},
        "poisson_loss": {},
        "poisson_deviance": {},
    }
    for name, parameter in parameters.items():
        gradient = "d_logits" if name == "sigmoid_cross_entropy" else "d_prediction"
        yield Kernel(name, name, _loss(name, False), ("loss", gradient))
        yield Kernel(
            f"{name}[{', '.join(['weighted', *parameter])}]",
            name,
            _loss(name, True, **parameter),
            ("loss", gradient),
        )


def _custom_loss(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    # Older versions of the kernels have no such module.
    from fastmlp.kernels import custom

    custom.add(
        custom.LOSSES,
        "table_loss",
        lambda prediction, y: 0.5 * abs(prediction - y) if prediction < y else prediction - y,
        lambda prediction, y: -0.5 if prediction < y else 1.0,
    )
    arguments = _loss("mean_squared_error", True)(inputs, rows, columns)
    return {**arguments, "function": "table_loss"}


def _embedding_forward(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    return {"codes": inputs.labels(rows, 7), "weight": inputs.any(7, columns)}


def _embedding_backward(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    d_out, codes = inputs.any(rows, columns), inputs.labels(rows, 7)
    return {"d_out": d_out, "codes": codes, "n_categories": 7}


def _update(slots: tuple[str, ...], **constants: Any) -> Make:
    def make(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
        n = rows * columns
        gradients = inputs.any(n)
        gradients[::5] = 0.0
        return {
            "parameters": inputs.normal(n),
            "gradients": gradients,
            **{slot: inputs.positive(n) for slot in slots},
            **{
                name: value.copy() if isinstance(value, np.ndarray) else value
                for name, value in constants.items()
            },
        }

    return make


def _optimizers() -> Iterator[Kernel]:
    adam = {"step": 3, "learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-8}
    mu_product = np.array([0.8])
    rows: tuple[tuple[str, str, tuple[str, ...], dict[str, Any]], ...] = (
        (
            *("sgd_update", "", ()),
            {"velocity": None, "learning_rate": 0.1, "momentum": 0.0, "nesterov": False},
        ),
        (
            *("sgd_update", "[momentum]", ("velocity",)),
            {"learning_rate": 0.1, "momentum": 0.9, "nesterov": False},
        ),
        (
            *("sgd_update", "[nesterov]", ("velocity",)),
            {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
        ),
        (
            *("sgd_update", "[rate in velocity]", ("velocity",)),
            {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "rate_in_velocity": True},
        ),
        ("rmsprop_update", "", ("v",), {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-8}),
        ("adam_update", "", ("m", "v"), adam),
        ("adam_update", "[epsilon hat]", ("m", "v"), {**adam, "epsilon_hat": True}),
        ("adamw_update", "", ("m", "v"), {**adam, "weight_decay": 0.1}),
        ("adagrad_update", "", ("v",), {"learning_rate": 0.1, "epsilon": 1e-10}),
        ("nadam_update", "", ("m", "v"), {**adam, "mu_product": mu_product}),
        ("ftrl_update", "", ("z", "n"), {"learning_rate": 0.1, "l1": 0.5, "l2": 0.1, "beta": 1.0}),
    )
    for name, member, slots, constants in rows:
        arrays = [key for key, value in constants.items() if isinstance(value, np.ndarray)]
        yield Kernel(
            name + member,
            name,
            _update(slots, **constants),
            modified=("parameters", *slots, *arrays),
            # FTRL takes the difference of two roots that lie close together.
            tolerance=64.0 if name == "ftrl_update" else 16.0,
        )


def _add_penalty(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
    weight, d_weight = inputs.any(rows, columns), inputs.normal(rows, columns)
    return {"weight": weight, "d_weight": d_weight, "l1": 0.1, "l2": 0.01}


def _clip(limit: float) -> Make:
    def make(inputs: Inputs, rows: int, columns: int) -> dict[str, Any]:
        return {"gradients": inputs.any(rows * columns), "limit": limit}

    return make


KERNELS: tuple[Kernel, ...] = (
    *_activations(),
    *(
        Kernel(
            f"dense_forward[{activation}{'' if bias else ', no bias'}]",
            "dense_forward",
            _dense_forward(activation, bias),
            ("out", "z"),
            # They sum in different orders; an activation hands on an error relative to z.
            tolerance=64.0 if activation == "linear" else 128.0,
            of_sums=True,
        )
        for activation, bias in (("linear", True), ("tanh", True), ("softmax", False))
    ),
    *(
        Kernel(
            f"dense_backward[{activation}]",
            "dense_backward",
            _dense_backward(activation),
            ("d_x", "d_weight", "d_bias"),
            tolerance=64.0,
            of_sums=True,
        )
        for activation in ("linear", "tanh", "softmax")
    ),
    Kernel(
        "dense_forward[factor=0.3]",
        "dense_forward",
        _dense_forward("linear", True, factor=0.3),
        ("out", "z"),
        tolerance=64.0,
        of_sums=True,
    ),
    Kernel(
        "dense_backward[factor=0.3]",
        "dense_backward",
        _dense_backward("linear", factor=0.3),
        ("d_x", "d_weight", "d_bias"),
        tolerance=64.0,
        of_sums=True,
    ),
    *(
        Kernel(
            f"{name}[units={units}{', factor=0.3' if factor else ''}]",
            name,
            make(units, **factor),
            (result,),
            tolerance=64.0,
            of_sums=True,
        )
        for name, make, result in (
            ("sparse_forward", _sparse_forward, "out"),
            ("sparse_backward", _sparse_backward, "d_weight"),
        )
        for units, factor in ((1, {}), (3, {}), (1, {"factor": 0.3}), (3, {"factor": 0.3}))
    ),
    *_parametric(),
    Kernel("scale_forward", "scale_forward", _scale_forward, ("out",), tolerance=0.0),
    Kernel("scale_backward", "scale_backward", _scale_backward, ("d_x", "d_scale"), of_sums=True),
    Kernel("clip_columns", "clip_columns", _clip_columns, ("out",), tolerance=0.0),
    *(
        Kernel(
            f"batchnorm_forward[{'training' if training else 'inference'}]",
            "batchnorm_forward",
            _batchnorm_forward(training),
            ("out", "x_hat", "inv_std"),
            modified=("running_mean", "running_var") if training else (),
            of_sums=True,
        )
        for training in (True, False)
    ),
    Kernel(
        "batchnorm_backward",
        "batchnorm_backward",
        _batchnorm_backward,
        ("d_x", "d_gamma", "d_beta"),
        # The gradient of one row is what remains of numbers that cancel.
        tolerance=128.0,
        of_sums=True,
    ),
    Kernel(
        "periodic_forward",
        "periodic_forward",
        _periodic_forward,
        ("out",),
        tolerance=64.0,
        of_sums=True,
    ),
    Kernel(
        "periodic_backward",
        "periodic_backward",
        _periodic_backward,
        ("d_x", "d_frequency", "d_phase", "d_weight", "d_bias"),
        tolerance=64.0,
        of_sums=True,
    ),
    Kernel(
        "piecewise_linear_forward", "piecewise_linear_forward", _piecewise_linear_forward, ("out",)
    ),
    Kernel(
        "piecewise_linear_backward",
        "piecewise_linear_backward",
        _piecewise_linear_backward,
        ("d_x",),
        of_sums=True,
    ),
    Kernel("philox4x32", "philox4x32", _philox, ("w0", "w1", "w2", "w3"), tolerance=0.0),
    Kernel("dropout_mask", "dropout_mask", _dropout_mask, ("mask",), tolerance=0.0),
    Kernel("dropout_forward", "dropout_forward", _dropout_forward, ("out", "mask"), tolerance=0.0),
    Kernel("dropout_backward", "dropout_backward", _dropout_backward, ("d_x",), tolerance=0.0),
    Kernel("embedding_forward", "embedding_forward", _embedding_forward, ("out",), tolerance=0.0),
    Kernel(
        "embedding_backward",
        "embedding_backward",
        _embedding_backward,
        ("d_weight",),
        tolerance=0.0,
    ),
    *_losses(),
    Kernel("custom_loss", "custom_loss", _custom_loss, ("loss", "d_prediction")),
    *_optimizers(),
    Kernel("add_penalty", "add_penalty", _add_penalty, ("penalty",), modified=("d_weight",)),
    Kernel("clip_by_value", "clip_by_value", _clip(0.5), modified=("gradients",), tolerance=0.0),
    Kernel("clip_by_norm", "clip_by_norm", _clip(0.5), ("norm",), modified=("gradients",)),
)
