"""`langnet predict`: the label of every text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from langnet.cli.app import app, check_picture_folder, check_writable, examples
from langnet.cli.checks import check_models, check_sources, matched_files
from langnet.cli.options import (
    Abstain,
    AbstainBelow,
    AlsoModels,
    LabelColumn,
    SecondColumn,
    Separator,
    TextColumn,
    Where,
)
from langnet.cli.tables import Format, format_for, prediction_row, write_rows
from langnet.cli.tasks import Outputs, columns, predict_task, refuse_for_classification, require_task, wanted_threshold
from langnet.errors import LangnetError

HTML_HELP = "Draw what is said of words, such as trees or chains, on a page that opens in any browser."
SVG_HELP = "Draw the same as pictures, 0001.svg and so on in this folder."
OUTPUT_HELP = "Of rows .csv, .tsv or .jsonl; of words, trees and sentences in their own format."
SOURCE_HELP = "Tables with a text column, text files with a text a line, or '-' (classifiers of texts): standard input."


@app.command(
    epilog=examples(
        "langnet predict my-classifier new.csv > predictions.jsonl",
        "langnet predict my-classifier new.csv --output predictions.csv --probabilities",
        "langnet predict my-nli pairs.csv --output judged.csv",
        "langnet predict my-tagger new.conll --output tagged.conll",
        "langnet predict my-labeller new.txt --output roles.conllup --html roles.html",
        "langnet predict my-parser new.txt --output trees.ptb --html trees.html",
        "langnet predict my-resolver novel.conll --output chains.conll --html chains.html",
        "langnet predict my-translator new.en --output new.de --svg drawn",
        "langnet predict my-classifier new.csv --abstain-below 0.9    (an empty label where it is less sure)",
        "langnet predict my-reader squad.json --output predictions.json    (or .jsonl, with probabilities)",
        "echo 'a fine film' | langnet predict my-classifier -",
        "langnet predict my-forward new.csv --with my-backward    (the mean of their probabilities)",
    )
)
def predict(
    model: Annotated[str, typer.Argument(help="Folder or name of a classifier.")],
    sources: Annotated[list[str], typer.Argument(help=SOURCE_HELP)],
    also: AlsoModels = None,
    text_column: TextColumn = "text",
    second_column: SecondColumn = None,
    where: Where = None,
    label_column: LabelColumn = "label",
    separator: Separator = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help=OUTPUT_HELP)] = None,
    format: Annotated[Format | None, typer.Option(help="By the name of --output, else jsonl.")] = None,
    abstain_below: AbstainBelow = None,
    abstain: Abstain = False,
    html: Annotated[Path | None, typer.Option(help=HTML_HELP)] = None,
    svg: Annotated[Path | None, typer.Option(help=SVG_HELP)] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Those of all labels.")] = False,
) -> None:
    """Predict the label of every text, with the file and line that it stands in.

    Texts come out in the order of the files; empty ones too, so that nothing shifts. A row of a table keeps its
    columns, and what is predicted stands behind them. Where the model abstains, the label is empty, and the probability
    that of the label which it would have given. Of several classifiers of the same labels, the probabilities are
    averaged.
    """
    check_writable(output, html, inputs=sources)
    check_picture_folder(svg)
    check_models(model, *(also or []))
    check_sources(sources)
    from langnet.recipes.ensemble import average
    from langnet.recipes.model import load
    from langnet.text.clean import clean_text
    from langnet.text.corpus import CorpusReport, read_documents
    from langnet.text.text_items import ItemOptions
    from langnet.text.written_tables import beside

    loaded = load(model)
    require_task(loaded, model)
    threshold = wanted_threshold(loaded, model, abstain_below, abstain)
    if not loaded.is_classifier:
        if also:
            raise LangnetError(f"only classifiers are averaged, and {model} is none; leave --with out")
        names = columns(text_column, second_column, label_column, where, separator)
        predict_task(loaded, matched_files(sources), names, Outputs(output, html, svg, format), threshold)
        return
    refuse_for_classification(where=where, separator=separator, second_column=second_column, html=html, svg=svg)
    chosen = format_for(output, format)
    classifier = average([loaded, *also]) if also else loaded
    labels = classifier.labels or []
    documents = list(read_documents(sources, ItemOptions(text_column), CorpusReport()))
    table = classifier.predict_proba([clean_text(document.text).text for document in documents])
    said = [prediction_row(labels, row, probabilities, threshold) for row in table]
    rows = [{"source": document.source, **(document.cells or {})} for document in documents]
    write_rows(beside(rows, said), output, chosen)
