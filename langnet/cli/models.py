"""`langnet models`: what lies in a folder of models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from langnet.cli.app import app, console


@app.command()
def models(root: Annotated[Path | None, typer.Argument(help="Folder of model folders.")] = None) -> None:
    """List the models of a folder, by default this machine's.

    Example: langnet models .
    """
    from langnet.hub.folder import list_models
    from langnet.hub.names import models_root

    table = Table("model", "parameters", "created")
    for found in list_models(root or models_root()):
        table.add_row(found.name, f"{found.parameters or 0:,}", found.created or "")
    console.print(table)
