"""Batch normalization is PyTorch's, in float64."""

from __future__ import annotations

import numpy as np
from pytorch import torch

from fastmlp.kernels import numpy as reference

TOLERANCE = {"rtol": 1e-12, "atol": 1e-14}


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
