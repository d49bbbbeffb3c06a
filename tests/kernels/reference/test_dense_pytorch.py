"""Dense layers are PyTorch's, in float64."""

from __future__ import annotations

import numpy as np
from pytorch import torch

from fastmlp.kernels import numpy as reference

TOLERANCE = {"rtol": 1e-12, "atol": 1e-14}


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
