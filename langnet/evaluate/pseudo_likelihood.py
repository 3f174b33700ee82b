"""How well a masked language model guesses each token of a text from all others: no probability, but it compares.

Salazar et al., "Masked Language Model Scoring", 2020: every token is hidden in turn, and the logarithms of what the
model gives it are summed; exp of the mean is the pseudo-perplexity. Kauf & Ivanova, "A better way to do masked language
model scoring", 2023: the later tokens of a token's own word are hidden with it, since rare words are otherwise guessed
from their own ends. What differs here: words are runs of letters and digits whatever the tokenizer, and a text longer
than the model's context is read in windows that overlap by half, each token where it stands best.

The sum is no logarithm of a probability: its exponentials over all texts do not add up to one. It compares texts under
one model, and models of one tokenizer that learned alike, but never a masked model with a causal one.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.evaluate.hidden_tokens import HiddenRow, nats_of_hidden
from langnet.evaluate.intervals import Interval, bootstrap_ratio
from langnet.evaluate.language_model import UNLIMITED, unknown_note
from langnet.evaluate.likelihood import Continuation, Likelihood, Row, fitted_rows, located_tokens, n_unknown
from langnet.tasks.rows import overlapping
from langnet.text.masking import NO_WORD, Hide, one_after_another, words_of_tokens
from langnet.text.tokenizer import Tokenizer, word_spans

QUESTIONS_AT_ONCE = 256


def pseudo_note(hide: Hide | None) -> list[str]:
    """What is to be said beside such scores; nothing where they are probabilities."""
    hidden = {"word": "with what follows in its word", "token": "alone"}
    return (
        [f"by pseudo-log-probabilities: each token hidden {hidden[hide]}, and guessed from all others"] if hide else []
    )


@dataclass(frozen=True)
class Hiding:
    """How a model is asked for hidden tokens.

    Attributes:
        hide: `word` hides what follows in a token's word too, `token` the token alone; see `text.masking`.
        shifted: the token of a place is guessed one place to its left, as `causal+masked` learns it.
    """

    hide: Hide = "word"
    shifted: bool = False


@dataclass(frozen=True)
class PseudoScore:
    """What a masked language model gives one text.

    Attributes:
        pseudo_log_probability: sum over the text's tokens, in nats; the document's end is read and not asked for.
        n_tokens: tokens, each hidden once.
        n_words: words, and signs that stand alone.
        n_bytes: of the text in UTF-8.
        n_unknown: of the tokens, those that the vocabulary lacks.
    """

    pseudo_log_probability: float
    n_tokens: int
    n_words: int
    n_bytes: int
    n_unknown: int = 0


@dataclass(frozen=True)
class PseudoScores:
    """What a masked language model reached on a set of documents.

    Attributes:
        pseudo_perplexity: exp of the mean surprise a token (Salazar et al. 2020).
        per_word: exp of the mean surprise a word.
        per_byte: exp of the mean surprise a byte.
        interval: 95 % of `pseudo_perplexity` over documents; NaN for a single one.
        n_tokens, n_words, n_bytes, n_documents: that they are of.
        n_unknown: of the tokens, those that the vocabulary lacks.
    """

    pseudo_perplexity: float
    per_word: float
    per_byte: float
    interval: Interval
    n_tokens: int
    n_words: int
    n_bytes: int
    n_documents: int
    n_unknown: int = 0

    @property
    def note(self) -> str:
        """What is to be said of unknown words; empty where there are none."""
        return unknown_note(self.n_unknown, self.n_tokens)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "pseudo_perplexity": self.pseudo_perplexity,
            "interval": None if math.isnan(self.interval.low) else [self.interval.low, self.interval.high],
            "pseudo_perplexity_per_word": self.per_word,
            "pseudo_perplexity_per_byte": self.per_byte,
            "n_tokens": self.n_tokens,
            "n_words": self.n_words,
            "n_bytes": self.n_bytes,
            "n_documents": self.n_documents,
            **({"n_unknown": self.n_unknown} if self.n_unknown else {}),
        }


def sum_up_pseudo(scores: Sequence[PseudoScore]) -> PseudoScores:
    """The scores of documents together, with an interval over them."""
    nats = np.array([-score.pseudo_log_probability for score in scores])
    tokens = np.array([score.n_tokens for score in scores])
    n_tokens, n_words, n_bytes = int(tokens.sum()), sum(s.n_words for s in scores), sum(s.n_bytes for s in scores)
    total, interval = float(nats.sum()), bootstrap_ratio(nats, tokens)
    return PseudoScores(
        _perplexity(total / max(n_tokens, 1)),
        _perplexity(total / max(n_words, 1)),
        _perplexity(total / max(n_bytes, 1)),
        Interval(_perplexity(interval.low), _perplexity(interval.high)),
        n_tokens,
        n_words,
        n_bytes,
        len(scores),
        sum(score.n_unknown for score in scores),
    )


def _perplexity(nats: float) -> float:
    return math.exp(nats if math.isnan(nats) else min(nats, 700.0))


@dataclass(frozen=True)
class _Asked:
    """A text as it is read: ids, the word of each, and which of them are asked for, all (T,) with the marks around."""

    ids: np.ndarray
    words: np.ndarray
    asked: np.ndarray


def _as_read(ids: np.ndarray, words: np.ndarray, asked: np.ndarray, tokenizer: Tokenizer) -> _Asked:
    """A text's own tokens (t,), in its order, between start and end, and in the order in which the model reads."""
    step = -1 if tokenizer.direction == "backward" else 1
    return _Asked(
        np.concatenate([[tokenizer.start_id], ids[::step], [tokenizer.extract_id]]),
        np.concatenate([[NO_WORD], words[::step], [NO_WORD]]),
        np.concatenate([[False], asked[::step], [False]]),
    )


def pseudo_scores(
    encoder: Encoder, tokenizer: Tokenizer, texts: Sequence[str], hiding: Hiding | None = None
) -> list[PseudoScore]:
    """The pseudo-log-probability of each text as a document of its own, in the order given.

    A text of T tokens is read T times, in rows that are at most as long as the encoder's context.

    Args:
        encoder: of a model that has learned to guess hidden tokens, on the device where it is to run.
        tokenizer: the encoder's, with a mask.
        texts: to be scored.
        hiding: how tokens are hidden.

    Raises:
        LangnetError: the tokenizer has no mask.
    """
    composed = [unicodedata.normalize("NFC", text) for text in texts]
    tokens, spelling = located_tokens(encoder, tokenizer, composed)
    asked = [
        _as_read(ids, words_of_tokens(text, places), np.ones(len(ids), dtype=bool), tokenizer)
        for text, (ids, places) in zip(composed, tokens, strict=True)
    ]
    hiding, context = hiding or Hiding(), encoder.context or UNLIMITED
    rows = (row for index in _by_length(asked) for row in _windows(index, asked[index], context, hiding.hide))
    nats, count = nats_of_hidden(encoder, tokenizer, rows, len(texts), hiding.shifted, spelling)
    limit = spelling.vocabulary_size if spelling else None
    return [
        PseudoScore(
            -float(surprise),
            int(n),
            len(word_spans(text)),
            len(original.encode("utf8", "surrogatepass")),
            int((ids == tokenizer.unknown_id).sum() if limit is None else (ids >= limit).sum()),
        )
        for surprise, n, text, original, (ids, _) in zip(nats, count, composed, texts, tokens, strict=True)
    ]


def _by_length(asked: Sequence[_Asked]) -> list[int]:
    return [int(index) for index in np.argsort([len(one.ids) for one in asked], kind="stable")]


def _windows(owner: int, text: _Asked, context: int, hide: Hide) -> Iterator[HiddenRow]:
    """A text in rows of at most `context` tokens, each token asked for in the one that shows most around it."""
    rows, places = overlapping(text.ids, context)
    words, _ = overlapping(text.words, context)
    for index, (ids, own) in enumerate(zip(rows, words, strict=True)):
        here = places[(places[:, 0] == index) & text.asked, 1]
        yield from _one_by_one(owner, ids, own, here, hide)


def _one_by_one(owner: int, ids: np.ndarray, words: np.ndarray, asked: np.ndarray, hide: Hide) -> Iterator[HiddenRow]:
    """A row for each of the asked places (N,)."""
    for place, hidden in zip(asked, one_after_another(words, asked, hide), strict=True):
        yield HiddenRow(owner, ids, hidden, np.arange(len(ids)) == place)


def pseudo_likelihoods(
    encoder: Encoder,
    tokenizer: Tokenizer,
    questions: Sequence[Sequence[Continuation]],
    hiding: Hiding | None = None,
    on_question: Callable[[int], None] | None = None,
) -> list[list[Likelihood]]:
    """What `evaluate.likelihood.likelihoods` is of causal models: each ending's pseudo-log-probability.

    The tokens of an ending are hidden in turn; its prompt, its other tokens and the document's end are seen. The end is
    never judged, since no model learned to guess it.

    Args:
        encoder: as of `pseudo_scores`.
        tokenizer: the encoder's, with a mask.
        questions: each with its alternatives, all of which lose as many tokens where they are too long.
        hiding: how tokens are hidden.
        on_question: called with the number of questions done.

    Raises:
        LangnetError: an ending is empty, or longer than the encoder's context.
    """
    found: list[list[Likelihood]] = []
    for start in range(0, len(questions), QUESTIONS_AT_ONCE):
        found += _answer(encoder, tokenizer, questions[start : start + QUESTIONS_AT_ONCE], hiding or Hiding())
        if on_question:
            on_question(len(found))
    return found


def _answer(
    encoder: Encoder, tokenizer: Tokenizer, questions: Sequence[Sequence[Continuation]], hiding: Hiding
) -> list[list[Likelihood]]:
    texts = [unicodedata.normalize("NFC", one.prompt + one.ending) for question in questions for one in question]
    tokens, spelling = located_tokens(encoder, tokenizer, texts)
    limit, marks = encoder.context or UNLIMITED, (tokenizer.start_id, tokenizer.extract_id)
    rows: list[Row] = []
    for question in questions:
        part = slice(len(rows), len(rows) + len(question))
        rows += fitted_rows(question, tokens[part], marks, limit, with_end=True)
    asked = [_judged(row, text, tokenizer) for row, text in zip(rows, texts, strict=True)]
    readings = (
        reading
        for index in _by_length(asked)
        for reading in _one_by_one(
            index, asked[index].ids, asked[index].words, np.flatnonzero(asked[index].asked), hiding.hide
        )
    )
    nats, count = nats_of_hidden(encoder, tokenizer, readings, len(rows), hiding.shifted, spelling)
    known = spelling.vocabulary_size if spelling else None
    likely = iter(
        Likelihood(-float(n), int(c), row.n_bytes, row.n_left_out, n_unknown(row, tokenizer, known))
        for n, c, row in zip(nats, count, rows, strict=True)
    )
    return [[next(likely) for _ in question] for question in questions]


def _judged(row: Row, text: str, tokenizer: Tokenizer) -> _Asked:
    ids = row.ids[1:-1]
    return _as_read(ids, words_of_tokens(text, row.places), np.arange(1, len(ids) + 1) >= row.first, tokenizer)
