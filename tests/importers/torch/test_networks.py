"""Networks trained by PyTorch: what is taken computes the same, the rest is refused by name."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from taken_checks import assert_taken, rows

import fastmlp as fm
from fastmlp.kernels.typing import Array

torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed")
nn, F = torch.nn, torch.nn.functional

X = rows(2000, 6)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def outputs(module: Any, X: Array = X) -> Array:
    """What the module gives in evaluation."""
    module.eval()
    with torch.no_grad():
        values: Array = module(torch.from_numpy(X)).numpy()
    return values


def taken(module: Any, **arguments: Any) -> fm.Sequential:
    return fm.from_torch(module, backend="numpy", **arguments)


def kinds(model: fm.Sequential) -> list[str]:
    return [type(layer).__name__ for layer in model.layers]


def trained_norm(width: int, **arguments: Any) -> Any:
    """A BatchNorm1d none of whose numbers is as at the start."""
    norm = nn.BatchNorm1d(width, **arguments)
    tensors = [*norm.parameters(), norm.running_mean, norm.running_var]
    with torch.no_grad():
        for tensor in tensors:
            tensor.uniform_(0.5, 2)
    return norm


class Forward(nn.Module):  # type: ignore[misc,unused-ignore]
    """A module whose forward is a function of it and x; submodules by name."""

    def __init__(self, function: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            if isinstance(part, nn.Module):
                setattr(self, name, part)
            else:
                self.register_buffer(name, part)

    def forward(self, x: Any) -> Any:
        return self.function(self, x)


MODULES = [
    *(nn.ReLU(), nn.LeakyReLU(0.2), nn.Tanh(), nn.Sigmoid(), nn.Softmax(dim=-1), nn.Softmax(1)),
    *(nn.ELU(), nn.ELU(0.5), nn.SELU(), nn.GELU(), nn.SiLU(), nn.Mish()),
    nn.Softplus(threshold=50.0),
    nn.ReLU(inplace=True),
]
NOTHING = [
    *(nn.Dropout(0.3), nn.Dropout(0.0), nn.AlphaDropout(0.2), nn.FeatureAlphaDropout(0.2)),
    *(nn.Identity(), nn.Flatten(), nn.Flatten(1, 1)),
]


@pytest.mark.parametrize("module", MODULES, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations(module: Any, dtype: str) -> None:
    network = nn.Sequential(nn.Linear(6, 9), module, nn.Linear(9, 4), copy.deepcopy(module))
    network = network.to(getattr(torch, dtype))
    model = taken(network)
    assert (model.dtype, kinds(model)) == (dtype, ["Dense", "Dense"])
    x = X.astype(dtype)
    assert_taken(model, x, outputs(network, x))


@pytest.mark.parametrize("module", NOTHING, ids=repr)
def test_what_does_nothing_in_evaluation(module: Any) -> None:
    network = nn.Sequential(module, nn.Linear(6, 5), nn.ReLU(), module, nn.Linear(5, 2))
    network.train()
    model = taken(network)
    kept = isinstance(module, nn.Dropout) and module.p > 0
    assert kinds(model).count("Dropout") == 2 * kept
    assert_taken(model, X, outputs(network))


@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm(affine: bool) -> None:
    norm = trained_norm(5, affine=affine, momentum=0.3, eps=1e-3)
    first = trained_norm(6, momentum=None)
    linear = nn.Linear(6, 5, bias=False)
    network = nn.Sequential(first, linear, norm, nn.ReLU(), nn.Linear(5, 1))
    model = taken(network)
    assert model.layers[2] == fm.BatchNorm(0.3, 1e-3)
    assert_taken(model, X, outputs(network))


FUNCTIONS: list[Callable[[Any, Any], Any]] = [
    lambda m, x: F.relu(m.a(x)),
    lambda m, x: torch.relu(m.a(x)),
    lambda m, x: m.a(x).relu(),
    lambda m, x: F.leaky_relu(m.a(x), 0.3),
    lambda m, x: F.elu(m.a(x), alpha=0.7),
    lambda m, x: F.selu(m.a(x)),
    lambda m, x: F.gelu(m.a(x)),
    lambda m, x: F.silu(m.a(x)),
    lambda m, x: F.mish(m.a(x)),
    lambda m, x: F.softplus(m.a(x)),
    lambda m, x: F.softmax(m.a(x), dim=1),
    lambda m, x: torch.softmax(m.a(x), -1),
    lambda m, x: m.a(x).softmax(dim=-1),
    lambda m, x: torch.sigmoid(m.a(x)),
    lambda m, x: torch.tanh(m.a(x)).exp(),
    lambda m, x: m.a(F.dropout(x, 0.5, training=m.training)),
    lambda m, x: F.relu_(m.a(x)),
    lambda m, x: m.b(torch.flatten(m.a(x), 1)),
    lambda m, x: m.b(m.a(x).view(x.size(0), -1)),
    lambda m, x: m.b(m.a(x).reshape(x.shape[0], -1)),
    lambda m, x: m.b(m.a(x).view(-1, 6)),
    lambda m, x: x + m.a(x),
    lambda m, x: torch.add(m.a(x), x),
    lambda m, x: m.b(x + F.relu(m.a(x))) + x,
    lambda m, x: torch.cat([x, m.a(x)], dim=1),
    lambda m, x: torch.cat((m.a(x), torch.tanh(m.b(x)), x), -1),
    lambda m, x: m.a(x) + m.b(x),
    lambda m, x: m.a((x - m.mean) / m.deviation),
    lambda m, x: m.a((x - m.mean) / torch.sqrt(m.deviation**2 + 1)),
    lambda m, x: 2 - m.a(x) * 3,
    lambda m, x: -m.a(x) / 2 + m.mean,
    lambda m, x: torch.sigmoid(m.a(x)) * 2 - 1,
    lambda m, x: m.a(x.float()).clone(),
    lambda m, x: m.a(x * torch.tensor(2) + torch.arange(6)),
    lambda m, x: F.linear(x, m.a.weight, m.a.bias),
    lambda m, x: torch.tanh(x @ m.a.weight.t() + m.a.bias),
    lambda m, x: m.c(x).squeeze(1),
    lambda m, x: torch.sigmoid(m.c(x).squeeze(-1)),
    lambda m, x: 1 - m.c(m.a(x)).flatten(),
    lambda m, x: m.c(x).view(-1),
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=range(len(FUNCTIONS)))
def test_forwards(function: Callable[[Any, Any], Any]) -> None:
    a, b, c = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 1)
    mean, deviation = torch.randn(6), torch.rand(6) + 0.5
    module = Forward(function, a=a, b=b, c=c, mean=mean, deviation=deviation)
    assert_taken(taken(module), X, outputs(module))


class Block(nn.Module):  # type: ignore[misc,unused-ignore]
    """Branches of any kind around random layers."""

    def __init__(self, rng: np.random.Generator, width: int) -> None:
        super().__init__()
        self.inner = chain(rng, width, width, int(rng.integers(1, 3)))
        self.other = nn.Linear(width, width)
        self.way = rng.integers(4)
        self.width = 2 * width if self.way == 0 else width

    def forward(self, x: Any) -> Any:
        if self.way == 0:
            return torch.cat([x, self.inner(x)], dim=1)
        if self.way == 1:
            return self.other(x) + self.inner(x)
        if self.way == 2:
            return F.silu(x + self.inner(x) + self.other(x))
        return self.inner(x) * 0.5 + x


def chain(rng: np.random.Generator, n_in: int, n_out: int, depth: int) -> Any:
    """Random layers in nested Sequentials."""
    layers: list[Any] = []
    width = n_in
    for _ in range(depth):
        units = int(rng.integers(4, 24))
        layers.append(nn.Linear(width, units, bias=bool(rng.integers(2))))
        if rng.integers(2):
            layers.append(trained_norm(units, affine=bool(rng.integers(2))))
        choice = MODULES[rng.integers(len(MODULES))]
        layers += [copy.deepcopy(choice), copy.deepcopy(NOTHING[rng.integers(len(NOTHING))])]
        width = units
    return nn.Sequential(nn.Sequential(*layers), nn.Linear(width, n_out))


@pytest.mark.parametrize("number", range(20))
def test_random_networks(number: int) -> None:
    rng = np.random.default_rng(number)
    start = chain(rng, 6, 7, int(rng.integers(1, 4)))
    block = Block(rng, 7)
    second = Block(rng, block.width)
    end = chain(rng, second.width, int(rng.integers(1, 5)), 1)
    dtype = ["float32", "float64"][number % 2]
    network = nn.Sequential(start, block, second, end).to(getattr(torch, dtype))
    x = rows(3000, 6, dtype, seed=number)
    assert_taken(taken(network), x, outputs(network, x))


def test_both_backends_and_a_file(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    network = nn.Sequential(nn.Linear(6, 16), trained_norm(16), nn.ReLU(), nn.Linear(16, 3))
    model = fm.from_torch(network, output_activation="softmax", classes=["b", "c", "a"])
    assert model.backend == "numba"
    expected = torch.softmax(torch.from_numpy(outputs(network)), 1).numpy()
    assert_taken(model, X, expected)
    labels = np.array(["b", "c", "a"])[expected.argmax(axis=1)]
    np.testing.assert_array_equal(model.predict_classes(X), labels)
    model.freeze().save(tmp_path / "predictor.safetensors")
    predictor = fm.load_predictor(tmp_path / "predictor.safetensors")
    np.testing.assert_array_equal(predictor.predict_classes(X), labels)
    model.fit(X, labels, epochs=1, verbose=0)


def test_training_goes_on_as_in_pytorch() -> None:
    network = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    x, y = X.astype(np.float64), np.random.default_rng(1).integers(0, 2, 2000)
    model = taken(network, output_activation="softmax", optimizer=fm.SGD(0.1))
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    for _ in range(5):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(torch.from_numpy(x)), torch.from_numpy(y))
        loss.backward()
        optimizer.step()
        assert model.train_step(x, y) == pytest.approx(loss.item(), abs=1e-12)
    expected = torch.softmax(torch.from_numpy(outputs(network, x)), 1).numpy()
    assert_taken(model, x, expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_becomes_float32(dtype: str) -> None:
    network = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2))
    network = network.to(getattr(torch, dtype))
    model = taken(network)
    assert model.dtype == "float32"
    assert_taken(model, X, outputs(network.float()))


def test_the_dtype_can_be_chosen() -> None:
    network = nn.Sequential(nn.Linear(6, 8), nn.ELU(), nn.Linear(8, 2)).double()
    model = taken(network, dtype="float32")
    assert model.dtype == "float32"
    assert_taken(model, X, outputs(network, X.astype(np.float64)))


def test_single_modules_and_subclasses() -> None:
    class Mine(nn.Linear):  # type: ignore[misc,unused-ignore]
        def reset_parameters(self) -> None:
            nn.init.uniform_(self.weight, -2, 2)
            nn.init.zeros_(self.bias)

    class Doubled(nn.Linear):  # type: ignore[misc,unused-ignore]
        def forward(self, x: Any) -> Any:
            return 2 * super().forward(x)

    for module in (
        nn.Linear(6, 2),
        Mine(6, 3),
        Doubled(6, 2),
        nn.Sequential(Doubled(6, 3), nn.ReLU()),
    ):
        assert_taken(taken(module), X, outputs(module))


def test_parametrized_weights_are_taken_as_they_are() -> None:
    layer = torch.nn.utils.parametrizations.weight_norm(nn.Linear(6, 3))
    network = nn.Sequential(layer, nn.ReLU())
    assert_taken(taken(network), X, outputs(network))


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_compiled_modules() -> None:
    network = nn.Sequential(nn.Linear(6, 3), nn.Tanh())
    assert_taken(taken(torch.compile(network)), X, outputs(network))


def test_the_module_stays_as_it_is() -> None:
    network = nn.Sequential(nn.Linear(6, 5), trained_norm(5), nn.Dropout(0.5), nn.Linear(5, 2))
    network.train()
    network[1].eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    random = torch.get_rng_state()
    model = taken(network)
    assert [module.training for module in network.modules()] == [True, True, False, True, True]
    assert torch.equal(torch.get_rng_state(), random)
    model.parameters["0.weight"][:] = 0
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])


# State dicts

LAYERS = [
    fm.Dense(8, use_bias=False),
    fm.BatchNorm(),
    fm.Activation("relu"),
    fm.Residual([fm.Dense(5, "tanh"), fm.Dense(8)]),
    fm.Dropout(0.1),
    fm.Branch([fm.Dense(3)], [], merge="concat"),
    fm.Dense(2, "sigmoid"),
]


class Net(nn.Module):  # type: ignore[misc,unused-ignore]
    """The network of `LAYERS`."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Linear(6, 8, bias=False), trained_norm(8)
        self.block = nn.Sequential(nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 8))
        self.side, self.last = nn.Linear(8, 3), nn.Linear(11, 2)

    def forward(self, x: Any) -> Any:
        h = F.relu(self.norm(self.first(x)))
        h = h + self.block(h)
        return torch.sigmoid(self.last(torch.cat([self.side(h), h], 1)))


def test_state_dict() -> None:
    network = Net()
    model = taken(network.state_dict(), layers=LAYERS)
    assert model.layers == tuple(LAYERS)
    assert_taken(model, X, outputs(network))
    assert_taken(taken(network), X, outputs(network))


def test_a_module_that_cannot_be_traced_with_its_layers() -> None:
    module = Forward(lambda m, x: m.b(m.a(x)) if x.sum() > -1e30 else x)
    module.a, module.b = nn.Linear(6, 4), nn.Linear(4, 2)
    with pytest.raises(ValueError, match=r"forward of Forward cannot be traced .* layers=\["):
        taken(module)
    assert_taken(taken(module, layers=[fm.Dense(4), fm.Dense(2)]), X, outputs(module))
    with pytest.raises(ValueError, match="on random rows the module's output differs"):
        taken(module, layers=[fm.Dense(4, "relu"), fm.Dense(2)])


def test_a_module_that_does_not_run_on_rows() -> None:
    module = Forward(lambda m, x: m.a(x) if x.shape[0] == 1 else m.a(x[:, :2]))
    module.a = nn.Linear(6, 2)
    with pytest.raises(ValueError, match="on 32 rows of 6 numbers it raises RuntimeError: mat1"):
        taken(module, layers=[fm.Dense(2)])


def test_arrays_need_no_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 3))
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    expected = torch.softmax(torch.from_numpy(outputs(network)), 1).numpy()
    monkeypatch.setitem(sys.modules, "torch", None)
    layers = [fm.Dense(4, "tanh"), fm.Dense(3)]
    model = taken(state, layers=layers, output_activation="softmax", classes=[3, 1, 2])
    assert_taken(model, X, expected)
    assert model.classes is not None
    assert model.classes.tolist() == [3, 1, 2]


STATE = {"a.weight": np.ones((4, 6)), "a.bias": np.ones(4), "b.weight": np.ones((2, 4))}
TWO = [fm.Dense(4), fm.Dense(2, use_bias=False)]


@pytest.mark.parametrize(
    ("state", "layers", "message"),
    [
        (STATE, None, r"holds weights alone; give layers=\["),
        (STATE, TWO[:1], r"layers have 1 with tensors \(0 Dense\), .* 2 modules \('a', 'b'\)"),
        (STATE, [fm.Dense(4), fm.Dense(2)], "layer 1. has a bias, .* none with b.weight; give it"),
        (STATE, [fm.Dense(4, use_bias=False), TWO[1]], "use_bias=False, .* bias with a.weight"),
        (
            STATE,
            [fm.Dense(5), TWO[1]],
            r"layer 0. needs a weight of shape \(5, n_in\), but a",
        ),
        (STATE, [fm.Dense(4), fm.BatchNorm()], "layer 1. needs b.running_mean, which the state"),
        ({**STATE, "a.scale": np.ones(1)}, TWO, "nothing to do with a.scale of the state dict"),
        ({**STATE, "b.weight": np.ones((2, 3))}, TWO, r"1.weight has the shape \(3, 2\)"),
        ({**STATE, "b.weight": np.full((2, 4), np.inf)}, TWO, "1.weight has values that are NaN"),
        ({**STATE, "b.weight": np.ones((2, 4), int)}, TWO, "b.weight must hold floating-point"),
        ({"state_dict": STATE, "epoch": 3}, TWO, r"checkpoint pass .* checkpoint\['state_dict'\]"),
        (STATE, [fm.WideAndDeep(1, deep=[fm.Dense(2)])], r"WideAndDeep \(layer 0\) has no counter"),
    ],
)
def test_state_dicts_that_do_not_fit(state: Any, layers: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        taken(state, layers=layers)


# Refusals


class Cube(nn.Module):  # type: ignore[misc,unused-ignore]
    def forward(self, x: Any) -> Any:
        return x**3


def hooked() -> Any:
    network = nn.Sequential(nn.Linear(6, 2))
    network[0].register_forward_hook(lambda module, x, y: y + 1)
    return network


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Sequential(nn.Linear(6, 3), nn.LayerNorm(3)), r"1 \(LayerNorm\) cannot be taken; what"),
        (nn.Sequential(nn.Linear(6, 3), nn.PReLU()), r"1 \(PReLU\) cannot be taken"),
        (nn.Sequential(nn.Linear(6, 3), nn.LogSoftmax(1)), r"1 \(LogSoftmax\) .* put Softmax"),
        (nn.Sequential(nn.Linear(6, 3), nn.Softmax(0)), r"1 \(Softmax\) .* dim=0; columns are dim"),
        (nn.Sequential(nn.Linear(6, 3), nn.GELU("tanh")), r"1 \(GELU\) .* approximate form"),
        (nn.Sequential(nn.Linear(6, 3), nn.Softplus(2)), r"1 \(Softplus\) .* another beta"),
        (nn.Sequential(nn.Linear(6, 3), nn.Softplus(1, 5)), r"\(Softplus\) .* threshold below 20"),
        (nn.Sequential(nn.Linear(6, 3), nn.ELU(-1.0)), r"1 \(ELU\) .* alpha must be"),
        (nn.Sequential(nn.Linear(6, 3), nn.Dropout(1.0)), r"1 \(Dropout\) .* rate must be"),
        (nn.Sequential(nn.Flatten(0), nn.Linear(6, 3)), r"0 \(Flatten\) .* rows must stay rows"),
        (nn.Sequential(nn.Linear(6, 3), Cube()), r"pow_1 \(pow\) cannot be taken"),
        (nn.Sequential(nn.LazyLinear(3)), r"0 \(LazyLinear\) .* run the module on a batch first"),
        (nn.Conv1d(6, 3, 1), r"0 \(Conv1d\) cannot be taken"),
        (
            nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3, track_running_stats=False)),
            r"1 \(BatchNorm1d\) .* no running statistics",
        ),
        (nn.Sequential(nn.BatchNorm1d(6, momentum=0.0)), r"0 \(BatchNorm1d\) .* momentum must be"),
        (nn.Sequential(nn.ReLU()), "give n_features"),
        (hooked(), r"0 \(Linear\) .* has forward hooks"),
    ],
)
def test_modules_that_cannot_be_taken(module: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        taken(module)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda m, x: m.a(m.a(x)), r"a \(Linear\) .* used in two places"),
        (lambda m, x: F.linear(m.a(x), m.a.weight), r"a \(Linear\) .* used in two places"),
        (lambda m, x: F.log_softmax(m.a(x), dim=1), "put Softmax in its place"),
        (lambda m, x: m.a(x).log_softmax(1), "put Softmax in its place"),
        (lambda m, x: m.a(x) * x, r"mul \(mul\) .* two paths can be added or concatenated"),
        (lambda m, x: x - m.a(x), r"sub \(sub\) .* two paths can be added"),
        (lambda m, x: torch.cat([x, m.a(x)]), r"cat \(cat\) .* dim=1 or -1"),
        (lambda m, x: m.a(x)[:, :2], r"getitem \(getitem\) cannot be taken"),
        (lambda m, x: m.a(x).mean(1), r"mean \(Tensor.mean\) cannot be taken"),
        (lambda m, x: 1 / m.a(x), r"truediv \(truediv\) cannot be taken"),
        (lambda m, x: F.dropout(m.a(x)), r"dropout \(dropout\) .* also drops in evaluation"),
        (lambda m, x: (m.a(x), x), "what forward returns cannot be taken: it is no single"),
        (lambda m, x: m.a(m.a(x).squeeze(1)), r"squeeze \(Tensor.squeeze\) .* rows must stay"),
        (lambda m, x: m.a(x).view(3, -1), r"view \(Tensor.view\) .* rows must stay rows"),
        (lambda m, x: m.a(x).view(-1), "the module's output for 32 rows has the shape"),
        (lambda m, x: torch.stack([x, m.a(x)]), r"stack \(stack\) cannot be taken"),
        (lambda m, x: F.softmax(m.a(x), 0), r"softmax \(softmax\) .* dim=0"),
        (lambda m, x: m.a(x) + torch.ones(3, 6), r"add \(add\) .* constant has the shape \(3, 6\)"),
    ],
)
def test_forwards_that_cannot_be_taken(function: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        taken(Forward(function, a=nn.Linear(6, 6)))


def test_changes_in_place_are_found_out() -> None:
    def forward(module: Any, x: Any) -> Any:
        h = module.a(x)
        return F.relu(h, inplace=True) + h

    with pytest.raises(ValueError, match="on random rows .* an operation in place"):
        taken(Forward(forward, a=nn.Linear(6, 6)))


def test_two_inputs() -> None:
    class Two(nn.Module):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(6, 3), nn.Linear(6, 3)

        def forward(self, x: Any, z: Any) -> Any:
            return self.a(x) + self.b(z)

    with pytest.raises(ValueError, match="module with one input can be taken; .* reads x, z"):
        taken(Two())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("model.pt", r"'model.pt' \(str\); read a file with torch.load first"),
        (Path("model.pt"), "read a file with torch.load first"),
        (3, r"takes a torch.nn.Module, or a state dict with layers=\[...\], got 3 \(int\)"),
        (fm.Dense(3), "got Dense"),
    ],
)
def test_what_is_neither(source: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        fm.from_torch(source)


def test_arguments() -> None:
    network = nn.Sequential(nn.Linear(6, 1), nn.Softplus())
    assert taken(network, loss="poisson").loss == fm.Poisson()
    with pytest.raises(TypeError, match="los"):
        taken(network, los="mse")
    with pytest.raises(ValueError, match="'softmax' would follow 'softplus'"):
        taken(network, output_activation="softmax")
    with pytest.raises(ValueError, match="this network ends in softplus"):
        taken(network, classes=["a", "b"])
