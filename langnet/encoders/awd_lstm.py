"""AWD-LSTM: a stack of LSTM layers, every part of it regularised by a dropout of its own.

Merity, Keskar & Socher, "Regularizing and Optimizing LSTM Language Models", 2017; the encoder of ULMFiT (Howard & Ruder
2018). Five dropouts: DropConnect on the hidden-to-hidden weights, one mask a sequence on the inputs, between layers and
on the output ("locked", Gal & Ghahramani 2016), and on whole words of the embedding. The softmax shares its matrix with
the embeddings and has a bias, so the last layer is as wide as they are.

What differs here: a dropped weight is computed in the forward pass and handed to the LSTM as an argument, where the
original replaces a module's parameter, which later releases of PyTorch undid more than once. Each layer has one bias
instead of cuDNN's two, whose sum is all that counts. Layers are returned as they leave the LSTM; the output dropout
belongs to the softmax (`softmax_input`). The state is an argument and a result, never kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.encoders.family import Family, Recipe
from langnet.encoders.lstm import LSTMWeights, State, lstm
from langnet.errors import LangnetError


@dataclass(frozen=True)
class AWDLSTMConfig:
    """Everything that rebuilds an AWD-LSTM.

    Attributes:
        vocabulary_size: V, the number of token ids.
        dim: D, the width of the embeddings and of the last layer.
        hidden: width of the layers below the last.
        n_layers: LSTM layers.
        dropout_scale: one dial: all five dropouts are multiplied by it.
        weight_dropout: part of the hidden-to-hidden weights that is dropped, anew for each batch.
        word_dropout: part of the vocabulary whose embeddings are dropped.
        input_dropout: on the embeddings.
        layer_dropout: between layers.
        output_dropout: on what the softmax reads.
    """

    vocabulary_size: int
    dim: int = 400
    hidden: int = 1150
    n_layers: int = 3
    dropout_scale: float = 1.0
    weight_dropout: float = 0.5
    word_dropout: float = 0.1
    input_dropout: float = 0.4
    layer_dropout: float = 0.3
    output_dropout: float = 0.4

    def __post_init__(self) -> None:
        for name in ("weight_dropout", "word_dropout", "input_dropout", "layer_dropout", "output_dropout"):
            p = getattr(self, name)
            if not 0 <= p * self.dropout_scale < 1:
                raise LangnetError(f"{name} {p:g} times dropout_scale {self.dropout_scale:g} must be from 0 to below 1")

    @property
    def layer_dims(self) -> tuple[int, ...]:
        """Width of the embeddings and of each layer."""
        return (self.dim, *[self.hidden] * (self.n_layers - 1), self.dim)


def dropout_mask(shape: tuple[int, ...], p: float, like: Tensor) -> Tensor:
    """Zero with probability p, else 1 / (1 - p), in the device and type of `like`."""
    if like.device.type != "cpu":
        return torch.empty(shape, device=like.device, dtype=like.dtype).bernoulli_(1 - p).div_(1 - p)
    # PyTorch draws 32 bits a number on a CPU and takes ten times as long; 16 bits decide as well for any p of use.
    n = torch.Size(shape).numel()
    bits = torch.empty(-(-n // 4), dtype=torch.int64).random_(-(2**63), None)
    kept = bits.view(torch.int16)[:n] >= round(p * 2**16) - 2**15
    return kept.view(shape).to(like.dtype).div_(1 - p)


def locked_dropout(x: Tensor, p: float) -> Tensor:
    """Dropout of (T, B, D) with one mask for all time steps of a row."""
    return x * dropout_mask((1, *x.shape[1:]), p, x) if p else x


class LSTMLayer(nn.Module):
    """The weights of one layer; a part of the hidden-to-hidden ones is dropped in training (Wan et al. 2013)."""

    def __init__(self, inputs: int, hidden: int):
        super().__init__()
        self.input_weight = nn.Parameter(torch.empty(4 * hidden, inputs))
        self.hidden_weight = nn.Parameter(torch.empty(4 * hidden, hidden))
        self.bias = nn.Parameter(torch.empty(4 * hidden))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(hidden**-0.5), hidden**-0.5)

    def weights(self, dropout: float) -> LSTMWeights:
        """What a forward pass computes with; the parameters themselves stay whole."""
        weight: Tensor = self.hidden_weight  # (4 H, H)
        if dropout:
            weight = weight * dropout_mask(tuple(weight.shape), dropout, weight)
        return LSTMWeights(self.input_weight, weight, self.bias)

    def forward(self, x: Tensor, dropout: float, state: State | None, lengths: Tensor | None) -> tuple[Tensor, State]:
        return lstm(x, self.weights(dropout), state, lengths)  # (T, B, H)


class AWDLSTM(Encoder):
    """The LSTM language model; `Encoding.state` is h and c of each layer after the last real token of each row."""

    recurrent = True

    def __init__(self, config: AWDLSTMConfig):
        super().__init__()
        self.config = config
        self.dim, self.n_layers, self.context = config.dim, config.n_layers, None
        self.token_embedding = nn.Embedding(config.vocabulary_size, config.dim)
        widths = config.layer_dims
        self.layers = nn.ModuleList(LSTMLayer(below, above) for below, above in pairwise(widths))
        self.softmax_bias = nn.Parameter(torch.zeros(config.vocabulary_size))
        nn.init.uniform_(self.token_embedding.weight, -0.1, 0.1)

    @property
    def layer_dims(self) -> tuple[int, ...]:
        widths: tuple[int, ...] = self.config.layer_dims
        return widths

    def forward(
        self, ids: Tensor, mask: Tensor | None = None, state: Any = None, causal: bool | None = None
    ) -> Encoding:
        """Encode ids (B, T) of any length; padding on the right changes neither the states nor what is handed on."""
        self.require_own_way(causal)
        lengths = None if mask is None or bool(mask.all()) else mask.sum(1).clamp_min(1)  # (B,)
        embedded = self._embed(ids.T)  # (T, B, D)
        x, layers, after = locked_dropout(embedded, self._rate(self.config.input_dropout)), [embedded], []
        for index, layer in enumerate(self.layers):
            before = None if state is None else state[index]
            x, last = layer(x, self._rate(self.config.weight_dropout), before, lengths)  # (T, B, H)
            layers.append(x)
            after.append(last)
            x = locked_dropout(x, self._rate(self.config.layer_dropout))
        return Encoding([layer.transpose(0, 1) for layer in layers], after)

    def _rate(self, dropout: float) -> float:
        return dropout * self.config.dropout_scale if self.training else 0.0

    def _embed(self, ids: Tensor) -> Tensor:
        """Embeddings of ids; a dropped word is zero wherever it stands."""
        embedded = self.token_embedding(ids)  # (T, B, D)
        p = self._rate(self.config.word_dropout)
        if not p:
            return embedded
        return embedded * dropout_mask((self.config.vocabulary_size,), p, embedded)[ids][..., None]

    def scale_dropout(self, scale: float) -> None:
        self.config = replace(self.config, dropout_scale=scale)

    def softmax_input(self, hidden: Tensor) -> Tensor:
        p = self._rate(self.config.output_dropout)
        return locked_dropout(hidden.transpose(0, 1), p).transpose(0, 1)  # (B, T, D)

    def output_weight(self) -> Tensor:
        return self.token_embedding.weight  # (V, D)

    def output_bias(self) -> Tensor | None:
        return self.softmax_bias  # (V,)

    def logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self.output_weight(), self.softmax_bias)  # (..., V)

    @property
    def embedder(self) -> nn.Module:
        return self.token_embedding

    def layer_groups(self) -> list[list[nn.Parameter]]:
        bottom = [*self.token_embedding.parameters(), self.softmax_bias]
        return [bottom, *([*layer.parameters()] for layer in self.layers)]


SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"dim": 128, "hidden": 256, "n_layers": 2, "dropout_scale": 0.1},
    "mini": {"dim": 192, "hidden": 512, "n_layers": 2, "dropout_scale": 0.1},
    "small": {"dim": 256, "hidden": 640, "n_layers": 3, "dropout_scale": 0.1},
    "medium": {"dim": 320, "hidden": 896, "n_layers": 3, "dropout_scale": 0.3},
    "base": {"dim": 400, "hidden": 1150, "n_layers": 3, "dropout_scale": 1.0},  # Merity et al. 2017
    "ulmfit": {"dim": 400, "hidden": 1152, "n_layers": 3, "dropout_scale": 1.0},  # fastai's
}


def awd_lstm_config(size: str, vocabulary_size: int, context: int | None = None) -> AWDLSTMConfig:
    """The configuration of a named size; there is no context to set, whatever is given for it."""
    return AWDLSTMConfig(vocabulary_size, **SIZES[size])


FAMILIES: list[Family] = [
    Family(
        "awd-lstm",
        "the regularised LSTM of Merity et al. 2017, ULMFiT's encoder",
        AWDLSTM,
        AWDLSTMConfig,
        SIZES,
        awd_lstm_config,
        Recipe(
            "adamw",
            1e-2,
            betas=(0.9, 0.95),
            schedule="trapezoid",
            warmup=0.02,
            decay=0.6,
            objective={"name": "language_model", "activation_penalty": 2.0, "temporal_penalty": 1.0},
            layout="streams",
            batch_tokens=1120,
            window=70,
        ),
    )
]
