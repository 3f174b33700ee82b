"""How good a language model is: bits per byte and perplexity.

Bits per byte compare models whatever their tokenizers, as long as these spell every word. One that reads `<unknown>`
for words it lacks is not asked what they were, and looks better the fewer it knows; the scores count them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy.special import gammaln
from torch import Tensor

from langnet.encoders.encoder import Encoder
from langnet.evaluate.cache import CacheOptions, ContinuousCache, mixed_losses, require_one_direction
from langnet.evaluate.intervals import Interval, bootstrap_ratio
from langnet.tasks.cross_entropy import token_losses
from langnet.text.batches import Batch, document_windows
from langnet.text.both_ways import windows_both_ways
from langnet.text.prepare import encode_documents
from langnet.text.shards import TokenShards
from langnet.text.spelling import Spelling
from langnet.text.tokenizer import Tokenizer

ROWS = 16  # windows at once
UNLIMITED = 1024  # tokens a window of an encoder without a limit


@dataclass(frozen=True)
class TextScore:
    """What a language model gives one text.

    Attributes:
        log_probability: of the whole text and its end, in nats.
        n_tokens: tokens that were predicted: the text's and the document end.
        n_bytes: of the text in UTF-8.
        directions: log-probability from left to right and from right to left, of a model that reads both ways;
            `log_probability` is their mean.
        with_cache: log-probability by softmax and continuous cache together, where one was asked for.
        n_unknown: of the tokens, those that the vocabulary lacks.
    """

    log_probability: float
    n_tokens: int
    n_bytes: int
    directions: tuple[float, float] | None = None
    with_cache: float | None = None
    n_unknown: int = 0

    @property
    def bits_per_byte(self) -> float:
        """Surprise in bits over the bytes of the text."""
        return -self.log_probability / math.log(2) / max(self.n_bytes, 1)


@dataclass(frozen=True)
class LanguageModelScores:
    """What a language model reached on a set of documents.

    Attributes:
        bits_per_byte: total surprise in bits over the UTF-8 bytes of the text.
        perplexity: exp of the mean surprise a token in nats; comparable only between models of one tokenizer.
        n_tokens: tokens that were predicted.
        n_bytes: bytes of the text that they cover.
        n_documents: documents.
        interval: 95 % interval of the bits per byte over documents; NaN for a single one.
        perplexities: from left to right and from right to left, of a model that reads both ways.
        with_cache: the same with a continuous cache, where one was asked for.
        n_unknown: of the tokens, those that the vocabulary lacks; see `unknown_note`.
    """

    bits_per_byte: float
    perplexity: float
    n_tokens: int
    n_bytes: int
    n_documents: int
    interval: Interval
    perplexities: tuple[float, float] | None = None
    with_cache: LanguageModelScores | None = None
    n_unknown: int = 0

    @property
    def note(self) -> str:
        """What is to be said beside the bits per byte; empty where they compare with every model's."""
        return unknown_note(self.n_unknown, self.n_tokens)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        low, high = self.interval.low, self.interval.high
        return {
            "bits_per_byte": self.bits_per_byte,
            "interval": None if math.isnan(low) else [low, high],
            "perplexity": self.perplexity,
            "n_tokens": self.n_tokens,
            "n_bytes": self.n_bytes,
            "n_documents": self.n_documents,
            **({"perplexities": list(self.perplexities)} if self.perplexities else {}),
            **({"with_cache": self.with_cache.to_dict()} if self.with_cache else {}),
            **({"n_unknown": self.n_unknown} if self.n_unknown else {}),
        }


def unknown_note(n_unknown: int, n_tokens: int) -> str:
    """A line for scores under which words were unknown, which cost the model less than their spelling; else empty."""
    if not n_unknown:
        return ""
    share = 100 * n_unknown / n_tokens
    shown = f"{share:.1f}" if share >= 0.1 else "< 0.1"
    return f"{shown} % of words unknown: not comparable with models that spell every word"


def sum_up(scores: Sequence[TextScore]) -> LanguageModelScores:
    """The scores of documents together, with an interval over them."""
    nats = np.array([-score.log_probability for score in scores])
    n_bytes = np.array([score.n_bytes for score in scores])
    n_tokens = sum(score.n_tokens for score in scores)
    both = [score.directions for score in scores if score.directions]
    sides = -np.array(both).sum(0) if both and len(both) == len(scores) else None  # (2,)
    bits = nats / math.log(2)
    total = int(n_bytes.sum())
    cached = [replace(s, log_probability=s.with_cache, with_cache=None) for s in scores if s.with_cache is not None]
    return LanguageModelScores(
        float(bits.sum()) / max(total, 1),
        _perplexity(float(nats.sum()), n_tokens),
        n_tokens,
        total,
        len(scores),
        bootstrap_ratio(bits, n_bytes),
        None if sides is None else (_perplexity(float(sides[0]), n_tokens), _perplexity(float(sides[1]), n_tokens)),
        sum_up(cached) if cached and len(cached) == len(scores) else None,
        sum(score.n_unknown for score in scores),
    )


def _perplexity(nats: float, n_tokens: int) -> float:
    return math.exp(min(nats / max(n_tokens, 1), 700.0))


@torch.no_grad()
def score_documents(
    encoder: Encoder,
    windows: Iterable[Batch],
    n_bytes: Sequence[int],
    unknown_id: int,
    cache: CacheOptions | None = None,
) -> list[TextScore]:
    """The log-probability of every document.

    Args:
        encoder: on the device where it is to run.
        windows: what `document_windows` makes: each token of a document a target once; of `windows_both_ways` for a
            model that reads both ways.
        n_bytes: UTF-8 bytes of each of the N documents.
        unknown_id: of the token that stands for what the vocabulary lacks.
        cache: also score with a continuous cache.

    Raises:
        LangnetError: a cache beside a model that reads both ways.
    """
    if cache:
        require_one_direction(encoder)
    was_training = encoder.training
    encoder.eval()
    device = next(encoder.parameters()).device
    held = ContinuousCache(cache.window, cache.theta) if cache else None
    nats, count = np.zeros((3, len(n_bytes))), np.zeros((2, len(n_bytes)), dtype=np.int64)
    for batch in windows:
        batch = batch.to(device)
        assert batch.targets is not None, "windows need targets"
        assert batch.document is not None, "windows say of which document they are"
        hidden = encoder(batch.ids, batch.mask, causal=encoder.reading_of_probabilities).top  # (B, T, D)
        document, sides = batch.document.cpu().numpy(), [(hidden, batch.targets)]
        if encoder.bidirectional:
            assert batch.previous is not None, "windows both ways say what stands before"
            sides = list(zip(hidden.chunk(2, dim=-1), (batch.targets, batch.previous), strict=True))
        for side, (states, targets) in enumerate(sides):
            losses = nats_of_tokens(encoder, states, targets).view(targets.shape)  # (B, T)
            np.add.at(nats[side], document, losses.cpu().double().sum(1).numpy())
        if held and cache:
            mixed = mixed_losses(losses, held.probabilities(batch, hidden), cache.weight)  # (B, T)
            np.add.at(nats[2], document, mixed.sum(1).cpu().numpy())
        for row, counted in enumerate((batch.targets != -100, batch.targets == unknown_id)):
            np.add.at(count[row], document, counted.sum(1).cpu().numpy())
    encoder.train(was_training)
    if encoder.bidirectional:
        rows = zip(*-nats[:2], *count, n_bytes, strict=True)
        return [
            TextScore((f + b) / 2, int(c), int(n), (float(f), float(b)), n_unknown=int(u)) for f, b, c, u, n in rows
        ]
    return [
        TextScore(-float(n), int(c), int(b), with_cache=-float(m) if cache else None, n_unknown=int(u))
        for n, m, c, u, b in zip(nats[0], nats[2], *count, n_bytes, strict=True)
    ]


def nats_of_tokens(encoder: Encoder, hidden: Tensor, targets: Tensor) -> Tensor:
    """Nats of each position: (B, T, D), (B, T) to (B x T,)."""
    weight, bias = encoder.output_weight().to(hidden.dtype), encoder.output_bias()
    bias = None if bias is None else bias.to(hidden.dtype)
    return token_losses(hidden.flatten(0, 1), weight, targets.flatten(), bias)


def scoring_windows(
    encoder: Encoder, documents: Sequence[np.ndarray] | TokenShards, spelling: Spelling | None = None
) -> Iterator[Batch]:
    """Windows in which an encoder scores documents: as long as it can see, each half of it new.

    Where there is no limit, a document of up to `UNLIMITED` tokens is read whole, and a longer one in windows that a
    quarter of their length warms up: an LSTM makes use of some 200 tokens (Khandelwal et al. 2018), and windows side by
    side are many times quicker than one long row. The words are spelled where the encoder reads characters.
    """
    windows = _windows(encoder, documents)
    return map(spelling.spelled, windows) if spelling else windows


def _windows(encoder: Encoder, documents: Sequence[np.ndarray] | TokenShards) -> Iterator[Batch]:
    if encoder.bidirectional:
        assert not isinstance(documents, TokenShards), "what is read both ways is held"
        overlap = UNLIMITED // 4 if encoder.context is None else max(1, encoder.context // 2)
        return windows_both_ways(documents, encoder.context or UNLIMITED, ROWS, overlap)
    if encoder.context is None:
        return document_windows(documents, UNLIMITED, ROWS, UNLIMITED - UNLIMITED // 4)
    return document_windows(documents, encoder.context, ROWS, max(1, encoder.context // 2))


def score_texts(
    encoder: Encoder, tokenizer: Tokenizer, texts: Sequence[str], cache: CacheOptions | None = None
) -> list[TextScore]:
    """The log-probability of each text as a document of its own, in the order given.

    A text longer than the context is read in windows; see `scoring_windows`. With a `cache`, each is scored with it
    too.
    """
    spelling = None
    if encoder.characters:
        documents, spelling = Spelling.of_texts(texts, tokenizer)
    else:
        documents = encode_documents(texts, tokenizer)
    windows = scoring_windows(encoder, documents, spelling)
    n_bytes = [len(text.encode("utf8", "surrogatepass")) for text in texts]
    return score_documents(encoder, windows, n_bytes, tokenizer.unknown_id, cache)


def unigram_bits_per_byte(counts: np.ndarray, n_bytes: int) -> float:
    """Bits per byte of a unigram model that learns the text while it reads it: a neighbour without any context.

    Each token costs what its count so far plus one half gives it (Krichevsky & Trofimov 1981); the sum has a closed
    form and does not depend on the order.

    Args:
        counts: (V,) how often each token occurs.
        n_bytes: of the text.
    """
    size, total = len(counts), int(counts.sum())
    nats = gammaln(total + size / 2) - gammaln(size / 2) - (gammaln(counts + 0.5) - gammaln(0.5)).sum()
    return float(nats) / math.log(2) / max(n_bytes, 1)
