"""`langnet demo`: the whole way on one corpus, compared with neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from langnet.cli.app import app, console
from langnet.cli.options import Seed


@app.command()
def demo(
    minutes: Annotated[float, typer.Option(help="Minutes of pretraining.")] = 2.0,
    labels: Annotated[int, typer.Option(help="Labelled texts that each method sees.")] = 200,
    data: Annotated[Path | None, typer.Option(help="Your own labelled texts instead of 20 Newsgroups.")] = None,
    output: Annotated[Path, typer.Option(help="Folder of the language model.")] = Path("runs/demo-lm"),
    seed: Seed = 0,
) -> None:
    """Pretrain, transfer with few labels, and compare with neighbours; 20 Newsgroups unless told otherwise.

    Example: langnet demo --data my-labelled.csv --labels 100
    """
    from langnet.hub.names import home
    from langnet.recipes.demo import DemoOptions, run_demo
    from langnet.text.labelled import read_labelled
    from langnet.text.newsgroups import fetch_newsgroups
    from langnet.training.progress import ConsoleProgress

    if data is None:
        train, test = fetch_newsgroups(home() / "downloads")
    else:
        train, test = read_labelled([str(data)]).split(0.3, seed)
    output.parent.mkdir(parents=True, exist_ok=True)
    options = DemoOptions(minutes=minutes, n_labels=labels, seed=seed)
    rows = run_demo(train.texts, train, test, output, options, console.print, ConsoleProgress("pretrain"))
    table = Table("method", "accuracy", "95 % interval", title=f"{labels} labels, {options.draws} draws")
    for row in rows:
        table.add_row(row.method, f"{row.accuracy:.3f}", str(row.interval))
    console.print(table)
