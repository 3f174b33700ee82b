"""`langnet predict`: the label of every text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from langnet.cli.app import app
from langnet.cli.options import TextColumn


@app.command()
def predict(
    model: Annotated[str, typer.Argument(help="Folder or name of a classifier.")],
    source: Annotated[Path, typer.Argument(help="A table with a text column, or a text file, a text a line.")],
    text_column: TextColumn = "text",
) -> None:
    """Predict the label of every text; one JSON object a line on standard output.

    Example: langnet predict my-classifier new.csv > predictions.jsonl
    """
    from langnet.recipes.model import load
    from langnet.text.labelled import read_texts

    classifier = load(model)
    texts = read_texts(source, text_column)
    probabilities = classifier.predict_proba(texts)
    names = classifier.labels or []
    for row in probabilities:
        best = int(row.argmax())
        print(json.dumps({"label": names[best], "probability": round(float(row[best]), 4)}, ensure_ascii=False))
