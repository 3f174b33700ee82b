"""`langnet demo`: the whole way on one corpus, compared with neighbours, in a few minutes."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from langnet.cli.app import app, console
from langnet.cli.checks import check_sources
from langnet.cli.options import LabelColumn, Seed, TextColumn
from langnet.errors import LangnetError

if TYPE_CHECKING:
    from langnet.study.demo import DemoData
    from langnet.study.result import SampleEfficiency


@app.command()
def demo(
    more: Annotated[list[str] | None, typer.Argument(help="More raw text, so that --text can take a glob.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="Raw text of your own: files, folders, globs.")] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Labelled texts of your own: a table, or a folder a class.")
    ] = None,
    test: Annotated[Path | None, typer.Option(help="Labelled test texts; else three tenths are held out.")] = None,
    minutes: Annotated[float, typer.Option(help="Budget of everything together.")] = 6.5,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of report and model.")] = Path("langnet-demo"),
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    seed: Seed = 0,
) -> None:
    """Pretrain, transfer with few labels, compare with neighbours, and write a report.

    On 20 Newsgroups, fetched once; or, without a network, on texts of your own.

    Example: langnet demo

    Example: langnet demo --text letters/ --labels labelled.csv --minutes 5
    """
    sources = [*(text or []), *(more or [])]
    if labels is None and (sources or test):
        raise LangnetError("--text and --test need labelled texts beside them: add --labels FILE")
    check_sources(sources, [str(path) for path in (labels, test) if path])
    started = time.monotonic()
    from langnet.study.demo import DemoOptions, demo_stages, run_demo

    command = shlex.join(["langnet", *sys.argv[1:]])
    options = DemoOptions(minutes=minutes, seed=seed)
    with demo_stages(started) as stages:
        stages.begin("download" if labels is None else "prepare")
        data = _newsgroups() if labels is None else own_texts(sources, labels, test, (text_column, label_column), seed)
        result = run_demo(data, output, options, stages, [command])
    comparison(result.study)
    console.print(f"Report: {result.report}\nModel:  {result.model}", highlight=False, markup=False, soft_wrap=True)


def _newsgroups() -> DemoData:
    from langnet.hub.names import home
    from langnet.study.demo import DemoData
    from langnet.text.newsgroups import fetch_newsgroups

    train, test = fetch_newsgroups(home() / "downloads")
    note = "The language model and the neighbours read the training posts' text without labels, never the test posts."
    return DemoData("20 Newsgroups", train.texts, train, test, [note])


def own_texts(sources: list[str], labels: Path, test: Path | None, columns: tuple[str, str], seed: int) -> DemoData:
    """Raw and labelled texts from files.

    Args:
        sources: of raw text; none takes the training texts.
        labels: labelled texts.
        test: labelled test texts; None holds out a part of the labelled ones.
        columns: names of the text's and the label's columns.
        seed: of the split.
    """
    from langnet.study.demo import DemoData, split_own
    from langnet.text.corpus import CorpusOptions, CorpusReport, read_documents
    from langnet.text.labelled import read_labelled

    labelled = read_labelled([str(labels)], *columns)
    held_out = read_labelled([str(test)], *columns) if test else None
    train, tested = split_own(labelled, held_out, seed)
    notes = [f"Raw text: {', '.join(sources) or 'the training texts, without their labels'}."]
    raw = train.texts
    if sources:
        documents = read_documents(sources, CorpusOptions(text_column=columns[0]), CorpusReport())
        raw = [document.text for document in documents]
    return DemoData(str(labels), raw, train, tested, notes)


def comparison(study: SampleEfficiency) -> None:
    """Print the scores, the headline and the warnings of a study."""
    console.print(_table(study))
    console.print(study.headline, highlight=False, markup=False, style="bold")
    if study.headline_details:
        console.print(study.headline_details, highlight=False, markup=False)
    for warning in study.warnings:
        console.print(f"Note: {warning}", highlight=False, markup=False)


def _table(study: SampleEfficiency) -> Table:
    from langnet.study.methods import KINDS

    table = Table(title=f"Accuracy on {len(study.test):,} test texts, 95 % intervals")
    for title in ("method", "labels", "draws", "accuracy", "macro F1"):
        table.add_column(title, justify="left" if title == "method" else "right")
    for n in sorted({p.n_labels for p in study.points}):
        for p in study.points:
            if p.n_labels == n:
                accuracy = f"{p.accuracy:.3f} {p.interval}"
                table.add_row(KINDS[p.method].name, f"{n:,}", str(p.n_draws), accuracy, f"{p.macro_f1:.3f}")
        table.add_section()
    return table
