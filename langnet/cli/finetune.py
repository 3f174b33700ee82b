"""`langnet finetune`: from a language model and labelled texts to a classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from langnet.cli.app import app, check_output, console
from langnet.cli.options import LabelColumn, Overwrite, Seed, TextColumn


@app.command()
def finetune(
    model: Annotated[str, typer.Argument(help="Folder or name of a language model.")],
    labelled: Annotated[list[str], typer.Argument(help="Tables with text and label, or a folder a class.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the new classifier.")],
    method: Annotated[Literal["finetune", "frozen", "scratch"], typer.Option()] = "finetune",
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    epochs: Annotated[float | None, typer.Option(help="Passes over the texts.")] = None,
    learning_rate: Annotated[float, typer.Option(help="Peak rate of the top layer.")] = 3e-4,
    layer_decay: Annotated[float, typer.Option(help="How much slower each layer learns than the next.")] = 1.5,
    gradual_unfreezing: Annotated[bool, typer.Option("--gradual-unfreezing")] = False,
    auxiliary_lm: Annotated[float, typer.Option(help="Weight of the language-model loss.")] = 0.0,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Transfer a language model to classification.

    Example: langnet finetune my-lm train.csv --output my-classifier --method frozen
    """
    from langnet.recipes.finetune import FinetuneOptions
    from langnet.recipes.finetune import finetune as run_finetune
    from langnet.text.labelled import read_labelled
    from langnet.training.progress import ConsoleProgress

    check_output(output, overwrite)
    data = read_labelled(list(labelled), text_column, label_column)
    options = FinetuneOptions(
        method, epochs, learning_rate=learning_rate, layer_decay=layer_decay,
        gradual_unfreezing=gradual_unfreezing, auxiliary_lm=auxiliary_lm, seed=seed,
    )  # fmt: skip
    progress = ConsoleProgress("fine-tune")
    run_finetune(model, data.texts, data.labels, options, progress=progress).save(output, overwrite=overwrite)
    console.print(f"{output}: a classifier of {len(data.label_names)} classes from {len(data):,} labelled texts")
