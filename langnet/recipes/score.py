"""`langnet score`: bits per byte and perplexity of files, and the log-probability of single texts.

Of masked language models it is the pseudo-perplexity and pseudo-log-probabilities, which are kept apart by their types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from langnet.errors import LangnetError
from langnet.evaluate.cache import CacheOptions
from langnet.evaluate.language_model import LanguageModelScores, TextScore, sum_up
from langnet.evaluate.pseudo_likelihood import PseudoScore, PseudoScores, sum_up_pseudo
from langnet.recipes.model import Model
from langnet.text.clean import clean_text
from langnet.text.corpus import CorpusOptions, CorpusReport, Document, Source, read_documents
from langnet.text.masking import Hide

CHARACTERS_AT_ONCE = 1_000_000
PSEUDO_CHARACTERS_AT_ONCE = 20_000  # each token is read as often as its window has tokens

Score = TypeVar("Score", TextScore, PseudoScore)
Sum = TypeVar("Sum", LanguageModelScores, PseudoScores)


@dataclass(frozen=True)
class SourceScore(Generic[Sum]):
    """What the documents of one source come to."""

    source: str
    scores: Sum


def score_sources(
    model: Model,
    sources: Sequence[Source],
    options: CorpusOptions | None = None,
    on_document: Callable[[int], None] | None = None,
    cache: CacheOptions | None = None,
) -> tuple[list[SourceScore[LanguageModelScores]], LanguageModelScores]:
    """Bits per byte and perplexity of each source and of all together.

    The text is cleaned as for training; empty documents are left out, and duplicates count each time.

    Args:
        model: a language model.
        sources: files, folders, archives, `-`; see `langnet.text.corpus.read_documents`.
        options: how they are read.
        on_document: called with the number of documents scored so far.
        cache: also score with a continuous cache.

    Raises:
        LangnetError: the model is a classifier, a source cannot be read, or one holds no text.
    """
    return _by_source(sources, options, on_document, lambda documents: score_stream(model, documents, cache), sum_up)


def pseudo_score_sources(
    model: Model,
    sources: Sequence[Source],
    options: CorpusOptions | None = None,
    on_document: Callable[[int], None] | None = None,
    hide: Hide = "word",
) -> tuple[list[SourceScore[PseudoScores]], PseudoScores]:
    """As `score_sources`, the pseudo-perplexity of a model that has learned to guess hidden tokens.

    Raises:
        LangnetError: the model has not, a source cannot be read, or one holds no text.
    """
    return _by_source(
        sources, options, on_document, lambda documents: pseudo_score_stream(model, documents, hide), sum_up_pseudo
    )


def _by_source(
    sources: Sequence[Source],
    options: CorpusOptions | None,
    on_document: Callable[[int], None] | None,
    scored: Callable[[Iterator[Document]], Iterator[tuple[Document, Score]]],
    sum_up: Callable[[Sequence[Score]], Sum],
) -> tuple[list[SourceScore[Sum]], Sum]:
    found: list[SourceScore[Sum]] = []
    every: list[Score] = []
    for source in sources:
        own: list[Score] = []
        for _, score in scored(read_documents([source], options or CorpusOptions(), CorpusReport())):
            if score.n_bytes:
                own.append(score)
            if on_document:
                on_document(len(every) + len(own))
        if not own:
            raise LangnetError(f"there is no text in {source}; every document is empty")
        found.append(SourceScore(str(source), sum_up(own)))
        every += own
    return found, sum_up(every)


def score_stream(
    model: Model, documents: Iterator[Document], cache: CacheOptions | None = None
) -> Iterator[tuple[Document, TextScore]]:
    """Each document, cleaned, with its score, in order; a bounded number of characters is held at once."""
    return _stream(documents, lambda texts: model.score_texts(texts, cache), CHARACTERS_AT_ONCE)


def pseudo_score_stream(
    model: Model, documents: Iterator[Document], hide: Hide = "word"
) -> Iterator[tuple[Document, PseudoScore]]:
    """As `score_stream`, the pseudo-log-probability of a model that has learned to guess hidden tokens."""
    return _stream(documents, lambda texts: model.pseudo_scores(texts, hide), PSEUDO_CHARACTERS_AT_ONCE)


def _stream(
    documents: Iterator[Document], score: Callable[[list[str]], list[Score]], at_once: int
) -> Iterator[tuple[Document, Score]]:
    held: list[Document] = []
    size = 0
    for document in documents:
        held.append(Document(clean_text(document.text).text, document.source))
        size += len(held[-1].text)
        if size >= at_once:
            yield from zip(held, score([d.text for d in held]), strict=True)
            held, size = [], 0
    yield from zip(held, score([d.text for d in held]), strict=True)
