"""Arguments and options that several verbs share, so that they are named and explained alike."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

Sources = Annotated[list[str], typer.Argument(help="Files, folders, globs, archives, '-' for standard input.")]
TextColumn = Annotated[str, typer.Option(help="Column of tables that holds the text.")]
LabelColumn = Annotated[str, typer.Option(help="Column of tables that holds the label.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a model folder of the same name.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint of an interrupted run.")]
Minutes = Annotated[float | None, typer.Option(help="Budget in minutes; 10 where no budget is given.")]
Tokens = Annotated[int | None, typer.Option(help="Budget in tokens.")]
Steps = Annotated[int | None, typer.Option(help="Budget in steps.")]
Documents = Annotated[Literal["file", "line", "paragraph"], typer.Option(help="What is one document in a text file.")]
