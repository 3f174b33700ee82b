"""fastText's own binary files, of both layouts, with the n-grams that give unseen words their vectors.

Bojanowski et al. 2017. Layout: numbers of the training, the dictionary with counts, the matrix of words and n-grams,
and the output matrix, which is left unread.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import numpy as np

from langnet.encoders.word_space import Subwords, WordSpace
from langnet.errors import LangnetError
from langnet.hub.importers.growing import GrowingRows, Notes

MAGIC = 793712314
_NEWEST = 12
_END = "</s>"  # the line's end; the only word that has no n-grams
_LONGEST_WORD = 1 << 12
_AT_ONCE = 1 << 22  # bytes of a matrix


@dataclass(frozen=True)
class _Header:
    dim: int
    buckets: int
    shortest: int
    longest: int
    new: bool  # the layout since 2017, with a magic number


def is_fasttext(head: bytes) -> bool:
    """Whether a file begins like one of fastText; the older layout has no magic number, but small numbers."""
    if len(head) < 56:
        return False
    first, *numbers = struct.unpack("<12i", head[:48])
    if first == MAGIC:
        return True
    dim, window, epochs, _, negatives, grams, loss, model, _, shortest, longest = first, *numbers[:10]
    small = (0 < dim <= 10_000, 0 < window <= 1000, 0 < epochs <= 100_000, 0 <= negatives <= 10_000, 0 <= grams <= 100)
    return all(small) and loss in (1, 2, 3) and model in (1, 2, 3) and 0 <= shortest <= 100 and 0 <= longest <= 100


def read_fasttext(stream: io.BufferedReader, size: int | None, name: str, most: int = 0) -> tuple[WordSpace, Notes]:
    """Words, each the mean of its own vector and those of its n-grams, and the n-grams for others.

    Args:
        stream: at its beginning.
        size: of the file, where it is known.
        name: of the file.
        most: only so many words; 0 is all.

    Raises:
        LangnetError: the file is quantised, cut off or damaged.
    """
    header = _read_header(stream, name)
    words, notes = _read_dictionary(stream, header, size, name)
    quantised = header.new and _numbers(stream, "<?", name)[0]
    if quantised:
        raise LangnetError(f"{name} is quantised (.ftz); langnet reads fastText's .bin, from which it was made")
    n_rows, dim = _numbers(stream, "<2q", name)
    least = len(words) + (header.buckets if header.longest and not notes.labels else 0)
    if dim != header.dim or not len(words) <= n_rows <= 2**31 or (n_rows != least and least > n_rows):
        raise LangnetError(
            f"{name}: its matrix of {n_rows:,} x {dim:,} does not fit {len(words):,} words, {header.buckets:,} buckets "
            f"and {header.dim:,} dimensions; the file is damaged"
        )
    matrix = _read_matrix(stream, n_rows, dim, size, name)
    own, grams = matrix[: len(words)], matrix[len(words) :]
    subwords = Subwords(header.shortest, header.longest, grams) if header.longest and len(grams) else None
    rows = GrowingRows(dim, len(words), True)
    rows.notes = notes
    for word, vector in zip(words[: most or None], own, strict=False):
        text = word.decode("utf8", errors="backslashreplace")
        buckets = subwords.buckets_of(text) if subwords and text != _END else []
        if buckets:
            vector = (vector + grams[buckets].sum(axis=0)) / (len(buckets) + 1)
        rows.add(word, vector)
    space, notes = rows.space(name)
    return WordSpace(space.words, space.vectors, subwords, space.lowercase, name), notes


def _read_header(stream: io.BufferedReader, name: str) -> _Header:
    first, second = _numbers(stream, "<2i", name)
    new = first == MAGIC
    if new and second > _NEWEST:
        raise LangnetError(f"{name} is of fastText's version {second}; langnet reads up to {_NEWEST}")
    dim = _numbers(stream, "<2i", name)[0] if new else first
    _, _, _, _, _, _, buckets, shortest, longest, _, _ = _numbers(stream, "<10id", name)
    if not (0 < dim <= 1 << 16 and buckets >= 0 and 0 <= shortest <= 100 and 0 <= longest <= 100):
        raise LangnetError(f"{name}: {dim:,} dimensions and {buckets:,} buckets make no sense; the file is damaged")
    return _Header(dim, buckets, shortest, longest, new)


def _read_dictionary(
    stream: io.BufferedReader, header: _Header, size: int | None, name: str
) -> tuple[list[bytes], Notes]:
    """The words in order; labels of a classifier are counted only."""
    n_entries, n_words, n_labels = _numbers(stream, "<3i", name)
    _numbers(stream, "<q", name)  # words of the training text
    pruned = _numbers(stream, "<q", name)[0] if header.new else -1
    if n_entries < 0 or n_words < 0 or n_labels < 0 or n_words + n_labels != n_entries:
        raise LangnetError(f"{name}: {n_entries:,} entries, {n_words:,} words: the file is damaged")
    if size is not None and n_entries * 10 > size:
        raise LangnetError(f"{name}: {n_entries:,} words do not fit into {size:,} bytes; the file is cut off")
    if pruned > 0:
        raise LangnetError(f"{name} has pruned n-grams (.ftz); langnet reads fastText's .bin, from which it was made")
    words, notes = [], Notes()
    for _ in range(n_entries):
        word = bytearray()
        while (sign := stream.read(1)) not in (b"\0", b""):
            word += sign
            if len(word) > _LONGEST_WORD:
                raise LangnetError(f"{name}: a word is longer than {_LONGEST_WORD:,} bytes; the file is damaged")
        _, kind = _numbers(stream, "<qb", name)
        if kind == 0:
            words.append(bytes(word))
        else:
            notes.labels += 1
    if len(words) != n_words:
        raise LangnetError(f"{name}: it names {n_words:,} words and has {len(words):,}; the file is damaged")
    return words, notes


def _read_matrix(stream: io.BufferedReader, n_rows: int, dim: int, size: int | None, name: str) -> np.ndarray:
    """(n_rows, dim) float32, in pieces: what a header claims is not believed."""
    wanted = n_rows * dim * 4
    if size is not None and wanted > size:
        raise LangnetError(f"{name}: a matrix of {wanted:,} bytes does not fit into {size:,}; the file is cut off")
    pieces = []
    while wanted:
        piece = stream.read(min(wanted, _AT_ONCE))
        if not piece:
            raise LangnetError(f"{name}: it ends within its matrix, {wanted:,} bytes too early; fetch the file again")
        pieces.append(piece)
        wanted -= len(piece)
    return np.frombuffer(b"".join(pieces), dtype="<f4").reshape(n_rows, dim)


def _numbers(stream: io.BufferedReader, layout: str, name: str) -> tuple[int, ...]:
    data = stream.read(struct.calcsize(layout))
    if len(data) < struct.calcsize(layout):
        raise LangnetError(f"{name}: it ends too early; fetch the file again")
    return struct.unpack(layout, data)
