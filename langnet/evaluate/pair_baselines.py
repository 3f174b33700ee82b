"""Neighbours of pairs of texts: what words alone say, of the second text and of how it overlaps with the first.

The features are those of the lexicalised classifier that stood beside the first neural ones on SNLI (Bowman et al.
2015, section 3.2), in short: words and word pairs of the second text, which of them the first text has not, and how far
the two overlap, differ in length, and are negated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from langnet.evaluate.baselines import MajorityBaseline, tuned_logistic_regression
from langnet.evaluate.predictions import Predictions
from langnet.text.pairs import Pair

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

_WORD = re.compile(r"\w+(?:['’]\w+)*")
NEGATIONS = frozenset(  # English
    ("no", "not", "none", "nobody", "nothing", "nowhere", "never", "neither", "nor", "without", "cannot")
)
OVERLAPS = 0.3  # how long a feature of overlap is beside a TF-IDF vector of length one
_RATING_STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1000.0)


class OverlapBaseline:
    """Overlaps and TF-IDF of the second text, of its new and of its missing words, with a logistic regression."""

    name = "word overlap and TF-IDF"

    def fit_predict(self, train: Sequence[Pair], labels: Sequence[str], test: Sequence[Pair]) -> Predictions:
        """Learn from labelled pairs and predict the test pairs."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(overlap_features(train))
        parts = [
            tuple(sparse.csr_matrix(OVERLAPS * scaler.transform(overlap_features(pairs))) for pairs in (train, test))
        ]
        for ngrams, texts in (((1, 2), _second), ((1, 1), _new), ((1, 1), _missing)):
            vectorizer = TfidfVectorizer(ngram_range=ngrams, sublinear_tf=True, analyzer="word", token_pattern=r"\S+")
            try:
                own = vectorizer.fit_transform([texts(pair) for pair in train])
            except ValueError:  # no words at all
                continue
            parts.append((own, vectorizer.transform([texts(pair) for pair in test])))
        if not len(test):
            return MajorityBaseline().fit_predict(labels, labels, [])
        stacked = [sparse.hstack([part[side] for part in parts], format="csr") for side in (0, 1)]
        return tuned_logistic_regression([stacked[0]], labels, [stacked[1]])


class OverlapRatings:
    """The overlaps and the cosine of TF-IDF vectors with a ridge regression; its strength by leaving one out."""

    name = "word overlap"

    def fit_predict(self, train: Sequence[Pair], ratings: Sequence[float], test: Sequence[Pair]) -> np.ndarray:
        """Learn from rated pairs; (N,) ratings of the test pairs."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import RidgeCV
        from sklearn.preprocessing import StandardScaler

        own, other = overlap_features(train), overlap_features(test)
        vectorizer = TfidfVectorizer(sublinear_tf=True, analyzer=_words)
        try:
            vectorizer.fit([text for pair in train for text in (pair.first, pair.second)])
        except ValueError:  # no words at all
            return np.full(len(test), float(np.mean(ratings)))
        own, other = (
            np.column_stack([part, _cosine(vectorizer, pairs)]) for part, pairs in ((own, train), (other, test))
        )
        scaler = StandardScaler().fit(own)
        model = RidgeCV(_RATING_STRENGTHS).fit(scaler.transform(own), np.asarray(ratings))
        guessed: np.ndarray = model.predict(scaler.transform(other)) if len(test) else np.zeros(0)
        return np.clip(guessed, min(ratings), max(ratings))


def overlap_features(pairs: Sequence[Pair]) -> np.ndarray:
    """How two texts share words, (N, 9): shares of words and word pairs, lengths, negations of either and both."""
    return np.array([_overlaps(_words(pair.first), _words(pair.second)) for pair in pairs], dtype=np.float64).reshape(
        -1, 9
    )


def _overlaps(first: list[str], second: list[str]) -> list[float]:
    a, b = set(first), set(second)
    pairs = [set(pairwise(words)) for words in (first, second)]
    negated = [float(any(word in NEGATIONS or word.endswith("n't") for word in words)) for words in (first, second)]
    return [
        len(a & b) / max(len(b), 1),
        len(a & b) / max(len(a), 1),
        len(a & b) / max(len(a | b), 1),
        len(pairs[0] & pairs[1]) / max(len(pairs[1]), 1),
        np.log1p(len(first)) - np.log1p(len(second)),
        np.log1p(len(second)),
        *negated,
        float(negated[0] != negated[1]),
    ]


def _words(text: str) -> list[str]:
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def _second(pair: Pair) -> str:
    return " ".join(_words(pair.second))


def _new(pair: Pair) -> str:
    known = set(_words(pair.first))
    return " ".join(word for word in _words(pair.second) if word not in known)


def _missing(pair: Pair) -> str:
    said = set(_words(pair.second))
    return " ".join(word for word in _words(pair.first) if word not in said)


def _cosine(vectorizer: TfidfVectorizer, pairs: Sequence[Pair]) -> np.ndarray:
    if not pairs:
        return np.zeros(0)
    first, second = (vectorizer.transform(texts) for texts in zip(*((p.first, p.second) for p in pairs), strict=True))
    return np.asarray(first.multiply(second).sum(axis=1)).ravel()
