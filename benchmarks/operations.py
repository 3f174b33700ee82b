"""How many floating-point operations training takes, of every family of encoders: what the model asks for.

Matrix products are counted as two operations a weight and token forward and four backward (Kaplan et al. 2020, section
2.1). Norms, gates, dropout and the optimizer are left out, and so is what an implementation computes beyond the need:
the table's shares of the machine's peak are shares of useful work. `tests/test_benchmarks.py` holds the counts against
those of PyTorch's own counter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from langnet.encoders.awd_lstm import AWDLSTM
from langnet.encoders.elmo import ELMo
from langnet.encoders.encoder import Encoder
from langnet.encoders.gpt import GPT
from langnet.recipes.word_vectors import WordVectorOptions
from langnet.tasks.sampled_softmax import expected_counts
from langnet.text.batches import Batch
from langnet.text.characters import NO_CHARACTER, NO_WORD

A_WEIGHT = 6  # operations a weight and token: two forward, two for each of the two gradients


@dataclass(frozen=True)
class Words:
    """What a model that reads characters computes once for several tokens.

    Attributes:
        distinct: words of a batch that differ, a token.
        characters: places of the longest of them, its marks counted.
    """

    distinct: float
    characters: float

    @classmethod
    def of(cls, batches: Iterable[Batch]) -> Words:
        """Means over batches of characters (B, T, C)."""
        found = []
        for batch in batches:
            words = batch.ids.flatten(0, 1).unique(dim=0)  # (N, C)
            used = ((words != NO_CHARACTER) & (words != NO_WORD)).any(0).sum()
            found.append((len(words) / batch.mask.sum().item(), float(used)))
        return cls(*map(float, np.mean(found, axis=0)))


def operations_a_token(encoder: Encoder, length: int, negatives: int = 0, words: Words | None = None) -> float:
    """Operations of a training step, forward and backward, a token.

    Args:
        encoder: of one of the families.
        length: tokens of a row.
        negatives: draws of a sampled softmax; 0 takes the whole vocabulary.
        words: of the batches, where words are read as characters.
    """
    if isinstance(encoder, GPT):
        return _gpt(encoder, length)
    if isinstance(encoder, AWDLSTM):
        config = encoder.config
        widths = config.layer_dims
        layers = sum(4 * above * (below + above) for below, above in pairwise(widths))
        return float(A_WEIGHT * (layers + config.vocabulary_size * config.dim))
    assert isinstance(encoder, ELMo), "a family whose operations are known"
    assert words is not None, "ELMo's operations depend on the words"
    return _elmo(encoder, negatives, words)


def _gpt(encoder: GPT, length: int) -> float:
    """Of attention only the half that a causal model needs: scores and mixture of length / 2 x D products."""
    config = encoder.config
    block = 4 * config.dim**2 + 2 * config.dim * config.feedforward
    weights = config.n_layers * block + config.vocabulary_size * config.dim
    return float(A_WEIGHT * (weights + config.n_layers * length * config.dim))


def _elmo(encoder: ELMo, negatives: int, words: Words) -> float:
    config = encoder.config
    P, H, F = config.projection, config.units, config.n_filters
    projected = H * P if H != P else 0
    directions = 2 * (
        config.n_layers * (4 * H * 2 * P + projected) + _scored_words(config.vocabulary_size, negatives) * P
    )
    # No window reaches further than one place beyond the longest word: see `CharacterNetwork`.
    places = min(config.max_characters, words.characters + max(width for width, _ in config.filters))
    filters = sum(width * number * config.character_dim * (places - width + 1) for width, number in config.filters)
    word = filters + config.n_highway * 2 * F**2 + (F * P if F != P else 0)
    return A_WEIGHT * (directions + words.distinct * word)


def _scored_words(vocabulary_size: int, negatives: int) -> float:
    """Words whose scores a position needs: of a sampled softmax the distinct draws, as many as are expected."""
    if not 0 < negatives < vocabulary_size:
        return vocabulary_size
    share = expected_counts(torch.arange(vocabulary_size), vocabulary_size, negatives) / negatives  # (V,)
    return float((1 - (1 - share) ** negatives).sum())


def operations_of_word_vectors(
    options: WordVectorOptions, counts: np.ndarray, pairs: int = 0, ngrams: float = 0.0
) -> float:
    """Operations of one pass: the dot products of word vectors and their updates, each two a dimension.

    Args:
        options: of the training.
        counts: (V,) how often each word occurs.
        pairs: cells of GloVe's counts.
        ngrams: n-grams a word, of fastText.
    """
    D = options.dim
    if options.kind == "glove":
        return float(pairs) * D * (2 + 2 * 2 + 2 * 3)  # the product, both gradients, and AdaGrad's sums and steps
    # Mikolov et al. 2013: a word of the share f is kept with probability sqrt(t / f) + t / f; windows are drawn evenly.
    share = counts / counts.sum()
    kept = np.minimum(1, np.sqrt(options.sample / share) + options.sample / share) if options.sample else 1.0
    n_words, neighbours = float((counts * kept).sum()), options.window_taken + 1
    scored = (1 + options.negatives) * 3 * 2 * D  # the product, and the update of either side
    if options.kind == "word2vec-cbow":
        return n_words * (scored + neighbours * 2 * 2 * D)
    return n_words * neighbours * (scored + (ngrams * 2 * 2 * D if options.kind == "fasttext" else 0))
