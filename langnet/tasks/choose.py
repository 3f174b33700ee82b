"""Multiple choice and cloze: every alternative is a sequence of its own, and the softmax goes over an item's.

Start, context and question, delimiter, alternative, extract (Radford et al. 2018, section 3.3); where there is a blank,
the alternative stands in it. Each sequence is scored by one linear layer, which knows nothing of its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.encoders.precision import exact
from langnet.errors import LangnetError
from langnet.tasks.pooling import WIDTHS, Pooling, pool
from langnet.tasks.rows import cut, padded
from langnet.tasks.task import SupervisedTask
from langnet.tasks.writing import Tokens, Writer
from langnet.text.batches import Batch
from langnet.text.characters import join
from langnet.text.multiple_choice import MultipleChoice

TIE = 1e-6  # two probabilities that differ by less, relatively, are equal: the rest is rounding


@dataclass(frozen=True)
class ChooseConfig:
    """How the head is built.

    Attributes:
        pooling: from positions to a sequence.
        hidden: width of a layer before the last; 0 for none.
        dropout: before each linear layer.
    """

    pooling: Pooling = "concat"
    hidden: int = 0
    dropout: float = 0.1


@dataclass(frozen=True)
class ChoiceExample:
    """An item as one sequence of tokens an alternative, (T,) or (T, C) each, which stay together in a batch.

    Attributes:
        rows: the sequences.
        answer: the right one's number; -1 where it is to be predicted.
    """

    rows: tuple[np.ndarray, ...]
    answer: int

    @property
    def ids(self) -> np.ndarray:
        """All tokens, one sequence after the other."""
        return join(self.rows) if self.rows[0].ndim == 2 else np.concatenate(self.rows)

    @property
    def shared(self) -> int:
        """The tokens that all sequences begin with."""
        least = min(map(len, self.rows))
        width = min(row.shape[-1] for row in self.rows) if self.rows[0].ndim == 2 else 0
        heads = [row[:least, :width] if width else row[:least] for row in self.rows]
        equal = np.logical_and.reduce([(head == heads[0]).reshape(least, -1).all(1) for head in heads])
        return int(equal.cumprod().sum())

    def with_ids(self, ids: np.ndarray) -> ChoiceExample:
        """The same item of other tokens, as many as before."""
        ends = np.cumsum([len(row) for row in self.rows])[:-1]
        return replace(self, rows=tuple(np.split(ids, ends)))


@dataclass(frozen=True)
class ChoiceGuess:
    """What is guessed of an item.

    Attributes:
        probabilities: of every alternative.
    """

    probabilities: tuple[float, ...]

    @property
    def index(self) -> int:
        """The number of the most probable alternative; the first of those that are as probable."""
        return self._best()[0]

    @property
    def tied(self) -> bool:
        """Whether another alternative is as probable, so that nothing was chosen."""
        return len(self._best()) > 1

    def _best(self) -> list[int]:
        most = max(self.probabilities)
        return [number for number, value in enumerate(self.probabilities) if most - value <= TIE * most]


class Choose(SupervisedTask[MultipleChoice, ChoiceGuess]):
    """Pool every alternative's sequence and score it."""

    name = "choose"

    def __init__(self, config: ChooseConfig, dim: int):
        super().__init__()
        self.settings = config
        width = WIDTHS[config.pooling] * dim
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.hidden = nn.Linear(width, config.hidden) if config.hidden else None
        self.output = nn.Linear(config.hidden or width, 1)

    def examples(self, items: Sequence[MultipleChoice], writer: Writer, labelled: bool = True) -> list[ChoiceExample]:
        """A sequence an alternative, none longer than is read at once.

        Raises:
            LangnetError: an item without alternatives, or with an answer that none of them is.
        """
        for item in items:
            where = item.source or f"'{item.context[:40]}'"
            if not item.alternatives:
                raise LangnetError(f"{where}: there are no alternatives to choose from")
            if labelled and (item.answer is None or not 0 <= item.answer < len(item.alternatives)):
                last = len(item.alternatives) - 1
                raise LangnetError(f"{where}: the answer is {item.answer}; it has to be a number from 0 to {last}")
        texts = [item.texts(number) for item in items for number in range(len(item.alternatives))]
        tokens = iter(writer.tokens([text for each in texts for text in each]))
        found = []
        for item in items:
            sequences = [(next(tokens), next(tokens), next(tokens)) for _ in item.alternatives]
            rows = tuple(_written(parts, item.is_cloze, writer) for parts in _cut_alike(sequences, writer))
            found.append(ChoiceExample(rows, -1 if not labelled or item.answer is None else item.answer))
        return found

    def collate(self, examples: Sequence[ChoiceExample], context: int | None, pad_id: int) -> Batch:
        """One batch; `document` counts the alternatives of all items."""
        pieces = [cut(row, context) for example in examples for row in example.rows]
        ids, mask = padded([row for rows in pieces for row in rows], pad_id)
        return Batch(
            ids,
            mask,
            labels=torch.tensor([example.answer for example in examples]),
            document=torch.tensor([index for index, rows in enumerate(pieces) for _ in rows]),
            examples=examples,
            n_examples=len(examples),
        )

    def scores(self, encoding: Encoding, batch: Batch) -> Tensor:
        """Unnormalised log-probabilities of each item's alternatives, (N, K); minus infinity where it has fewer."""
        counts = [len(example.rows) for example in batch.examples]
        pooled = pool(encoding.top, replace(batch, n_examples=sum(counts)), self.settings.pooling)  # (A, width)
        x = self.dropout(self.norm(pooled))
        if self.hidden is not None:
            x = self.dropout(F.relu(self.hidden(x)))
        each = self.output(x)[:, 0].float().split(counts)  # N of (K,)
        return nn.utils.rnn.pad_sequence(list(each), batch_first=True, padding_value=float("-inf"))  # (N, K)

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.labels is not None, "choices are learned from with answers"
        return F.cross_entropy(self.scores(encoding, batch), batch.labels)

    def guesses(self, encoding: Encoding, batch: Batch) -> list[ChoiceGuess]:
        table = exact(self.scores(encoding, batch)).softmax(dim=1).cpu().numpy()  # (N, K)
        rows = [row[: len(example.rows)] for row, example in zip(table, batch.examples, strict=True)]
        return [ChoiceGuess(tuple(map(float, row))) for row in rows]

    def guess_scores(self, encoding: Encoding, batch: Batch, guesses: Sequence[ChoiceGuess]) -> Tensor:
        """The log-probability of the chosen alternative, (N,)."""
        chosen = torch.tensor([guess.index for guess in guesses], device=batch.ids.device)
        return exact(self.scores(encoding, batch)).log_softmax(1).gather(1, chosen[:, None])[:, 0]

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings)}


def _cut_alike(sequences: Sequence[tuple[Tokens, Tokens, Tokens]], writer: Writer) -> list[tuple[Tokens, ...]]:
    """Every sequence short enough to be read at once, all by the same limit, so that contexts do not differ."""
    most = [max((sequence[part] for sequence in sequences), key=len) for part in range(3)]
    limit = max(map(len, writer.fitted(most, writer.window)))
    return [tuple(part.shortened(limit) for part in sequence) for sequence in sequences]


def _written(parts: Sequence[Tokens], cloze: bool, writer: Writer) -> np.ndarray:
    """One sequence; the question is part of the context's segment."""
    context, question, alternative = parts
    text = context.followed_by(question)
    return writer.join([text] if cloze else [text, alternative]).ids
