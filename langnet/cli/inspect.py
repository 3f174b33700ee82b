"""`langnet inspect`: a report on text before anything is trained."""

from __future__ import annotations

from typing import Annotated

import typer

from langnet.cli.app import app, console
from langnet.cli.options import Sources, TextColumn


@app.command()
def inspect(
    sources: Sources, text_column: TextColumn = "text", label_column: Annotated[str | None, typer.Option()] = None
) -> None:
    """Report on raw or labelled text before anything is trained.

    Example: langnet inspect reviews.csv --label-column label
    """
    from langnet.text.corpus import CorpusOptions
    from langnet.text.inspect import inspect_corpus

    report = inspect_corpus(sources, CorpusOptions(text_column=text_column), label_column=label_column)
    console.print(report.render())
