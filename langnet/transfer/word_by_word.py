"""Translation word by word without parallel text: nearest words in a common space, chosen by what follows what.

The lexicon of Lample et al. 2018 (their M(1)): of every word its nearest neighbours by CSLS (Conneau et al. 2018).
Which of them is taken hangs on its neighbours in the sentence, by a model of word pairs learned from the target's own
text (Kim et al. 2018): the best sequence is found by dynamic programming. The order of the words stays the source's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from langnet.encoders.word_space import WordSpace, unit_rows
from langnet.errors import LangnetError
from langnet.text.words import word_spans
from langnet.transfer.alignment import mean_nearest

DISCOUNT = 0.75  # of the counts of pairs (Ney et al. 1994)
_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class WordByWordOptions:
    """How words are chosen.

    Attributes:
        candidates: nearest words that are weighed; 1 takes the nearest, whatever stands beside it.
        neighbours: k of CSLS.
        temperature: a difference of CSLS as large as this makes a word e times as probable.
        pair_weight: of the logarithm of the pair's probability beside that.
    """

    candidates: int = 30
    neighbours: int = 10
    temperature: float = 0.1
    pair_weight: float = 1.0

    def __post_init__(self) -> None:
        if self.candidates < 1:
            raise LangnetError(f"the number of candidates must be 1 or more, not {self.candidates}")
        if self.temperature <= 0 or self.pair_weight < 0:
            raise LangnetError("the temperature must be above zero, and the weight of pairs 0 or more")


class WordByWord:
    """Translates sentences word by word.

    Args:
        source: the words of one language, in the common space.
        target: of the other.
        texts: sentences of the other, which say what follows what and how words are written.
        options: how.
    """

    def __init__(
        self, source: WordSpace, target: WordSpace, texts: Sequence[str], options: WordByWordOptions | None = None
    ):
        self.options = options or WordByWordOptions()
        self.source, self.target = source, target
        self.found, self.scores = _lexicon(source, target, self.options)  # (V, K) each
        sentences = [words_of(text) for text in texts]
        self.pairs = WordPairs([[target.find(word.lower()) for word in own] for own in sentences], len(target))
        self.written = _spelling(sentences)
        initial = [own[0][0] for own in sentences if own and own[0][0].isalpha()]
        self.capital = sum(letter.isupper() for letter in initial) > len(initial) / 2

    def translate(self, text: str) -> str:
        """The words of the translation with blanks between them, written as the texts write them."""
        words = words_of(text)
        if not words:
            return ""
        rows = [self.source.find(word.lower()) for word in words]
        known, own = [i for i, row in enumerate(rows) if row is not None], [row for row in rows if row is not None]
        candidates = np.full((len(words), self.found.shape[1]), self.pairs.unknown)  # (T, K)
        scores = np.full(candidates.shape, -np.inf)
        scores[:, 0] = 0.0  # a word without a vector stays as it is
        candidates[known], scores[known] = self.found[own], self.scores[own]
        chosen = self._best(candidates, scores)
        names = [
            word if index == self.pairs.unknown else self.target.words[index]
            for word, index in zip(words, chosen, strict=True)
        ]
        names = [self.written.get(name, name) for name in names]
        if self.capital:
            names[0] = names[0][:1].upper() + names[0][1:]
        return " ".join(names)

    def _best(self, candidates: np.ndarray, scores: np.ndarray) -> list[int]:
        """The most probable sequence of one candidate a place, of (T, K) candidates and their scores."""
        weight, edge = self.options.pair_weight, np.array([self.pairs.edge])
        total = scores[0] + weight * self.pairs.logs(edge[:, None], candidates[:1])[0]  # (K,)
        back = []
        steps = self.pairs.logs(candidates[:-1, :, None], candidates[1:, None, :])  # (T - 1, K, K)
        for step, own in zip(steps, scores[1:], strict=True):
            ways = total[:, None] + weight * step  # (K, K)
            back.append(ways.argmax(0))
            total = ways.max(0) + own
        total = total + weight * self.pairs.logs(candidates[-1], edge[0])
        path = [int(total.argmax())]
        for before in reversed(back):
            path.append(int(before[path[-1]]))
        return [int(row[k]) for row, k in zip(candidates, reversed(path), strict=True)]


class WordPairs:
    """How probable a word is after another, by counts with absolute discounting (Ney et al. 1994).

    Args:
        sentences: words as numbers below `size`; None for an unknown one.
        size: V.

    Attributes:
        unknown: the number of all unknown words, V.
        edge: the number of a sentence's beginning and end, V + 1.
    """

    def __init__(self, sentences: Sequence[Sequence[int | None]], size: int):
        self.size, self.unknown, self.edge = size + 2, size, size + 1
        flat: list[int] = [self.edge]
        for own in sentences:
            flat += [self.unknown if word is None else word for word in own]
            flat.append(self.edge)
        ids = np.array(flat, dtype=np.int64)
        self.keys, counts = np.unique(ids[:-1] * self.size + ids[1:], return_counts=True)
        before = self.keys // self.size
        totals = np.maximum(np.bincount(before, counts, minlength=self.size), 1)
        kinds = np.bincount(before, minlength=self.size)
        alone = np.bincount(ids[1:], minlength=self.size) + 1.0
        self.alone = alone / alone.sum()  # (V + 2,) of a word whatever stands before it
        self.left = np.where(kinds > 0, DISCOUNT * kinds / totals, 1.0)  # (V + 2,) what the discount leaves for it
        self.share = (counts - DISCOUNT) / totals[before]

    def logs(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """The log-probability of words after others; numbers of any shapes that go together."""
        wanted = before * self.size + after
        place = np.minimum(np.searchsorted(self.keys, wanted), max(0, len(self.keys) - 1))
        seen = self.keys[place] == wanted if len(self.keys) else np.zeros(wanted.shape, dtype=bool)
        share = np.where(seen, self.share[place], 0.0) if len(self.keys) else np.zeros(wanted.shape)
        found: np.ndarray = np.log(share + self.left[before] * self.alone[after])
        return found


def words_of(text: str) -> list[str]:
    """The words of a text as they are written."""
    return [text[start:end] for start, end in word_spans(text)]


def _lexicon(source: WordSpace, target: WordSpace, options: WordByWordOptions) -> tuple[np.ndarray, np.ndarray]:
    """Of every source word its nearest target words, (V, K), and their scores, (V, K).

    Signs and numbers that both sides have stand for themselves.
    """
    x, y = unit_rows(source.vectors), unit_rows(target.vectors)
    crowd_x, crowd_y = mean_nearest(x, y, options.neighbours), mean_nearest(y, x, options.neighbours)
    count = min(options.candidates, len(y))
    found, scores = np.zeros((len(x), count), dtype=np.int64), np.zeros((len(x), count))
    for start in range(0, len(x), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        csls = 2 * (x[rows] @ y.T) - crowd_x[rows, None] - crowd_y  # (b, V')
        found[rows] = np.argsort(-csls, axis=1, kind="stable")[:, :count]
        scores[rows] = np.take_along_axis(csls, found[rows], axis=1)
    for row, word in enumerate(source.words):
        same = None if any(sign.isalpha() for sign in word) else target.find(word)
        if same is not None:
            found[row], scores[row] = same, -np.inf
            scores[row, 0] = 0.0
    return found, scores / options.temperature


def _spelling(sentences: Sequence[Sequence[str]]) -> dict[str, str]:
    """How each word, in small letters, is mostly written elsewhere than at a sentence's beginning."""
    counts: dict[str, Counter[str]] = {}
    for own in sentences:
        for word in own[1:]:
            counts.setdefault(word.lower(), Counter())[word] += 1
    return {word: max(sorted(forms), key=forms.__getitem__) for word, forms in counts.items()}
