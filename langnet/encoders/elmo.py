"""ELMo: words read as characters, and a language model in each direction over them.

Peters et al., "Deep contextualized word representations", 2018: a convolution over the characters of each word,
highway layers and a projection; then LSTMs with projection, one stack from left to right and one from right to left,
which never see each other; a residual connection from each LSTM layer to the next. Both directions share characters
and softmax.

What differs here: the character network reads each distinct word of a batch once and no further than its longest word
needs, which changes nothing in the result; forget gates start at a bias of 1 instead of adding 1 at every step; and the
state is passed in and out, where the original program keeps it between calls. Both directions run side by side in
`encoders/projected_lstm.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.encoders.family import Family, Recipe
from langnet.encoders.projected_lstm import ProjectedLSTM
from langnet.errors import LangnetError
from langnet.text.characters import LONGEST_WORD, N_CHARACTERS, NO_CHARACTER, NO_WORD

_PUBLISHED_FILTERS = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024))


@dataclass(frozen=True)
class ELMoConfig:
    """Everything that rebuilds an ELMo.

    Attributes:
        vocabulary_size: V, the words that the softmax predicts; 0 for an encoder that came without its softmax.
        projection: P, the width of a word and of each direction's states; layers are 2 P wide.
        units: H, the width of the LSTMs' cells; equal to P for LSTMs without a projection.
        n_layers: LSTM layers of each direction.
        filters: width and number of each kind of character filter.
        character_dim: width of a character.
        n_highway: highway layers over the filters.
        activation: of the filters.
        max_characters: C, the most characters a word, marks counted.
        cell_clip: bound of the cells' values; None leaves them free.
        projection_clip: bound of the projected states; likewise.
        residual: whether each LSTM layer but the first adds its input to its output.
        dropout: on the input of each LSTM layer.
        n_words: rows of a table of word vectors in the place of the character network; 0 reads characters.
    """

    vocabulary_size: int
    projection: int = 512
    units: int = 4096
    n_layers: int = 2
    filters: tuple[tuple[int, int], ...] = _PUBLISHED_FILTERS
    character_dim: int = 16
    n_highway: int = 2
    activation: Literal["relu", "tanh"] = "relu"
    max_characters: int = LONGEST_WORD
    cell_clip: float | None = 3.0
    projection_clip: float | None = 3.0
    residual: bool = True
    dropout: float = 0.1
    n_words: int = 0

    def __post_init__(self) -> None:
        # JSON knows no tuples, so a folder's configuration brings lists.
        object.__setattr__(self, "filters", tuple((int(width), int(n)) for width, n in self.filters))
        if self.projection > self.units:
            raise LangnetError(f"the projection to {self.projection} must not be wider than the {self.units} units")
        if self.activation not in ("relu", "tanh"):
            raise LangnetError(f"the activation of the filters is '{self.activation}'; choose relu or tanh")
        if not self.n_words and max((width for width, _ in self.filters), default=99) > self.max_characters:
            raise LangnetError(f"filters {self.filters} do not fit words of {self.max_characters} characters")

    @property
    def n_filters(self) -> int:
        """F, the filters of all widths together."""
        return sum(number for _, number in self.filters)


class Highway(nn.Module):
    """g relu(W x + b) + (1 - g) x with g = sigmoid(V x + c) (Srivastava et al. 2015); it starts by carrying x on."""

    def __init__(self, dim: int):
        super().__init__()
        self.transform, self.gate = nn.Linear(dim, dim), nn.Linear(dim, dim)
        for layer, bias in ((self.transform, 0.0), (self.gate, -2.0)):
            nn.init.normal_(layer.weight, std=dim**-0.5)
            nn.init.constant_(layer.bias, bias)

    def forward(self, x: Tensor) -> Tensor:
        return torch.lerp(x, F.relu(self.transform(x)), torch.sigmoid(self.gate(x)))  # (N, F)


class CharacterNetwork(nn.Module):
    """A word's vector from its characters: filters, the maximum over places, highway layers, a projection."""

    def __init__(self, config: ELMoConfig):
        super().__init__()
        self.longest, self.activation = config.max_characters, config.activation
        self.widest = max(width for width, _ in config.filters)
        self.embedding = nn.Embedding(N_CHARACTERS, config.character_dim, padding_idx=NO_WORD)
        self.filters = nn.ModuleList(nn.Conv1d(config.character_dim, number, width) for width, number in config.filters)
        self.highways = nn.ModuleList(Highway(config.n_filters) for _ in range(config.n_highway))
        same = config.n_filters == config.projection
        self.projection = None if same else nn.Linear(config.n_filters, config.projection)
        nn.init.uniform_(self.embedding.weight, -1, 1)
        with torch.no_grad():
            self.embedding.weight[NO_WORD] = 0
        for layer, (width, _) in zip(self.filters, config.filters, strict=True):
            weight, bias = layer.parameters()
            if config.activation == "relu":
                nn.init.uniform_(weight, -0.05, 0.05)  # Kim et al. 2016
            else:
                nn.init.normal_(weight, std=(width * config.character_dim) ** -0.5)
            nn.init.zeros_(bias)
        if self.projection is not None:
            nn.init.normal_(self.projection.weight, std=config.n_filters**-0.5)
            nn.init.zeros_(self.projection.bias)

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors (..., P) of words (..., C) int64."""
        words, place = torch.unique(ids.flatten(0, -2), dim=0, return_inverse=True)  # (N, C), (B T,)
        x = self.embedding(self._fitted(words)).mT  # (N, E, C)
        pooled = [layer(x).amax(2) for layer in self.filters]
        # Both activations rise everywhere, so the maximum may be taken first.
        features = torch.cat(pooled, dim=1)  # (N, F)
        features = features.relu() if self.activation == "relu" else features.tanh()
        for highway in self.highways:
            features = highway(features)
        if self.projection is not None:
            features = self.projection(features)  # (N, P)
        return F.embedding(place.view(ids.shape[:-1]), features)  # (..., P)

    def _fitted(self, words: Tensor) -> Tensor:
        """The words (N, c) cut or padded to the fewest characters that give what `longest` give.

        Behind the longest word all windows hold nothing but padding, so one of them counts for all.
        """
        if words.shape[1] > self.longest:
            raise LangnetError(f"words of {words.shape[1]} characters do not fit this encoder's {self.longest}")
        used = int(((words != NO_CHARACTER) & (words != NO_WORD)).any(0).sum())
        width = min(self.longest, used + self.widest)
        if words.shape[1] >= width:
            return words[:, :width]
        padding = torch.where(words[:, :1] == NO_WORD, NO_WORD, NO_CHARACTER)  # (N, 1)
        return torch.cat([words, padding.expand(-1, width - words.shape[1])], dim=1)  # (N, C)


class ELMo(Encoder):
    """Characters (B, T, C) to layers (B, T, 2 P): the words, twice beside themselves, then each LSTM layer.

    The first half of a layer has read the words up to its own from the left, the second half from the right, from each
    row's last real word. `Encoding.state` holds hidden and cell of each layer, both directions, after the row's last
    step: what the original program carries from one sentence to the next.
    """

    bidirectional = True
    causal = False

    def __init__(self, config: ELMoConfig):
        super().__init__()
        self.config = config
        self.dim, self.n_layers, self.context = 2 * config.projection, config.n_layers, None
        self.characters = None if config.n_words else config.max_characters
        self.words: nn.Module = (
            nn.Embedding(config.n_words, config.projection) if config.n_words else CharacterNetwork(config)
        )
        size = (2, config.projection, config.units, config.projection, config.cell_clip, config.projection_clip)
        self.lstms = nn.ModuleList(ProjectedLSTM(*size) for _ in range(config.n_layers))
        self.dropout = nn.Dropout(config.dropout)
        self.softmax = None
        self.predicts_next = config.vocabulary_size > 0
        if config.vocabulary_size:
            self.softmax = nn.Linear(config.projection, config.vocabulary_size, bias=False)
            nn.init.normal_(self.softmax.weight, std=config.projection**-0.5)

    def forward(
        self, ids: Tensor, mask: Tensor | None = None, state: Any = None, causal: bool | None = None
    ) -> Encoding:
        """Encode ids (B, T, C) of words as `text.characters` spells them, or (B, T) with a table of words.

        Raises:
            LangnetError: ids of the wrong shape, or of words longer than the encoder's.
        """
        self.require_own_way(causal)
        if ids.dim() != (2 if self.config.n_words else 3):
            wanted = "words (B, T)" if self.config.n_words else "characters (B, T, C)"
            raise LangnetError(f"this encoder reads {wanted}, not ids of the shape {tuple(ids.shape)}")
        B, T = ids.shape[:2]
        lengths = ids.new_full((B,), T) if mask is None else mask.sum(1)  # (B,)
        words = self.words(ids)  # (B, T, P)
        x = words.transpose(0, 1)  # (T, B, P)
        x = torch.stack([x, reverse(x, lengths)])  # (2, T, B, P)
        layers, states = [torch.cat([words, words], dim=2)], []  # (B, T, 2 P)
        for index, lstm in enumerate(self.lstms):
            x = self.dropout(x)
            out, after = lstm(x, lengths, None if state is None else state[index])  # (2, T, B, P)
            x = out + x if index and self.config.residual else out
            layers.append(torch.cat([x[0], reverse(x[1], lengths)], dim=2).transpose(0, 1))  # (B, T, 2 P)
            states.append(after)
        return Encoding(layers, states)

    def output_weight(self) -> Tensor:
        if self.softmax is None:
            raise LangnetError(
                "this ELMo came without its softmax, as the original program's files do, so it predicts no words; "
                "it can encode, and be fine-tuned"
            )
        return self.softmax.weight  # (V, P)

    def logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden[..., : self.config.projection], self.output_weight())  # (..., V)

    @property
    def embedder(self) -> nn.Module:
        return self.words

    def layer_groups(self) -> list[list[nn.Parameter]]:
        groups = [[*self.words.parameters()], *([*lstm.parameters()] for lstm in self.lstms)]
        if self.softmax is not None:
            groups[-1] += [*self.softmax.parameters()]
        return groups


def reverse(x: Tensor, lengths: Tensor) -> Tensor:
    """Turn the real steps of each sequence of (T, B, ...) around; padding stays behind them."""
    steps = torch.arange(len(x), device=x.device)[:, None]  # (T, 1)
    source = torch.where(steps < lengths, lengths - 1 - steps, steps)  # (T, B)
    return x[source, torch.arange(x.shape[1], device=x.device)]  # (T, B, ...)


_FILTERS = ((1, 16), (2, 16), (3, 32), (4, 64), (5, 128), (6, 128), (7, 128))  # of the sizes for small machines
SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"units": 256, "projection": 64, "filters": _FILTERS[:5], "n_highway": 1},
    "mini": {"units": 512, "projection": 128, "filters": _FILTERS[:6], "n_highway": 1},
    "small": {"units": 1024, "projection": 192, "filters": _FILTERS, "n_highway": 1},
    "medium": {"units": 2048, "projection": 256, "filters": _PUBLISHED_FILTERS, "n_highway": 2},
    "base": {"units": 4096, "projection": 512, "filters": _PUBLISHED_FILTERS, "n_highway": 2},  # as published
}


def named_size(config: ELMoConfig) -> str | None:
    """The name of a configuration's size; None where it is of no named one."""
    for name, fields in SIZES.items():
        if all(getattr(config, field) == value for field, value in fields.items()):
            return name
    return None


def _config(size: str, vocabulary_size: int, context: int | None) -> ELMoConfig:
    """The configuration of a named size; a context, which ELMo does not limit, changes nothing in it."""
    return ELMoConfig(vocabulary_size, **SIZES[size])


FAMILIES: list[Family] = [
    Family(
        "elmo",
        "two LSTMs over words read as characters, one in each direction (Peters et al. 2018)",
        ELMo,
        ELMoConfig,
        SIZES,
        _config,
        Recipe(
            "adamw",
            5e-3,
            objective={"name": "bidirectional_language_model", "negatives": 8192},
            batch_tokens=1024,
            window=128,
            tokenizer="words",
            spell=True,
        ),
    )
]
