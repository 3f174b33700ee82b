"""word2vec and fastText, trained by gensim: skip-gram or CBOW with negative sampling, with or without n-grams.

Mikolov et al. 2013 and Bojanowski et al. 2017. gensim's threads race for the weights, so only one thread gives the same
vectors twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from langnet.encoders.word_space import Subwords
from langnet.errors import LangnetError
from langnet.text.shards import TokenShards
from langnet.text.tokenizer import SPECIAL_TOKENS
from langnet.training.progress import Progress

_WORDS_A_SENTENCE = 10_000  # gensim leaves out what a longer one has beyond them


@dataclass(frozen=True)
class Word2VecOptions:
    """How vectors are trained with negative sampling.

    Attributes:
        architecture: `skipgram` predicts the neighbours of a word, `cbow` the word from their mean.
        dim: D.
        window: the largest distance; each word draws one from 1 to it.
        epochs: passes over the text.
        negatives: words drawn against each true one, from counts to the power of 0.75.
        sample: words of a larger share of the text are discarded at random, the more the more frequent they are.
        learning_rate: the first; it falls linearly to nearly nothing.
        subwords: also learn n-grams of 3 to 6 characters, hashed into `buckets`: fastText.
        buckets: how many; published are two million, which a corpus of a few million words does not fill.
        threads: more than one is faster and gives other vectors each time.
        seed: of the first weights and of all draws.
    """

    architecture: Literal["skipgram", "cbow"] = "skipgram"
    dim: int = 100
    window: int = 5
    epochs: int = 5
    negatives: int = 5
    sample: float = 1e-3
    learning_rate: float = 0.025
    subwords: bool = False
    buckets: int = 200_000
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("dim", "window", "epochs", "negatives", "learning_rate", "buckets", "threads"):
            if getattr(self, name) <= 0:
                raise LangnetError(f"the {name.replace('_', ' ')} must be above zero, not {getattr(self, name):g}")
        if not 0 <= self.sample < 1:
            raise LangnetError(f"the sample must be from 0, which discards nothing, to below 1, not {self.sample:g}")


def train_word2vec(
    shards: TokenShards, words: Sequence[str], options: Word2VecOptions, progress: Progress | None = None
) -> tuple[np.ndarray, Subwords | None]:
    """The vectors of `words` in their order, (V, D) float32, and those of their n-grams where they are learned.

    Args:
        shards: of a word tokenizer; unknown words are left out before distances are measured.
        words: every entry of the tokenizer after the special tokens.
        options: how.
        progress: moved on after each pass.
    """
    from gensim.models import FastText, Word2Vec

    counts = word_counts(shards, len(words))
    common: dict[str, Any] = {
        "vector_size": options.dim,
        "window": options.window,
        "min_count": 1,  # the tokenizer has dropped the rare ones
        "sg": int(options.architecture == "skipgram"),
        "negative": options.negatives,
        "sample": options.sample,
        "alpha": options.learning_rate,
        "workers": options.threads,
        "seed": options.seed + 1,  # gensim takes 0 for none
        "epochs": options.epochs,
    }
    model = FastText(bucket=options.buckets, min_n=3, max_n=6, **common) if options.subwords else Word2Vec(**common)
    frequencies = {word: int(count) for word, count in zip(words, counts, strict=True) if count}
    model.build_vocab_from_freq(frequencies)
    sentences = _Sentences(shards, words)
    watching = [_epochs_shown(progress, options.epochs, int(counts.sum()))] if progress else []
    if progress:
        progress.start(f"{options.epochs} passes over {counts.sum():,} words")
    try:
        model.train(
            sentences, total_examples=sentences.count(), total_words=int(counts.sum()), epochs=options.epochs,
            callbacks=watching,
        )  # fmt: skip
    finally:
        if progress:
            progress.stop()
    vectors = np.zeros((len(words), options.dim), dtype=np.float32)
    for index, word in enumerate(words):
        if word in frequencies:
            vectors[index] = model.wv.get_vector(word)
    subwords = Subwords(3, 6, np.asarray(model.wv.vectors_ngrams, dtype=np.float32)) if options.subwords else None
    return vectors, subwords


def word_counts(shards: TokenShards, n_words: int) -> np.ndarray:
    """How often each word occurs, (V,) int64."""
    counts = np.zeros(n_words + len(SPECIAL_TOKENS), dtype=np.int64)
    for start in range(0, shards.n_tokens, 2**22):
        counts += np.bincount(shards.read(start, start + 2**22), minlength=len(counts))
    return counts[len(SPECIAL_TOKENS) :]


class _Sentences:
    """Documents as lists of words, cut where gensim would leave something out; can be read again and again."""

    def __init__(self, shards: TokenShards, words: Sequence[str]):
        self.shards, self.words = shards, np.array([*SPECIAL_TOKENS, *words], dtype=object)

    def _pieces(self) -> Iterator[np.ndarray]:
        for index in range(self.shards.n_documents):
            ids = self.shards.document(index)
            ids = ids[ids >= len(SPECIAL_TOKENS)]
            for start in range(0, len(ids), _WORDS_A_SENTENCE):
                yield ids[start : start + _WORDS_A_SENTENCE]

    def count(self) -> int:
        """How many sentences there are."""
        return sum(1 for _ in self._pieces())

    def __iter__(self) -> Iterator[list[str]]:
        for ids in self._pieces():
            yield self.words[ids].tolist()


def _epochs_shown(progress: Progress, epochs: int, n_words: int) -> Any:
    """The way of gensim to be told that a pass has ended."""
    from gensim.models.callbacks import CallbackAny2Vec

    class Shown(CallbackAny2Vec):
        def __init__(self) -> None:
            self.done, self.started = 0, time.monotonic()

        def on_epoch_end(self, model: Any) -> None:
            self.done += 1
            progress.update(self.done / epochs, self.done * n_words, time.monotonic() - self.started, None)

    return Shown()
