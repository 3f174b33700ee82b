"""The LSTM computes the equations, forward and backward, whichever way it goes."""

import numpy as np
import pytest
import torch

from langnet.encoders.lstm import LSTMWeights, library_lstm, lstm

T, B, WIDTH, H = 6, 3, 5, 4


def drawn(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    shapes = [(T, B, WIDTH), (4 * H, WIDTH), (4 * H, H), (4 * H,), (B, H), (B, H)]
    return [torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for shape in shapes]


def by_hand(x, wi, wh, b, h, c):
    """The equations of the module's docstring in numpy, and their gradients by those of h and of the last c."""

    def sigmoid(v):
        return 1 / (1 + np.exp(-v))

    steps, outputs = [], []
    for t in range(len(x)):
        i, f, g, o = np.split(x[t] @ wi.T + h @ wh.T + b, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        before, h_before = c, h
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append((i, f, g, o, before, h_before, c))
        outputs.append(h)

    def gradients(up, dc):
        dx, dwi, dwh, db, dh = np.zeros_like(x), np.zeros_like(wi), np.zeros_like(wh), np.zeros_like(b), 0.0
        for t in reversed(range(len(x))):
            i, f, g, o, before, h_before, c = steps[t]
            dh = dh + up[t]
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            da = [dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g**2), dh * np.tanh(c) * o * (1 - o)]
            da = np.concatenate(da, axis=1)
            dx[t], dh, dc = da @ wi, da @ wh, dc * f
            dwi, dwh, db = dwi + da.T @ x[t], dwh + da.T @ h_before, db + da.sum(0)
        return dx, dwi, dwh, db, dh, dc

    return np.stack(outputs), h, c, gradients


@pytest.mark.parametrize("way", [lstm, library_lstm], ids=["by hand", "library"])
def test_forward_and_gradient_are_those_of_numpy(way):
    x, wi, wh, b, h, c = tensors = drawn()
    keep = (torch.rand(4 * H, H, generator=torch.Generator().manual_seed(1), dtype=torch.float64) > 0.5).double() * 2
    hidden, (h_last, c_last) = way(x, LSTMWeights(wi, wh * keep, b), (h, c), None)
    values = [t.detach().numpy() for t in tensors]
    values[2] = values[2] * keep.numpy()
    outputs, h_end, c_end, gradients = by_hand(*values)
    np.testing.assert_allclose(hidden.detach().numpy(), outputs, atol=1e-12)
    np.testing.assert_allclose(h_last.detach().numpy(), h_end, atol=1e-12)
    np.testing.assert_allclose(c_last.detach().numpy(), c_end, atol=1e-12)
    up, up_c = np.random.default_rng(2).normal(size=outputs.shape), np.random.default_rng(3).normal(size=c_end.shape)
    got = torch.autograd.grad((hidden * torch.tensor(up)).sum() + (c_last * torch.tensor(up_c)).sum(), tensors)
    wanted = list(gradients(up, up_c))
    wanted[2] = wanted[2] * keep.numpy()  # a dropped weight gets no gradient
    for mine, theirs in zip(got, wanted, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs, atol=1e-10)


@pytest.mark.parametrize("way", [lstm, library_lstm], ids=["by hand", "library"])
def test_the_state_is_that_after_the_last_real_step(way):
    x, wi, wh, b, h, c = drawn()
    lengths = torch.tensor([4, 6, 1])
    hidden, (h_last, c_last) = way(x, LSTMWeights(wi, wh, b), (h, c), lengths)
    for row, length in enumerate(lengths):
        alone, (h_alone, c_alone) = lstm(
            x[:length, row : row + 1], LSTMWeights(wi, wh, b), (h[row : row + 1], c[row : row + 1])
        )
        torch.testing.assert_close(hidden[:length, row], alone[:, 0])
        torch.testing.assert_close(h_last[row], h_alone[0])
        torch.testing.assert_close(c_last[row], c_alone[0])


def test_bfloat16_products_stay_near_float32():
    x, wi, wh, b, h, c = drawn(torch.float32)
    exact, _ = lstm(x, LSTMWeights(wi, wh, b), (h, c))
    with torch.autocast("cpu", torch.bfloat16):
        rounded, _ = lstm(x, LSTMWeights(wi, wh, b), (h, c))
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), exact, atol=0.05, rtol=0)
    exact_gradient = torch.autograd.grad(exact.sum(), [wi, wh, b])
    for mine, theirs in zip(torch.autograd.grad(rounded.float().sum(), [wi, wh, b]), exact_gradient, strict=True):
        assert (mine - theirs).norm() < 0.03 * theirs.norm()
