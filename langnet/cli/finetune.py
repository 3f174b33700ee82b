"""`langnet finetune`: from a language model and labelled texts to a classifier, or a model for another task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from langnet.cli.app import app, check_device, check_output, console, examples, read_texts, run_folder, tell_facts
from langnet.cli.checks import check_models, check_one_each, check_sources, matched_files
from langnet.cli.options import (
    Adapters,
    CachedMegabytes,
    Device,
    Documents,
    DropoutScale,
    FinetuningRate,
    Forgetting,
    HeadSettings,
    LabelColumn,
    LanguageModelName,
    LayerDecay,
    NewFolder,
    NoDocumentVectors,
    Overwrite,
    Precision,
    Resume,
    ScheduleName,
    SecondColumn,
    Seed,
    Seeds,
    Separator,
    TextColumn,
    TransferredLayers,
    Where,
)
from langnet.cli.tasks import Place, columns, finetune_task, refuse_for_classification, task_help

if TYPE_CHECKING:
    from langnet.recipes.finetune_options import FinetuneOptions

Method = Literal["finetune", "frozen", "scratch"]
PoolingName = Literal["last", "mean", "concat"]
METHOD_HELP = "finetune trains everything; frozen a linear head on the layers' states; scratch starts from nothing."
EPOCHS_HELP = "Passes over the items; to classify 3, from scratch 10; other tasks take more of few items."
POOLING_HELP = "From positions to a text, where no frozen head starts."
UNLABELLED_HELP = "Further texts, or items of the task, without labels, to learn from beside the labelled ones."
HELD_OUT_HELP = (
    "Part of the labelled texts (or of the articles) that chooses the best step; 0 trains on all to the end."
)


@app.command(
    epilog=examples(
        "langnet finetune my-lm train.csv --output my-classifier --method frozen",
        "langnet finetune my-lm train.jsonl --label-column topic --output my-classifier --epochs 4",
        "langnet finetune my-lm few.csv --unlabelled many.csv --output my-classifier",
        "langnet finetune my-lm topics.csv --task multilabel --separator ';' --output my-tagger",
        "langnet finetune my-lm comments.csv --task multilabel --label-column rude,threat,insult --output my-moderator",
        "langnet finetune my-lm reviews.csv --task regress --label-column stars --output my-rater",
        "langnet finetune my-lm snli.jsonl --task entail --output my-nli",
        "langnet finetune my-classifier other-labels.csv --output my-second    (its encoder is kept, its head is not)",
        "langnet finetune my-lm SICK_train.txt --task similarity --output my-rater",
        "langnet finetune my-lm copa.jsonl --task choose --output my-chooser --method frozen",
        "langnet finetune my-lm train.conll --task tag --output my-tagger",
        "langnet finetune my-lm train.conllu --task label_roles --output my-labeller",
        "langnet finetune my-lm trees.ptb --task parse --output my-parser --head decoder=chart",
        "langnet finetune my-lm chains.conll --task corefer --output my-resolver",
        "langnet finetune my-lm train.en+train.de --task translate --output my-translator",
        "langnet finetune my-lm squad.json --task answer --output my-reader --validation-fraction 0.1",
        "langnet finetune my-lm classes/ --output my-classifier    (a folder with a sub-folder a class)",
    )
)
def finetune(
    model: LanguageModelName,
    labelled: Annotated[list[str], typer.Argument(help="Tables, a folder a class; of --task CoNLL, trees, a.en+a.de")],
    output: NewFolder,
    task: Annotated[str, typer.Option(help=task_help())] = "classify",
    method: Annotated[Method, typer.Option(help=METHOD_HELP)] = "finetune",
    layers: TransferredLayers = None,
    adapters: Adapters = 0,
    unlabelled: Annotated[list[str] | None, typer.Option(help=UNLABELLED_HELP)] = None,
    text_column: TextColumn = "text",
    second_column: SecondColumn = None,
    label_column: LabelColumn = "label",
    separator: Separator = None,
    where: Where = None,
    head: HeadSettings = None,
    documents: Documents = "file",
    epochs: Annotated[float | None, typer.Option(help=EPOCHS_HELP)] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts a step.")] = 16,
    learning_rate: FinetuningRate = None,
    layer_decay: LayerDecay = 1.5,
    schedule: Annotated[ScheduleName, typer.Option(help="Of the rates.")] = "slanted-triangular",
    gradual_unfreezing: Annotated[bool, typer.Option("--gradual-unfreezing", help="Thaw layer by layer.")] = False,
    auxiliary_lm: Annotated[float, typer.Option(help="Weight of the language-model loss beside the task's.")] = 0.0,
    pooling: Annotated[PoolingName, typer.Option(help=POOLING_HELP)] = "mean",
    dropout: Annotated[float, typer.Option(help="Before the head.")] = 0.1,
    max_tokens: Annotated[int, typer.Option(min=3, help="Of a longer text the middle is left out.")] = 2048,
    validation_fraction: Annotated[float, typer.Option(help=HELD_OUT_HELP)] = 0.0,
    no_document_vectors: NoDocumentVectors = False,
    dropout_scale: DropoutScale = None,
    forgetting: Forgetting = None,
    cached_megabytes: CachedMegabytes = 1024,
    precision: Precision = "auto",
    device: Device = None,
    seed: Seed = 0,
    seeds: Seeds = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Transfer a pretrained model to a task: classification, or what --task says.

    Of a model that has a task already the encoder is kept and the head replaced, so any task can serve as pretraining.
    Checkpoints and TensorBoard events of a fine-tuning are kept in OUTPUT.run.
    """
    check_models(model)
    check_one_each(labelled, "--unlabelled", "--forgetting")
    check_sources(labelled, unlabelled, forgetting)
    labelled = matched_files(labelled)
    check_output(output, overwrite)
    from langnet.recipes.finetune_options import FinetuneOptions
    from langnet.recipes.raw_text import RawText
    from langnet.text.corpus import CorpusOptions
    from langnet.transfer.schedule import named_schedule

    check_device(device)
    corpus = CorpusOptions(text_column, documents)
    options = FinetuneOptions(
        method=method, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, layer_decay=layer_decay,
        gradual_unfreezing=gradual_unfreezing, auxiliary_lm=auxiliary_lm, document_features=not no_document_vectors,
        pooling=pooling, dropout=dropout, max_tokens=max_tokens, validation_fraction=validation_fraction, seed=seed,
        dropout_scale=dropout_scale, precision=precision, device=device, schedule=named_schedule(schedule),
        layers=layers, adapters=adapters, seeds=seeds, cached_megabytes=cached_megabytes,
        forgetting=RawText(tuple(forgetting), corpus) if forgetting else None,
    )  # fmt: skip
    place, names = Place(output, overwrite, resume), columns(text_column, second_column, label_column, where, separator)
    if task == "classify":
        refuse_for_classification(where=where, head=head, separator=separator, second_column=second_column)
        more = read_texts(unlabelled, corpus)
        _learn_classes(model, labelled, (text_column, label_column), more, options, place)
        return
    finetune_task(model, task, (labelled, matched_files(unlabelled or [])), names, (options, head), place)


def _learn_classes(
    model: str,
    labelled: list[str],
    names: tuple[str, str],
    unlabelled: list[str],
    options: FinetuneOptions,
    place: Place,
) -> None:
    """Make a classifier, save it, and say so; `names` are the columns of text and label."""
    from langnet.recipes.finetune import finetune as run_finetune
    from langnet.recipes.seeds import forget_runs
    from langnet.recipes.training_texts import describe_training_texts
    from langnet.text.labelled import read_labelled
    from langnet.training.progress import ConsoleProgress

    data = read_labelled(list(labelled), *names)
    folder = None if options.method == "frozen" else run_folder(place.output)
    progress = ConsoleProgress("fine-tune" if options.method == "finetune" else options.method)
    classifier = run_finetune(
        model, data.texts, data.labels, options, unlabelled=unlabelled, folder=folder, progress=progress,
        resume=place.resume,
    )  # fmt: skip
    if folder:
        forget_runs(folder)
    described = describe_training_texts(data, labelled, place.output, names)
    classifier.facts["finetune"]["training_texts"] = described
    classifier.save(place.output, overwrite=place.overwrite)
    console.print(f"{place.output}: a classifier of {len(data.label_names)} classes from {len(data):,} labelled texts")
    tell_facts(classifier)
