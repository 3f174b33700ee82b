"""The page of `benchmarks.transfer_table`: Markdown, JSON and HTML from the same rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.transfer_cells import TableCell
from benchmarks.transfer_html import html_page
from benchmarks.transfer_rows import SUMMARY_HEAD, SetTable, set_table, summary
from benchmarks.transfer_sets import TaskSet

HOW = (
    "Mean over draws of the labelled items, which are the same for every method, with a 95 % interval that resamples "
    "the judged items and the draws (from two or three draws their part comes out too small, from one it is left out). "
    "Gains are paired: the same draws, the same judged items. From scratch is the same network from random weights, in "
    "10 passes. A head on a frozen encoder is fitted at once to classify, and learns in 10 passes else; fine-tuning "
    "goes on from it in 10 passes to classify, in 4 else. 'Of the gap' is the part of what is lacking to a perfect "
    "score from scratch that pretraining makes up. 'From scratch, 30 passes' is a longer control, where computed: "
    "it tells what of a gain more passes would bring. 'Also' is the set's second score."
)


def write(output: Path, cells: Sequence[TableCell], sets: Sequence[TaskSet], facts: dict[str, Any]) -> None:
    """Write the page, its figures as JSON, and the same as HTML beside it."""
    found = [set_table(task, [cell for cell in cells if cell.set == task.name]) for task in sets]
    tables = [one for one in found if one is not None]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("\n".join(_markdown(tables, facts)), encoding="utf8")
    held = {
        **facts,
        "sets": [
            {"set": t.task.name, "kind": t.task.kind, "metric": t.metric, "n_train": t.n_train, "n_test": t.n_test}
            | {"rows": [asdict(row) for row in t.rows]}
            for t in tables
        ],
    }
    output.with_suffix(".json").write_text(json.dumps(held, indent=1) + "\n", encoding="utf8")
    output.with_suffix(".html").write_text(html_page(tables, [_written(facts), HOW]), encoding="utf8")
    print("\n".join(_summary_lines(tables)))


def _summary_lines(tables: Sequence[SetTable]) -> list[str]:
    return [_line(SUMMARY_HEAD), _line(["---"] * 4), *(_line(row) for row in summary(tables))]


def _markdown(tables: Sequence[SetTable], facts: dict[str, Any]) -> list[str]:
    lines = [
        "# Tasks, encoders, methods of transfer",
        "",
        _written(facts, "`"),
        "",
        HOW,
        "",
        *_summary_lines(tables),
        "",
    ]
    for one in tables:
        lines += [f"## {one.title}", "", _line(one.head), _line(["---"] * len(one.head))]
        lines += [*(_line(one.cells(row)) for row in one.rows), ""]
    return lines


def _written(facts: dict[str, Any], quote: str = "") -> str:
    return f"Written by {quote}{facts['command']}{quote} on {facts['date']}. Machine: {facts['machine']}."


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
