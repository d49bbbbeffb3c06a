"""PyTorch's numbers, in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from fastmlp.kernels import reference
from fastmlp.kernels.reference.activations import ACTIVATIONS

torch = pytest.importorskip("torch")
F = torch.nn.functional

TOLERANCE = {"rtol": 1e-12, "atol": 1e-14}

# Whose arguments are not those of a function of one argument and our name.
SPECIAL: dict[Any, Callable[[Any], Any]] = {
    "leaky_relu": lambda z: F.leaky_relu(z, 0.01),
    ("leaky_relu", 0.3): lambda z: F.leaky_relu(z, 0.3),
    "softmax": lambda z: F.softmax(z, dim=1),
    "linear": lambda z: z * 1.0,
    ("elu", 0.6): lambda z: F.elu(z, 0.6),
    "softplus": lambda z: F.softplus(z, threshold=1e3),
}
HOMES = {name: F if hasattr(F, name) else torch for name in ACTIVATIONS}
ACTIVATION_CASES: dict[Any, Callable[[Any], Any]] = {
    **{name: getattr(home, name) for name, home in HOMES.items() if hasattr(home, name)},
    **SPECIAL,
}


def test_most_activations_have_a_case() -> None:
    names = {case if isinstance(case, str) else case[0] for case in ACTIVATION_CASES}
    assert len(names) >= 13
    assert names <= set(ACTIVATIONS)


@pytest.mark.parametrize("activation", ACTIVATION_CASES)
def test_activation(activation: str | tuple[str, float]) -> None:
    rng = np.random.default_rng(1)
    z = np.concatenate([rng.standard_normal((20, 7)), 15.0 * rng.uniform(-1, 1, (20, 7))])
    z[0] = 0.0
    d_out = rng.standard_normal(z.shape)
    t = torch.tensor(z, requires_grad=True)
    expected = ACTIVATION_CASES[activation](t)
    expected.backward(torch.tensor(d_out))
    out = reference.activation_forward(z, activation)
    d_z = reference.activation_backward(d_out, z, out, activation)
    np.testing.assert_allclose(out, expected.detach().numpy(), **TOLERANCE)
    np.testing.assert_allclose(d_z, t.grad.numpy(), **TOLERANCE)


def weighted_mean(element_loss: Any, weight: np.ndarray | None) -> Any:
    """Mean over rows, weighted, of the mean over outputs, if there are several."""
    rows = element_loss.mean(dim=1) if element_loss.ndim == 2 else element_loss
    if weight is None:
        return rows.mean()
    w = torch.tensor(weight)
    return (rows * w).sum() / w.sum()


def assert_loss(
    result: tuple[float, np.ndarray], expected: Any, t: Any, weight: np.ndarray | None
) -> None:
    expected = weighted_mean(expected, weight)
    expected.backward()
    loss, gradient = result
    assert type(loss) is float
    assert loss == pytest.approx(expected.item(), rel=1e-13)
    np.testing.assert_allclose(gradient, t.grad.numpy(), **TOLERANCE)


WEIGHTS = [None, np.array([0.5, 0.0, 2.0, 1.0, 3.0, 0.1, 1.0, 1.0])]


@pytest.mark.parametrize("weight", WEIGHTS, ids=["unweighted", "weighted"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("labels", [True, False])
def test_softmax_cross_entropy(labels: bool, smoothing: float, weight: np.ndarray | None) -> None:
    rng = np.random.default_rng(2)
    logits = 3.0 * rng.standard_normal((8, 5))
    y = rng.integers(0, 5, 8) if labels else rng.dirichlet(np.ones(5), 8)
    t = torch.tensor(logits, requires_grad=True)
    expected = F.cross_entropy(t, torch.tensor(y), reduction="none", label_smoothing=smoothing)
    result = reference.softmax_cross_entropy(logits, y, weight, smoothing)
    assert_loss(result, expected, t, weight)


@pytest.mark.parametrize("weight", WEIGHTS, ids=["unweighted", "weighted"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_sigmoid_cross_entropy(smoothing: float, weight: np.ndarray | None) -> None:
    rng = np.random.default_rng(3)
    logits, y = 3.0 * rng.standard_normal((8, 3)), rng.integers(0, 2, (8, 3)).astype(float)
    t = torch.tensor(logits, requires_grad=True)
    target = torch.tensor((1.0 - smoothing) * y + smoothing / 2)
    expected = F.binary_cross_entropy_with_logits(t, target, reduction="none")
    result = reference.sigmoid_cross_entropy(logits, y, weight, smoothing)
    assert_loss(result, expected, t, weight)


RESIDUAL_LOSSES: list[tuple[str, tuple[float, ...], Callable[[Any, Any], Any]]] = [
    ("mean_squared_error", (), lambda p, y: F.mse_loss(p, y, reduction="none")),
    ("mean_absolute_error", (), lambda p, y: F.l1_loss(p, y, reduction="none")),
    ("huber_loss", (), lambda p, y: F.huber_loss(p, y, reduction="none")),
    ("huber_loss", (0.4,), lambda p, y: F.huber_loss(p, y, reduction="none", delta=0.4)),
    ("quantile_loss", (), lambda p, y: torch.maximum(0.5 * (y - p), -0.5 * (y - p))),
    ("quantile_loss", (0.9,), lambda p, y: torch.maximum(0.9 * (y - p), -0.1 * (y - p))),
    (
        "poisson_loss",
        (),
        lambda p, y: F.poisson_nll_loss(p, y, log_input=False, eps=0.0, reduction="none"),
    ),
]


@pytest.mark.parametrize("weight", WEIGHTS, ids=["unweighted", "weighted"])
@pytest.mark.parametrize(("name", "extra", "peer"), RESIDUAL_LOSSES)
def test_residual_loss(
    name: str,
    extra: tuple[float, ...],
    peer: Callable[[Any, Any], Any],
    weight: np.ndarray | None,
) -> None:
    rng = np.random.default_rng(4)
    prediction, y = 2.0 * rng.random((8, 3)) + 0.01, 2.0 * rng.random((8, 3))
    if name != "quantile_loss":
        y[0] = prediction[0]
    t = torch.tensor(prediction, requires_grad=True)
    result = getattr(reference, name)(prediction, y, weight, *extra)
    assert_loss(result, peer(t, torch.tensor(y)), t, weight)


def test_dense() -> None:
    rng = np.random.default_rng(5)
    x, weight, bias, d_out = (
        rng.standard_normal(shape) for shape in [(9, 6), (6, 4), (4,), (9, 4)]
    )
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, weight, bias)]
    expected = torch.tanh(tensors[0] @ tensors[1] + tensors[2])
    expected.backward(torch.tensor(d_out))
    out, z = reference.dense_forward(x, weight, bias, "tanh")
    gradients = reference.dense_backward(d_out, x, weight, z, out, "tanh")
    np.testing.assert_allclose(out, expected.detach().numpy(), **TOLERANCE)
    for gradient, tensor in zip(gradients, tensors, strict=True):
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), **TOLERANCE)


def test_batchnorm() -> None:
    rng = np.random.default_rng(6)
    momentum, epsilon = 0.2, 1e-4
    peer = torch.nn.BatchNorm1d(4, eps=epsilon, momentum=momentum, dtype=torch.float64)
    gamma, beta = rng.standard_normal(4), rng.standard_normal(4)
    with torch.no_grad():
        peer.weight[:] = torch.tensor(gamma)
        peer.bias[:] = torch.tensor(beta)
    running_mean, running_var = np.zeros(4), np.ones(4)
    statistics = (running_mean, running_var, momentum, epsilon)
    for rows in (2, 7, 30):
        x = 3.0 * rng.standard_normal((rows, 4)) + 2.0
        d_out = rng.standard_normal((rows, 4))
        t = torch.tensor(x, requires_grad=True)
        peer.zero_grad()
        expected = peer(t)
        expected.backward(torch.tensor(d_out))
        out, x_hat, inv_std = reference.batchnorm_forward(x, gamma, beta, *statistics, True)
        d_x, d_gamma, d_beta = reference.batchnorm_backward(d_out, x_hat, inv_std, gamma)
        np.testing.assert_allclose(out, expected.detach().numpy(), **TOLERANCE)
        np.testing.assert_allclose(d_x, t.grad.numpy(), rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(d_gamma, peer.weight.grad.numpy(), **TOLERANCE)
        np.testing.assert_allclose(d_beta, peer.bias.grad.numpy(), **TOLERANCE)
        np.testing.assert_allclose(running_mean, peer.running_mean.numpy(), **TOLERANCE)
        np.testing.assert_allclose(running_var, peer.running_var.numpy(), **TOLERANCE)
    peer.eval()
    out, _, _ = reference.batchnorm_forward(x, gamma, beta, *statistics, False)
    np.testing.assert_allclose(out, peer(torch.tensor(x)).detach().numpy(), **TOLERANCE)


class Updates:
    """One update after another: the state of an optimizer, as its kernel takes it."""

    def __init__(self, size: int) -> None:
        self.step = 0
        self.first, self.second = np.zeros(size), np.zeros(size)
        self.mu_product = np.ones(1)

    def sgd(self, p: np.ndarray, g: np.ndarray) -> None:
        reference.sgd_update(p, g, None, 0.1, 0.0, False)

    def momentum(self, p: np.ndarray, g: np.ndarray) -> None:
        reference.sgd_update(p, g, self.first, 0.1, 0.9, False)

    def nesterov(self, p: np.ndarray, g: np.ndarray) -> None:
        reference.sgd_update(p, g, self.first, 0.1, 0.9, True)

    def rmsprop(self, p: np.ndarray, g: np.ndarray) -> None:
        reference.rmsprop_update(p, g, self.first, 0.01, 0.9, 1e-8)

    def adagrad(self, p: np.ndarray, g: np.ndarray) -> None:
        reference.adagrad_update(p, g, self.first, 0.1, 1e-10)

    def adam(self, p: np.ndarray, g: np.ndarray) -> None:
        self.step += 1
        constants = (self.step, 0.01, 0.9, 0.999, 1e-8)
        reference.adam_update(p, g, self.first, self.second, *constants)

    def adamw(self, p: np.ndarray, g: np.ndarray) -> None:
        self.step += 1
        constants = (self.step, 0.01, 0.8, 0.99, 1e-6, 0.05)
        reference.adamw_update(p, g, self.first, self.second, *constants)

    def nadam(self, p: np.ndarray, g: np.ndarray) -> None:
        self.step += 1
        constants = (self.step, self.mu_product, 0.002, 0.9, 0.999, 1e-8)
        reference.nadam_update(p, g, self.first, self.second, *constants)


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-8),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1, eps=1e-10),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw": lambda p: torch.optim.AdamW(
        p, lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.05
    ),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.002),
}


@pytest.fixture
def double_precision_scalars() -> Iterator[None]:
    """Have torch.optim keep its own scalars, NAdam's product of momenta, in float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.usefixtures("double_precision_scalars")
def test_optimizer(name: str) -> None:
    rng = np.random.default_rng(7)
    size = 40
    parameters = rng.standard_normal(size)
    t = torch.nn.Parameter(torch.tensor(parameters))
    peer = OPTIMIZERS[name]([t])
    updates = Updates(size)
    scale = 10.0 ** rng.uniform(-6, 2, size)
    for step in range(50):
        gradients = scale * rng.standard_normal(size)
        gradients[step % size] = 0.0
        t.grad = torch.tensor(gradients)
        peer.step()
        assert getattr(updates, name)(parameters, gradients) is None
        np.testing.assert_allclose(parameters, t.detach().numpy(), rtol=1e-11, atol=1e-13)


def test_optimizer_float32() -> None:
    rng = np.random.default_rng(8)
    parameters = rng.standard_normal(40).astype(np.float32)
    m, v = np.zeros_like(parameters), np.zeros_like(parameters)
    t = torch.nn.Parameter(torch.tensor(parameters))
    peer = torch.optim.Adam([t], lr=0.01)
    for step in range(1, 51):
        gradients = rng.standard_normal(40).astype(np.float32)
        t.grad = torch.tensor(gradients)
        peer.step()
        reference.adam_update(parameters, gradients, m, v, step, 0.01, 0.9, 0.999, 1e-8)
    assert parameters.dtype == np.float32
    np.testing.assert_allclose(parameters, t.detach().numpy(), rtol=2e-5, atol=1e-6)
