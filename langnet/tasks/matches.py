"""What a reader sees of a word without knowing it: whether the question has it too, and how it is written.

The matches are those of DrQA (Chen et al. 2017: the word as it stands, in small letters, and its lemma, whose place a
common stem takes here, in any language). How near other words of the question are is the idea of the sliding window
(Richardson et al. 2013), and so are the weights, which are higher for words that are rare in the passage.
"""

from __future__ import annotations

import numpy as np

from langnet.tasks.writing import Tokens
from langnet.text.words import word_spans

STEM = 4  # letters that two forms of a word share at least
ENDING = 2  # letters at the end of the shorter of two forms that may differ
SPREADS = (2.0, 8.0)  # words over which a match is felt before and after it
N_FEATURES = 9  # exact, small letters, stem, weight, two spreads, digit, capital, no letter


class Words:
    """The words of a text.

    Args:
        text: in NFC.

    Attributes:
        start, end: (N,) where each stands.
        exact, lower: as they stand and in small letters.
    """

    def __init__(self, text: str):
        spans = word_spans(text)
        self.exact = [text[a:b] for a, b in spans]
        self.lower = [word.lower() for word in self.exact]
        places = np.array(spans, dtype=np.int64).reshape(-1, 2)
        self.start, self.end = places[:, 0], places[:, 1]

    def borders(self, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Whether a word begins with each token, and whether one ends with it, (T,) each.

        Args:
            start, end: (T,) characters of each token; several tokens of one character have the same.
        """
        fresh = np.concatenate([[True], start[1:] >= end[:-1]]) if len(start) else np.zeros(0, dtype=bool)
        done = np.concatenate([fresh[1:], [True]]) if len(start) else fresh
        filled = end > start
        return filled & fresh & np.isin(start, self.start), filled & done & np.isin(end, self.end)

    def features(self, tokens: Tokens, other: Words, spread: bool = True) -> np.ndarray:
        """What is seen of each token's word, (T, N_FEATURES) float32; zeros where there is no word.

        Args:
            tokens: of this text, without blanks at their ends.
            other: the words that it is compared with.
            spread: whether to tell how near other matches are.
        """
        if not self.exact or not len(tokens):
            return np.zeros((len(tokens), N_FEATURES), dtype=np.float32)
        table = np.concatenate([self._matches(other, spread), self._shapes()], axis=1)
        word = np.searchsorted(self.start, tokens.start, side="right") - 1
        inside = (word >= 0) & (tokens.start < self.end[word.clip(0)]) & (tokens.end > tokens.start)
        features: np.ndarray = table[word.clip(0)] * inside[:, None]
        return features.astype(np.float32)

    def _matches(self, other: Words, spread: bool) -> np.ndarray:
        """(N, 6)."""
        exact, lower = set(other.exact), set(other.lower)
        stems: dict[str, set[str]] = {}
        for word in lower:
            stems.setdefault(word[:STEM], set()).add(word)
        related = {word: word in lower or _has_relative(word, stems.get(word[:STEM], ())) for word in set(self.lower)}
        found = np.array(
            [
                [word in exact, small in lower, related[small]]
                for word, small in zip(self.exact, self.lower, strict=True)
            ],
            dtype=np.float64,
        )
        names, place, counts = np.unique(
            np.array(self.lower, dtype=object).astype(str), return_inverse=True, return_counts=True
        )
        letters = np.array([any(sign.isalnum() for sign in name) for name in names])
        weight = (np.log1p(1 / counts) * letters)[place] * found[:, 2]
        near = [_spread(weight, reach) if spread else np.zeros(len(weight)) for reach in SPREADS]
        return np.stack([*found.T, weight, *near], axis=1)

    def _shapes(self) -> np.ndarray:
        """(N, 3)."""
        return np.array(
            [[any(s.isdigit() for s in w), w[:1].isupper(), not any(s.isalnum() for s in w)] for w in self.exact],
            dtype=np.float64,
        )


def _has_relative(word: str, candidates: set[str] | tuple[()]) -> bool:
    """Whether a word shares its stem with one of those that begin with the same letters."""
    return any(
        word[:length] == other[:length]
        for other in candidates
        for length in (max(STEM, min(len(word), len(other)) - ENDING),)
        if min(len(word), len(other)) >= STEM and word.isalpha() and other.isalpha()
    )


def _spread(weight: np.ndarray, reach: float) -> np.ndarray:
    """The weights of the words around each, which fall off with their distance; itself left out."""
    out = np.zeros_like(weight)
    fall = np.exp(-1 / reach)
    for values, target in ((weight, out), (weight[::-1], out[::-1])):
        held = 0.0
        for index, value in enumerate(values):
            target[index] += held
            held = (held + value) * fall
    return out
