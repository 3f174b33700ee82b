"""Words and their vectors: looking up, neighbours by cosine, analogies; vectors of unseen words from their n-grams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from langnet.errors import LangnetError

_ROWS_AT_ONCE = 256  # queries that are compared with all words at once


@dataclass(frozen=True)
class Subwords:
    """Vectors of character n-grams, hashed into buckets (Bojanowski et al. 2017).

    Attributes:
        shortest, longest: lengths of the n-grams in characters, `<` and `>` at the word's ends counted.
        vectors: (buckets, D) float32.
    """

    shortest: int
    longest: int
    vectors: np.ndarray

    def buckets_of(self, word: str) -> list[int]:
        """The buckets of the word's n-grams, in order."""
        from gensim.models.fasttext import ft_ngram_hashes

        return [int(b) for b in ft_ngram_hashes(word, self.shortest, self.longest, len(self.vectors))]

    def vector(self, word: str) -> np.ndarray | None:
        """The mean of the n-grams' vectors, (D,); None for a word too short to have any."""
        buckets = self.buckets_of(word)
        return self.vectors[buckets].mean(axis=0) if buckets else None


@dataclass
class WordSpace:
    """Words with a vector each.

    Attributes:
        words: frequent ones first, where that is known; none twice.
        vectors: (V, D) float32.
        subwords: for unseen words, or None.
        lowercase: whether the words were read in small letters, so that a word is looked up in them too.
        source: where it comes from, for messages.
    """

    words: Sequence[str]
    vectors: np.ndarray
    subwords: Subwords | None = None
    lowercase: bool = False
    source: str = "the vectors"
    _index: dict[str, int] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._index = {word: index for index, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    @property
    def dim(self) -> int:
        """D."""
        return int(self.vectors.shape[1])

    @cached_property
    def unit(self) -> np.ndarray:
        """The vectors at length one, (V, D); zero stays zero."""
        return unit_rows(self.vectors)

    def find(self, word: str) -> int | None:
        """A word's place: as it is written, else in small letters; None where it is unknown."""
        found = self._index.get(word)
        return self._index.get(word.lower()) if found is None else found

    def vector(self, word: str) -> np.ndarray:
        """A word's vector, (D,); of an unseen word by its n-grams, where there are some.

        Raises:
            LangnetError: the word is unknown.
        """
        found = self.find(word)
        if found is not None:
            return np.asarray(self.vectors[found])
        made = self.subwords.vector(word.lower() if self.lowercase else word) if self.subwords else None
        if made is None:
            raise LangnetError(f"{self.source} has no word '{word}' among its {len(self):,}; try another spelling")
        return made

    def nearest(self, word: str, count: int = 10) -> list[tuple[str, float]]:
        """The words with the largest cosines to a word, itself left out.

        Raises:
            LangnetError: the word is unknown.
        """
        return self.nearest_to(self.vector(word)[None], [[self.find(word)]], count)[0]

    def analogy(self, first: str, second: str, third: str, count: int = 10) -> list[tuple[str, float]]:
        """What is to `third` as `second` is to `first`: 3CosAdd (Mikolov et al. 2013), the three words left out.

        Raises:
            LangnetError: a word is unknown.
        """
        a, b, c = (unit_rows(self.vector(word)[None])[0] for word in (first, second, third))
        return self.nearest_to((b - a + c)[None], [[self.find(word) for word in (first, second, third)]], count)[0]

    def similarity(self, first: str, second: str) -> float:
        """The cosine of two words.

        Raises:
            LangnetError: a word is unknown.
        """
        a, b = (unit_rows(self.vector(word)[None])[0] for word in (first, second))
        return float(a @ b)

    def nearest_to(
        self, queries: np.ndarray, without: Sequence[Sequence[int | None]], count: int
    ) -> list[list[tuple[str, float]]]:
        """The words with the largest cosines to each query.

        Args:
            queries: (n, D).
            without: of each query the words that are left out; None among them is no word.
            count: how many words, at most.
        """
        found = []
        for scores in self.scores(queries, without):
            best = np.argsort(-scores, axis=1, kind="stable")[:, :count]
            for row, places in zip(scores, best, strict=True):
                found.append([(self.words[i], float(row[i])) for i in places if np.isfinite(row[i])])
        return found

    def scores(self, queries: np.ndarray, without: Sequence[Sequence[int | None]]) -> Iterator[np.ndarray]:
        """Cosines of queries (n, D) with all words, some rows at a time; -inf for the words left out."""
        directions = unit_rows(queries)
        for start in range(0, len(directions), _ROWS_AT_ONCE):
            scores = directions[start : start + _ROWS_AT_ONCE] @ self.unit.T  # (n, V)
            for row, left_out in zip(scores, without[start : start + _ROWS_AT_ONCE], strict=True):
                row[[i for i in left_out if i is not None and i < len(row)]] = -np.inf
            yield scores

    def most_frequent(self, count: int) -> WordSpace:
        """The first `count` words; 0 is all."""
        if count <= 0 or count >= len(self):
            return self
        return WordSpace(self.words[:count], self.vectors[:count], self.subwords, self.lowercase, self.source)


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """The rows at length one, (n, D) float32; zero stays zero."""
    rows = np.asarray(rows, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)
