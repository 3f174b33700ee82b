"""The Typer application that every verb adds itself to, and what all verbs share: errors and output."""

from __future__ import annotations

import sys
from pathlib import Path

import typer
from rich.console import Console

from langnet.errors import LangnetError

ORDER = [
    "inspect",
    "pretrain",
    "adapt",
    "finetune",
    "evaluate",
    "predict",
    "generate",
    "score",
    "models",
    "study",
    "demo",
]


class Verbs(typer.core.TyperGroup):
    """The verbs in the order of a day's work; what is not in `ORDER` follows."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return sorted(self.commands, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


app = typer.Typer(
    cls=Verbs, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich", add_completion=False
)
console = Console()


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error and exit code 2."""
    try:
        app()
    except LangnetError as error:
        print(f"langnet: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("langnet: interrupted; a run with an output folder goes on with --resume", file=sys.stderr)
        sys.exit(130)


def run_folder(output: Path) -> Path:
    """Where a run keeps its corpus, checkpoints and history: beside the model, not in it."""
    return output.with_name(output.name + ".run")


def check_output(output: Path, overwrite: bool) -> None:
    """Say before the work, not after it, that the output exists."""
    if output.exists() and not overwrite:
        raise LangnetError(f"{output} exists already; choose another --output, or add --overwrite")
