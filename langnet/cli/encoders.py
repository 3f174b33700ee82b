"""`langnet encoders`: every named encoder, how large it is, and how fast it trains here."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from langnet.cli.app import app, check_writable, console, examples, write_json

FAMILY_HELP = "Only this family."
MEASURE_HELP = "Also train a few steps of each on this machine's CPU."
SECONDS_HELP = "Seconds for each; what is too large for them is left out."


@app.command(
    epilog=examples(
        "langnet encoders",
        "langnet encoders gpt-2 --vocabulary-size 50262",
        "langnet encoders gpt --measure --seconds 2",
    )
)
def encoders(
    family: Annotated[str | None, typer.Argument(help=FAMILY_HELP)] = None,
    vocabulary_size: Annotated[int, typer.Option(min=6, max=10_000_000, help="Rows of the embeddings.")] = 16384,
    measure: Annotated[bool, typer.Option("--measure", help=MEASURE_HELP)] = False,
    seconds: Annotated[float, typer.Option(min=0.1, help=SECONDS_HELP)] = 1.0,
    json: Annotated[Path | None, typer.Option(help="Also write the table into this file.")] = None,
) -> None:
    """List every family of encoders and its sizes with their parameters, and measure how fast they train."""
    from langnet.encoders.registry import FAMILIES
    from langnet.encoders.sizes import encoder_sizes, operations_per_second
    from langnet.encoders.sizes import measure as measure_size

    check_writable(json)
    found = encoder_sizes(vocabulary_size, family)
    if measure:
        speed = operations_per_second()
        with console.status("measuring"):
            found = [measure_size(size, vocabulary_size, seconds, speed) for size in found]
    table = Table(box=None, pad_edge=False)
    for name in ("family", "size", "parameters", "layers", "width", "context", *(["tokens/s"] if measure else [])):
        table.add_column(name, justify="left" if name in ("family", "size") else "right", no_wrap=True)
    for size in found:
        context = f"{size.context:,}" if size.context else "any"
        cells = [size.family, size.size, f"{size.parameters:,}", str(size.layers), f"{size.width:,}", context]
        if measure:
            cells.append(f"{size.tokens_per_second:,.0f}" if size.tokens_per_second else size.note)
        table.add_row(*cells)
    console.print(table)
    for name in dict.fromkeys(size.family for size in found):
        console.print(f"{name}: {FAMILIES[name].summary}", highlight=False, markup=False, soft_wrap=True)
    if json is not None:
        write_json(json, [asdict(size) for size in found])
