"""Sums and probabilities are float64, but on a device that has none."""

import torch

from langnet.encoders.precision import exact, widest


def test_a_device_without_float64_gets_none():
    assert widest(torch.device("mps")) == torch.float32
    assert {widest(torch.device(name)) for name in ("cpu", "cuda", "cuda:1")} == {torch.float64}
    assert exact(torch.zeros(2, dtype=torch.bfloat16)).dtype == torch.float64
