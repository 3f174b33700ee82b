"""The widest floating-point type that a device has, for probabilities and sums: Apple's MPS has no float64."""

from __future__ import annotations

import torch
from torch import Tensor


def widest(device: torch.device) -> torch.dtype:
    """float64, or on MPS float32."""
    return torch.float32 if device.type == "mps" else torch.float64


def exact(values: Tensor) -> Tensor:
    """The values in the widest type of their device."""
    return values.to(widest(values.device))
