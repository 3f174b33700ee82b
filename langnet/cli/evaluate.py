"""`langnet evaluate`: scores with their intervals and neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from langnet.cli.app import app, check_writable, console, examples, write_json
from langnet.cli.options import Documents, LabelColumn, SecondColumn, TextColumn
from langnet.cli.tables import format_for, prediction_row, write_rows
from langnet.cli.tasks import columns, evaluate_task
from langnet.errors import LangnetError

if TYPE_CHECKING:
    from langnet.recipes.model import Model
    from langnet.text.corpus import CorpusOptions

TRAIN_HELP = "The training texts, for TF-IDF beside the model; not needed where their files are still in place."


@app.command(
    epilog=examples(
        "langnet evaluate my-classifier test.csv",
        "langnet evaluate my-classifier test.csv --train train.csv --json scores.json --predictions predictions.csv",
        "langnet evaluate my-reader dev.json --train train.json --predictions predictions.json",
        "langnet evaluate my-lm heldout.txt --documents paragraph",
    )
)
def evaluate(
    model: Annotated[str, typer.Argument(help="Folder or name of a classifier or a language model.")],
    sources: Annotated[list[str], typer.Argument(help="Labelled test texts, or held-out raw text.")],
    train: Annotated[list[str] | None, typer.Option(help=TRAIN_HELP)] = None,
    text_column: TextColumn = "text",
    second_column: SecondColumn = None,
    label_column: LabelColumn = "label",
    documents: Documents = "file",
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write everything into this file.")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Write every prediction: a .csv or .jsonl file; of answers .json or .jsonl.")
    ] = None,
) -> None:
    """Score a classifier or a language model, with intervals and beside its neighbours.

    A classifier stands beside the majority class and TF-IDF with a logistic regression.

    A language model stands beside a unigram model and a compressor, in bits per byte.
    """
    from langnet.hub.names import resolve_model
    from langnet.recipes.model import load
    from langnet.text.corpus import CorpusOptions

    check_writable(json_file, predictions)
    loaded, folder = load(model), resolve_model(model)
    if loaded.is_classifier:
        _classifier(loaded, folder, (sources, train or []), (text_column, label_column), (json_file, predictions))
        return
    if not loaded.is_language_model:
        names = columns(text_column, second_column, label_column)
        evaluate_task(loaded, (sources, train or []), names, (json_file, predictions))
        return
    if predictions or train:
        raise LangnetError(f"{model} is a language model: it has no labels to predict or to learn from")
    _language_model(loaded, sources, CorpusOptions(text_column, documents), json_file)


def _classifier(
    model: Model,
    folder: Path,
    data: tuple[list[str], list[str]],
    columns: tuple[str, str],
    outputs: tuple[Path | None, Path | None],
) -> None:
    from langnet.recipes.evaluate import evaluate_classifier
    from langnet.text.labelled import read_labelled

    json_file, predictions_file = outputs
    format = format_for(predictions_file, None) if predictions_file else "jsonl"
    test = read_labelled(list(data[0]), *columns)
    train = read_labelled(list(data[1]), *columns) if data[1] else None
    report, predictions = evaluate_classifier(model, test, train, folder)
    console.print(report.render())
    if json_file:
        write_json(json_file, report.to_dict())
    if predictions_file and predictions.probabilities is not None:
        rows = [
            {"source": source, "text": text, "true_label": gold, **prediction_row(predictions.label_names, p, True)}
            for source, text, gold, p in zip(
                test.sources, test.texts, test.labels, predictions.probabilities, strict=True
            )
        ]
        write_rows(rows, predictions_file, format)


def _language_model(model: Model, sources: list[str], options: CorpusOptions, json_file: Path | None) -> None:
    from langnet.recipes.evaluate import evaluate_language_model

    report = evaluate_language_model(model, sources, options)
    scores = report.model
    texts = "1 text" if scores.n_documents == 1 else f"{scores.n_documents:,} texts"
    console.print(f"{texts}, {scores.n_bytes:,} bytes, {scores.n_tokens:,} tokens", highlight=False)
    table = Table("", box=None, pad_edge=False)
    for name in ("bits/byte", "95 % interval", "perplexity"):
        table.add_column(name, justify="right")
    interval = "-" if scores.n_documents == 1 else str(scores.interval)
    table.add_row("this model", f"{scores.bits_per_byte:.3f}", interval, f"{scores.perplexity:,.1f}")
    for name, bits in report.neighbours.items():
        table.add_row(name, f"{bits:.3f}", "", "")
    console.print(table)
    for warning in report.warnings:
        console.print(f"! {warning}", style="yellow", highlight=False)
    if json_file:
        write_json(json_file, report.to_dict())
