"""What a likelihood has to be seen beside: chance, the length of a text, and how frequent its words are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from langnet.evaluate.likelihood import Normalise
from langnet.text.tokenizer import Tokenizer

_AT_ONCE = 4096


class UnigramModel:
    """How frequent each token is, and nothing of its context (Krichevsky & Trofimov 1981: half a count more each).

    Args:
        counts: (V,) how often each token occurs.
    """

    def __init__(self, counts: np.ndarray):
        self.log_shares = np.log(counts + 0.5) - np.log(counts.sum() + 0.5 * len(counts))  # (V,)

    @classmethod
    def of(cls, texts: Iterable[str], tokenizer: Tokenizer) -> UnigramModel:
        """The frequencies in some texts."""
        counts = np.zeros(tokenizer.vocabulary_size, dtype=np.int64)
        held: list[str] = []
        for text in texts:
            held.append(text)
            if len(held) == _AT_ONCE:
                counts += _count(held, tokenizer)
                held = []
        return cls(counts + _count(held, tokenizer))

    def scores(self, texts: Sequence[str], tokenizer: Tokenizer, normalise: Normalise = "none") -> np.ndarray:
        """The log-probability of each text, (N,), whole or a token or a byte."""
        encoded = tokenizer.encode_batch(list(texts))
        total = np.array([self.log_shares[ids].sum() for ids in encoded])
        return total / np.array([_length(t, len(ids), normalise) for t, ids in zip(texts, encoded, strict=True)])


def _count(texts: Sequence[str], tokenizer: Tokenizer) -> np.ndarray:
    ids = [i for one in tokenizer.encode_batch(list(texts)) for i in one]
    return np.bincount(np.array(ids, dtype=np.int64), minlength=tokenizer.vocabulary_size)


def _length(text: str, n_tokens: int, normalise: Normalise) -> int:
    return max(1, {"none": 1, "tokens": n_tokens, "bytes": n_bytes(text)}[normalise])


def n_bytes(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text.encode("utf8", "surrogatepass"))


def shortness(texts: Sequence[str]) -> np.ndarray:
    """Shorter texts score higher, (N,): what a sum of log-probabilities prefers by itself."""
    return -np.array([n_bytes(text) for text in texts], dtype=float)
