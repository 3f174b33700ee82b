"""Two encoders of one family side by side, one for each direction of the text.

What Peters et al. 2018 did with LSTMs, for any encoder that reads from left to right: the second one reads every row
reversed, neither sees anything of the other, and both share the embeddings and the softmax. Their layers stand beside
each other, so what serves a bidirectional language model serves this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from langnet.encoders.awd_lstm import AWDLSTM, AWDLSTMConfig
from langnet.encoders.encoder import Encoder, Encoding
from langnet.encoders.gpt import GPT, GPTConfig
from langnet.errors import LangnetError


@dataclass(frozen=True)
class TwoWayConfig:
    """Everything that rebuilds a pair.

    Attributes:
        one_way: of each of the two encoders.
    """

    one_way: GPTConfig | AWDLSTMConfig


class TwoWay(Encoder):
    """Layers (B, T, 2 D): the first half has read the words up to its own from the left, the second from the right.

    There is no state to go on from, since the second encoder begins at a text's end.
    """

    bidirectional = True
    causal = False

    def __init__(self, config: TwoWayConfig):
        super().__init__()
        self.config = config
        self.forwards, self.backwards = _one_way(config), _one_way(config)
        _share(self.forwards, self.backwards)
        self.dim, self.n_layers = 2 * self.forwards.dim, self.forwards.n_layers
        self.context = self.forwards.context

    @property
    def layer_dims(self) -> tuple[int, ...]:
        return tuple(2 * width for width in self.forwards.layer_dims)

    def forward(
        self, ids: Tensor, mask: Tensor | None = None, state: Any = None, causal: bool | None = None
    ) -> Encoding:
        """Encode ids (B, T) from both sides; each row is turned around at its last real token.

        Raises:
            LangnetError: a state was given, or one way alone was asked for.
        """
        self.require_own_way(causal)
        if state is not None:
            raise LangnetError("what was read from both sides cannot be gone on with; read the whole text at once")
        places = _mirrored(ids, mask)  # (B, T)
        left = self.forwards(ids, mask).layers
        right = self.backwards(ids.gather(1, places), mask).layers
        layers = []
        for a, b in zip(left, right, strict=True):
            turned = b.gather(1, places[..., None].expand_as(b))  # (B, T, D)
            layers.append(torch.cat([a, turned], dim=-1))  # (B, T, 2 D)
        return Encoding(layers)

    def scale_dropout(self, scale: float) -> None:
        for part in (self.forwards, self.backwards):
            part.scale_dropout(scale)
        self.config = TwoWayConfig(self.forwards.config)

    def softmax_input(self, hidden: Tensor) -> Tensor:
        left, right = hidden.chunk(2, dim=-1)
        return torch.cat([self.forwards.softmax_input(left), self.forwards.softmax_input(right)], dim=-1)  # (B, T, 2 D)

    def output_weight(self) -> Tensor:
        return self.forwards.output_weight()  # (V, D)

    def output_bias(self) -> Tensor | None:
        return self.forwards.output_bias()  # (V,)

    def logits(self, hidden: Tensor) -> Tensor:
        return self.forwards.logits(hidden.chunk(2, dim=-1)[0])  # (..., V)

    def layer_groups(self) -> list[list[nn.Parameter]]:
        groups, seen = [], set[int]()
        for left, right in zip(self.forwards.layer_groups(), self.backwards.layer_groups(), strict=True):
            both = list(dict.fromkeys([*left, *right]))  # what they share stands in both
            groups.append([parameter for parameter in both if id(parameter) not in seen])
            seen |= {id(parameter) for parameter in both}
        return groups


def _one_way(config: TwoWayConfig) -> GPT | AWDLSTM:
    return GPT(config.one_way) if isinstance(config.one_way, GPTConfig) else AWDLSTM(config.one_way)


def _share(first: Encoder, second: Encoder) -> None:
    """Let the second encoder use the first one's embeddings and softmax."""
    shared = [*second.layer_groups()[0], second.output_weight(), second.output_bias()]
    for name, parameter in list(second.named_parameters()):
        if any(parameter is held for held in shared):
            owner, _, attribute = name.rpartition(".")
            setattr(second.get_submodule(owner), attribute, first.get_parameter(name))


def _mirrored(ids: Tensor, mask: Tensor | None) -> Tensor:
    """Where each place (B, T) of a row lies when its real tokens are turned around; padding keeps its place."""
    B, T = ids.shape
    steps = torch.arange(T, device=ids.device).expand(B, T)  # (B, T)
    lengths = ids.new_full((B, 1), T) if mask is None else mask.sum(1, keepdim=True)  # (B, 1)
    return torch.where(steps < lengths, lengths - 1 - steps, steps)  # (B, T)
