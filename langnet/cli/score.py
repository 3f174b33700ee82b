"""`langnet score`: how probable a language model finds texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.table import Table

from langnet.cli.app import app, check_writable, console, examples, write_json
from langnet.cli.checks import check_models, check_sources
from langnet.cli.options import (
    LAMBDA,
    THETA,
    CacheLambda,
    CacheTheta,
    CacheWindow,
    Documents,
    Pseudo,
    Sources,
    TextColumn,
    cache_options,
)
from langnet.errors import LangnetError

if TYPE_CHECKING:
    from langnet.evaluate.cache import CacheOptions
    from langnet.evaluate.language_model import LanguageModelScores
    from langnet.evaluate.pseudo_likelihood import PseudoScores
    from langnet.recipes.model import Model
    from langnet.text.corpus import CorpusOptions, Document
    from langnet.text.masking import Hide

Scores = TypeVar("Scores", "LanguageModelScores", "PseudoScores")
LINES_HELP = "Score each line of text files, or row of tables, by itself: one JSON object each."


@app.command(
    epilog=examples(
        "langnet score my-lm heldout.txt other.txt",
        "langnet score my-lm novels/ --documents paragraph",
        "langnet score my-lm pairs.txt --lines > scores.jsonl",
        "langnet score my-lstm heldout.txt --cache-window 2000 --cache-theta 0.3 --cache-lambda 0.1",
        "langnet score my-bert sentences.txt --lines --pseudo token    (of --objective masked)",
    )
)
def score(
    model: Annotated[str, typer.Argument(help="Folder or name of a language model.")],
    sources: Sources,
    lines: Annotated[bool, typer.Option("--lines", help=LINES_HELP)] = False,
    documents: Documents = "file",
    text_column: TextColumn = "text",
    pseudo: Pseudo = None,
    cache_window: CacheWindow = None,
    cache_theta: CacheTheta = THETA,
    cache_lambda: CacheLambda = LAMBDA,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the scores into this file.")] = None,
) -> None:
    """Bits per byte and perplexity of texts under a language model.

    --lines gives log-probabilities in nats, of the whole line and its end. With a cache, what a text has said so far is
    likelier to be said again; both figures are given. A masked model has no probabilities: it gives pseudo-perplexities
    and pseudo-log-probabilities, by hiding every token once, which compare with no causal model's.
    """
    if lines and json_file:
        raise LangnetError("--lines writes a JSON object a line to standard output, and no table: > FILE keeps it")
    check_writable(json_file, inputs=sources)
    check_models(model)
    check_sources(sources)
    from langnet.recipes.model import load
    from langnet.text.corpus import CorpusOptions

    cache = cache_options(cache_window, cache_theta, cache_lambda)
    language_model = load(model)
    options = CorpusOptions(text_column, "line", longest_document=0) if lines else CorpusOptions(text_column, documents)
    hide = language_model.way_of_scoring(pseudo)
    if hide and cache:
        raise LangnetError("a cache needs probabilities from the left, not guesses of hidden tokens; leave one out")
    if lines:
        _print_lines(language_model, sources, options, cache, hide)
    elif hide:
        _print_pseudo_table(language_model, sources, options, json_file, hide)
    else:
        _print_table(language_model, sources, options, json_file, cache)


def _print_lines(
    model: Model, sources: list[str], options: CorpusOptions, cache: CacheOptions | None, hide: Hide | None
) -> None:
    from langnet.recipes.score import pseudo_score_stream, score_stream
    from langnet.text.corpus import CorpusReport, read_documents

    read = read_documents(sources, options, CorpusReport())
    record: dict[str, Any]
    if hide:
        for document, guessed in pseudo_score_stream(model, read, hide):
            record = {
                "pseudo_log_probability": round(guessed.pseudo_log_probability, 6),
                "tokens": guessed.n_tokens,
                "words": guessed.n_words,
                "bytes": guessed.n_bytes,
            }
            _print_line(document, record)
        return
    for document, found in score_stream(model, read, cache):
        record = {
            "log_probability": round(found.log_probability, 6),
            "tokens": found.n_tokens,
            "bytes": found.n_bytes,
        }
        if found.with_cache is not None:
            record["log_probability_with_cache"] = round(found.with_cache, 6)
        _print_line(document, record)


def _print_line(document: Document, record: dict[str, Any]) -> None:
    print(json.dumps({"source": document.source, "text": document.text, **record}, ensure_ascii=False))


def _print_table(
    model: Model, sources: list[str], options: CorpusOptions, json_file: Path | None, cache: CacheOptions | None
) -> None:
    from langnet.recipes.score import score_sources

    found, total = score_sources(model, sources, options, cache=cache)
    rows = [(row.source, row.scores) for row in found]
    cells: list[tuple[str, list[str]]] = []
    for name, scores in _with_total(rows, total):
        cells.append((name, _cells(scores)))
        if scores.with_cache:
            cells.append(("  with cache", _cells(scores.with_cache)))
    _show(("bits/byte", "95 % interval", "perplexity", "tokens", "bytes", "texts"), cells)
    _conclude(rows, total, json_file)


def _print_pseudo_table(
    model: Model, sources: list[str], options: CorpusOptions, json_file: Path | None, hide: Hide
) -> None:
    from langnet.evaluate.pseudo_likelihood import pseudo_note
    from langnet.recipes.score import pseudo_score_sources

    found, total = pseudo_score_sources(model, sources, options, hide=hide)
    rows = [(row.source, row.scores) for row in found]
    names = ("pseudo-\nperplexity", "95 % interval", "a word", "a byte", "tokens", "texts")
    _show(names, [(name, _pseudo_cells(scores)) for name, scores in _with_total(rows, total)])
    told = "".join(pseudo_note(hide))
    console.print(f"Pseudo-perplexity a token, a word and a byte, {told}. No causal model's perplexity compares.")
    _conclude(rows, total, json_file)


def _with_total(rows: Sequence[tuple[str, Scores]], total: Scores) -> list[tuple[str, Scores]]:
    shown = list(rows)
    if len(rows) > 1:
        shown.append(("all", total))
    return shown


def _show(names: Sequence[str], rows: Sequence[tuple[str, list[str]]]) -> None:
    table = Table("source", box=None, pad_edge=False)
    table.columns[0].overflow = "fold"
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for source, cells in rows:
        table.add_row(source, *cells)
    console.print(table)


def _conclude(rows: Sequence[tuple[str, Scores]], total: Scores, json_file: Path | None) -> None:
    """What is said below a table; and its file."""
    if total.note:
        console.print(f"! {total.note}", style="yellow", highlight=False)
    if any(scores.n_documents == 1 for _, scores in rows):
        console.print("A single document has no interval; --documents paragraph makes more of a file.")
    if json_file:
        sums = {source: scores.to_dict() for source, scores in rows}
        write_json(json_file, {"sources": sums, "total": total.to_dict()})


def _cells(scores: LanguageModelScores) -> list[str]:
    counts = (scores.n_tokens, scores.n_bytes, scores.n_documents)
    return [f"{scores.bits_per_byte:.3f}", _interval(scores), f"{scores.perplexity:,.1f}", *(f"{n:,}" for n in counts)]


def _pseudo_cells(scores: PseudoScores) -> list[str]:
    perplexities = (f"{scores.per_word:,.1f}", f"{scores.per_byte:,.3f}")
    counts = (f"{scores.n_tokens:,}", f"{scores.n_documents:,}")
    return [f"{scores.pseudo_perplexity:,.2f}", _interval(scores), *perplexities, *counts]


def _interval(scores: LanguageModelScores | PseudoScores) -> str:
    return "-" if scores.n_documents == 1 else str(scores.interval)
