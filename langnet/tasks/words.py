"""Words as an encoder reads them: a sentence's tokens in rows that overlap where it is long, and each word's state.

What tasks share that say something of words: tags, semantic roles.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from langnet.tasks.rows import gather_units, overlapping, padded
from langnet.tasks.writing import Tokens, Writer
from langnet.text.batches import Batch

WordState = Literal["last", "first", "mean"]
_TURNED: dict[WordState, WordState] = {"last": "first", "first": "last", "mean": "mean"}  # of who reads backward
LONGEST_ROW = 4096  # tokens that are read at once by an encoder without a limit, which bounds the memory


@dataclass(frozen=True)
class WordExample:
    """A sentence as an encoder reads it.

    Attributes:
        ids: (T,) or (T, C), start and extract counted.
        places: (P,) where the tokens stand that words are read at.
        units: (P,) the word of each place; None where place i is word i.
        n_words: W.
    """

    ids: np.ndarray
    places: np.ndarray
    units: np.ndarray | None
    n_words: int


def word_examples(sentences: Sequence[Sequence[str]], writer: Writer, state: WordState) -> list[WordExample]:
    """Sentences, each a list of words, as token ids; nothing is left out of what is long.

    Args:
        sentences: words of each.
        writer: of the model.
        state: which state of a word's tokens is the word's: of the `last` that is read, of the `first`, or the `mean`
            of all.
    """
    if writer.backward:
        state = _TURNED[state]
    whole = Writer(writer.tokenizer, writer.characters, sys.maxsize)
    words = [[unicodedata.normalize("NFC", word) for word in own] for own in sentences]
    found = []
    for own, tokens in zip(words, whole.tokens([" ".join(own) for own in words]), strict=True):
        places, units = word_places(tokens, own, state)
        read = len(tokens) - places if writer.backward else places + 1  # behind the start
        found.append(WordExample(whole.join([tokens]).ids, read, units, len(own)))
    return found


def collate_words(examples: Sequence[WordExample], context: int | None, pad_id: int, state: WordState) -> Batch:
    """Sentences as rows that overlap where they are long, with the places of each word."""
    cut = [overlapping(example.ids, context or LONGEST_ROW) for example in examples]
    ids, mask = padded([row for rows, _ in cut for row in rows], pad_id)
    n_places = max(1, *(len(example.places) for example in examples))
    places = np.full((len(examples), n_places), -1, dtype=np.int64)
    units = np.zeros((len(examples), n_places), dtype=np.int64)
    row = 0
    for index, (example, (rows, where)) in enumerate(zip(examples, cut, strict=True)):
        own = where[example.places]  # (P, 2): row and column
        places[index, : len(own)] = (row + own[:, 0]) * ids.shape[1] + own[:, 1]
        if example.units is not None:
            units[index, : len(own)] = example.units
        row += len(rows)
    return Batch(
        ids,
        mask,
        places=torch.from_numpy(places),
        units=torch.from_numpy(units) if state == "mean" else None,
        examples=examples,
        n_examples=len(examples),
    )


def word_counts(batch: Batch) -> Tensor:
    """The words of each of a batch's sentences, (N,)."""
    return torch.tensor([example.n_words for example in batch.examples], device=batch.ids.device)


def word_states(hidden: Tensor, batch: Batch) -> Tensor:
    """The state of every word of a batch's sentences, (N, W, D) of (B, T, D); zeros behind a sentence's end."""
    assert batch.places is not None, "collate says where words stand"
    n_words = max(1, *(example.n_words for example in batch.examples))
    return gather_units(hidden, batch.places, batch.units, n_words)


def word_places(tokens: Tokens, words: Sequence[str], state: WordState) -> tuple[np.ndarray, np.ndarray | None]:
    """Which tokens words are read at.

    Args:
        tokens: of the words joined by blanks.
        words: in Unicode NFC.
        state: see `word_examples`.

    Returns:
        (P,) numbers of tokens, and (P,) the word of each; None where P is the number of words. A word that no token
        covers is read at the token before it.
    """
    lengths = np.array([len(word) for word in words], dtype=np.int64)
    start = np.cumsum(lengths + 1) - lengths - 1  # (W,) characters
    first = tokens.first_in(start, start + lengths)  # (W,)
    if state == "first" or not len(words):
        return first, None if state != "mean" else np.zeros(0, dtype=np.int64)
    # The last token that begins before the word's end; where no token covers the word, the one before it again.
    last = np.maximum(np.searchsorted(tokens.start, start + lengths, side="left") - 1, first)  # (W,)
    if state == "last":
        return last, None
    count = last - first + 1
    units = np.repeat(np.arange(len(words)), count)
    return np.arange(len(units)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count), units
