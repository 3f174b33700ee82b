"""`langnet score`: bits per byte and perplexity of files, and the log-probability of single texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from langnet.errors import LangnetError
from langnet.evaluate.cache import CacheOptions
from langnet.evaluate.language_model import LanguageModelScores, TextScore, sum_up
from langnet.recipes.model import Model
from langnet.text.clean import clean_text
from langnet.text.corpus import CorpusOptions, CorpusReport, Document, Source, read_documents

CHARACTERS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class SourceScore:
    """What the documents of one source come to."""

    source: str
    scores: LanguageModelScores


def score_sources(
    model: Model,
    sources: Sequence[Source],
    options: CorpusOptions | None = None,
    on_document: Callable[[int], None] | None = None,
    cache: CacheOptions | None = None,
) -> tuple[list[SourceScore], LanguageModelScores]:
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
    options = options or CorpusOptions()
    found: list[SourceScore] = []
    every: list[TextScore] = []
    for source in sources:
        own: list[TextScore] = []
        for _, score in score_stream(model, read_documents([source], options, CorpusReport()), cache):
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
    held: list[Document] = []
    size = 0
    for document in documents:
        held.append(Document(clean_text(document.text).text, document.source))
        size += len(held[-1].text)
        if size >= CHARACTERS_AT_ONCE:
            yield from zip(held, model.score_texts([d.text for d in held], cache), strict=True)
            held, size = [], 0
    yield from zip(held, model.score_texts([d.text for d in held], cache), strict=True)
