"""Modules of PyTorch, and what they give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from taken_checks import rows

import fastmlp as fm
from fastmlp.kernels.typing import Array

torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed")
nn, F = torch.nn, torch.nn.functional
X = rows(2000, 6)


def outputs(module: Any, X: Array = X) -> Array:
    """What the module gives in evaluation."""
    module.eval()
    with torch.no_grad():
        values: Array = module(torch.from_numpy(X)).numpy()
    return values


def taken(module: Any, **arguments: Any) -> fm.Sequential:
    return fm.from_torch(module, backend="numpy", **arguments)


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
