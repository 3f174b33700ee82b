"""`langnet inspect`: a report on text before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from langnet.cli.app import app, check_writable, console, examples, write_json
from langnet.cli.options import Documents, Seed, Sources, TextColumn

LABEL_HELP = "Column of tables that holds the label, or any name for a folder with a sub-folder a class."
TEST_HELP = "A test set; counts how many of its texts the first set holds too."


@app.command(
    epilog=examples(
        "langnet inspect texts/",
        "langnet inspect reviews.csv --label-column label",
        "langnet inspect train.csv --label-column label --test test.csv",
        "langnet inspect corpus.txt --documents paragraph --json report.json",
    )
)
def inspect(
    sources: Sources,
    text_column: TextColumn = "text",
    label_column: Annotated[str | None, typer.Option(help=LABEL_HELP)] = None,
    documents: Documents = "file",
    test: Annotated[list[str] | None, typer.Option(help=TEST_HELP)] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write everything into this file.")] = None,
    seed: Seed = 0,
) -> None:
    """Report on raw or labelled text before anything is trained.

    Counts, languages, duplicates, label balance, lengths, the overlap of train and test, and warnings.
    """
    from langnet.text.corpus import CorpusOptions
    from langnet.text.inspect import inspect_corpus

    check_writable(json_file, inputs=[*sources, *(test or [])])
    options = CorpusOptions(text_column, documents)
    report = inspect_corpus(sources, options, label_column=label_column, test=test or None, seed=seed)
    console.print(report.render())
    if json_file:
        write_json(json_file, report.to_dict())
