"""The fused loss equals PyTorch's, value and gradients, across chunks and ignored targets."""

import torch
import torch.nn.functional as F

from langnet.tasks.cross_entropy import linear_cross_entropy


def test_value_and_gradients_in_float64():
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(1500, 16, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(33, 16, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(33, (1500,), generator=generator)
    targets[::7] = -100
    expected = F.cross_entropy(hidden @ weight.T, targets, ignore_index=-100)
    wanted = torch.autograd.grad(expected, [hidden, weight])
    got = linear_cross_entropy(hidden, weight, targets)
    torch.testing.assert_close(got.double(), expected, atol=1e-6, rtol=1e-6)
    for a, b in zip(torch.autograd.grad(got, [hidden, weight]), wanted, strict=True):
        torch.testing.assert_close(a, b, atol=1e-7, rtol=1e-5)


def test_nothing_to_predict_is_zero():
    hidden = torch.randn(3, 4, requires_grad=True)
    loss = linear_cross_entropy(hidden, torch.randn(5, 4), torch.full((3,), -100))
    loss.backward()
    assert loss.item() == 0
    assert not hidden.grad.any()
