"""The hand-written gradients equal those of the plain expressions, in float64; bfloat16 is as close as it can be."""

import pytest
import torch
import torch.nn.functional as F

from langnet.encoders import fused
from langnet.encoders.gpt import rotary_angles, rotate
from langnet.encoders.registry import build_encoder


def numbers(*shape, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()


def compare(got, expected, inputs, tolerance=1e-6):
    """Values, and gradients under the same random weights."""
    assert got.dtype == expected.dtype
    weights = torch.randn(expected.shape, generator=torch.Generator().manual_seed(9)).to(expected.dtype)
    wanted = torch.autograd.grad((expected * weights).sum(), inputs)
    found = torch.autograd.grad((got * weights).sum(), inputs)
    for a, b in ((got, expected), *zip(found, wanted, strict=True)):
        torch.testing.assert_close(a, b, atol=tolerance, rtol=tolerance)


def test_rms_norm():
    x = numbers(3, 5, 16)
    compare(fused.rms_norm(x, torch.float64), F.rms_norm(x, (16,)), [x])


def test_squared_relu():
    x = numbers(3, 5, 16)
    compare(fused.squared_relu(x), F.relu(x).square(), [x])


def test_heads():
    qkv = numbers(2, 7, 3 * 24)
    cosines, sines = rotary_angles(7, 8, qkv.device)
    q, k, v = qkv.view(2, 7, 3, 3, 8).permute(2, 0, 3, 1, 4)
    plain = [rotate(F.rms_norm(q, (8,)), cosines, sines), rotate(F.rms_norm(k, (8,)), cosines, sines), v]
    compare(fused.normalised_heads(qkv, 3, cosines, sines), torch.stack(plain), [qkv])


@pytest.mark.parametrize("length", [1, 63, 64, 65, 150])
def test_causal_attention(length):
    q, k, v = (numbers(2, 3, length, 8, seed=seed) for seed in range(3))
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    compare(fused.causal_attention(q, k, v), expected, [q, k, v])


def test_bfloat16_rounds_but_does_not_drift():
    q, k, v = (numbers(2, 2, 100, 16, dtype=torch.bfloat16, seed=seed) for seed in range(3))
    exact = F.scaled_dot_product_attention(q.float(), k.float(), v.float(), is_causal=True)
    torch.testing.assert_close(fused.causal_attention(q, k, v).float(), exact, atol=0.03, rtol=0.03)
    x = numbers(4, 32)
    narrow = fused.rms_norm(x.float(), torch.bfloat16)
    assert narrow.dtype == torch.bfloat16
    torch.testing.assert_close(narrow.double(), F.rms_norm(x, (32,)), atol=0.02, rtol=0.01)


def test_a_whole_encoder_under_bfloat16():
    encoder = build_encoder("gpt", "tiny", 50, seed=0)
    ids = torch.arange(40)[None] % 50
    with torch.autocast("cpu", torch.bfloat16):
        layers = encoder(ids).layers
    assert {layer.dtype for layer in layers} == {torch.float32}
    for got, exact in zip(layers, encoder(ids).layers, strict=True):
        torch.testing.assert_close(got, exact, atol=0.05, rtol=0.05)


def test_no_gradient_where_none_is_asked_for():
    with torch.no_grad():
        assert not fused.causal_attention(*(numbers(1, 1, 5, 4) for _ in range(3))).requires_grad
