"""Neighbours of a tagger: one tag for all words, the most frequent of each word, and a chain over features of words.

The last is a conditional random field (Lafferty et al. 2001) on what a word looks like: itself, its beginnings and
endings, its shape, and its neighbours. It knows nothing beyond the labelled sentences, and is what entity recognisers
were before word vectors.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from scipy import sparse
from threadpoolctl import threadpool_limits
from torch import Tensor

from langnet.tasks.crf import Chain

PENALTY = 0.1  # half of it times the squared weights is added to the loss, as CRFsuite's c2 is
ITERATIONS = 60
_SENTENCES = 128  # of like length, computed together
Words = Sequence[str]
Tags = Sequence[str]
Read = TypeVar("Read", bound=Sized)
Features = Callable[[Read], Iterator[list[str]]]


def one_tag(train: Sequence[Tags], test: Sequence[Words]) -> list[list[str]]:
    """The most frequent tag, the first by name among equals, for every word."""
    best = _most_frequent(Counter(tag for tags in train for tag in tags))
    return [[best] * len(words) for words in test]


def tag_of_word(words: Sequence[Words], tags: Sequence[Tags], test: Sequence[Words]) -> list[list[str]]:
    """Each word's most frequent tag; words that never occurred get the one most frequent among those that did once."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for own, right in zip(words, tags, strict=True):
        for word, tag in zip(own, right, strict=True):
            counts[word][tag] += 1
    table = {word: _most_frequent(own) for word, own in counts.items()}
    once = Counter(table[word] for word, own in counts.items() if own.total() == 1)
    unknown = _most_frequent(once or Counter(tag for right in tags for tag in right))
    return [[table.get(word, unknown) for word in own] for own in test]


def _most_frequent(counts: Counter[str]) -> str:
    return min(counts, key=lambda tag: (-counts[tag], tag)) if counts else "O"


def chain_of_features(
    words: Sequence[Read],
    tags: Sequence[Tags],
    test: Sequence[Read],
    penalty: float = PENALTY,
    iterations: int = ITERATIONS,
    features: Features[Read] | None = None,
) -> list[list[str]]:
    """A conditional random field on features of words, fitted by L-BFGS, and its best paths.

    Args:
        words, tags: of the training sentences.
        test: words of the sentences to tag.
        penalty: of the squared weights.
        iterations: at most, of L-BFGS.
        features: of each word of a sentence, which then may be anything that has a length; None takes `word_features`.
    """
    describe: Features[Any] = features or word_features
    names = sorted({tag for own in tags for tag in own})
    if not names:
        return [["O"] * len(own) for own in test]
    columns: dict[str, int] = {}
    place = {name: index for index, name in enumerate(names)}
    learned = _groups(words, columns, len(names), describe, grow=True)
    gold = [[torch.tensor([place[tag] for tag in tags[i]]) for i in group.sentences] for group in learned]
    padded = [torch.nn.utils.rnn.pad_sequence(own, batch_first=True) for own in gold]  # (N, T) each
    with threadpool_limits(1):  # of products this small, a second thread only waits for the first
        weights = _fit(learned, padded, (len(columns), len(names)), penalty, iterations)
        out: list[list[str]] = [[] for _ in test]
        for group in _groups(test, columns, len(names), describe, grow=False):
            paths, _ = _chain(weights.of_chain()).best_paths(group.scores(weights.features), group.lengths)
            for index, path, length in zip(group.sentences, paths.tolist(), group.lengths.tolist(), strict=True):
                out[index] = [names[tag] for tag in path[:length]]
    return out


@dataclass
class _Group:
    """Sentences of like length: which they are, the features of their words (words, F), where those stand in (N, T)."""

    sentences: list[int]
    features: sparse.csr_matrix
    words: np.ndarray
    lengths: Tensor
    n_tags: int

    def scores(self, weights: np.ndarray) -> Tensor:
        """(N, T, C) for weights (F, C)."""
        table = np.zeros((len(self.sentences) * int(self.lengths.max()), self.n_tags))
        table[self.words] = self.features @ weights
        return torch.from_numpy(table.reshape(len(self.sentences), -1, self.n_tags))


@dataclass
class _Weights:
    """All weights as one vector: of features (F, C), and of the chain."""

    flat: np.ndarray
    shape: tuple[int, int]

    @property
    def features(self) -> np.ndarray:
        return self.flat[: self.shape[0] * self.shape[1]].reshape(self.shape)

    def of_chain(self) -> Tensor:
        """The chain's, (C + 2, C): transitions, start, end."""
        n_tags = self.shape[1]
        return torch.tensor(self.flat[self.shape[0] * n_tags :].reshape(n_tags + 2, n_tags))


def _chain(weights: Tensor) -> Chain:
    return Chain(weights[:-2], weights[-2], weights[-1])


def _fit(groups: list[_Group], gold: list[Tensor], shape: tuple[int, int], penalty: float, iterations: int) -> _Weights:
    from scipy.optimize import minimize

    n_features, n_tags = shape

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = _Weights(flat, shape)
        total, gradient = 0.5 * penalty * float(flat @ flat), penalty * flat
        for group, tags in zip(groups, gold, strict=True):
            scores = group.scores(weights.features).requires_grad_()
            rest = weights.of_chain().requires_grad_()
            chain = _chain(rest)
            lost = (chain.log_partition(scores, group.lengths) - chain.path_scores(scores, tags, group.lengths)).sum()
            own, of_chain = torch.autograd.grad(lost, [scores, rest])
            total += float(lost.detach())
            of_words = own.numpy().reshape(-1, n_tags)[group.words]
            gradient[: n_features * n_tags] += (group.features.T @ of_words).ravel()
            gradient[n_features * n_tags :] += of_chain.numpy().ravel()
        return total, gradient

    start = np.zeros(n_features * n_tags + (n_tags + 2) * n_tags)
    options = {"maxiter": iterations, "maxfun": 2 * iterations, "maxcor": 6}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    return _Weights(found.x, shape)


def _groups(
    sentences: Sequence[Any], columns: dict[str, int], n_tags: int, describe: Features[Any], grow: bool
) -> list[_Group]:
    """Sentences that have words, in groups of like length.

    Args:
        sentences: words of each.
        columns: the number of each feature.
        n_tags: C.
        describe: the features of a sentence's words.
        grow: whether features that are not among the columns are added to them.
    """
    order = sorted((i for i, own in enumerate(sentences) if own), key=lambda i: len(sentences[i]))
    parts = [order[i : i + _SENTENCES] for i in range(0, len(order), _SENTENCES)]
    found: list[tuple[list[int], list[int], list[int]]] = []
    for part in parts:
        index, pointer = list[int](), [0]
        for i in part:
            for features in describe(sentences[i]):
                if grow:
                    index += [columns.setdefault(feature, len(columns)) for feature in features]
                else:
                    index += [columns[feature] for feature in features if feature in columns]
                pointer.append(len(index))
        found.append((part, index, pointer))
    groups = []
    for part, index, pointer in found:
        shape = (len(pointer) - 1, len(columns))
        features = sparse.csr_matrix((np.ones(len(index)), index, pointer), shape=shape)
        lengths = np.array([len(sentences[i]) for i in part])
        places = np.flatnonzero((np.arange(lengths.max()) < lengths[:, None]).ravel())
        groups.append(_Group(part, features, places, torch.from_numpy(lengths), n_tags))
    return groups


def word_features(words: Words) -> Iterator[list[str]]:
    """The features of each word: it and its two neighbours on either side, affixes up to four letters, shape."""
    lower = [word.lower() for word in words]
    looks = [shape(word) for word in words]
    for i, word in enumerate(words):
        own = ["", f"w={word}", f"l={lower[i]}", f"s={looks[i]}", f"c={_case(word)}"]
        own += [f"<{n}={lower[i][:n]}" for n in range(1, 5) if len(word) >= n]
        own += [f">{n}={lower[i][-n:]}" for n in range(1, 5) if len(word) >= n]
        for offset in (-2, -1, 1, 2):
            there = 0 <= i + offset < len(words)
            own.append(f"{offset}l={lower[i + offset]}" if there else f"{offset}none")
            if there and abs(offset) == 1:
                own += [f"{offset}s={looks[i + offset]}", f"{offset}>3={lower[i + offset][-3:]}"]
        if i > 0:
            own.append(f"-1,0={lower[i - 1]}|{lower[i]}")
        yield own


def shape(word: str) -> str:
    """Capital letters as X, small ones as x, digits as d, each run of a sign once: `Xx` of `London`, `d-d` of `3-4`."""
    signs = "".join("X" if c.isupper() else "x" if c.isalpha() else "d" if c.isdigit() else c for c in word)
    return re.sub(r"(.)\1+", r"\1", signs)


def _case(word: str) -> str:
    if not any(c.isalpha() for c in word):
        return "none"
    return "upper" if word.isupper() else "title" if word[:1].isupper() else "lower" if word.islower() else "mixed"
