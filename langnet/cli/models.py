"""`langnet models`: what lies in a folder of models, and whether it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from langnet.cli.app import app, console, examples
from langnet.errors import LangnetError

if TYPE_CHECKING:
    from langnet.hub.folder import ModelSummary

ROOT_HELP = "A folder of model folders, this machine's models by default; or one model."


@app.command(
    epilog=examples(
        "langnet models",
        "langnet models .",
        "langnet models my-lm --verify",
        "langnet models my-lm --card",
    )
)
def models(
    root: Annotated[str | None, typer.Argument(metavar="[FOLDER]", help=ROOT_HELP)] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check every byte of every model.")] = False,
    card: Annotated[bool, typer.Option("--card", help="Show a model's card.")] = False,
) -> None:
    """List the models of a folder, check that they are whole, or show one's card."""
    from langnet.hub.folder import is_model_folder, list_models, read_folder
    from langnet.hub.names import models_root, resolve_model

    if card:
        if root is None:
            raise LangnetError("say which model's card: langnet models my-lm --card")
        print(read_folder(resolve_model(root)).card or "This model has no card.")
        return
    folder = models_root() if root is None else Path(root).expanduser()
    if root is not None and (is_model_folder(folder) or not folder.is_dir()):
        one = resolve_model(root)
        found = [summary for summary in list_models(one.parent) if summary.path.name == one.name]
    else:
        found = list(list_models(folder))
    if verify:
        _verify(found)
    elif found:
        _show(found)
    else:
        print(f"There is no model in {folder}; langnet pretrain makes one.")


def _verify(found: list[ModelSummary]) -> None:
    from langnet.hub.folder import verify_folder

    broken = 0
    for summary in found:
        try:
            print(verify_folder(summary.path))
        except LangnetError as error:
            broken += 1
            print(f"{summary.path} is broken: {error}")
    if broken:
        raise LangnetError(f"{broken} of {len(found)} models are broken; copy them again")


def _show(found: list[ModelSummary]) -> None:
    table = Table("model", box=None, pad_edge=False)
    table.columns[0].overflow = "fold"
    for name in ("family", "size", "task", "parameters", "bits/byte", "created"):
        table.add_column(name, justify="right" if name in ("parameters", "bits/byte") else "left", no_wrap=True)
    for model in found:
        if model.problem:
            table.add_row(escape(model.name), "", "", "broken")
            continue
        parameters = f"{model.parameters:,}" if model.parameters else ""
        bits = f"{model.bits_per_byte:.3f}" if model.bits_per_byte is not None else ""
        created = (model.created or "")[:16].replace("T", " ")
        table.add_row(
            escape(model.name), model.family or "", model.size or "", model.task or "", parameters, bits, created
        )
    console.print(table)
    for model in found:
        if model.problem:
            console.print(f"! {model.name}: {model.problem}", style="yellow", markup=False, soft_wrap=True)
