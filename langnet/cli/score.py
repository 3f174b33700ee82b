"""`langnet score`: how probable a language model finds texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    Sources,
    TextColumn,
    cache_options,
)

if TYPE_CHECKING:
    from langnet.evaluate.cache import CacheOptions
    from langnet.evaluate.language_model import LanguageModelScores
    from langnet.recipes.model import Model
    from langnet.text.corpus import CorpusOptions

LINES_HELP = "Score each line of text files, or row of tables, by itself: one JSON object each."


@app.command(
    epilog=examples(
        "langnet score my-lm heldout.txt other.txt",
        "langnet score my-lm novels/ --documents paragraph",
        "langnet score my-lm pairs.txt --lines > scores.jsonl",
        "langnet score my-lstm heldout.txt --cache-window 2000 --cache-theta 0.3 --cache-lambda 0.1",
    )
)
def score(
    model: Annotated[str, typer.Argument(help="Folder or name of a language model.")],
    sources: Sources,
    lines: Annotated[bool, typer.Option("--lines", help=LINES_HELP)] = False,
    documents: Documents = "file",
    text_column: TextColumn = "text",
    cache_window: CacheWindow = None,
    cache_theta: CacheTheta = THETA,
    cache_lambda: CacheLambda = LAMBDA,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the scores into this file.")] = None,
) -> None:
    """Bits per byte and perplexity of texts under a language model.

    --lines gives log-probabilities in nats, of the whole line and its end. With a cache, what a text has said so far is
    likelier to be said again; both figures are given.
    """
    check_writable(json_file)
    check_models(model)
    check_sources(sources)
    from langnet.recipes.model import load
    from langnet.text.corpus import CorpusOptions

    cache = cache_options(cache_window, cache_theta, cache_lambda)
    language_model = load(model)
    if lines:
        _print_lines(language_model, sources, CorpusOptions(text_column, "line", longest_document=0), cache)
        return
    options = CorpusOptions(text_column, documents)
    _print_table(language_model, sources, options, json_file, cache)


def _print_lines(model: Model, sources: list[str], options: CorpusOptions, cache: CacheOptions | None) -> None:
    from langnet.recipes.score import score_stream
    from langnet.text.corpus import CorpusReport, read_documents

    for document, found in score_stream(model, read_documents(sources, options, CorpusReport()), cache):
        record = {
            "source": document.source,
            "text": document.text,
            "log_probability": round(found.log_probability, 6),
            "tokens": found.n_tokens,
            "bytes": found.n_bytes,
        }
        if found.with_cache is not None:
            record["log_probability_with_cache"] = round(found.with_cache, 6)
        print(json.dumps(record, ensure_ascii=False))


def _print_table(
    model: Model, sources: list[str], options: CorpusOptions, json_file: Path | None, cache: CacheOptions | None
) -> None:
    from langnet.recipes.score import score_sources

    found, total = score_sources(model, sources, options, cache=cache)
    table = Table("source", box=None, pad_edge=False)
    table.columns[0].overflow = "fold"
    for name in ("bits/byte", "95 % interval", "perplexity", "tokens", "bytes", "texts"):
        table.add_column(name, justify="right", no_wrap=True)
    rows = [(row.source, row.scores) for row in found]
    for name, scores in [*rows, ("all", total)] if len(rows) > 1 else rows:
        table.add_row(name, *_cells(scores))
        if scores.with_cache:
            table.add_row("  with cache", *_cells(scores.with_cache))
    console.print(table)
    if total.note:
        console.print(f"! {total.note}", style="yellow", highlight=False)
    if any(scores.n_documents == 1 for _, scores in rows):
        console.print("A single document has no interval; --documents paragraph makes more of a file.")
    if json_file:
        sums = {row.source: row.scores.to_dict() for row in found}
        write_json(json_file, {"sources": sums, "total": total.to_dict()})


def _cells(scores: LanguageModelScores) -> list[str]:
    interval = "-" if scores.n_documents == 1 else str(scores.interval)
    counts = (scores.n_tokens, scores.n_bytes, scores.n_documents)
    return [f"{scores.bits_per_byte:.3f}", interval, f"{scores.perplexity:,.1f}", *(f"{count:,}" for count in counts)]
