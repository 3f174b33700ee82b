"""Sentences out of token shards, for objectives that read one at a time: found in any script, by its own signs.

A sentence ends at a terminator of its script, at a line's end, or after so many tokens. Abbreviations are taken for
ends, which splits a few sentences and needs no list of any language's.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from langnet.errors import LangnetError
from langnet.text.batches import IGNORED, Batch, EpochOrder
from langnet.text.shards import TokenShards
from langnet.text.tokenizer import Tokenizer

SHORTEST = 3  # a piece of fewer tokens is read with what follows it
_AT_ONCE = 2**16  # tokens of a document that are searched together
_PURPOSE = 2  # keeps these draws apart from others of the same seed and step
# Chinese and Japanese, Arabic and Urdu, Devanagari, Armenian, Ethiopic, Tibetan, Burmese, Khmer, Mongolian, Syriac,
# Santali, and doubled marks: nothing else is written with them, so no space has to follow.
_ALWAYS = "。．！？｡؟۔।॥։።፧፨།༎။។៕᠃᠉܀܁܂᱾᱿‼⁇⁈⁉"
_CLOSERS = "\"')]”’»›」』）】〉》"


def _any_of(signs: str) -> bytes:
    return b"(?:" + b"|".join(re.escape(sign.encode()) for sign in signs) + b")"


_END = re.compile(
    b"(?:" + _any_of(".!?…") + b"+" + _any_of(_CLOSERS) + rb"*(?=\s|$)"
    b"|" + _any_of(_ALWAYS) + b"+" + _any_of(_CLOSERS) + rb"*)\s*\n*|\s*\n\s*"
)  # fmt: skip


def sentence_ends(text: bytes) -> list[int]:
    """Where sentences end in UTF-8: the number of bytes before each end. Spaces belong to the sentence that follows."""
    return [match.start() + len(match.group().rstrip(b" \t")) for match in _END.finditer(text)]


def token_bytes(tokenizer: Tokenizer) -> list[bytes]:
    """The bytes of each id, special tokens as none; words are followed by the space that is between them."""
    held = tokenizer.backend.get_vocab()
    names = sorted(held, key=held.__getitem__)
    decoder = json.loads(tokenizer.backend.to_str()).get("decoder") or {}
    if decoder.get("type") == "ByteLevel":
        table = _bytes_of_signs()
        found = [bytes(table[sign] for sign in name if sign in table) for name in names]
    else:
        found = [name.encode("utf8", "replace") + (b" " if tokenizer.kind == "words" else b"") for name in names]
    for index in tokenizer.special_ids:
        found[index] = b""
    found[tokenizer.unknown_id] = b"x "
    return found


def _bytes_of_signs() -> dict[str, int]:
    """The byte behind each sign of a byte-level vocabulary: itself where it is visible, else the next free sign."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {chr(256 + i): byte for i, byte in enumerate(hidden)}


class Sentences:
    """Every sentence of some shards, in their order; where they lie is kept on disk.

    Args:
        shards: of documents that begin and end with a special token each.
        tokenizer: theirs.
        longest: tokens of a sentence at most; a longer one is cut.

    Attributes:
        places: (n, 2) int64, where each begins and ends in the stream.
        mean_length: tokens a sentence.

    Raises:
        LangnetError: there are none.
    """

    def __init__(self, shards: TokenShards, tokenizer: Tokenizer, longest: int):
        self.shards, self.tokenizer, self.longest = shards, tokenizer, longest
        n = 0
        with tempfile.TemporaryFile(dir=shards.folder) as file:
            for found in _found(shards, tokenizer, longest):
                file.write(found.tobytes())
                n += len(found)
            file.flush()
            if not n:
                raise LangnetError("there are no sentences to learn from; every document is empty")
            self.places: np.ndarray = np.memmap(file, dtype=np.int64, mode="r", shape=(n, 2))
        self.mean_length = float((self.places[:, 1] - self.places[:, 0]).mean())

    def __len__(self) -> int:
        return len(self.places)

    def read(self, index: int) -> np.ndarray:
        """The ids of a sentence, (T,)."""
        start, end = self.places[index]
        return self.shards.read(int(start), int(end))

    def neighbour(self, index: int, step: int) -> np.ndarray | None:
        """The sentence before (-1) or after (1) one of the same document; None where there is none."""
        other = index + step
        if not 0 <= other < len(self):
            return None
        first, second = min(index, other), max(index, other)
        together = self.places[first, 1] == self.places[second, 0]
        return self.read(other) if together else None

    def require_neighbours(self) -> None:
        """Nothing, where some document has two sentences.

        Raises:
            LangnetError: none has, so there is no neighbour to predict.
        """
        if not (self.places[:-1, 1] == self.places[1:, 0]).any():
            raise LangnetError(
                "no document has two sentences, so there is no neighbour to predict; "
                "read longer documents (--documents file or paragraph), or take another objective"
            )


def _found(shards: TokenShards, tokenizer: Tokenizer, longest: int) -> Iterator[np.ndarray]:
    """Begins and ends (n, 2) of the sentences of each document."""
    table = token_bytes(tokenizer)
    sizes = np.array([len(part) for part in table])
    backward = tokenizer.direction == "backward"
    for number in range(shards.n_documents):
        first, last = int(shards.document_offsets[number]) + 1, int(shards.document_offsets[number + 1]) - 1
        for start in range(first, last, _AT_ONCE):
            ids = shards.read(start, min(start + _AT_ONCE, last))
            ids = np.where(ids < len(table), ids, tokenizer.unknown_id)  # words past the vocabulary
            if backward:  # ends are known by what follows them in the text
                ids = ids[::-1]
            ends = np.cumsum(sizes[ids])  # bytes up to each token's end
            text = b"".join([table[index] for index in ids.tolist()])
            cuts = np.searchsorted(ends, sentence_ends(text)) + 1
            pieces = np.array(list(_pieces(cuts.tolist(), len(ids), longest)), dtype=np.int64).reshape(-1, 2)
            yield start + (len(ids) - pieces[::-1, ::-1] if backward else pieces)


def _pieces(cuts: Sequence[int], n: int, longest: int) -> Iterator[tuple[int, int]]:
    start = 0
    for cut in [*(cut for cut in cuts if cut < n), n]:
        if cut - start < SHORTEST and cut < n:
            continue
        while cut - start > longest:
            yield start, start + longest
            start += longest
        if cut > start:
            yield start, cut
        start = max(start, cut)


Layout = Callable[[Sentences, np.ndarray, np.random.Generator], Batch]


class SentenceBatches:
    """Batches of sentences in an order shuffled anew each epoch; a function of seed and step alone.

    Args:
        sentences: all of them.
        layout: makes a batch of some sentences' numbers, `denoising` or `neighbours`.
        rows: sentences a batch.
        seed: of orders and of the layout's draws.
    """

    def __init__(self, sentences: Sentences, layout: Layout, rows: int, seed: int):
        self.sentences, self.layout, self.seed = sentences, layout, seed
        self.rows = max(1, min(rows, len(sentences)))
        self.batches_per_epoch = len(sentences) // self.rows
        self._epoch, self._order = -1, EpochOrder(1, np.random.default_rng(0))

    def batch(self, step: int) -> Batch:
        """The batch of a step."""
        epoch, index = divmod(step, self.batches_per_epoch)
        if epoch != self._epoch:
            generator = np.random.default_rng([self.seed, epoch, _PURPOSE])
            self._epoch, self._order = epoch, EpochOrder(len(self.sentences), generator)
        chosen = self._order.slice(index * self.rows, (index + 1) * self.rows)
        return self.layout(self.sentences, chosen, np.random.default_rng([self.seed, step, _PURPOSE + 1]))

    def in_order(self, most: int) -> Iterator[Batch]:
        """All sentences in the order of the text, up to about `most` tokens of them; the same at every call."""
        n = min(len(self.sentences), max(1, int(most / self.sentences.mean_length)))
        for start in range(0, n, self.rows):
            generator = np.random.default_rng([0, start, _PURPOSE + 2])
            yield self.layout(self.sentences, np.arange(start, min(start + self.rows, n)), generator)


def denoising(drop: float, swap: float) -> Layout:
    """Noisy sentences to read, and the whole ones as targets (Hill et al. 2016, section 3.1)."""

    def layout(sentences: Sentences, chosen: np.ndarray, generator: np.random.Generator) -> Batch:
        whole = [sentences.read(int(index)) for index in chosen]
        read = [noisy(ids, drop, swap, generator) for ids in whole]
        return _batch(sentences.tokenizer, read, targets=whole)

    return layout


def neighbours(sentences: Sentences, chosen: np.ndarray, generator: np.random.Generator) -> Batch:
    """Sentences to read, the following ones as targets and those before as `previous` (Kiros et al. 2015)."""
    read = [sentences.read(int(index)) for index in chosen]
    before, after = ([sentences.neighbour(int(index), step) for index in chosen] for step in (-1, 1))
    return _batch(sentences.tokenizer, read, targets=after, previous=before)


def noisy(ids: np.ndarray, drop: float, swap: float, generator: np.random.Generator) -> np.ndarray:
    """Each token dropped with probability `drop`, but not all; then neighbours (1, 2), (3, 4), ... changed over."""
    kept = ids[generator.random(len(ids)) >= drop]
    if not len(kept):
        kept = ids[[int(generator.integers(len(ids)))]]
    pairs = kept[: len(kept) // 2 * 2].reshape(-1, 2).copy()
    turned = generator.random(len(pairs)) < swap
    pairs[turned] = pairs[turned][:, ::-1]
    return np.concatenate([pairs.ravel(), kept[2 * len(pairs) :]])


def _batch(
    tokenizer: Tokenizer,
    read: Sequence[np.ndarray],
    targets: Sequence[np.ndarray | None],
    previous: Sequence[np.ndarray | None] | None = None,
) -> Batch:
    """Sentences between start and extract; what is to be written ends with extract, and is -100 where there is none."""
    start, end = tokenizer.start_id, tokenizer.extract_id
    ids = _padded([np.concatenate([[start], row, [end]]) for row in read], tokenizer.pad_id)  # (B, T)
    lengths = torch.tensor([len(row) + 2 for row in read])
    written = [
        _padded([np.zeros(0, np.int64) if row is None else np.concatenate([row, [end]]) for row in rows], IGNORED)
        for rows in (targets, previous)
        if rows is not None
    ]
    mask = torch.arange(ids.shape[1]) < lengths[:, None]  # (B, T)
    return Batch(ids, mask, written[0], written[1] if previous is not None else None, n_examples=len(read))


def _padded(rows: Sequence[np.ndarray], padding: int) -> torch.Tensor:
    out = np.full((len(rows), max(1, *map(len, rows)) if rows else 1), padding, dtype=np.int64)
    for index, row in enumerate(rows):
        out[index, : len(row)] = row
    return torch.from_numpy(out)
