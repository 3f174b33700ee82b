"""A dictionary out of pairs of sentences: IBM model 1 in both directions (Brown et al. 1993), and what both find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

ROUNDS = 10
LEAST_COUNT = 10  # of either word in the pairs of sentences
LEAST_PROBABILITY = 0.25  # in both directions

Sentences = Sequence[Sequence[str]]


def translations(source: Sentences, target: Sentences) -> list[tuple[str, str]]:
    """Pairs of words of which each translates as the other with a probability of a quarter or more.

    Args:
        source, target: words of sentences that translate each other.
    """
    there, back = translation_table(source, target), translation_table(target, source)
    counts = [Counter(word for sentence in side for word in sentence) for side in (source, target)]
    return sorted(
        (first, second)
        for (first, second), probability in there.items()
        if min(probability, back.get((second, first), 0.0)) >= LEAST_PROBABILITY
        and min(counts[0][first], counts[1][second]) >= LEAST_COUNT
    )


def translation_table(source: Sentences, target: Sentences) -> dict[tuple[str, str], float]:
    """The probability of each target word given a source word it stands beside, by expectation and maximisation.

    A word without counterpart is explained by an empty source word, which is in every sentence and left out at the end.
    """
    names = [["", *dict.fromkeys(w for s in side for w in s)] for side in (source, target)]
    ids = [{word: index for index, word in enumerate(side)} for side in names]
    firsts, seconds, tokens, n_tokens = [], [], [], 0
    for one, other in zip(source, target, strict=True):
        given = np.array([0, *(ids[0][word] for word in one)])
        made = np.array([ids[1][word] for word in other], dtype=np.int64)
        firsts.append(np.tile(given, len(made)))
        seconds.append(np.repeat(made, len(given)))
        tokens.append(np.repeat(np.arange(n_tokens, n_tokens + len(made)), len(given)))
        n_tokens += len(made)
    token = np.concatenate(tokens)  # (n,): which target token each pair of tokens explains
    keys, pair = np.unique(np.concatenate(firsts) * len(names[1]) + np.concatenate(seconds), return_inverse=True)
    first = keys // len(names[1])  # (pairs,)
    probability = np.ones(len(keys))
    for _ in range(ROUNDS):
        shares = probability[pair]
        shares /= np.bincount(token, shares)[token]
        expected = np.bincount(pair, shares)
        probability = expected / np.bincount(first, expected)[first]
    return {
        (names[0][key // len(names[1])], names[1][key % len(names[1])]): float(p)
        for key, p in zip(keys.tolist(), probability, strict=True)
        if key >= len(names[1])
    }
