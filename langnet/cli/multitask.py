"""`langnet multitask`: several tasks learned at once by one encoder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from langnet.cli.app import app, check_device, check_output, console, examples, run_folder
from langnet.cli.checks import check_models, check_sources, matched_files
from langnet.cli.options import (
    Adapters,
    CachedMegabytes,
    Device,
    DropoutScale,
    FinetuningRate,
    LanguageModelName,
    LayerDecay,
    Overwrite,
    Precision,
    Resume,
    ScheduleName,
    Seed,
)
from langnet.cli.tasks import TASKS
from langnet.errors import LangnetError

if TYPE_CHECKING:
    from langnet.recipes.kinds.kind import Kind

LEARNED = ("classify", *TASKS)
SOURCES_HELP = (
    "KIND=FILE, or NAME:KIND=FILE where a kind occurs twice; a name given again has one more file. Kinds: "
    f"{', '.join(LEARNED)}."
)
TEMPERATURE_HELP = "How even tasks of unequal sizes are drawn: 1 in proportion to their items, inf all equally often."
HELD_OUT_HELP = "Part of each task's items that chooses the best step; 0 trains on all to the end."


@app.command(
    epilog=examples(
        "langnet multitask my-lm entail=snli.jsonl tag=train.conll --output both",
        "langnet multitask my-lm classify=films.csv mood:classify=posts.csv --output both",
        "langnet multitask my-lm ner:tag=wnut.conll pos:tag=en.conllu similarity=SICK_train.txt --output three",
        "langnet evaluate both/entail test.jsonl",
    )
)
def multitask(
    model: LanguageModelName,
    tasks: Annotated[list[str], typer.Argument(help=SOURCES_HELP, metavar="TASKS...")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the models, one a task.")],
    temperature: Annotated[float, typer.Option(help=TEMPERATURE_HELP)] = 2.0,
    method: Annotated[
        Literal["finetune", "scratch"], typer.Option(help="From the pretrained weights, or from nothing.")
    ] = "finetune",
    adapters: Adapters = 0,
    epochs: Annotated[
        float | None,
        typer.Option(help="Passes over the items of all; by default 3 (few items: up to 10), from scratch 10 to 30."),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Items a step.")] = 16,
    learning_rate: FinetuningRate = None,
    layer_decay: LayerDecay = 1.5,
    schedule: Annotated[ScheduleName, typer.Option(help="Of the rates.")] = "slanted-triangular",
    auxiliary_lm: Annotated[float, typer.Option(help="Weight of the language-model loss beside the tasks'.")] = 0.0,
    dropout: Annotated[float, typer.Option(help="Before the heads.")] = 0.1,
    max_tokens: Annotated[int, typer.Option(min=3, help="Of a longer text the middle is left out.")] = 2048,
    validation_fraction: Annotated[float, typer.Option(help=HELD_OUT_HELP)] = 0.0,
    dropout_scale: DropoutScale = None,
    cached_megabytes: CachedMegabytes = 1024,
    precision: Precision = "auto",
    device: Device = None,
    seed: Seed = 0,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Learn several tasks at once: they share the encoder, and each has its own head.

    OUTPUT holds a model a task, each like any other: langnet predict OUTPUT/entail new.jsonl.
    """
    wanted = _wanted(tasks)
    check_models(model)
    check_sources([file for _, files in wanted.values() for file in files])
    wanted = {name: (kind_name, matched_files(files)) for name, (kind_name, files) in wanted.items()}
    for name in wanted:
        check_output(output / name, overwrite)
    from langnet.recipes.finetune_options import FinetuneOptions
    from langnet.recipes.kinds.kind import Columns, HeadOptions
    from langnet.recipes.kinds.registry import find_kind
    from langnet.recipes.together import transfer_together
    from langnet.recipes.training_items import describe_training_items
    from langnet.recipes.transfer import TransferOptions
    from langnet.training.progress import ConsoleProgress
    from langnet.transfer.schedule import named_schedule

    check_device(device)
    options = FinetuneOptions(
        method=method, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, layer_decay=layer_decay,
        auxiliary_lm=auxiliary_lm, max_tokens=max_tokens, validation_fraction=validation_fraction, seed=seed,
        dropout_scale=dropout_scale, precision=precision, device=device, schedule=named_schedule(schedule),
        cached_megabytes=cached_megabytes, adapters=adapters,
    )  # fmt: skip
    read: dict[str, tuple[Kind[Any, Any] | str, list[Any]]] = {}
    for name, (kind_name, files) in wanted.items():
        kind = find_kind(kind_name, together=True)
        read[name] = kind, kind.read(files, Columns())
    how = TransferOptions(options, HeadOptions(dropout))
    place, progress = run_folder(output), ConsoleProgress("multitask")
    made = transfer_together(model, read, how, temperature, folder=place, progress=progress, resume=resume)
    for name, (kind_name, files) in wanted.items():
        facts, (task, items) = made[name].facts["finetune"], read[name]
        facts["training_items"] = describe_training_items(items, files, output / name)
        facts["columns"] = asdict(Columns() if isinstance(task, str) else task.as_read(items, Columns()))
        made[name].save(output / name, overwrite=overwrite)
        told = f"from {len(items):,} items, in {facts['together']['shares'][name]:.0%} of the steps"
        console.print(f"{output / name}: a model for the task '{kind_name}' {told}", highlight=False)
    _forget_checkpoints(place, list(wanted))


def _wanted(tasks: list[str]) -> dict[str, tuple[str, list[str]]]:
    """Kind and files of each task, by its name.

    Raises:
        LangnetError: one is not written as it has to be, or there are fewer than two.
    """
    found: dict[str, tuple[str, list[str]]] = {}
    for written in tasks:
        left, equals, file = written.partition("=")
        name, _, kind = left.rpartition(":")
        name = name or kind
        if not equals or not file or not kind:
            raise LangnetError(f"'{written}' is no task: write KIND=FILE or NAME:KIND=FILE, such as tag=train.conll")
        if kind not in LEARNED:
            raise LangnetError(
                f"'{written}': there is no kind '{kind}' to learn together; choose from {', '.join(LEARNED)}"
            )
        if "/" in name or name in (".", ".."):
            raise LangnetError(f"'{written}': a task's name becomes a folder; leave '{name}' without slashes and dots")
        held = found.setdefault(name, (kind, []))
        if held[0] != kind:
            raise LangnetError(f"the task '{name}' is of the kind '{held[0]}' and of '{kind}'; give each its own name")
        held[1].append(file)
    if len(found) < 2:
        raise LangnetError("several tasks are learned together; for one: langnet finetune --task")
    return found


def _forget_checkpoints(folder: Path, names: list[str]) -> None:
    from langnet.training.checkpoint import remove_checkpoint

    for stage in (folder, *(folder / "heads" / name for name in names)):
        remove_checkpoint(stage)
