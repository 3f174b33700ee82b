"""Translation word by word: a lexicon from parallel sentences by IBM model 1 (Brown et al. 1993), and copying."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from langnet.text.words import word_spans

ROUNDS = 5
_NULL = ""  # the word that stands for nothing in the other language


class WordTranslator:
    """Every word becomes the one that it most probably stands for; one that was never seen stays as it is.

    Args:
        texts: sentences.
        targets: their translations.
    """

    def __init__(self, texts: Sequence[str], targets: Sequence[str]):
        self.best: dict[str, str] = {}
        own, other = ([words_of(text) for text in side] for side in (texts, targets))
        of = {word: i for i, word in enumerate({_NULL: 0, **{w: 0 for words in other for w in words}})}
        to = {word: i for i, word in enumerate(dict.fromkeys(w for words in own for w in words))}
        rows = []
        for number, (words, others) in enumerate(zip(own, other, strict=True)):
            # Each word of the sentence is said to come from one of its translation, or from nothing.
            a = np.array([to[w] for w in words], dtype=np.int64)
            b = np.array([0, *(of[w] for w in others)], dtype=np.int64)
            place = np.repeat(np.arange(len(a)), len(b))
            rows.append(np.stack([np.full(len(place), number), place, np.repeat(a, len(b)), np.tile(b, len(a))], 1))
        if not to or not rows:
            return
        table = np.concatenate(rows)
        best = _expectations(table, len(of))
        names, others_names = list(to), list(of)
        for word, found in best.items():
            self.best[names[word]] = others_names[found]

    def translate(self, text: str) -> str:
        """The words of the translation, with blanks between them."""
        found = (self.best.get(word.casefold(), word) for word in words_of(text, lower=False))
        return " ".join(word for word in found if word != _NULL)


def _expectations(table: np.ndarray, n_sources: int) -> dict[int, int]:
    """The most probable counterpart of each word, by expectation maximisation over all pairs of words.

    Args:
        table: (P, 4) sentence, place of the word in it, word, and a word of the other side.
        n_sources: how many different ones that side has, nothing included.
    """
    pair, index = np.unique(table[:, 2] * n_sources + table[:, 3], return_inverse=True)
    word, other = pair // n_sources, pair % n_sources
    _, spot = np.unique(table[:, 0] * (table[:, 1].max() + 1) + table[:, 1], return_inverse=True)  # one a word's place
    chance = np.ones(len(pair))
    for _ in range(ROUNDS):
        share = chance[index]
        share = share / np.bincount(spot, share)[spot]
        counts = np.bincount(index, share)  # how often a pair is expected to be one
        chance = counts / np.bincount(other, counts, minlength=n_sources)[other]
    order = np.lexsort((counts, word))  # for every word, the counterpart that is expected most often comes last
    last = np.flatnonzero(np.append(word[order][1:] != word[order][:-1], True))
    return {int(word[order[i]]): int(other[order[i]]) for i in last}


def words_of(text: str, lower: bool = True) -> list[str]:
    """The words of a text, in small letters unless they are to be written."""
    found = [text[a:b] for a, b in word_spans(text)]
    return [word.casefold() for word in found] if lower else found
