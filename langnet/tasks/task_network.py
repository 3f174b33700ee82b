"""A network between an encoder's states and a task's head: layers of LSTMs in both directions over words.

The task networks that Peters et al. 2018 put ELMo into read a mix of its layers at their input and, in some tasks, a
second mix beside their output (their section 3.3). Over an encoder that reads from left to right it is also what lets
a word see what follows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from langnet.encoders.elmo import reverse
from langnet.encoders.lstm import LSTMWeights, lstm
from langnet.tasks.scalar_mix import ScalarMix


@dataclass(frozen=True)
class TaskNetworkConfig:
    """How the network is built.

    Attributes:
        hidden: units of each direction; 0 leaves the recurrent layers out.
        layers: how many.
        mixed_layers: of the encoder, embeddings counted, that a second mix beside the output reads; 0 for none.
        dropout: of the input and of each layer's output.
    """

    hidden: int = 128
    layers: int = 1
    mixed_layers: int = 0
    dropout: float = 0.1


class TaskNetwork(nn.Module):
    """Words' states in, words' states out.

    Args:
        config: sizes.
        dim: D, the width of the input.
        mixed_dim: the width of the second mix.

    Attributes:
        width: of the output.
    """

    def __init__(self, config: TaskNetworkConfig, dim: int, mixed_dim: int = 0):
        super().__init__()
        self.settings = config
        self.dropout = nn.Dropout(config.dropout)
        widths = [dim, *[2 * config.hidden] * config.layers] if config.hidden else [dim]
        self.layers = nn.ModuleList(
            nn.ModuleList([Direction(width, config.hidden) for _ in range(2)]) for width in widths[:-1]
        )
        self.mix = ScalarMix(config.mixed_layers) if config.mixed_layers else None
        self.width = widths[-1] + (mixed_dim if self.mix else 0)

    def forward(self, states: Tensor, lengths: Tensor, layers: list[Tensor] | None = None) -> Tensor:
        """States of words to states of words.

        Args:
            states: (N, W, D).
            lengths: (N,) words of each row.
            layers: the encoder's (N, W, .) each, where a second mix reads them.

        Returns:
            (N, W, width).
        """
        lengths = lengths.clamp_min(1)
        hidden = self.dropout(states)
        for pair in self.layers:
            hidden = self.dropout(_both_ways(pair, hidden.transpose(0, 1), lengths).transpose(0, 1))  # (N, W, 2 H)
        if self.mix is None:
            return hidden
        assert layers is not None, "the second mix reads the encoder's layers"
        return torch.cat([hidden, self.dropout(self.mix(layers))], dim=2)  # (N, W, width)


class Direction(nn.Module):
    """The weights of an LSTM in one direction; the forget gate starts open."""

    def __init__(self, dim: int, hidden: int):
        super().__init__()
        self.inputs = nn.Parameter(nn.init.xavier_uniform_(torch.empty(4 * hidden, dim)))
        self.hidden = nn.Parameter(nn.init.orthogonal_(torch.empty(4 * hidden, hidden)))
        bias = torch.zeros(4 * hidden)
        bias[hidden : 2 * hidden] = 1.0
        self.bias = nn.Parameter(bias)

    @property
    def weights(self) -> LSTMWeights:
        """As a function of weights takes them."""
        return LSTMWeights(self.inputs, self.hidden, self.bias)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """(W, N, D) to (W, N, H)."""
        return lstm(inputs, self.weights, None, lengths)[0]


def _both_ways(pair: nn.Module, inputs: Tensor, lengths: Tensor) -> Tensor:
    """(W, N, D) to (W, N, 2 H): what stands before each word and what stands behind it, the word in both."""
    onward, back = pair.children()
    turned = reverse(back(reverse(inputs, lengths), lengths), lengths)
    return torch.cat([onward(inputs, lengths), turned], dim=2)
