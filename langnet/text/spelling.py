"""Words that the vocabulary lacks, by their characters: ids beyond the vocabulary, each with its spelling on disk.

A model that reads characters predicts the words of a vocabulary, but reads every word. Token shards therefore hold, for
an unknown word, an id past the vocabulary's last, and beside the shards lie the bytes of each such word. Where a word
is to be predicted, those ids are unknown all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from langnet.errors import LangnetError
from langnet.text.batches import IGNORED, Batch
from langnet.text.characters import (
    LONGEST_WORD,
    NO_CHARACTER,
    NO_WORD,
    UNKNOWN,
    join,
    spell,
    spell_specials,
    spell_unique,
)
from langnet.text.shards import ColumnWriter, read_column
from langnet.text.tokenizer import Tokenizer

LAST_ID = 2**32 - 1  # what shards can hold
_REMEMBERED = 2**20  # words; a word that was forgotten is written again, which costs some bytes and nothing else
_BYTES, _OFFSETS = "unknown_words.bin", "unknown_offsets.npy"


class SpellingWriter:
    """Gives unknown words ids past the vocabulary, and writes down how they are spelled; memory is bounded."""

    def __init__(self, folder: Path, vocabulary_size: int):
        folder.mkdir(parents=True, exist_ok=True)
        self.next_id, self._size = vocabulary_size, 0
        self._ids: dict[str, int] = {}
        self._bytes = (folder / _BYTES).open("wb")
        self._offsets = ColumnWriter(folder / _OFFSETS)
        self._offsets.append(0)

    def encode(self, ids: list[int], words: list[str]) -> np.ndarray:
        """Ids of a text with those of its unknown words replaced by ids of their own."""
        out = np.asarray(ids, dtype=np.int64)
        for place in np.flatnonzero(out == UNKNOWN):
            out[place] = self._id(words[place])
        return out

    def _id(self, word: str) -> int:
        if word not in self._ids:
            if len(self._ids) == _REMEMBERED:
                self._ids.clear()
            written = word.encode("utf8", "surrogatepass")[: LONGEST_WORD - 2]
            self._bytes.write(written)
            self._size += len(written)
            self._offsets.append(self._size)
            self._ids[word] = self.next_id
            self.next_id = min(self.next_id + 1, LAST_ID)
        return self._ids[word]

    def close(self) -> None:
        """Finish both files."""
        self._bytes.close()
        self._offsets.close()


class Spelling:
    """From ids to characters, for the words of a vocabulary and those that a corpus has beyond it.

    Args:
        tokenizer: of kind `words`.
        unknown: bytes of the words past the vocabulary, one after the other.
        offsets: (n + 1,) int64, where each begins, and where the last ends.
    """

    def __init__(self, tokenizer: Tokenizer, unknown: np.ndarray, offsets: np.ndarray):
        self.vocabulary_size = tokenizer.vocabulary_size
        self._known = join([spell_specials(), spell(tokenizer.words())])  # (V, C) uint16
        self._unknown, self._offsets = unknown, offsets

    @classmethod
    def open(cls, folder: Path, tokenizer: Tokenizer) -> Spelling:
        """The spelling that a `SpellingWriter` left in a folder, through memory maps.

        Raises:
            LangnetError: the files are missing or damaged.
        """
        offsets = read_column(folder / _OFFSETS)
        path = folder / _BYTES
        found = path.stat().st_size if path.exists() else 0
        if len(offsets) == 0 or found != offsets[-1]:
            raise LangnetError(f"{path} has not the bytes that {_OFFSETS} describes; prepare the corpus again")
        unknown = np.memmap(path, dtype=np.uint8, mode="r") if found else np.zeros(0, dtype=np.uint8)
        return cls(tokenizer, unknown, offsets)

    @classmethod
    def of_texts(cls, texts: Sequence[str], tokenizer: Tokenizer) -> tuple[list[np.ndarray], Spelling]:
        """Texts as documents of ids, start and extract around each, and the spelling of these ids."""
        places: dict[str, int] = {}
        documents = []
        for ids, words in tokenizer.encode_words(texts):
            document = np.array([tokenizer.start_id, *ids, tokenizer.extract_id], dtype=np.int64)
            for place in np.flatnonzero(document == tokenizer.unknown_id):
                document[place] = tokenizer.vocabulary_size + places.setdefault(words[place - 1], len(places))
            documents.append(document)
        encoded = [word.encode("utf8", "surrogatepass")[: LONGEST_WORD - 2] for word in places]
        offsets = np.concatenate([[0], np.cumsum([len(word) for word in encoded])]).astype(np.int64)
        return documents, cls(tokenizer, np.frombuffer(b"".join([*encoded, b" "]), dtype=np.uint8), offsets)

    def characters(self, ids: np.ndarray) -> np.ndarray:
        """The characters of words (N,) as (N, C) uint16, C as wide as the longest of them needs."""
        distinct, place = np.unique(ids, return_inverse=True)
        known = self._known[distinct[distinct < self.vocabulary_size]]
        rows = distinct[distinct >= self.vocabulary_size] - self.vocabulary_size
        unknown = spell([self._unknown[self._offsets[row] : self._offsets[row + 1]].tobytes() for row in rows])
        both = join([known, unknown])
        width = int(np.isin(both, (NO_CHARACTER, NO_WORD), invert=True).any(0).sum())
        return both[:, : max(width, 1)][place]

    def predictable(self, ids: torch.Tensor) -> torch.Tensor:
        """The same ids with those past the vocabulary as unknown ones."""
        return ids.masked_fill(ids >= self.vocabulary_size, UNKNOWN)

    def spelled(self, batch: Batch) -> Batch:
        """A batch of ids (B, T) as one of characters (B, T, C), with what is to be predicted on both sides."""
        assert batch.targets is not None, "a language model's batch has targets"
        ids, previous = batch.ids, batch.previous
        if previous is None:
            previous = torch.full_like(ids, IGNORED)  # (B, T)
            previous[:, 1:] = ids[:, :-1].masked_fill(~batch.mask[:, 1:], IGNORED)
        characters = self.characters(ids.flatten().numpy()).astype(np.int64)
        characters[~batch.mask.flatten().numpy()] = NO_WORD
        return replace(
            batch,
            ids=torch.from_numpy(characters).view(*ids.shape, -1),  # (B, T, C)
            targets=self.predictable(batch.targets),
            previous=self.predictable(previous),
        )


class _Batches(Protocol):
    def batch(self, step: int) -> Batch: ...


class SpelledBatches:
    """Language-model batches whose words are spelled."""

    def __init__(self, batches: _Batches, spelling: Spelling):
        self.batches, self.spelling = batches, spelling

    def batch(self, step: int) -> Batch:
        """The batch of a step, a function of the step alone."""
        return self.spelling.spelled(self.batches.batch(step))


class PredictableDocuments(Sequence[np.ndarray]):
    """Documents of ids with those past the vocabulary as unknown ones."""

    def __init__(self, documents: Sequence[np.ndarray], vocabulary_size: int):
        self.documents, self.vocabulary_size = documents, vocabulary_size

    def __len__(self) -> int:
        return len(self.documents)

    def __getitem__(self, index: int) -> np.ndarray:  # type: ignore[override]
        ids = self.documents[index]
        return np.where(ids < self.vocabulary_size, ids, UNKNOWN)


def spelled_texts(
    texts: Sequence[str], tokenizer: Tokenizer, max_tokens: int, longest: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Each text as ids (T,) and as characters (T, C) uint16, start and extract around it.

    A text of more than `max_tokens` words keeps its first and its last half of the allowance. C is as wide as the
    text's longest word needs, at most `longest`.
    """
    begin, end = (spell_specials()[[i]][:, :3] for i in (tokenizer.start_id, tokenizer.extract_id))
    documents, characters = [], []
    room = max_tokens - 2
    for ids, words in tokenizer.encode_words(texts):
        if len(ids) > room:
            tail = len(ids) - room // 2
            ids, words = [*ids[: room - room // 2], *ids[tail:]], [*words[: room - room // 2], *words[tail:]]
        documents.append(np.array([tokenizer.start_id, *ids, tokenizer.extract_id], dtype=np.int64))
        characters.append(join([begin, spell_unique(words, longest), end]))
    return documents, characters
