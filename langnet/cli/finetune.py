"""`langnet finetune`: from a language model and labelled texts to a classifier."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from langnet.cli.app import app, check_device, check_output, console, examples, read_texts, run_folder
from langnet.cli.options import (
    Device,
    Documents,
    DropoutScale,
    LabelColumn,
    LanguageModelName,
    LayerDecay,
    NewFolder,
    NoDocumentVectors,
    Overwrite,
    Precision,
    Resume,
    ScheduleName,
    Seed,
    TextColumn,
)

Method = Literal["finetune", "frozen", "scratch"]
PoolingName = Literal["last", "mean", "concat"]
METHOD_HELP = "finetune trains everything; frozen a linear head on the layers' states; scratch starts from nothing."
UNLABELLED_HELP = "Further texts of the same kind without labels, to learn from beside the labelled ones."
HELD_OUT_HELP = "Part of the labelled texts that chooses the best step; 0 trains on all to the end."


@app.command(
    epilog=examples(
        "langnet finetune my-lm train.csv --output my-classifier --method frozen",
        "langnet finetune my-lm train.jsonl --label-column topic --output my-classifier --epochs 4",
        "langnet finetune my-lm few.csv --unlabelled many.csv --output my-classifier",
        "langnet finetune my-lm classes/ --output my-classifier    (a folder with a sub-folder a class)",
    )
)
def finetune(
    model: LanguageModelName,
    labelled: Annotated[list[str], typer.Argument(help="Tables with text and label, or a folder a class.")],
    output: NewFolder,
    method: Annotated[Method, typer.Option(help=METHOD_HELP)] = "finetune",
    unlabelled: Annotated[list[str] | None, typer.Option(help=UNLABELLED_HELP)] = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    documents: Documents = "file",
    epochs: Annotated[float | None, typer.Option(help="Passes over the texts; enough for 60 steps by default.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts a step.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Peak rate of the top layer.")] = 3e-4,
    layer_decay: LayerDecay = 1.5,
    schedule: Annotated[ScheduleName, typer.Option(help="Of the rates.")] = "slanted-triangular",
    gradual_unfreezing: Annotated[bool, typer.Option("--gradual-unfreezing", help="Thaw layer by layer.")] = False,
    auxiliary_lm: Annotated[float, typer.Option(help="Weight of the language-model loss beside the task's.")] = 0.0,
    pooling: Annotated[
        PoolingName, typer.Option(help="From positions to a text, where no frozen head starts.")
    ] = "mean",
    dropout: Annotated[float, typer.Option(help="Before the head.")] = 0.1,
    max_tokens: Annotated[int, typer.Option(min=3, help="Of a longer text the middle is left out.")] = 2048,
    validation_fraction: Annotated[float, typer.Option(help=HELD_OUT_HELP)] = 0.0,
    no_document_vectors: NoDocumentVectors = False,
    dropout_scale: DropoutScale = None,
    precision: Precision = "auto",
    device: Device = None,
    seed: Seed = 0,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Transfer a language model to classification.

    Checkpoints and TensorBoard events of a fine-tuning are kept in OUTPUT.run.
    """
    from langnet.recipes.finetune import FinetuneOptions
    from langnet.recipes.finetune import finetune as run_finetune
    from langnet.recipes.training_texts import describe_training_texts
    from langnet.text.corpus import CorpusOptions
    from langnet.text.labelled import read_labelled
    from langnet.training.checkpoint import remove_checkpoint
    from langnet.training.progress import ConsoleProgress
    from langnet.transfer.schedule import named_schedule

    check_output(output, overwrite)
    check_device(device)
    data = read_labelled(list(labelled), text_column, label_column)
    options = FinetuneOptions(
        method=method, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, layer_decay=layer_decay,
        gradual_unfreezing=gradual_unfreezing, auxiliary_lm=auxiliary_lm, document_features=not no_document_vectors,
        pooling=pooling, dropout=dropout, max_tokens=max_tokens, validation_fraction=validation_fraction, seed=seed,
        dropout_scale=dropout_scale, precision=precision, device=device, schedule=named_schedule(schedule),
    )  # fmt: skip
    folder = None if method == "frozen" else run_folder(output)
    progress = ConsoleProgress("fine-tune" if method == "finetune" else method)
    more = read_texts(unlabelled, CorpusOptions(text_column, documents))
    classifier = run_finetune(
        model, data.texts, data.labels, options, unlabelled=more, folder=folder, progress=progress, resume=resume
    )
    if folder:
        remove_checkpoint(folder)
    columns = (text_column, label_column)
    classifier.facts["finetune"]["training_texts"] = describe_training_texts(data, labelled, output, columns)
    classifier.save(output, overwrite=overwrite)
    console.print(f"{output}: a classifier of {len(data.label_names)} classes from {len(data):,} labelled texts")
