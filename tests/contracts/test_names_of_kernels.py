"""Every kernel that users are promised, once, on plain arrays."""

from __future__ import annotations

import numpy as np
from promised import calls, defaults, names

from fastmlp import kernels

KERNELS: dict[str, tuple[str, ...]] = {
    "dense_forward": ("x", "weight", "bias", "activation"),
    "dense_backward": ("d_out", "x", "weight", "z", "out", "activation"),
    "batchnorm_forward": (
        *("x", "gamma", "beta", "running_mean", "running_var", "momentum", "epsilon", "training"),
    ),
    "batchnorm_backward": ("d_out", "x_hat", "inv_std", "gamma"),
    "dropout_forward": ("x", "rate", "seed", "step", "layer"),
    "softmax_cross_entropy": ("logits", "y", "sample_weight", "label_smoothing"),
    "sigmoid_cross_entropy": ("logits", "y", "sample_weight", "label_smoothing"),
    "mean_squared_error": ("prediction", "y", "sample_weight"),
    "adam_update": (
        *("parameters", "gradients", "m", "v", "step", "learning_rate"),
        *("beta_1", "beta_2", "epsilon"),
    ),
    "adamw_update": ("parameters", "gradients"),
    "sgd_update": ("parameters", "gradients"),
    "rmsprop_update": ("parameters", "gradients"),
    "adagrad_update": ("parameters", "gradients"),
    "nadam_update": ("parameters", "gradients"),
    "ftrl_update": ("parameters", "gradients"),
}


@names(*KERNELS)
def test_kernels(name: str, backend: str) -> None:
    assert backend in kernels.available_backends()
    found = list(defaults(getattr(kernels.get_backend(backend), name)))
    assert tuple(found[: len(KERNELS[name])]) == KERNELS[name]


def test_kernels_on_plain_arrays(backend: str) -> None:
    for results, count in calls(kernels.get_backend(backend), np.random.default_rng(0)):
        assert len(results) == count


def test_kernels_with_out(backend: str) -> None:
    k = kernels.get_backend(backend)
    x, out = np.ones((2, 3)), np.zeros((2, 2))
    assert k.dense_forward(x, np.ones((3, 2)), np.zeros(2), "linear", out=out)[0] is out
    np.testing.assert_array_equal(out, 3.0)
