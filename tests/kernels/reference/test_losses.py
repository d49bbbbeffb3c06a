"""Losses by hand, against differences, at extreme logits, and with weights that are zero."""

from __future__ import annotations

import math

import numpy as np
import pytest
from differences import assert_gradient

from fastmlp.declarations.losses import OWN_LOSSES
from fastmlp.kernels import get_backend
from fastmlp.kernels import numpy as reference


@pytest.mark.parametrize("y", [np.array([0, 1]), np.array([[1.0, 0.0], [0.0, 1.0]])])
def test_softmax_cross_entropy(y: np.ndarray) -> None:
    # Probabilities (1/2, 1/2) and (1/4, 3/4): losses log 2 and log 4/3.
    logits = np.array([[0.0, 0.0], [0.0, math.log(3.0)]])
    loss, d_logits = reference.softmax_cross_entropy(logits, y)
    assert loss == pytest.approx((math.log(2.0) + math.log(4.0 / 3.0)) / 2, rel=1e-15)
    np.testing.assert_allclose(d_logits, [[-0.25, 0.25], [0.125, -0.125]], rtol=1e-14)

    weight = np.array([3.0, 1.0])
    loss, d_logits = reference.softmax_cross_entropy(logits, y, weight)
    assert loss == pytest.approx((3 * math.log(2.0) + math.log(4.0 / 3.0)) / 4, rel=1e-15)
    np.testing.assert_allclose(d_logits, [[-0.375, 0.375], [0.0625, -0.0625]], rtol=1e-14)

    # Smoothed by 1/2, the first row's target is (3/4, 1/4), the second's (1/4, 3/4).
    loss, d_logits = reference.softmax_cross_entropy(logits, y, None, 0.5)
    second = 0.25 * math.log(4.0) + 0.75 * math.log(4.0 / 3.0)
    assert loss == pytest.approx((math.log(2.0) + second) / 2, rel=1e-15)
    np.testing.assert_allclose(d_logits, [[-0.125, 0.125], [0.0, 0.0]], atol=1e-16)


def test_sigmoid_cross_entropy() -> None:
    # Probabilities 1/2 and 3/4 against 1 and 0: losses log 2 and log 4, slopes -1/2 and 3/4.
    logits = np.array([[0.0, math.log(3.0)]])
    loss, d_logits = reference.sigmoid_cross_entropy(logits, np.array([[1.0, 0.0]]))
    assert loss == pytest.approx(1.5 * math.log(2.0), rel=1e-15)
    np.testing.assert_allclose(d_logits, [[-0.25, 0.375]], rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "extra", "loss", "slopes"),
    [
        ("mean_squared_error", (), (1 + 9 + 0) / 3, (-2, 6, 0)),
        ("half_squared_error", (), (1 + 9 + 0) / 6, (-1, 3, 0)),
        ("mean_absolute_error", (), (1 + 3 + 0) / 3, (-1, 1, 0)),
        ("huber_loss", (2.0,), (0.5 + 4 + 0) / 3, (-1, 2, 0)),
        ("quantile_loss", (0.75,), (0.75 + 0.75 + 0) / 3, (-0.75, 0.25, 0)),
    ],
)
def test_residual_losses(name: str, extra: tuple[float], loss: float, slopes: tuple) -> None:
    prediction, y = np.array([[1.0], [5.0], [4.0]]), np.array([[2.0], [2.0], [4.0]])
    value, d_prediction = getattr(reference, name)(prediction, y, None, *extra)
    assert value == pytest.approx(loss, rel=1e-15)
    np.testing.assert_allclose(d_prediction[:, 0], np.array(slopes) / 3, rtol=1e-15)


def test_poisson_deviance() -> None:
    # 0 where the prediction is right, the prediction itself where y is 0.
    prediction, y = np.array([[2.0], [3.0], [1.0]]), np.array([[2.0], [0.0], [4.0]])
    value, d_prediction = reference.poisson_deviance(prediction, y)
    assert value == pytest.approx((0 + 3 + 4 * math.log(4.0) - 3) / 3, rel=1e-15)
    np.testing.assert_allclose(d_prediction[:, 0], np.array([0, 1, -3]) / 3, rtol=1e-15)
    negative, _ = reference.poisson_deviance(prediction, -y)
    assert math.isnan(negative)


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_clipped_probabilities(kernels: str) -> None:
    """The loss takes probabilities within bounds, and its gradient does not know of them."""
    if kernels == "numba":
        pytest.importorskip("numba")
    backend = get_backend(kernels)
    logits, clip = np.array([[50.0, -50.0], [0.0, 1.0], [-40.0, 40.0]]), 1e-3
    y = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    weight = np.array([1.0, 2.0, 3.0])
    p = np.clip(1 / (1 + np.exp(-logits)), clip, 1 - clip)
    expected = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(axis=1)
    loss, d_logits = backend.sigmoid_cross_entropy(logits, y, weight, 0.0, clip)
    assert loss == pytest.approx(np.average(expected, weights=weight), rel=1e-12)
    _, unclipped = backend.sigmoid_cross_entropy(logits, y, weight)
    np.testing.assert_array_equal(d_logits, unclipped)
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = np.clip(shifted / shifted.sum(axis=1, keepdims=True), clip, 1 - clip)
    expected = -(y * np.log(p)).sum(axis=1)
    for given in (y, y.argmax(axis=1)):
        loss, d_logits = backend.softmax_cross_entropy(logits, given, weight, 0.0, clip)
        assert loss == pytest.approx(np.average(expected, weights=weight), rel=1e-12)
        _, unclipped = backend.softmax_cross_entropy(logits, given, weight)
        np.testing.assert_array_equal(d_logits, unclipped)


def test_poisson_loss() -> None:
    value, d_prediction = reference.poisson_loss(
        np.array([[1.0, math.e]]), np.array([[5.0, 2.0]]), np.array([4.0])
    )
    assert value == pytest.approx((1.0 + math.e - 2.0) / 2, rel=1e-15)
    np.testing.assert_allclose(d_prediction, [[-2.0, (1.0 - 2.0 / math.e) / 2]], rtol=1e-15)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("target", ["labels", "rows that sum to 1", "other rows"])
def test_softmax_cross_entropy_against_differences(
    target: str, smoothing: float, weighted: bool
) -> None:
    rng = np.random.default_rng(5)
    logits = rng.standard_normal((6, 4))
    y = rng.random((6, 4))
    if target == "labels":
        y = rng.integers(0, 3, 6)
    elif target == "rows that sum to 1":
        y /= y.sum(axis=1, keepdims=True)
    weight = rng.random(6) if weighted else None
    _, d_logits = reference.softmax_cross_entropy(logits, y, weight, smoothing)
    assert_gradient(
        lambda t: reference.softmax_cross_entropy(t, y, weight, smoothing)[0], logits, d_logits
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("name", "extra"),
    [
        *((loss.kernel, ()) for loss in OWN_LOSSES if not loss.is_rowwise),
        *(("sigmoid_cross_entropy", (0.2,)), ("huber_loss", (0.4,)), ("quantile_loss", (0.8,))),
    ],
)
def test_elementwise_loss_against_differences(
    name: str, extra: tuple[float, ...], weighted: bool
) -> None:
    rng = np.random.default_rng(6)
    y = rng.random((6, 3))
    prediction = 2.0 * rng.random((6, 3)) + 0.1
    weight = rng.random(6) if weighted else None
    kernel = getattr(reference, name)
    _, d_prediction = kernel(prediction, y, weight, *extra)
    assert_gradient(lambda t: kernel(t, y, weight, *extra)[0], prediction, d_prediction)


BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@BOTH
def test_softmax_cross_entropy_of_extreme_logits(dtype: type) -> None:
    logits = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, -1e4], [1e4, 1e4, 1e4]], dtype)
    for y in (np.array([1, 1, 2]), np.array([[0, 1, 0], [0, 1, 0], [0, 0, 1]], dtype)):
        loss, d_logits = reference.softmax_cross_entropy(logits, y)
        assert loss == pytest.approx((2e4 + 0.0 + math.log(3.0)) / 3, rel=1e-6)
        expected = np.array([[1, -1, 0], [0, 0, 0], [1 / 3, 1 / 3, -2 / 3]]) / 3
        np.testing.assert_allclose(d_logits, expected, atol=1e-6)


@BOTH
def test_sigmoid_cross_entropy_of_extreme_logits(dtype: type) -> None:
    logits = np.array([[1e4, -1e4, 1e4, -1e4]], dtype)
    loss, d_logits = reference.sigmoid_cross_entropy(logits, np.array([[1, 0, 0, 1]], dtype))
    assert loss == 5000.0
    np.testing.assert_array_equal(d_logits, [[0.0, 0.0, 0.25, -0.25]])


@BOTH
def test_poisson_loss_where_the_mean_has_underflowed(dtype: type) -> None:
    tiny = float(np.finfo(dtype).smallest_normal)
    prediction = np.array([[0.0, tiny / 4, tiny, 1.0, 0.0]], dtype)
    y = np.array([[1e6, 1e6, 1e6, 0.0, 0.0]], dtype)
    loss, d_prediction = reference.poisson_loss(prediction, y)
    assert loss == pytest.approx((1.0 - 3e6 * math.log(tiny)) / 5, rel=1e-6)
    assert np.isfinite(d_prediction).all()
    assert (d_prediction[0, :3] < 0.0).all()
    np.testing.assert_allclose(d_prediction[0, 3:], [0.2, 0.2], rtol=1e-6)


LOSSES = [loss.kernel for loss in OWN_LOSSES]


@BOTH
@pytest.mark.parametrize("name", LOSSES)
def test_loss_of_weights_that_sum_to_zero(name: str, dtype: type) -> None:
    rng = np.random.default_rng(1)
    prediction, y = rng.random((4, 3)).astype(dtype), rng.random((4, 3)).astype(dtype)
    loss, gradient = getattr(reference, name)(prediction, y, np.zeros(4, dtype))
    assert loss == 0.0
    np.testing.assert_array_equal(gradient, np.zeros((4, 3)))


@pytest.mark.parametrize("name", LOSSES)
def test_rows_of_weight_zero_do_not_count(name: str) -> None:
    rng = np.random.default_rng(2)
    prediction, y = rng.random((4, 3)), rng.random((4, 3))
    kernel = getattr(reference, name)
    loss, gradient = kernel(prediction, y, np.array([1.0, 1.0, 0.0, 0.0]))
    expected_loss, expected_gradient = kernel(prediction[:2], y[:2])
    assert loss == pytest.approx(expected_loss, rel=1e-14)
    np.testing.assert_allclose(gradient[:2], expected_gradient, rtol=1e-14)
    np.testing.assert_array_equal(gradient[2:], np.zeros((2, 3)))


@BOTH
def test_a_class_that_never_occurs(dtype: type) -> None:
    logits = np.random.default_rng(3).standard_normal((5, 3)).astype(dtype)
    loss, d_logits = reference.softmax_cross_entropy(logits, np.array([0, 1, 1, 0, 0]))
    assert math.isfinite(loss)
    assert (d_logits[:, 2] > 0.0).all()
