"""A decoder that writes a sequence of tokens while it looks at an encoder's states: LSTMs with attention.

Bahdanau et al. 2015 and Luong et al. 2015; for trees Vinyals et al. 2015. At each step the LSTMs read the token before
and, with input feeding, what the attention made of the step before; the top state asks the encoder's states, by a dot
product or by a small network, and what it gets makes with it the state that the next token is predicted from:

    weights = softmax(score(h, k_1), ...)     read = sum_i weights_i v_i     output = tanh(W [h; read])

Tokens are rows of a table: the decoder's own, or another one, as an encoder's softmax, where both share a vocabulary.
`teach` goes over a whole sequence that is known, `step` one token further; `beam_search` writes by the latter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.lstm import lstm
from langnet.errors import LangnetError
from langnet.tasks.cross_entropy import linear_cross_entropy
from langnet.tasks.task_network import Direction
from langnet.text.batches import IGNORED

NOT_THERE = -1e4  # the attention score of padding; finite, since a row may have no state at all


@dataclass(frozen=True)
class DecoderConfig:
    """How the decoder is built.

    Attributes:
        start, end: the tokens before the first one, and behind the last.
        vocabulary: V, rows of its own table; 0 where another one is given.
        width: E, of the table's rows.
        hidden: H, units of each LSTM, and width of the output.
        layers: of LSTMs.
        attention: `dot` (Luong et al. 2015, general, divided by the root of H) or `additive` (Bahdanau et al. 2015).
        input_feeding: whether a step reads the output of the step before; without, whole sequences are quicker.
        guided: whether a step also reads one of the encoder's states, whose place the caller names, where it is known
            which one is next.
        dropout: of what the LSTMs read, between them, and of the output.
        lexical: how many of the last dimensions of the states, such as words' own vectors, also go to the output past
            the LSTMs (Nguyen & Chiang 2018), by a map that begins as the identity where widths allow; 0 for none.
    """

    start: int
    end: int
    vocabulary: int = 0
    width: int = 128
    hidden: int = 256
    layers: int = 1
    attention: Literal["dot", "additive"] = "dot"
    input_feeding: bool = True
    guided: bool = False
    dropout: float = 0.1
    lexical: int = 0


class Table(NamedTuple):
    """The tokens: what is read of them (V, E), what they are scored by (V, E), and a bias (V,) or None."""

    read: Tensor
    scored: Tensor
    bias: Tensor | None = None


class Memory(NamedTuple):
    """An encoder's states: `keys` (N, W, H) that are asked, `values` (N, W, D), and which are there (N, W)."""

    keys: Tensor
    values: Tensor
    there: Tensor

    def of_rows(self, rows: Tensor) -> Memory:
        """The memory of some rows, in the given order, each as often as it is named: rows (R,)."""
        return Memory(*(part.index_select(0, rows) for part in self))


class State(NamedTuple):
    """Between two tokens: `h` and `c` of each layer, (N, layers, H) each, and the output before, (N, H)."""

    h: Tensor
    c: Tensor
    output: Tensor

    def of_rows(self, rows: Tensor) -> State:
        """The state of some rows, as `Memory.of_rows`."""
        return State(*(part.index_select(0, rows) for part in self))


class AttentionDecoder(nn.Module):
    """Writes tokens.

    Args:
        config: how.
        dim: D, the width of the encoder's states.
    """

    def __init__(self, config: DecoderConfig, dim: int):
        super().__init__()
        self.settings = config
        hidden = config.hidden
        self.own = nn.Embedding(config.vocabulary, config.width) if config.vocabulary else None
        if self.own is not None:
            nn.init.normal_(self.own.weight, std=config.width**-0.5)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary)) if config.vocabulary else None
        first = config.width + hidden * config.input_feeding + dim * config.guided
        widths = [first, *[hidden] * (config.layers - 1)]
        self.layers = nn.ModuleList(Direction(width, hidden) for width in widths)
        self.begin = nn.Linear(dim, 2 * config.layers * hidden)
        self.keys = nn.Linear(dim, hidden, bias=False)
        self.query = nn.Linear(hidden, hidden, bias=False) if config.attention == "additive" else None
        self.score = nn.Linear(hidden, 1, bias=False) if config.attention == "additive" else None
        self.combine = nn.Linear(hidden + dim, hidden)
        self.project = nn.Linear(hidden, config.width) if config.width != hidden else nn.Identity()
        self.lexical = nn.Linear(config.lexical, config.width, bias=False) if config.lexical else None
        if self.lexical is not None and config.lexical == config.width:
            nn.init.eye_(self.lexical.weight)
        self.dropout = nn.Dropout(config.dropout)

    def table(self) -> Table:
        """The decoder's own table, read and scored by the same rows (Press & Wolf 2017).

        Raises:
            LangnetError: it has none.
        """
        if self.own is None:
            raise LangnetError("this decoder has no words of its own; give it a table of others")
        return Table(self.own.weight, self.own.weight, self.bias)

    @torch.no_grad()
    def start_from(self, rows: Tensor) -> None:
        """Begin with the vectors of another table of the same words, (V, E'), at the size that own ones are drawn at.

        Rows of another width than the table's, or none of any size, change nothing.
        """
        if self.own is None or rows.shape != self.own.weight.shape:
            return
        rows = rows.detach().float()
        size = float(rows.square().mean()) ** 0.5
        if size > 0:
            self.own.weight.copy_(rows * (self.settings.width**-0.5 / size))

    def begun(self, states: Tensor, lengths: Tensor) -> tuple[Memory, State]:
        """The memory of an encoder's states, and the state before the first token, made of their mean.

        Args:
            states: (N, W, D).
            lengths: (N,) how many of each row are there.
        """
        there = torch.arange(states.shape[1], device=states.device) < lengths[:, None]  # (N, W)
        real = states * there[..., None]
        mean = real.sum(1) / lengths.clamp_min(1)[:, None]  # (N, D)
        h, c = torch.tanh(self.begin(mean)).unflatten(1, (2, self.settings.layers, -1)).unbind(1)
        return Memory(self.keys(real), real, there), State(h, c, torch.zeros_like(h[:, 0]))

    def step(
        self, memory: Memory, state: State, tokens: Tensor, table: Table, places: Tensor | None = None
    ) -> tuple[Tensor, Tensor, State]:
        """One token further.

        Args:
            memory, state: of `begun`, or what the step before left.
            tokens: (N,) that were written last; `start` at first.
            table: what they are read from.
            places: (N,) which state a guided decoder reads; -1 for none.

        Returns:
            The output (N, E) that the next token is scored by, the weights of the attention (N, W), and the state.
        """
        read = self._read(memory, tokens[:, None], table, None if places is None else places[:, None])[:, 0]
        return self._step(memory, state, read)

    def teach(
        self, memory: Memory, state: State, tokens: Tensor, table: Table, places: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """All steps over tokens that are known, as `step` would go.

        Args:
            memory, state: of `begun`.
            tokens: (N, S) that are read, `start` first; behind a row's end any.
            table: what they are read from.
            places: (N, S), as in `step`.

        Returns:
            Outputs (N, S, E), and the weights of the attention (N, S, W).
        """
        read = self._read(memory, tokens, table, places)  # (N, S, E) and what else
        if not self.settings.input_feeding:
            hidden, _ = self._recurrence(read, state)  # (N, S, H)
            output, weights, looked = self._attend(memory, hidden)
            return self._projected(output, looked), weights
        outputs, shares = [], []
        for now in read.unbind(1):
            output, weights, state = self._step(memory, state, now)
            outputs.append(output)
            shares.append(weights)
        return torch.stack(outputs, 1), torch.stack(shares, 1)

    def _step(self, memory: Memory, state: State, read: Tensor) -> tuple[Tensor, Tensor, State]:
        if self.settings.input_feeding:
            read = torch.cat([read, state.output], dim=1)
        hidden, after = self._recurrence(read[:, None], state)
        output, weights, looked = self._attend(memory, hidden)
        return self._projected(output, looked)[:, 0], weights[:, 0], State(*after, output[:, 0])

    def _read(self, memory: Memory, tokens: Tensor, table: Table, places: Tensor | None) -> Tensor:
        read = F.embedding(tokens, table.read)  # (N, S, E)
        if self.settings.guided:
            assert places is not None, "a guided decoder is told which state is next"
            found = memory.values.gather(1, places.clamp_min(0)[..., None].expand(-1, -1, memory.values.shape[2]))
            read = torch.cat([read, found * (places >= 0)[..., None]], dim=2)  # (N, S, E + D)
        return self.dropout(read)

    def _recurrence(self, read: Tensor, state: State) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(N, S, .) through the layers: the top one's states (N, S, H), and h and c at the end."""
        hidden = read.transpose(0, 1)  # (S, N, .)
        ends = []
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, Direction)
            before = state.h[:, number].to(hidden.dtype), state.c[:, number].to(hidden.dtype)
            hidden, end = lstm(self.dropout(hidden) if number else hidden, layer.weights, before)
            ends.append(end)
        h, c = (torch.stack(part, dim=1) for part in zip(*ends, strict=True))
        return hidden.transpose(0, 1), (h, c)

    def _attend(self, memory: Memory, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Outputs (N, S, H) of states (N, S, H), the attention's weights (N, S, W), and what it read (N, S, D)."""
        if self.score is not None and self.query is not None:
            mixed = torch.tanh(self.query(hidden)[:, :, None] + memory.keys[:, None])  # (N, S, W, H)
            scores = self.score(mixed)[..., 0]  # (N, S, W)
        else:
            scores = hidden @ memory.keys.transpose(1, 2) / hidden.shape[2] ** 0.5  # (N, S, W)
        weights = scores.masked_fill(~memory.there[:, None], NOT_THERE).softmax(2)
        read = weights @ memory.values  # (N, S, D)
        return self.dropout(torch.tanh(self.combine(torch.cat([hidden, read], dim=2)))), weights, read

    def _projected(self, output: Tensor, looked: Tensor) -> Tensor:
        found: Tensor = self.project(output)
        if self.lexical is not None:
            found = found + self.lexical(looked[..., -self.settings.lexical :])
        return found


def scores_of(output: Tensor, table: Table) -> Tensor:
    """The scores of all tokens, (..., V), of outputs (..., E)."""
    return F.linear(output, table.scored, table.bias)


def sequence_loss(outputs: Tensor, targets: Tensor, table: Table, smoothing: float = 0.0) -> Tensor:
    """The mean cross-entropy of the tokens that come next, without a matrix of all scores.

    With label smoothing (Szegedy et al. 2016) a share of the probability goes to all V tokens alike. Since the loss is
    linear in the targets, it adds that share of how far the right token's score lies above the mean score.

    Args:
        outputs: (N, S, E).
        targets: (N, S), -100 behind a row's end.
        table: what tokens are scored by.
        smoothing: the share.
    """
    loss = linear_cross_entropy(outputs, table.scored, targets, table.bias)
    if not smoothing:
        return loss
    real = targets != IGNORED  # (N, S)
    wanted, states = targets[real], outputs[real]  # (n,), (n, E)
    above = (states * (table.scored[wanted] - table.scored.mean(0))).sum(1)  # (n,)
    if table.bias is not None:
        above = above + table.bias[wanted] - table.bias.mean()
    return loss + smoothing * above.sum() / max(1, len(wanted))


def shifted(sequences: list[list[int]], config: DecoderConfig, device: torch.device) -> tuple[Tensor, Tensor]:
    """Sequences without marks as what is read (N, S), `start` first, and what is to be written (N, S), `end` last.

    Behind a row's end `end` is read, and -100 is to be written.
    """
    width = max(len(own) for own in sequences) + 1
    read = torch.full((len(sequences), width), config.end)
    written = torch.full((len(sequences), width), IGNORED)
    read[:, 0] = config.start
    for row, own in enumerate(sequences):
        read[row, 1 : len(own) + 1] = torch.tensor(own, dtype=torch.long)
        written[row, : len(own) + 1] = torch.tensor([*own, config.end])
    return read.to(device), written.to(device)
