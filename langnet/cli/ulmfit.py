"""`langnet ulmfit`: pretraining, adaptation and fine-tuning as Howard & Ruder 2018 do, in one command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from langnet.cli.app import app, check_device, console, examples, read_texts
from langnet.cli.checks import check_encoder, check_models, check_sources, matched_files
from langnet.cli.options import Device, Documents, DropoutScale, LabelColumn, Precision, Seed, TextColumn

if TYPE_CHECKING:
    from langnet.recipes.ensemble import Ensemble

GENERAL_HELP = "General raw text, which the first model is pretrained on; may be given several times."
MODEL_HELP = "A pretrained language model instead of general text; with --direction both, two of them."
UNLABELLED_HELP = "Further texts of the labelled kind, for the second stage; may be given several times."
NEW_VOCABULARY_HELP = "Learn the vocabulary of the target text; entries that the model knows keep their rows."


@app.command(
    epilog=examples(
        "langnet ulmfit train.csv --general texts/ --output mine --pretrain-minutes 60 --adapt-minutes 10",
        "langnet ulmfit train.csv --model wt103-lm --unlabelled more.csv --new-vocabulary --output mine",
        "langnet ulmfit train.csv --general texts/ --direction both --output mine",
        "langnet evaluate mine/forward/3-classifier test.csv --with mine/backward/3-classifier",
    )
)
def ulmfit(
    labelled: Annotated[list[str], typer.Argument(help="Tables with text and label, or a folder a class.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the stages' models.")],
    general: Annotated[list[str] | None, typer.Option(help=GENERAL_HELP)] = None,
    model: Annotated[list[str] | None, typer.Option(help=MODEL_HELP)] = None,
    unlabelled: Annotated[list[str] | None, typer.Option(help=UNLABELLED_HELP)] = None,
    direction: Annotated[
        Literal["forward", "backward", "both"], typer.Option(help="In which texts are read; both averages two models.")
    ] = "forward",
    encoder: Annotated[str, typer.Option(help="Family of the general model; see langnet pretrain.")] = "awd-lstm",
    size: Annotated[str, typer.Option(help="Of the general model.")] = "small",
    vocabulary_size: Annotated[int | None, typer.Option(help="Sized to the text by default.")] = None,
    new_vocabulary: Annotated[bool, typer.Option("--new-vocabulary", help=NEW_VOCABULARY_HELP)] = False,
    pretrain_minutes: Annotated[float, typer.Option(help="Budget of the first stage.")] = 10.0,
    adapt_minutes: Annotated[float, typer.Option(help="Budget of the second stage.")] = 5.0,
    epochs: Annotated[float | None, typer.Option(help="Of the third; enough for 60 steps by default.")] = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    documents: Documents = "file",
    dropout_scale: DropoutScale = None,
    precision: Precision = "auto",
    device: Device = None,
    seed: Seed = 0,
) -> None:
    """Pretrain, adapt and fine-tune as ULMFiT does (Howard & Ruder 2018).

    Each stage's model stays in a folder of its own: OUTPUT/forward/1-general, 2-target, 3-classifier, and
    OUTPUT/backward likewise. The same command goes on where an earlier one was interrupted. Any family of encoders will
    do.
    """
    check_encoder(encoder)
    check_models(*(model or []))
    check_sources(labelled, general, unlabelled)
    labelled = matched_files(labelled)
    from langnet.recipes.ulmfit import ULMFiTOptions
    from langnet.recipes.ulmfit import ulmfit as run_ulmfit
    from langnet.text.corpus import CorpusOptions
    from langnet.text.labelled import read_labelled
    from langnet.text.prepare import PrepareOptions
    from langnet.training.progress import ConsoleProgress

    check_device(device)
    corpus = CorpusOptions(text_column, documents)
    data = read_labelled(list(labelled), text_column, label_column)
    plain = ULMFiTOptions()
    options = ULMFiTOptions(
        direction,
        replace(
            plain.general, encoder=encoder, size=size, minutes=pretrain_minutes, seed=seed, dropout_scale=dropout_scale,
            prepare=PrepareOptions(vocabulary_size=vocabulary_size, corpus=corpus, seed=seed),
            precision=precision, device=device,
        ),
        replace(
            plain.target, minutes=adapt_minutes, seed=seed, dropout_scale=dropout_scale,
            prepare=PrepareOptions(
                vocabulary_size=vocabulary_size, corpus=corpus, seed=seed, new_vocabulary=new_vocabulary
            ),
            precision=precision, device=device,
        ),
        replace(
            plain.classifier, epochs=epochs, seed=seed, dropout_scale=dropout_scale, precision=precision, device=device
        ),
    )  # fmt: skip
    made = run_ulmfit(
        data.texts, data.labels, output, options,
        general=general, pretrained=model, unlabelled=read_texts(unlabelled, corpus), progress=ConsoleProgress,
    )  # fmt: skip
    _tell(made, output, options.directions)


def _tell(made: Ensemble, output: Path, directions: tuple[str, ...]) -> None:
    """What each direction reached, and how the classifiers are used."""
    folders = [f"{output}/{direction}/3-classifier" for direction in directions]
    for folder, model in zip(folders, made.models, strict=True):
        scores = model.facts.get("validation") or {}
        held_out = (
            f"{scores['bits_per_byte']:.3f} bits per byte on held-out target text" if scores.get("n_bytes") else ""
        )
        line = f"{folder}: a classifier of {len(made.labels)} classes; its language model {held_out or 'unmeasured'}"
        console.print(line, highlight=False, soft_wrap=True)
    others = "".join(f" --with {folder}" for folder in folders[1:])
    console.print(f"langnet evaluate {folders[0]} test.csv{others}", highlight=False, soft_wrap=True)
