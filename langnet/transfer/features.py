"""Which layers a task reads: the top one, or a learned mix of all (Peters et al. 2018)."""

from __future__ import annotations

from torch import Tensor, nn

from langnet.encoders.encoder import Encoding
from langnet.tasks.scalar_mix import ScalarMix, as_wide, normalise_states

__all__ = ["ScalarMix", "TopLayer", "as_wide", "mixed_encoding", "normalise_states"]


class TopLayer(nn.Module):
    """Reads the last layer."""

    def forward(self, layers: list[Tensor]) -> Tensor:
        return layers[-1]  # (..., D)


def mixed_encoding(mix: nn.Module, encoding: Encoding) -> Encoding:
    """The encoding that a task reads: the mix stands on top of the layers."""
    if isinstance(mix, TopLayer):
        return encoding
    return Encoding([*encoding.layers, mix(encoding.layers)], encoding.state)
