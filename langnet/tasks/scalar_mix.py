"""A learned mix of an encoder's layers (Peters et al. 2018)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ScalarMix(nn.Module):
    """gamma * sum_j softmax(s)_j h_j over all layers, embeddings included (Peters et al. 2018, equation 1).

    Layers of different width are mixed in the width of the widest, the others padded with zeros.

    Args:
        n_layers: number of tensors that are mixed, the embeddings' counted.
        normalise: layer norm, without gain, on each layer's states first, so that none outweighs another by its scale.
    """

    def __init__(self, n_layers: int, normalise: bool = True):
        super().__init__()
        self.normalise = normalise
        self.scalars = nn.Parameter(torch.zeros(n_layers))
        self.gamma = nn.Parameter(torch.ones(()))

    def weights(self) -> Tensor:
        """The share of each layer, (n_layers,); sums to one."""
        return self.scalars.softmax(0)

    def forward(self, layers: list[Tensor]) -> Tensor:
        if self.normalise:
            layers = [normalise_states(layer) for layer in layers]
        layers = as_wide(layers)
        mixed = sum(weight * layer for weight, layer in zip(self.weights(), layers, strict=True))
        return self.gamma * mixed  # (..., D)


def as_wide(layers: list[Tensor], width: int = 0) -> list[Tensor]:
    """The layers, each padded with zeros to the width of the widest, or to `width` where that is more."""
    width = max(width, *(layer.shape[-1] for layer in layers))
    return [F.pad(layer, (0, width - layer.shape[-1])) if layer.shape[-1] < width else layer for layer in layers]


def normalise_states(states: Tensor) -> Tensor:
    """Layer norm without gain: zero mean and unit variance over the last dimension."""
    return F.layer_norm(states, (states.shape[-1],))
