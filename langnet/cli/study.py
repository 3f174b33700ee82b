"""`langnet study`: what pretraining bought at several numbers of labels, in a report."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from langnet.cli.app import app, console
from langnet.cli.checks import check_models, check_sources
from langnet.cli.options import LabelColumn, Seed, TextColumn
from langnet.errors import LangnetError


@app.command()
def study(
    model: Annotated[str, typer.Argument(help="Folder or name of a language model.")],
    text: Annotated[list[str], typer.Option(help="The raw text that it was pretrained on; repeat for more.")],
    labels: Annotated[Path, typer.Option(help="Labelled texts to draw from: a table, or a folder a class.")],
    test: Annotated[Path | None, typer.Option(help="Labelled test texts; else three tenths are held out.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="For report and results.")] = Path("langnet-study"),
    sizes: Annotated[str, typer.Option(help="Numbers of labels.")] = "50,100,200,400,800",
    slow_sizes: Annotated[str | None, typer.Option(help="Those of fine-tuned and from scratch, if fewer.")] = None,
    draws: Annotated[int, typer.Option(help="How many times the labels are drawn.")] = 5,
    methods: Annotated[str | None, typer.Option(help="Some of all methods, with commas between them.")] = None,
    n_test: Annotated[int | None, typer.Option(help="At most so many test texts.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Leave out what would not end in time.")] = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    seed: Seed = 0,
) -> None:
    """Compare a language model with its neighbours at several numbers of labels, and write a report.

    What is finished is kept: the same command goes on where it was interrupted.

    Example: langnet study my-lm --text reviews/ --labels train.csv --test test.csv --sizes 100,500
    """
    check_models(model)
    check_sources(text, [str(labels)], [str(test)] if test else None)
    from langnet.cli.demo import comparison, own_texts
    from langnet.recipes.model import load
    from langnet.study.report import ReportFacts, write_report
    from langnet.study.sample_efficiency import ALL_METHODS, SampleEfficiencyOptions, study_sample_efficiency
    from langnet.study.stages import Stages

    base = load(model)
    data = own_texts(text, labels, test, (text_column, label_column), seed)
    options = SampleEfficiencyOptions(
        sizes=_numbers(sizes),
        slow_sizes=None if slow_sizes is None else _numbers(slow_sizes),
        draws=draws,
        methods=ALL_METHODS if methods is None else tuple(name.strip() for name in methods.split(",")),
        n_test=n_test,
        seed=seed,
    )
    with Stages("study", {"neighbours": 0.0, "transfer": 0.0}) as stages:
        found = study_sample_efficiency(
            base, data.raw_texts, data.train, data.test, options, folder=output,
            told=stages.show_study, seconds=None if minutes is None else 60 * minutes,
        )  # fmt: skip
    facts = ReportFacts(data.name, [shlex.join(["langnet", *sys.argv[1:]])], dict(stages.seconds), data.notes)
    report = write_report(output / "report.html", found, base, facts)
    comparison(found)
    console.print(f"Report: {report}", highlight=False, markup=False, soft_wrap=True)


def _numbers(text: str) -> tuple[int, ...]:
    """Whole numbers with commas between them.

    Raises:
        LangnetError: something else.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise LangnetError(f"'{text}' is no list of numbers; write them like 50,100,200") from None
