"""Neighbours of multiple choice: what position, length, words and their frequency give away.

Each gives every alternative a number; the greatest is chosen, and where two are equal, nothing is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import softmax

from langnet.evaluate.baselines import TfidfBaseline
from langnet.tasks.choose import ChoiceGuess
from langnet.text.multiple_choice import MultipleChoice

_WORD = re.compile(r"\w+(?:['’]\w+)*")
Items = Sequence[MultipleChoice]
Scorer = Callable[[Items, Items], list[list[float]]]  # what each alternative of the test items gets


def choose_greatest(scores: Sequence[Sequence[float]]) -> list[ChoiceGuess]:
    """Guesses from a number an alternative; equal numbers stay equal."""
    rows = [softmax(np.asarray(row, dtype=np.float64)) for row in scores]
    return [ChoiceGuess(tuple(map(float, row))) for row in rows]


def position(train: Items, test: Items) -> list[list[float]]:
    """How often each place was right among the training items."""
    counts = Counter(item.answer for item in train)
    return [[float(counts[number]) for number in range(len(item.alternatives))] for item in test]


def length(train: Items, test: Items) -> list[list[float]]:
    """The number of words."""
    return [[float(len(_words(text))) for text in item.alternatives] for item in test]


def overlap(train: Items, test: Items) -> list[list[float]]:
    """The cosine of the TF-IDF vectors of the context with its question, and of the alternative."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(sublinear_tf=True, analyzer=_words)
    try:
        vectorizer.fit([_context(item) for item in train] + [text for item in train for text in item.alternatives])
    except ValueError:  # no words at all
        return [[0.0] * len(item.alternatives) for item in test]
    contexts = vectorizer.transform([_context(item) for item in test])
    products = [vectorizer.transform(item.alternatives) @ contexts[row].T for row, item in enumerate(test)]
    return [np.asarray(product.todense()).ravel().tolist() for product in products]


def words_alone(train: Items, test: Items) -> list[list[float]]:
    """The log-odds that an alternative is right by its words, from a logistic regression that sees no context."""
    texts = [text for item in train for text in item.alternatives]
    right = [number == item.answer for item in train for number in range(len(item.alternatives))]
    labels = ["right" if one else "wrong" for one in right]
    asked = [text for item in test for text in item.alternatives]
    found = TfidfBaseline().fit_predict(texts, labels, asked)
    if found.probabilities is None or "right" not in found.label_names:
        return [[0.0] * len(item.alternatives) for item in test]
    chances = found.probabilities[:, found.label_names.index("right")]
    return _by_item(np.log(np.maximum(chances, 1e-12)).tolist(), test)


def frequency(train: Items, test: Items) -> list[list[float]]:
    """The mean log-probability of an alternative's words by their counts in the training texts, plus one."""
    texts = [text for item in train for text in (_context(item), *item.alternatives)]
    counts = Counter(word for text in texts for word in _words(text))
    total = counts.total() + len(counts) + 1
    means = []
    for item in test:
        logs = [[np.log((counts[word] + 1) / total) for word in _words(text)] for text in item.alternatives]
        means.append([float(np.mean(row)) if row else float(-np.log(total)) for row in logs])
    return means


SCORERS: dict[str, tuple[Scorer, str]] = {
    "majority position": (position, ""),
    "longest alternative": (length, ""),
    "TF-IDF overlap with the context": (overlap, ""),
    "TF-IDF of the alternative": (words_alone, "what its artifacts give away"),
    "most frequent words": (frequency, ""),
}


def _by_item(values: Sequence[float], items: Items) -> list[list[float]]:
    rows, at = [], 0
    for item in items:
        rows.append(list(values[at : at + len(item.alternatives)]))
        at += len(item.alternatives)
    return rows


def _context(item: MultipleChoice) -> str:
    return f"{item.context} {item.question}"


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]
