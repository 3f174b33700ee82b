"""Questions on passages as one packed sequence each, and as windows of it where an encoder reads no further.

Start, question, delimiter, passage, extract. A longer passage is read in windows that overlap, each after the whole
question; every token's state is then taken from the window that reads it best, so that the task sees one passage
whatever the encoder's context, and spans lie in it wherever they like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from langnet.errors import LangnetError
from langnet.tasks.matches import N_FEATURES, Words
from langnet.tasks.rows import padded
from langnet.tasks.writing import Tokens, Writer
from langnet.text.batches import Batch
from langnet.text.composed import Composed
from langnet.text.questions import Question

OVERLAP = 0.25  # part of a window's passage that the window before has read too
SMALLEST_WINDOW = 8  # tokens: marks, a little of the question, a little of the passage


@dataclass(frozen=True)
class QuestionExample:
    """A question on a passage, written for one model.

    Attributes:
        ids: (T,) or (T, C) the packed sequence.
        n_question: M, tokens of the question.
        passage: the passage in NFC, and where it came from.
        start, end: (W,) characters of `passage.text` that each token of the passage stands for, without blanks.
        begins, ends: (W,) whether a word begins, or ends, with the token.
        question_features: (M + 1, K) of the question's tokens and the delimiter.
        passage_features: (W, K).
        gold: (A, 2) first and last token of each right answer; empty where there is none, or none is known.
        window: the most tokens of a row.
        backward: whether question and passage stand in `ids` from their ends; all else is in the order of the text.
    """

    ids: np.ndarray
    n_question: int
    passage: Composed
    start: np.ndarray
    end: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    question_features: np.ndarray
    passage_features: np.ndarray
    gold: np.ndarray
    window: int
    backward: bool = False

    @property
    def n_passage(self) -> int:
        """W, tokens of the passage."""
        return len(self.start)

    def with_ids(self, ids: np.ndarray) -> QuestionExample:
        """The same question and passage of other tokens, as many as before; those that differ have no features."""
        width = min(ids.shape[-1], self.ids.shape[-1]) if ids.ndim == 2 else None
        other = ids != self.ids if width is None else (ids[:, :width] != self.ids[:, :width]).any(1)
        kept = ~np.asarray(other)
        question = self.question_features * kept[np.r_[self._question_at, self.n_question + 1], None]
        passage = self.passage_features * kept[self._passage_at, None]
        return replace(
            self, ids=ids, question_features=question.astype(self.question_features.dtype),
            passage_features=passage.astype(self.passage_features.dtype),
        )  # fmt: skip

    @property
    def _question_at(self) -> np.ndarray:
        """Where in `ids` each token of the question stands, behind the start, (M,)."""
        places = 1 + np.arange(self.n_question)
        return places[::-1] if self.backward else places

    @property
    def _passage_at(self) -> np.ndarray:
        """And each of the passage, behind the delimiter, (W,)."""
        places = 2 + self.n_question + np.arange(self.n_passage)
        return places[::-1] if self.backward else places

    def asked(self, context: int | None) -> np.ndarray:
        """Which tokens of the question are read, (m,): all, but where it would leave the passage less than half a row.

        Raises:
            LangnetError: the context is too short for a question and a passage.
        """
        room = self._room(context)
        most = max(room // 2, room - self.n_passage)
        every = np.arange(self.n_question)
        # Its first and its last half, as everywhere.
        return every if len(every) <= most else every[np.r_[: most - most // 2, len(every) - most // 2 : len(every)]]

    def windows(self, context: int | None) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """Rows of at most `context` tokens.

        Returns:
            The rows; the row and the column of each token of the question that is read and of the delimiter, (m + 1,
            2); and those where each token of the passage is read best, (W, 2).
        """
        asked = self.asked(context)
        read = np.r_[self._question_at[asked], 1 + self.n_question]  # places in `ids` of question and delimiter
        head = np.r_[0, np.sort(read)]
        starts, best = _windows(self.n_passage, self._room(context) - len(asked))
        rows = [self.ids[np.r_[head, np.sort(self._passage_at[a:b]), len(self.ids) - 1]] for a, b in starts]
        question = np.stack([np.zeros(len(read), dtype=np.int64), np.searchsorted(head, read)], axis=1)
        begins, ends = np.array(starts)[best].T  # (W,) of each token's window
        within = ends - 1 - np.arange(self.n_passage) if self.backward else np.arange(self.n_passage) - begins
        return rows, question, np.stack([best, len(head) + within], axis=1)

    def _room(self, context: int | None) -> int:
        """Tokens of a row beside start, delimiter and extract."""
        length = min(self.window, context or self.window)
        if length < SMALLEST_WINDOW:
            raise LangnetError(
                f"{length} tokens have no room for a question and a passage; take {SMALLEST_WINDOW} or more"
            )
        return length - 3


def _windows(length: int, room: int) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Where windows of `room` tokens start and end, and the window (length,) in which each token is read best."""
    if length <= room:
        return [(0, length)], np.zeros(length, dtype=np.int64)
    step = max(1, room - round(room * OVERLAP))
    starts = np.array([*range(0, length - room, step), length - room])
    # What two windows share is halved between them.
    borders = (starts[1:] + starts[:-1] + room) // 2
    return [(int(a), int(a) + room) for a in starts], np.searchsorted(borders, np.arange(length), side="right")


@dataclass
class QuestionBatch(Batch):
    """A batch of questions.

    Attributes:
        question, passage: (N, M) and (N, W) places of their tokens, as `Batch.places` has them.
        question_features, passage_features: (N, M, K) and (N, W, K).
        possible: (N, W, L) which spans may be answers, by their first token and how many more follow it.
        gold: (N, A, 2), as `spans.span_loss` has it.
    """

    question: Tensor | None = None
    passage: Tensor | None = None
    question_features: Tensor | None = None
    passage_features: Tensor | None = None
    possible: Tensor | None = None
    gold: Tensor | None = None


def question_examples(items: Sequence[Question], writer: Writer, window: int, labelled: bool) -> list[QuestionExample]:
    """Questions as token ids, with the tokens of their answers if they are labelled."""
    parts = writer.tokens([text for item in items for text in (item.question, item.passage)])
    long = Writer(writer.tokenizer, writer.characters, max_tokens=1 << 40)
    known: dict[str, tuple[Composed, Words]] = {}
    examples = []
    for item, asked, read in zip(items, parts[::2], parts[1::2], strict=True):
        if item.passage not in known:
            composed = Composed(item.passage)
            known[item.passage] = composed, Words(composed.text)
        passage, words = known[item.passage]
        question = Words(Composed(item.question).text)
        start, end = _without_blanks(passage.text, read)
        begins, ends = words.borders(start, end)
        gold = [_tokens_of(start, end, *passage.from_original(a.start, a.end)) for a in item.answers or () if labelled]
        gold = list(dict.fromkeys(gold))  # answers may differ within a token, and its probability counts once
        examples.append(
            QuestionExample(
                long.join([asked, read]).ids,
                len(asked),
                passage,
                start,
                end,
                begins,
                ends,
                np.concatenate([question.features(asked, words), np.zeros((1, N_FEATURES), dtype=np.float32)]),
                words.features(Tokens(read.ids, start, end), question),
                np.array([span for span in gold if span is not None], dtype=np.int64).reshape(-1, 2),
                min(window, writer.max_tokens),
                writer.backward,
            )
        )
    return examples


def collate_questions(
    examples: Sequence[QuestionExample], context: int | None, pad_id: int, longest: int
) -> QuestionBatch:
    """One batch.

    Args:
        examples: of `question_examples`.
        context: the most tokens of a row.
        pad_id: what shorter rows are filled with.
        longest: the most characters of an answer.
    """
    rows: list[np.ndarray] = []
    owners: list[int] = []
    questions, passages = [], []
    for index, example in enumerate(examples):
        own, question, passage = example.windows(context)
        questions.append(question + np.array([len(rows), 0]))
        passages.append(passage + np.array([len(rows), 0]))
        rows += own
        owners += [index] * len(own)
    ids, mask = padded(rows, pad_id)
    width = ids.shape[1]
    spans = [_possible(example, longest) for example in examples]
    gold = [np.stack([e.gold[:, 0], e.gold[:, 1] - e.gold[:, 0]], axis=1) for e in examples]
    return QuestionBatch(
        ids,
        mask,
        document=torch.tensor(owners),
        examples=list(examples),
        n_examples=len(examples),
        question=_stacked([places[:, 0] * width + places[:, 1] for places in questions], -1),
        passage=_stacked([places[:, 0] * width + places[:, 1] for places in passages], -1),
        question_features=_stacked([e.question_features[np.r_[e.asked(context), e.n_question]] for e in examples], 0.0),
        passage_features=_stacked([e.passage_features for e in examples], 0.0),
        possible=_stacked(spans, False),
        gold=_stacked(gold, -1),
    )


def _possible(example: QuestionExample, longest: int) -> np.ndarray:
    """(W, L) which spans may be answers: words, no longer than the longest answer; the right ones in any case."""
    start, end, n = example.start, example.end, example.n_passage
    if not n:
        return np.zeros((1, 1), dtype=bool)
    reach = np.searchsorted(np.maximum.accumulate(end), start + longest, side="right") - np.arange(n)
    width = int(max(1, reach.max(), (example.gold[:, 1] - example.gold[:, 0]).max(initial=0) + 1))
    last = np.arange(n)[:, None] + np.arange(width)  # (W, L)
    inside = last < n
    last = np.minimum(last, n - 1)
    begins, ends = (flags if flags.any() else end > start for flags in (example.begins, example.ends))
    possible: np.ndarray = inside & begins[:, None] & ends[last] & (end[last] - start[:, None] <= longest)
    possible[example.gold[:, 0], example.gold[:, 1] - example.gold[:, 0]] = True
    return possible


def _stacked(parts: Sequence[np.ndarray], filling: float) -> Tensor:
    """Arrays of equal rank as one tensor, each filled up to the largest; at least one wide in every direction."""
    shape = np.max([part.shape for part in parts], axis=0).clip(min=1)
    out = np.full((len(parts), *shape), filling, dtype=parts[0].dtype)
    for row, part in zip(out, parts, strict=True):
        row[tuple(slice(size) for size in part.shape)] = part
    return torch.from_numpy(out)


def _without_blanks(text: str, tokens: Tokens) -> tuple[np.ndarray, np.ndarray]:
    """Where each token starts and ends once blanks at its ends are left out."""
    start, end = tokens.start.copy(), tokens.end.copy()
    for index, (a, b) in enumerate(zip(tokens.start, tokens.end, strict=True)):
        piece = text[a:b]
        bare = piece.strip()
        if len(bare) < len(piece) and bare:
            start[index] = a + len(piece) - len(piece.lstrip())
            end[index] = start[index] + len(bare)
        elif not bare:
            start[index] = end[index] = b
    return start, end


def _tokens_of(start: np.ndarray, end: np.ndarray, first: int, after: int) -> tuple[int, int] | None:
    """The tokens that cover characters first .. after; None where no token does."""
    covering = np.flatnonzero((end > first) & (start < after))
    return (int(covering[0]), int(covering[-1])) if len(covering) else None
