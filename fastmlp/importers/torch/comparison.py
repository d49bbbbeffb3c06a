"""A model that was made of a PyTorch module, held against the module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...declarations.activations import Activation, get_activation
from ...kernels.reference.activations import activation_forward
from ...runners.numpy_runner import NumpyRunner
from .state import tensor_values

if TYPE_CHECKING:
    from ...model.sequential import Sequential

_ROWS = 32


def check_output(
    module: Any, model: Sequential, output_activation: str | Activation | None
) -> None:
    """Refuse a model that computes something else than its module on random rows.

    Tracing does not see that an operation in place changes what is read elsewhere.
    """
    tensors = [t for t in (*module.parameters(), *module.buffers()) if t.is_floating_point()]
    tensor = tensors[0] if tensors else torch.zeros((), dtype=torch.float32, device="cpu")
    state = model.training_state.state
    width = state.program.input.width
    rows = torch.from_numpy(np.random.default_rng(0).standard_normal((_ROWS, width)))
    rows = rows.to(tensor.device, tensor.dtype)
    try:
        with evaluating(module):
            output = module(rows)
    except Exception as error:
        raise ValueError(
            f"the module cannot be compared with its layers: on {_ROWS} rows of {width} numbers it "
            f"raises {type(error).__name__}: {error}"
        ) from error
    if not isinstance(output, torch.Tensor):
        raise ValueError(f"the module returns a {type(output).__name__}, not one tensor")
    expected = tensor_values(output, "the module's output")
    x = tensor_values(rows, "rows").astype(model.dtype)
    found = NumpyRunner(state).predict(x)
    if expected.shape != found.shape and (expected.shape != (_ROWS,) or found.shape[1] > 1):
        raise ValueError(
            f"the module's output for {_ROWS} rows has the shape {expected.shape}, but that of "
            f"its layers is {found.shape}"
        )
    expected = expected.reshape(found.shape).astype(model.dtype)
    if output_activation is not None:
        expected = activation_forward(expected, get_activation(output_activation).kernel)
    # Rounding, with room for large values in a deep network, and far from any mistake.
    eps = max(float(torch.finfo(tensor.dtype).eps), float(np.finfo(model.dtype).eps))
    tolerance = min(1e4 * eps, 0.05)
    finite = np.isfinite(expected)
    allowed = tolerance * np.abs(expected[finite]).max(initial=1.0)
    if not np.allclose(found[finite], expected[finite], rtol=tolerance, atol=allowed):
        most = np.abs(found - expected)[finite].max()
        raise ValueError(
            f"on random rows the module's output differs by up to {most:.2g} from that of its "
            "layers; an operation in place (inplace=True, +=) on a value that is read again later "
            "cannot be taken, nor can a forward that does not use the layers in their order"
        )


@contextmanager
def evaluating(module: Any) -> Iterator[None]:
    """Let a module compute what it does in evaluation, in its own dtype; leave it as it was."""
    flags = [(part, part.training) for part in module.modules()]
    devices = {"cpu", *(tensor.device.type for tensor in module.parameters())}
    module.eval()
    try:
        with torch.no_grad(), ExitStack() as stack:
            for device in filter(torch.amp.is_autocast_available, devices):
                stack.enter_context(torch.autocast(device, enabled=False))
            yield
    finally:
        for part, training in flags:
            part.training = training
