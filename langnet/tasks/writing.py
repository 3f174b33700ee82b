"""How an example is written as tokens: segments of text between start, delimiter and extract (Radford et al. 2018).

Every token knows which characters of which segment it stands for, so that labels of words and answers in a passage find
their way to the tokens of any vocabulary, and to an encoder that reads characters, and back.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from langnet.encoders.document_vectors import DocumentVectors
from langnet.errors import LangnetError
from langnet.tasks.examples import Example, encode_documents
from langnet.text.characters import DELIMITER, EXTRACT, START, join, spell_specials, spell_unique
from langnet.text.spelling import spelled_texts
from langnet.text.tokenizer import Tokenizer

SPECIAL = -1  # the segment of start, delimiter and extract


@dataclass(frozen=True)
class Tokens:
    """The tokens of one segment, in the order of the text, also for a model that reads backward.

    Attributes:
        ids: (T,) int64, or (T, C) uint16 where words are read as characters.
        start, end: (T,) which characters of the segment, in Unicode NFC, each token stands for: start <= i < end.
    """

    ids: np.ndarray
    start: np.ndarray
    end: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: np.ndarray | slice) -> Tokens:
        """Some of the tokens, in the given order."""
        return Tokens(self.ids[index], self.start[index], self.end[index])

    def followed_by(self, other: Tokens) -> Tokens:
        """These tokens and those of another text behind them, whose offsets stay its own."""
        ids = join([self.ids, other.ids]) if self.ids.ndim == 2 else np.concatenate([self.ids, other.ids])
        return Tokens(ids, np.concatenate([self.start, other.start]), np.concatenate([self.end, other.end]))

    def shortened(self, room: int) -> Tokens:
        """At most `room` tokens: the first and the last half of them, since texts state and conclude at their ends."""
        if len(self) <= room:
            return self
        head = max(0, room - room // 2)
        return self.take(np.r_[0:head, len(self) - (room - head) : len(self)])

    def first_in(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """The first token of each span of characters, (W,); of a span that no token covers, the token before it.

        Args:
            start: (W,) first character of each span.
            end: (W,) character after each span.
        """
        first = np.searchsorted(self.end, start, side="right")  # (W,) the first token that ends after the span's start
        covered = (first < len(self)) & (np.append(self.start, np.iinfo(np.int64).max)[first] < end)
        return np.where(covered, first, np.maximum(first - 1, 0))


@dataclass(frozen=True)
class Written:
    """Segments as one sequence of tokens.

    Attributes:
        ids: (T,) or (T, C), as an encoder reads them.
        segment: (T,) the segment of each token, -1 of start, delimiter and extract.
        start, end: (T,) characters of the segment; 0 and 0 of special tokens.
    """

    ids: np.ndarray
    segment: np.ndarray
    start: np.ndarray
    end: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def places(self, segment: int) -> np.ndarray:
        """Where the tokens of a segment stand, in order."""
        return np.flatnonzero(self.segment == segment)


class Writer:
    """Writes text for one model.

    Args:
        tokenizer: the model's.
        characters: the most characters a word, of an encoder that reads them; None where it reads ids.
        max_tokens: the most tokens of a sequence.
        context: the most tokens that the model reads at once, for tasks whose segments have to see each other; None: it
            has no limit.
        space: the model's document vectors, or None.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        characters: int | None = None,
        max_tokens: int = 2048,
        context: int | None = None,
        space: DocumentVectors | None = None,
    ):
        self.tokenizer, self.characters, self.max_tokens = tokenizer, characters, max_tokens
        self.context, self.space = context, space

    @property
    def backward(self) -> bool:
        """Whether the model reads every text from its end."""
        return self.tokenizer.direction == "backward"

    @property
    def window(self) -> int:
        """The most tokens of a sequence that is read at once."""
        return self.max_tokens if self.context is None else min(self.max_tokens, self.context)

    def documents(self, texts: Sequence[str]) -> np.ndarray:
        """The document vector of each text, (N, K).

        Raises:
            LangnetError: the model has none.
        """
        if self.space is None:
            raise LangnetError("this model has no document vectors, which its task was learned with")
        return self.space.transform(encode_documents(texts, self.tokenizer, self.max_tokens))

    def documents_as_examples(self, texts: Sequence[str], labels: Sequence[Any] | np.ndarray | None) -> list[Example]:
        """Whole texts as an encoder of any kind reads them, with their document vectors where the model has a space.

        Args:
            texts: N.
            labels: N, put into the examples as they are; None where they are to be predicted.
        """
        if self.characters:
            documents, read = spelled_texts(texts, self.tokenizer, self.max_tokens, self.characters)
        else:
            documents = read = encode_documents(texts, self.tokenizer, self.max_tokens)
        features = self.space.transform(documents) if self.space else None
        return [
            Example(ids, None if labels is None else labels[i], None if features is None else features[i])
            for i, ids in enumerate(read)
        ]

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Every text by itself, without special tokens; offsets count the characters of its NFC."""
        composed = [unicodedata.normalize("NFC", text) for text in texts]
        found = []
        for text, (ids, offsets) in zip(composed, self.tokenizer.encode_with_offsets(composed), strict=True):
            places = np.asarray(offsets, dtype=np.int64).reshape(-1, 2)
            read = self._spelled(text, places) if self.characters else np.asarray(ids, dtype=np.int64)
            found.append(Tokens(read, places[:, 0], places[:, 1]))
        return found

    def _spelled(self, text: str, places: np.ndarray) -> np.ndarray:
        assert self.characters is not None
        return spell_unique((text[a:b] for a, b in places), self.characters)

    def join(self, segments: Sequence[Tokens]) -> Written:
        """Start, the segments with a delimiter between each two, extract; each segment in the order of reading.

        Raises:
            LangnetError: they are longer than `max_tokens`; see `fitted`.
        """
        length = sum(len(part) for part in segments) + len(segments) + 1
        if length > self.max_tokens:
            raise LangnetError(f"a sequence of {length} tokens is longer than the {self.max_tokens} that are read")
        parts = [self._special("start")]
        owners, starts, ends = [[SPECIAL]], [np.zeros(1, dtype=np.int64)], [np.zeros(1, dtype=np.int64)]
        for index, part in enumerate(segments):
            last = index == len(segments) - 1
            part = part.take(slice(None, None, -1)) if self.backward else part
            parts += [part.ids, self._special("extract" if last else "delimiter")]
            owners += [[index] * len(part), [SPECIAL]]
            starts += [part.start, np.zeros(1, dtype=np.int64)]
            ends += [part.end, np.zeros(1, dtype=np.int64)]
        ids = join(parts) if self.characters else np.concatenate(parts)
        return Written(ids, np.concatenate(owners).astype(np.int64), np.concatenate(starts), np.concatenate(ends))

    def fitted(self, segments: Sequence[Tokens], room: int | None = None) -> list[Tokens]:
        """The segments, the longest of them shortened until all fit into `room` tokens, special ones counted."""
        allowed = (self.max_tokens if room is None else room) - len(segments) - 1
        lengths = np.array([len(part) for part in segments])
        low, limit = 0, int(lengths.max(initial=0))
        while low < limit:  # the greatest limit by which all fit
            middle = (low + limit + 1) // 2
            fits = np.minimum(lengths, middle).sum() <= allowed
            low, limit = (middle, limit) if fits else (low, middle - 1)
        return [part.shortened(limit) for part in segments]

    def write(self, segments: Sequence[Sequence[str]]) -> list[Written]:
        """Each example's segments as one sequence, shortened where it has to be."""
        flat = self.tokens([text for texts in segments for text in texts])
        written, at = [], 0
        for texts in segments:
            written.append(self.join(self.fitted(flat[at : at + len(texts)])))
            at += len(texts)
        return written

    def _special(self, name: str) -> np.ndarray:
        """One special token, (1,) or (1, C)."""
        if self.characters:
            row = {"start": START, "delimiter": DELIMITER, "extract": EXTRACT}[name]
            marks: np.ndarray = spell_specials()[[row]][:, :3]
            return marks
        ids = {
            "start": self.tokenizer.start_id,
            "delimiter": self.tokenizer.delimiter_id,
            "extract": self.tokenizer.extract_id,
        }
        return np.array([ids[name]], dtype=np.int64)
