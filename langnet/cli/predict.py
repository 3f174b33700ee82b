"""`langnet predict`: the label of every text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from langnet.cli.app import app, check_writable, examples
from langnet.cli.options import SecondColumn, TextColumn
from langnet.cli.tables import Format, format_for, prediction_row, write_rows
from langnet.cli.tasks import columns, predict_task, require_task

SOURCE_HELP = "Tables with a text column, text files with a text a line, or '-' for lines of standard input."


@app.command(
    epilog=examples(
        "langnet predict my-classifier new.csv > predictions.jsonl",
        "langnet predict my-classifier new.csv --output predictions.csv --probabilities",
        "langnet predict my-reader squad.json --output predictions.json    (or .jsonl, with probabilities)",
        "echo 'a fine film' | langnet predict my-classifier -",
    )
)
def predict(
    model: Annotated[str, typer.Argument(help="Folder or name of a classifier.")],
    sources: Annotated[list[str], typer.Argument(help=SOURCE_HELP)],
    text_column: TextColumn = "text",
    second_column: SecondColumn = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .csv or .jsonl file; of answers .json or .jsonl.")
    ] = None,
    format: Annotated[Format | None, typer.Option(help="By the name of --output, else jsonl.")] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Those of all labels.")] = False,
) -> None:
    """Predict the label of every text, with the file and line that it stands in.

    Texts come out in the order of the files; empty ones too, so that nothing shifts.
    """
    from langnet.recipes.model import load
    from langnet.text.clean import clean_text
    from langnet.text.corpus import CorpusOptions, CorpusReport, read_documents

    check_writable(output)
    classifier = load(model)
    require_task(classifier, model)
    if not classifier.is_classifier:
        predict_task(classifier, sources, columns(text_column, second_column, "label"), output)
        return
    chosen = format_for(output, format)
    names = classifier.labels or []
    documents = list(read_documents(sources, CorpusOptions(text_column, "line", longest_document=0), CorpusReport()))
    table = classifier.predict_proba([clean_text(document.text).text for document in documents])
    rows = [
        {"source": document.source, **prediction_row(names, row, probabilities)}
        for document, row in zip(documents, table, strict=True)
    ]
    write_rows(rows, output, chosen)
