"""The Typer application that every verb adds itself to, and what all verbs share: errors and output."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

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


def examples(*lines: str) -> str:
    """Worked examples for the end of a verb's help, a line each."""
    return "\n\n".join(["[bold]Examples[/bold]", *lines])


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


def write_json(path: Path, value: Any) -> None:
    """Write a result; NaN, which JSON does not know, becomes null."""
    from langnet.hub.json_text import to_json

    write_bytes(path, to_json(value, "result", indent=2))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, or say in one line why not."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise LangnetError(f"cannot write {path}: {error.strerror or error}; choose another file") from None


def check_writable(*paths: Path | None) -> None:
    """Say before the work, not after it, that a file cannot be written."""
    for path in paths:
        if path is None:
            continue
        if path.is_dir():
            raise LangnetError(f"cannot write {path}: it is a folder; give the name of a file")
        if not path.parent.is_dir():
            raise LangnetError(f"cannot write {path}: there is no folder {path.parent}; create it first")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise LangnetError(f"cannot write {path}: no permission; choose another place")
