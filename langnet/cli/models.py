"""`langnet models`: what lies in a folder of models, whether it is whole, and models of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from langnet.cli.app import app, check_output, console, examples
from langnet.cli.options import NewFolder, Overwrite
from langnet.errors import LangnetError

if TYPE_CHECKING:
    from langnet.hub.folder import ModelSummary

ROOT_HELP = "A folder of model folders, this machine's models by default; or one model."
COLUMNS = ("family", "size", "task", "parameters", "bits/byte", "created")
LEAST_NEEDED = ("created", "size", "task", "parameters")  # in this order they are left out of a narrow table
NAME_WIDTH = 24  # a longer name is broken rather than given the room of other columns
GAP = 2  # between columns
FORMAT_HELP = (
    "transformers (a folder for from_pretrained), onnx (a graph for onnxruntime), word2vec or word2vec-text (word "
    "vectors as one file, binary or text, for gensim)."
)


class ModelsVerbs(typer.core.TyperGroup):
    """The verbs of `langnet models`; without one, `list` is meant: `langnet models . --verify`."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(self.commands)

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["list", *args]
        return super().parse_args(ctx, args)


models_app = typer.Typer(
    cls=ModelsVerbs, rich_markup_mode="rich", help="List and check models, import and export them; list if unsaid."
)
app.add_typer(models_app, name="models")


@models_app.command(
    name="list",
    epilog=examples(
        "langnet models",
        "langnet models .",
        "langnet models my-lm --verify",
        "langnet models my-lm --card",
    ),
)
def list_(
    root: Annotated[str | None, typer.Argument(metavar="[FOLDER]", help=ROOT_HELP)] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check every byte of every model.")] = False,
    card: Annotated[bool, typer.Option("--card", help="Show a model's card.")] = False,
) -> None:
    """List the models of a folder, check that they are whole, or show one's card."""
    from langnet.hub.folder import describe_model, list_models, read_folder
    from langnet.hub.names import CONFIG, models_root, resolve_model

    if card:
        if root is None:
            raise LangnetError("say which model's card: langnet models my-lm --card")
        print(read_folder(resolve_model(root)).card or "This model has no card.")
        return
    folder = models_root() if root is None else Path(root).expanduser()
    if root is not None and ((folder / CONFIG).is_file() or not folder.is_dir()):
        found = [describe_model(resolve_model(root))]  # also where its checksums are missing
    else:
        found = list(list_models(folder))
    if verify and found:
        _verify(found)
    elif found:
        _show(found)
    else:
        print(f"There is no model in {folder}; langnet pretrain makes one.")


@models_app.command(
    name="import",
    epilog=examples(
        "langnet models import gpt2/ --output gpt2-lm",
        "langnet models import pytorch_model.bin --output gpt2-lm",
        "langnet models import finetune-transformer-lm/model --output gpt-2018-lm",
        "langnet models import bwd_wt103.pth --vocabulary itos.json --direction backward --output wt103-backward",
    ),
)
def import_(
    path: Annotated[Path, typer.Argument(help="File or folder of a model that another program wrote.")],
    output: NewFolder,
    vocabulary: Annotated[Path | None, typer.Option(help="File of its vocabulary, where that lies elsewhere.")] = None,
    direction: Annotated[
        Literal["forward", "backward"] | None, typer.Option(help="In which an AWD-LSTM of fastai was trained to read.")
    ] = None,
    most: Annotated[int | None, typer.Option(min=1, help="Read only the first so many words of a table.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Read another program's model into a folder of langnet; its format is known by its content."""
    from langnet.hub.importers.imported import ImportOptions
    from langnet.hub.importers.table import import_path

    check_output(output, overwrite)
    imported = import_path(path, ImportOptions(vocabulary, most, direction))
    imported.write(output, overwrite)
    console.print(f"{output}: {imported.report}", highlight=False, markup=False, soft_wrap=True)


@models_app.command(
    name="export",
    epilog=examples(
        "langnet models export gpt2-lm --format transformers --output gpt2-again",
        "langnet models export my-lm --format onnx --output my-lm-onnx",
        "langnet models export my-vectors --format word2vec --output my-vectors.bin",
    ),
)
def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder or name of a model.")],
    format: Annotated[str, typer.Option(help=FORMAT_HELP)],
    output: Annotated[Path, typer.Option("--output", "-o", help="New file or folder.")],
) -> None:
    """Write a model as another program reads it."""
    from langnet.hub.exporters.table import export_model

    told = export_model(model, format, output)
    console.print(f"{output}: {told}", highlight=False, markup=False, soft_wrap=True)


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


def _cells(model: ModelSummary) -> dict[str, str]:
    """What the table says of a model, by column, in their order."""
    if model.problem:
        return dict.fromkeys(COLUMNS, "") | {"family": "broken"}
    bits = "" if model.bits_per_byte is None else f"{model.bits_per_byte:.3f}{'*' if model.bits_note else ''}"
    family = f"{model.family or ''}{', backward' if model.direction == 'backward' else ''}"
    texts = (family, model.size, model.task, _rounded(model.parameters), bits, (model.created or "")[:10])
    return {name: text or "" for name, text in zip(COLUMNS, texts, strict=True)}


def _rounded(number: int | None) -> str:
    """A count in three digits: 912, 41.2k, 93.6M."""
    if not number or number < 1000:
        return str(number or "")
    unit = "k" if number < 999_500 else "M" if number < 999_500_000 else "G"
    value = number / {"k": 1e3, "M": 1e6, "G": 1e9}[unit]
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}{unit}"


def _fitting(rows: list[dict[str, str]], name_width: int, width: int) -> list[str]:
    """The columns that fit beside the names; where room is short, the least needed go first."""
    wide = {name: max(len(name), *(len(row[name]) for row in rows)) + GAP for name in COLUMNS}
    kept = list(COLUMNS)
    for name in LEAST_NEEDED:
        if name_width + sum(wide[column] for column in kept) <= width:
            break
        kept.remove(name)
    return kept


def _show(found: list[ModelSummary]) -> None:
    rows = [_cells(model) for model in found]
    longest = max(len(model.name) for model in found)
    columns = _fitting(rows, min(longest, NAME_WIDTH), console.width)
    table = Table(box=None, pad_edge=False)
    table.add_column("model", overflow="fold", min_width=min(longest, NAME_WIDTH))
    for name in columns:
        table.add_column(name, justify="right" if name in ("parameters", "bits/byte") else "left", no_wrap=True)
    for model, row in zip(found, rows, strict=True):
        table.add_row(model.name, *(row[name] for name in columns))
    console.print(table)
    for model in found:
        if model.bits_note:
            console.print(f"* {model.name}: {model.bits_note}", markup=False, highlight=False, soft_wrap=True)
        if model.problem:
            console.print(f"! {model.name}: {model.problem}", style="yellow", markup=False, soft_wrap=True)
