"""Extractive reading comprehension: which span of a passage answers a question, if any does.

Question and passage are one packed sequence (Radford et al. 2018). Since a causal encoder has not read what stands to
the right of a token, a small task network stands on its states, after DrQA (Chen et al. 2017) and BiDAF (Seo et al.
2017): each token of the passage attends to those of the question, a bidirectional LSTM goes over the whole passage, and
start and end are scored against a summary of the question. There is one distribution over all spans, and over there
being no answer where training questions have none (`spans`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from langnet.encoders.encoder import Encoder, Encoding
from langnet.encoders.precision import exact
from langnet.errors import LangnetError
from langnet.tasks.matches import N_FEATURES
from langnet.tasks.passages import (
    SMALLEST_WINDOW,
    QuestionBatch,
    QuestionExample,
    collate_questions,
    question_examples,
)
from langnet.tasks.rows import gather
from langnet.tasks.spans import best_spans, log_total, span_loss, span_scores
from langnet.tasks.task import SupervisedTask
from langnet.tasks.writing import Writer
from langnet.text.batches import Batch
from langnet.text.questions import Question


@dataclass(frozen=True)
class AnswerConfig:
    """How the head is built, and what it takes for an answer.

    Attributes:
        longest: the most characters of an answer, in Unicode NFC.
        unanswerable: whether the passage may not answer the question.
        threshold: the probability of that above which no answer is given.
        hidden: units of each direction of the LSTMs.
        matches: whether the network sees which words question and passage share, and how words are written.
        window: the most tokens that the encoder reads at once, question included; its context may be shorter.
        count: how many of the most probable spans a guess lists.
        dropout: before the layers that score.
        input_dropout: on the encoder's states.
    """

    longest: int = 150
    unanswerable: bool = False
    threshold: float = 0.5
    hidden: int = 64
    matches: bool = True
    window: int = 512
    count: int = 5
    dropout: float = 0.1
    input_dropout: float = 0.3

    def __post_init__(self) -> None:
        for name, least in (("longest", 1), ("hidden", 1), ("window", SMALLEST_WINDOW), ("count", 1)):
            if getattr(self, name) < least:
                raise LangnetError(f"{name} must be {least} or more, not {getattr(self, name)}")
        for name in ("dropout", "input_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise LangnetError(f"{name.replace('_', ' ')} must be from 0 to below 1, not {getattr(self, name):g}")
        if not 0 <= self.threshold <= 1:
            raise LangnetError(f"the threshold is a probability from 0 to 1, not {self.threshold:g}")


@dataclass(frozen=True)
class Span:
    """A span of a passage as it was read: characters start <= i < end, and the probability that it is the answer."""

    text: str
    start: int
    end: int
    probability: float


@dataclass(frozen=True)
class AnswerGuess:
    """What the task says of a question.

    Attributes:
        text: the answer as it stands in the passage; empty where none is given.
        start, end: its characters; 0 and 0 of none.
        probability: of this answer, or of there being none.
        no_answer: the probability that the passage does not answer the question.
        best: the most probable spans, the first first, also where no answer is given.
    """

    text: str
    start: int
    end: int
    probability: float
    no_answer: float
    best: tuple[Span, ...] = ()

    @classmethod
    def of(cls, best: Sequence[Span], no_answer: float, threshold: float) -> AnswerGuess:
        """The first span, unless there is none or the probability of no answer lies above the threshold."""
        if not best or no_answer > threshold:
            return cls("", 0, 0, no_answer, no_answer, tuple(best))
        first = best[0]
        return cls(first.text, first.start, first.end, first.probability, no_answer, tuple(best))


class Answer(SupervisedTask[Question, AnswerGuess]):
    """Find the span."""

    name = "answer"

    def __init__(self, config: AnswerConfig, dim: int):
        super().__init__()
        self.settings = config
        self.network = SpanNetwork(config, dim)

    def examples(self, items: Sequence[Question], writer: Writer, labelled: bool = True) -> list[QuestionExample]:
        examples = question_examples(items, writer, self.settings.window, labelled)
        if not labelled:
            return examples
        known = [e for e, item in zip(examples, items, strict=True) if len(e.gold) or self._empty(item)]
        if items and not known:
            raise LangnetError(
                "no token of this model stands for any part of an answer; there is nothing to learn from"
            )
        return known

    def _empty(self, item: Question) -> bool:
        """Whether the question is known to have no answer; one that nobody answered cannot be learned from."""
        if item.answers is None:
            raise LangnetError(f"{item.source}: question {item.name} has no answers to learn from; it can be predicted")
        if not item.answers and not self.settings.unanswerable:
            raise LangnetError(f"{item.source}: question {item.name} has no answer, and this head always gives one")
        return not item.answers

    def collate(self, examples: Sequence[QuestionExample], context: int | None, pad_id: int) -> QuestionBatch:
        return collate_questions(examples, context, pad_id, self.settings.longest)

    def scores(self, encoding: Encoding, batch: QuestionBatch) -> tuple[Tensor, Tensor | None]:
        """The scores of all spans (N, W, L), and of there being no answer (N,)."""
        assert batch.possible is not None
        hidden = encoding.top.float()
        with torch.autocast(hidden.device.type, enabled=False):
            start, end, nothing = self.network(hidden, batch)
            return span_scores(start, end, batch.possible), nothing

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert isinstance(batch, QuestionBatch)
        assert batch.gold is not None
        scores, nothing = self.scores(encoding, batch)
        return span_loss(scores, nothing, batch.gold)

    def guesses(self, encoding: Encoding, batch: Batch) -> list[AnswerGuess]:
        assert isinstance(batch, QuestionBatch)
        scores, nothing = self.scores(encoding, batch)
        found = best_spans(exact(scores), None if nothing is None else exact(nothing), self.settings.count)
        spans, probabilities, none = (part.cpu().tolist() for part in found)
        guesses = []
        for example, places, chances, missing in zip(batch.examples, spans, probabilities, none, strict=True):
            best = [_span(example, at, chance) for at, chance in zip(places, chances, strict=True) if chance > 0]
            guesses.append(
                AnswerGuess.of(best, missing, self.settings.threshold if self.settings.unanswerable else 1.0)
            )
        return guesses

    def guess_scores(self, encoding: Encoding, batch: Batch, guesses: Sequence[AnswerGuess]) -> Tensor:
        """The log-probability of each answer, or of there being none, (N,)."""
        assert isinstance(batch, QuestionBatch)
        scores, nothing = self.scores(encoding, batch)
        scores, nothing = exact(scores), None if nothing is None else exact(nothing)
        total = log_total(scores, nothing)  # (N,)
        found = []
        for n, (example, guess) in enumerate(zip(batch.examples, guesses, strict=True)):
            place = _place(example, guess)
            if place is not None and place[1] - place[0] < scores.shape[2]:
                found.append(scores[n, place[0], place[1] - place[0]] - total[n])
            else:  # a head that always answers gives none where there is no span at all
                found.append(nothing[n] - total[n] if nothing is not None else exact(encoding.top.sum()) * 0.0)
        return torch.stack(found)

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings)}


def _place(example: QuestionExample, guess: AnswerGuess) -> tuple[int, int] | None:
    """The first and the last token of an answer; None of no answer."""
    if not guess.text:
        return None
    pairs = zip(example.start.tolist(), example.end.tolist(), strict=True)
    ends = [example.passage.to_original(a, b) for a, b in pairs]
    firsts = [place for place, (a, _) in enumerate(ends) if a == guess.start]
    lasts = [place for place, (_, b) in enumerate(ends) if b == guess.end]
    return next(((one, other) for one in firsts for other in lasts if one <= other), None)


def _span(example: QuestionExample, tokens: list[int], probability: float) -> Span:
    """The characters of the passage as it was read from the first to the last of two tokens."""
    first, last = tokens
    a, b = example.passage.to_original(int(example.start[first]), int(example.end[last]))
    return Span(example.passage.original[a:b], a, b, probability)


class SpanNetwork(nn.Module):
    """States of question and passage in, the scores of start, end and no answer out.

    Args:
        config: how it is built.
        dim: D, the width of the states.
    """

    def __init__(self, config: AnswerConfig, dim: int):
        super().__init__()
        width, seen = 2 * config.hidden, N_FEATURES if config.matches else 0
        self.matches = config.matches
        self.norm = nn.LayerNorm(dim)
        self.input_dropout, self.dropout = nn.Dropout(config.input_dropout), nn.Dropout(config.dropout)
        self.project = nn.Linear(dim, width)
        self.align = nn.Linear(dim, width)
        self.question_lstm = nn.LSTM(width + seen, config.hidden, batch_first=True, bidirectional=True)
        self.passage_lstm = nn.LSTM(3 * width + seen, config.hidden, batch_first=True, bidirectional=True)
        self.summary = nn.Linear(width, 1)
        self.start = nn.Linear(width, width)
        self.end = nn.Linear(width, width)
        self.alone = nn.Linear(width, 2)
        self.nothing = nn.Linear(2 * width, 1) if config.unanswerable else None

    def forward(self, hidden: Tensor, batch: QuestionBatch) -> tuple[Tensor, Tensor, Tensor | None]:
        """Scores of start and end (N, W) and of no answer (N,), None where there always is one.

        Args:
            hidden: (B, T, D) states of the rows.
            batch: where in them question and passage stand.
        """
        assert batch.question is not None
        assert batch.passage is not None
        asked, read = batch.question >= 0, batch.passage >= 0  # (N, M), (N, W)
        question = self.input_dropout(self.norm(gather(hidden, batch.question)))  # (N, M, D)
        passage = self.input_dropout(self.norm(gather(hidden, batch.passage)))  # (N, W, D)
        aligned = self._aligned(passage, question, asked)  # (N, W, 2H)
        own = self.project(passage)  # (N, W, 2H)
        question_input, passage_input = [self.project(question)], [own, aligned, own * aligned]
        if self.matches:
            question_input.append(batch.question_features)
            passage_input.append(batch.passage_features)
        question = self.dropout(_over(self.question_lstm, torch.cat(question_input, 2), asked))  # (N, M, 2H)
        passage = self.dropout(_over(self.passage_lstm, torch.cat(passage_input, 2), read))  # (N, W, 2H)
        weight = self.summary(question).squeeze(2).masked_fill(~asked, float("-inf")).softmax(1)  # (N, M)
        summary = (weight[:, :, None] * question).sum(1)  # (N, 2H)
        start = (passage * self.start(summary)[:, None]).sum(2)  # (N, W)
        end = (passage * self.end(summary)[:, None]).sum(2)  # (N, W)
        alone = self.alone(passage)  # (N, W, 2)
        nothing = None
        if self.nothing is not None:
            highest = passage.masked_fill(~read[:, :, None], -1.0).amax(1)  # (N, 2H); an LSTM's states lie above -1
            nothing = self.nothing(torch.cat([summary, highest], 1)).squeeze(1)  # (N,)
        return start + alone[..., 0], end + alone[..., 1], nothing

    def _aligned(self, passage: Tensor, question: Tensor, asked: Tensor) -> Tensor:
        """What of the question each token of the passage attends to (Lee et al. 2016), (N, W, 2H)."""
        one, other = self.align(passage).relu(), self.align(question).relu()
        scores = one @ other.transpose(1, 2) / one.shape[2] ** 0.5  # (N, W, M)
        attention = scores.masked_fill(~asked[:, None], float("-inf")).softmax(2)
        return attention @ self.project(question)  # (N, W, 2H)


def _over(lstm: nn.LSTM, values: Tensor, real: Tensor) -> Tensor:
    """The LSTM's states over the real part of each row, (N, W, 2H), zeros after it."""
    lengths = real.sum(1).clamp_min(1).cpu()
    packed = pack_padded_sequence(values, lengths, batch_first=True, enforce_sorted=False)
    states, _ = pad_packed_sequence(lstm(packed)[0], batch_first=True, total_length=values.shape[1])
    return states
