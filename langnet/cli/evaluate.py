"""`langnet evaluate`: scores with their intervals and neighbours."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from langnet.cli.app import app, console
from langnet.cli.options import LabelColumn, TextColumn
from langnet.errors import LangnetError


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="Folder or name of a classifier.")],
    labelled: Annotated[list[str], typer.Argument(help="Labelled test texts.")],
    train: Annotated[list[str] | None, typer.Option(help="The training texts, for TF-IDF beside the model.")] = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
) -> None:
    """Score a classifier, with intervals and beside its neighbours.

    Example: langnet evaluate my-classifier test.csv --train train.csv
    """
    from langnet.evaluate.baselines import MajorityBaseline, Neighbour, TfidfBaseline
    from langnet.evaluate.metrics import classification_scores
    from langnet.recipes.model import load
    from langnet.text.labelled import read_labelled

    classifier = load(model)
    test = read_labelled(list(labelled), text_column, label_column)
    unknown = sorted(set(test.labels) - set(classifier.labels or []))
    if classifier.labels is not None and unknown:
        raise LangnetError(f"the test texts have labels that {model} does not know: {', '.join(unknown[:5])}")
    rows = {"this model": classifier.predict(test.texts)}
    source = read_labelled(list(train), text_column, label_column) if train else test
    neighbours: list[Neighbour] = [MajorityBaseline(), *([TfidfBaseline()] if train else [])]
    for baseline in neighbours:
        rows[baseline.name] = baseline.fit_predict(source.texts, source.labels, test.texts).labels
    table = Table("", "accuracy", "macro F1", "MCC", title=f"{len(test):,} test texts, 95 % intervals")
    for name, predicted in rows.items():
        table.add_row(name, *(str(score) for score in classification_scores(test.labels, predicted).values()))
    console.print(table)
    if not train:
        console.print("Give --train to see TF-IDF with a logistic regression beside it.")
