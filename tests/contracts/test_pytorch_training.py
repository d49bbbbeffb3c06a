"""Trainings beside PyTorch's: the same numbers in float64 after 50 steps, and gradients of losses.

The networks are written out as functions of tensors that have the names of the model's parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.kernels.typing import Array
from fastmlp.network.layers import Layer

torch = pytest.importorskip("torch")
F = torch.nn.functional

N_ROWS, BATCH, EPOCHS = 4 * 32 + 7, 32, 10
Tensors = dict[str, Any]


@pytest.fixture(autouse=True)
def double_precision() -> Generator[None, None, None]:
    """NAdam keeps its product of momenta in the default dtype, so it has to be float64."""
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    yield
    torch.set_default_dtype(dtype)
    torch.set_num_threads(threads)


def linear(x: Any, p: Tensors, name: str) -> Any:
    return x @ p[f"{name}.weight"] + p[f"{name}.bias"]


def batch_norm(
    x: Any, p: Tensors, b: Tensors, name: str, momentum: float = 0.1, epsilon: float = 1e-5
) -> Any:
    mean, var = b[f"{name}.running_mean"], b[f"{name}.running_var"]
    gamma, beta = p[f"{name}.gamma"], p[f"{name}.beta"]
    return F.batch_norm(x, mean, var, gamma, beta, True, momentum, epsilon)


def plain(x: Any, p: Tensors, b: Tensors) -> Any:
    h = torch.relu(batch_norm(linear(x, p, "0"), p, b, "1"))
    h = batch_norm(F.gelu(linear(h, p, "3")), p, b, "4", 0.3, 1e-3)
    h = F.leaky_relu(linear(h, p, "5"), 0.1)
    return linear(h, p, "6")


def residual(x: Any, p: Tensors, b: Tensors) -> Any:
    h = F.silu(linear(x, p, "0"))
    inner = torch.tanh(batch_norm(linear(h, p, "1.0"), p, b, "1.1"))
    nested = inner + linear(F.mish(linear(inner, p, "1.3.0")), p, "1.3.1")
    h = h + linear(nested, p, "1.4")
    h = linear(h, p, "2.shortcut.0") + F.elu(linear(h, p, "2.0"), 0.7)
    h = torch.softmax(linear(h, p, "3"), dim=1)
    return linear(F.selu(linear(h, p, "4")), p, "5")


def wide_and_deep(x: Any, p: Tensors, b: Tensors) -> Any:
    h = torch.sigmoid(linear(x[:, [3, 1, 2]], p, "0.0"))
    h = F.softplus(batch_norm(linear(h, p, "0.1"), p, b, "0.2"))
    return h @ p["0.weight"] + x[:, [4, 0]] @ p["0.wide_weight"] + p["0.bias"]


@dataclass(frozen=True)
class Network:
    """Layers, the same as a function, and which BatchNorm takes which bias away again."""

    layers: list[Layer]
    forward: Callable[[Any, Tensors, Tensors], Any]
    absorbed: dict[str, str]


NETWORKS = {
    "plain": Network(
        [
            fm.Dense(24),
            fm.BatchNorm(),
            fm.Activation("relu"),
            fm.Dense(16, "gelu"),
            fm.BatchNorm(momentum=0.3, epsilon=1e-3),
            fm.Dense(12, fm.LeakyReLU(0.1)),
            fm.Dense(3, "softmax"),
        ],
        plain,
        {"1.running_mean": "0.bias"},
    ),
    "residual": Network(
        [
            fm.Dense(20, "silu"),
            fm.Residual(
                [
                    fm.Dense(14),
                    fm.BatchNorm(),
                    fm.Activation("tanh"),
                    fm.Residual([fm.Dense(6, "mish"), fm.Dense(14)]),
                    fm.Dense(20),
                ]
            ),
            fm.Residual([fm.Dense(9, fm.ELU(0.7))], shortcut=[fm.Dense(9)]),
            fm.Dense(8, "softmax"),
            fm.Dense(7, "selu"),
            fm.Dense(3, "softmax"),
        ],
        residual,
        {"1.1.running_mean": "1.0.bias"},
    ),
    "wide and deep": Network(
        [
            fm.WideAndDeep(
                3,
                "softmax",
                deep=[
                    fm.Dense(10, "sigmoid"),
                    fm.Dense(8),
                    fm.BatchNorm(),
                    fm.Activation("softplus"),
                ],
                wide=[4, 0],
                deep_columns=[3, 1, 2],
            )
        ],
        wide_and_deep,
        {"0.2.running_mean": "0.1.bias"},
    ),
}

OPTIMIZERS: dict[str, tuple[Any, Callable[[list[Any]], Any]]] = {
    "sgd": (fm.SGD(0.05), lambda p: torch.optim.SGD(p, lr=0.05)),
    "momentum": ("momentum", lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)),
    "nesterov": (
        fm.SGD(0.01, momentum=0.9, nesterov=True),
        lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    ),
    "rmsprop": ("rmsprop", lambda p: torch.optim.RMSprop(p, lr=1e-3, alpha=0.9)),
    "adam": ("adam", lambda p: torch.optim.Adam(p)),
    "adam with other constants": (
        fm.Adam(3e-3, beta_1=0.8, beta_2=0.95, epsilon=1e-4),
        lambda p: torch.optim.Adam(p, lr=3e-3, betas=(0.8, 0.95), eps=1e-4),
    ),
    "adamw": (
        fm.AdamW(2e-3, weight_decay=0.1),
        lambda p: torch.optim.AdamW(p, lr=2e-3, weight_decay=0.1),
    ),
    "nadam": ("nadam", lambda p: torch.optim.NAdam(p)),
    "adagrad": ("adagrad", lambda p: torch.optim.Adagrad(p, lr=0.01)),
}


def make_data(n_features: int = 5) -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N_ROWS, n_features))
    return X, (X @ rng.normal(size=(n_features, 3))).argmax(axis=1)


def build(layers: list[Layer], **arguments: Any) -> fm.Sequential:
    """A built model whose vectors, which start at 0 or 1, have been moved from there."""
    model = fm.Sequential(layers, dtype="float64", random_state=4, **arguments).build(5)
    rng = np.random.default_rng(8)
    for values in model.parameters.values():
        if values.ndim == 1:
            values += 0.2 * rng.normal(size=values.shape)
    return model


def tensors(values: Any) -> Tensors:
    return {name: torch.tensor(value.copy()) for name, value in values.items()}


def leaves(model: fm.Sequential) -> Tensors:
    return {name: t.requires_grad_() for name, t in tensors(model.parameters).items()}


def error(a: Array, b: Any) -> float:
    b = b.detach().numpy()
    return float(np.max(np.abs(a - b)) / (1e-6 + np.max(np.abs(b))))


def train_torch(
    forward: Callable[[Any], Any],
    optimizer: Any,
    X: Array,
    y: Array,
    *,
    before_step: Callable[[], None] = lambda: None,
    after_step: Callable[[], None] = lambda: None,
    after_epoch: Callable[[float], None] = lambda loss: None,
    penalty: Callable[[], Any] = lambda: 0.0,
) -> list[float]:
    """Train for `EPOCHS` epochs in order of the rows and return each epoch's mean loss."""
    x, labels = torch.tensor(X), torch.tensor(y)
    losses = []
    for _ in range(EPOCHS):
        total = 0.0
        for start in range(0, len(X), BATCH):
            rows = slice(start, start + BATCH)
            optimizer.zero_grad()
            loss = F.cross_entropy(forward(x[rows]), labels[rows]) + penalty()
            loss.backward()
            before_step()
            optimizer.step()
            after_step()
            total += float(loss.detach()) * len(x[rows])
        losses.append(total / len(X))
        after_epoch(losses[-1])
    return losses


def compare(model: fm.Sequential, network: Network, p: Tensors, b: Tensors) -> None:
    for name, value in model.parameters.items():
        if name not in network.absorbed.values():
            assert error(value, p[name]) <= 1e-8, name
    for name, value in model.buffers.items():
        bias = network.absorbed.get(name)
        mine = value - model.parameters[bias] if bias else value
        theirs = b[name] - p[bias] if bias else b[name]
        assert error(mine, theirs) <= 1e-8, name


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("kind", NETWORKS)
def test_fifty_steps(kind: str, optimizer: str, backend: str) -> None:
    network, (spec, make) = NETWORKS[kind], OPTIMIZERS[optimizer]
    X, y = make_data()
    model = build(network.layers, optimizer=spec, backend=backend)
    p, b = leaves(model), tensors(model.buffers)

    def silence() -> None:
        # AdaGrad's epsilon is so small that torch turns the rounding noise of these gradients into
        # a walk of 1e-9 a step, which running means follow with a delay.
        if optimizer == "adagrad":
            for name in network.absorbed.values():
                p[name].grad.zero_()

    losses = train_torch(
        lambda x: network.forward(x, p, b), make(list(p.values())), X, y, before_step=silence
    )
    history = model.fit(X, y, epochs=EPOCHS, batch_size=BATCH, shuffle=False, verbose=0)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-8)
    compare(model, network, p, b)


def test_weight_decay_by_l2_and_clipping(backend: str) -> None:
    """l2 enters the gradient before clipping; values are clipped before the norm."""
    network = NETWORKS["plain"]
    layers = [
        fm.Dense(24, l2=0.02),
        *network.layers[1:6],
        fm.Dense(3, "softmax", l1=0.01, l2=0.03),
    ]
    X, y = make_data()
    optimizer = fm.Adam(2e-3, clip_value=0.02, clip_norm=0.1)
    model = build(layers, optimizer=optimizer, backend=backend)
    p, b = leaves(model), tensors(model.buffers)

    def penalty() -> Any:
        first, last = p["0.weight"], p["6.weight"]
        return 0.01 * first.square().sum() + 0.01 * last.abs().sum() + 0.015 * last.square().sum()

    def clip() -> None:
        # torch's own clip_grad_norm_ adds 1e-6 to the norm.
        p["0.bias"].grad.zero_()
        torch.nn.utils.clip_grad_value_(p.values(), 0.02)
        norm = torch.sqrt(sum(t.grad.square().sum() for t in p.values()))
        assert norm > 0.1
        for t in p.values():
            t.grad *= 0.1 / norm

    losses = train_torch(
        lambda x: network.forward(x, p, b),
        torch.optim.Adam(p.values(), lr=2e-3),
        X,
        y,
        before_step=clip,
        penalty=penalty,
    )
    history = model.fit(X, y, epochs=EPOCHS, batch_size=BATCH, shuffle=False, verbose=0)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-8)
    compare(model, network, p, b)


@pytest.mark.parametrize("name", ["exponential", "one cycle", "plateau", "cosine", "step"])
def test_schedules(name: str, backend: str) -> None:
    network = NETWORKS["plain"]
    X, y = make_data()
    schedules = torch.optim.lr_scheduler
    rate, make, per_step = {
        "exponential": (
            fm.ExponentialDecay(0.05, 0.8),
            lambda o: schedules.ExponentialLR(o, 0.8),
            False,
        ),
        "one cycle": (
            fm.OneCycle(0.05, EPOCHS),
            lambda o: schedules.OneCycleLR(
                o, 0.05, total_steps=EPOCHS * -(-N_ROWS // BATCH), cycle_momentum=False
            ),
            True,
        ),
        "plateau": (
            fm.ReduceOnPlateau(0.05, 0.5, patience=0),
            lambda o: schedules.ReduceLROnPlateau(o, factor=0.5, patience=0, threshold=0.0),
            False,
        ),
        "cosine": (
            fm.CosineDecay(0.05, EPOCHS, 0.01),
            lambda o: schedules.CosineAnnealingLR(o, EPOCHS, 0.01),
            False,
        ),
        "step": (fm.StepDecay(0.05, 0.3, 4), lambda o: schedules.StepLR(o, 4, 0.3), False),
    }[name]
    if name == "plateau":
        # Labels that cannot be learned, so that there are bad epochs.
        y = np.random.default_rng(1).integers(0, 3, N_ROWS)
    model = build(network.layers, optimizer=fm.SGD(rate, momentum=0.9), backend=backend)
    p, b = leaves(model), tensors(model.buffers)
    optimizer = torch.optim.SGD(p.values(), lr=0.05, momentum=0.9)
    schedule = make(optimizer)
    rates: list[float] = []

    def after_epoch(loss: float) -> None:
        rates.append(optimizer.param_groups[0]["lr"])
        if name == "plateau":
            schedule.step(loss)
        elif not per_step:
            schedule.step()

    def after_step() -> None:
        if per_step and schedule.last_epoch < schedule.total_steps - 1:
            schedule.step()

    forward = lambda x: network.forward(x, p, b)  # noqa: E731
    train_torch(forward, optimizer, X, y, after_step=after_step, after_epoch=after_epoch)
    history = model.fit(X, y, epochs=EPOCHS, batch_size=BATCH, shuffle=False, verbose=0)
    if not per_step:
        np.testing.assert_allclose(history["learning_rate"], rates, rtol=1e-12)
    assert len(set(history["learning_rate"])) > 1
    compare(model, network, p, b)


def smooth(y: Any, e: float, k: int) -> Any:
    return (1 - e) * y + e / k


def one_hot(y: Any) -> Any:
    return F.one_hot(y, 3).to(torch.float64)


Losses = dict[str, tuple[Any, str, Callable[[Any, Any], Any]]]

# The loss, the output activation, and the loss of each row as torch has it.
LOSSES: Losses = {
    "cce": ("cce", "softmax", lambda z, y: F.cross_entropy(z, y, reduction="none")),
    "cce, smoothed": (
        fm.CategoricalCrossentropy(0.2),
        "softmax",
        lambda z, y: F.cross_entropy(z, y, reduction="none", label_smoothing=0.2),
    ),
    "cce of probabilities": (
        "cce",
        "softmax",
        lambda z, y: F.cross_entropy(z, y, reduction="none"),
    ),
    "cce of probabilities, smoothed": (
        fm.CategoricalCrossentropy(0.2),
        "softmax",
        lambda z, y: F.cross_entropy(z, smooth(y, 0.2, 3), reduction="none"),
    ),
    "bce": (
        "bce",
        "sigmoid",
        lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="none").mean(1),
    ),
    "bce, smoothed": (
        fm.BinaryCrossentropy(0.3),
        "sigmoid",
        lambda z, y: F.binary_cross_entropy_with_logits(
            z, smooth(y, 0.3, 2), reduction="none"
        ).mean(1),
    ),
    "mse": ("mse", "linear", lambda z, y: (z - y).square().mean(1)),
    "mse of sigmoid": ("mse", "sigmoid", lambda z, y: (torch.sigmoid(z) - y).square().mean(1)),
    "mae": ("mae", "tanh", lambda z, y: (torch.tanh(z) - y).abs().mean(1)),
    "huber": (
        fm.Huber(0.4),
        "linear",
        lambda z, y: F.huber_loss(z, y, reduction="none", delta=0.4).mean(1),
    ),
    "quantile": (
        fm.Quantile(0.2),
        "linear",
        lambda z, y: torch.maximum(0.2 * (y - z), -0.8 * (y - z)).mean(1),
    ),
    "poisson": ("poisson", "exp", lambda z, y: (torch.exp(z) - y * z).mean(1)),
    "poisson of softplus": (
        "poisson",
        "softplus",
        lambda z, y: (F.softplus(z) - y * torch.log(F.softplus(z))).mean(1),
    ),
    "mse of exp": ("mse", "exp", lambda z, y: (torch.exp(z) - y).square().mean(1)),
}


def loss_targets(name: str, rng: np.random.Generator) -> Array:
    if "probabilities" in name:
        return rng.dirichlet(np.ones(3), size=N_ROWS)
    if name.startswith("cce"):
        return np.concatenate([[0, 1, 2], rng.integers(0, 3, size=N_ROWS - 3)])
    if name.startswith("bce") or "sigmoid" in name:
        return rng.integers(0, 2, size=(N_ROWS, 3)).astype(float)
    if name.startswith("poisson"):
        return rng.poisson(1.0, size=(N_ROWS, 3)).astype(float)
    return rng.normal(size=(N_ROWS, 3))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_losses(name: str, weighted: bool, backend: str) -> None:
    loss, output, rows_loss = LOSSES[name]
    rng = np.random.default_rng(12)
    X, y = rng.normal(size=(N_ROWS, 5)), loss_targets(name, rng)
    weights = np.where(rng.random(N_ROWS) < 0.2, 0.0, rng.uniform(0.1, 3, N_ROWS))
    layers = [*NETWORKS["plain"].layers[:6], fm.Dense(3, output)]
    model = build(layers, loss=loss, optimizer=fm.SGD(0.0), backend=backend)
    p, b = leaves(model), tensors(model.buffers)
    of_rows = rows_loss(plain(torch.tensor(X), p, b), torch.tensor(y))
    w = torch.tensor(weights) if weighted else torch.ones(N_ROWS)
    expected = (w * of_rows).sum() / w.sum()
    expected.backward()

    sample_weight = weights if weighted else None
    gradients = model.gradients(X, y, sample_weight)
    for key, gradient in gradients.items():
        if key == "0.bias":
            assert not gradient.any()
        else:
            assert error(gradient, p[key].grad) <= 1e-10, key
    assert model.train_step(X, y, sample_weight) == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.parametrize("name", ["cce, smoothed", "bce", "mse", "poisson of softplus"])
def test_training_with_sample_weights(name: str, backend: str) -> None:
    loss, output, rows_loss = LOSSES[name]
    rng = np.random.default_rng(13)
    X, y = rng.normal(size=(N_ROWS, 5)), loss_targets(name, rng)
    weights = rng.uniform(0.1, 3, N_ROWS)
    layers = [*NETWORKS["plain"].layers[:6], fm.Dense(3, output)]
    model = build(layers, loss=loss, backend=backend)
    p, b = leaves(model), tensors(model.buffers)
    optimizer = torch.optim.Adam(p.values())
    x, targets, w = torch.tensor(X), torch.tensor(y), torch.tensor(weights)
    for _ in range(EPOCHS):
        for start in range(0, N_ROWS, BATCH):
            rows = slice(start, start + BATCH)
            optimizer.zero_grad()
            of_rows = rows_loss(plain(x[rows], p, b), targets[rows])
            ((w[rows] * of_rows).sum() / w[rows].sum()).backward()
            optimizer.step()
    model.fit(
        X,
        y,
        sample_weight=weights,
        epochs=EPOCHS,
        batch_size=BATCH,
        shuffle=False,
        verbose=0,
    )
    compare(model, NETWORKS["plain"], p, b)
