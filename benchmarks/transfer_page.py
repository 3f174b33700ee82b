"""The page of `benchmarks.transfer_table`: Markdown, JSON and HTML from the same rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.transfer_cells import Resampler, TableCell
from benchmarks.transfer_sets import MINIMAL_PAIRS, TaskSet, scores_of
from langnet import __version__
from langnet.evaluate.intervals import Interval
from langnet.study.html import Markup, table, tag

STYLE = Path(__file__).parent.parent / "langnet" / "study" / "explain.css"
SCRATCH = "scratch"
PRETRAINED = ("frozen", "finetune", "documents")
NAMES = {
    "scratch": "from scratch", "frozen": "frozen", "finetune": "fine-tuned", "documents": "frozen, document vectors",
}  # fmt: skip
HOW = (
    "Mean over draws of the labelled items, which are the same for every method, with a 95 % interval that resamples "
    "the judged items and the draws (from so few draws their part comes out too small). Gains are paired: the same "
    "draws, the same judged items. From scratch is the same network from random weights with as many passes as a head "
    "and fine-tuning have together."
)


@dataclass(frozen=True)
class Gap:
    """How far a method lies above another, with its interval."""

    over: str
    value: float
    interval: Interval

    @property
    def beyond_doubt(self) -> int:
        """1 above, -1 below, 0 within the interval."""
        return 1 if self.interval.low > 0 else -1 if self.interval.high < 0 else 0

    def __str__(self) -> str:
        return f"{self.value:+.3f} [{self.interval.low:+.3f}, {self.interval.high:+.3f}]"


@dataclass(frozen=True)
class TableRow:
    """One method on one set."""

    encoder: str
    method: str
    draws: int
    value: float
    interval: Interval
    seconds: float
    over_scratch: Gap | None = None
    over_neighbour: Gap | None = None

    @property
    def name(self) -> str:
        """In the tables."""
        return f"{self.encoder}, {NAMES.get(self.method, self.method)}" if self.encoder else self.method


@dataclass(frozen=True)
class SetTable:
    """The rows of one set, neighbours first."""

    task: TaskSet
    metric: str
    n_train: int
    n_test: int
    rows: list[TableRow]


def set_table(task: TaskSet, cells: Sequence[TableCell]) -> SetTable | None:
    """A set's rows; None where it has no cells."""
    groups: dict[tuple[str, str], list[TableCell]] = {}
    for cell in cells:
        groups.setdefault((cell.encoder, cell.method), []).append(cell)
    if not groups:
        return None
    order = list(NAMES)
    keys = sorted(
        groups, key=lambda key: (key[0], order.index(key[1]) if key[1] in order else -1, key[1] != "majority")
    )
    n_test = len(cells[0].statistics)
    resampler = Resampler(n_test, scores_of(task))
    means = {key: resampler.mean(groups[key]) for key in keys}
    rivals = [key for key in keys if not key[0]]
    best = max(rivals, key=lambda key: means[key][0]) if rivals else None
    rows = []
    for key in keys:
        encoder, method = key
        gaps: list[Gap | None] = [None, None]
        if encoder and task.kind != MINIMAL_PAIRS:
            scratch = (encoder, SCRATCH)
            for place, other in enumerate([scratch if method in PRETRAINED else None, best]):
                found = resampler.difference(groups[key], groups[other]) if other in groups else None  # type: ignore[index]
                gaps[place] = Gap(other[1], *found) if found and other else None
        value, interval = means[key]
        seconds = sum(cell.seconds for cell in groups[key]) / len(groups[key])
        rows.append(TableRow(encoder, method, len(groups[key]), value, interval, seconds, *gaps))
    metric = next(iter(cells[0].scores)).replace("_", " ")
    return SetTable(task, metric, cells[0].n_train, n_test, rows)


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
    output.with_suffix(".html").write_text(_html(tables, facts), encoding="utf8")
    print("\n".join(_summary_lines(tables)))


def summary(tables: Sequence[SetTable]) -> list[list[str]]:
    """For every encoder and method, on how many sets it lies above scratch and above the best neighbour."""
    rows = []
    keys = dict.fromkeys((row.encoder, row.method) for t in tables for row in t.rows if row.encoder)
    for encoder, method in keys:
        cells = [row for t in tables for row in t.rows if (row.encoder, row.method) == (encoder, method)]
        if method not in (*PRETRAINED, SCRATCH):
            continue
        shown = [f"{encoder}, {NAMES[method]}", str(len(cells))]
        for gaps in ([row.over_scratch for row in cells], [row.over_neighbour for row in cells]):
            known = [gap for gap in gaps if gap]
            counts = [sum(gap.beyond_doubt == way for gap in known) for way in (1, 0, -1)]
            shown.append(" / ".join(map(str, counts)) if known else "")
        rows.append(shown)
    return rows


SUMMARY_HEAD = ["encoder, method", "sets", "above scratch: yes / unclear / below", "above the best neighbour: likewise"]


def _summary_lines(tables: Sequence[SetTable]) -> list[str]:
    return [_line(SUMMARY_HEAD), _line(["---"] * 4), *(_line(row) for row in summary(tables))]


def _head(one: SetTable) -> list[str]:
    return ["method", one.metric, "over scratch", "over the best neighbour", "draws", "processor seconds"]


def _cells(row: TableRow) -> list[str]:
    shown = [row.name, f"{row.value:.3f} {row.interval}", str(row.over_scratch or ""), str(row.over_neighbour or "")]
    return [*shown, str(row.draws), f"{row.seconds:.0f}"]


def _title(one: SetTable) -> str:
    learned = f"{one.n_train:,} items learned from" if one.n_train else "nothing learned"
    return f"{one.task.name} ({one.task.kind}): {learned}, {one.n_test:,} judged"


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
        lines += [f"## {_title(one)}", "", _line(_head(one)), _line(["---"] * 6)]
        lines += [*(_line(_cells(row)) for row in one.rows), ""]
    return lines


def _html(tables: Sequence[SetTable], facts: dict[str, Any]) -> str:
    head = tag(
        "head", tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content=f"langnet {__version__}"), tag("title", "Tasks, encoders, methods"),
        tag("style", Markup(STYLE.read_text(encoding="utf8"))),
    )  # fmt: skip
    parts = [
        tag("section", tag("h2", _title(one)), table(_head(one), [_cells(row) for row in one.rows])) for one in tables
    ]
    opening = tag("header", tag("h1", "Tasks, encoders, methods of transfer"), tag("p", _written(facts)), tag("p", HOW))
    body = tag("body", opening, tag("main", table(SUMMARY_HEAD, summary(tables)), parts))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _written(facts: dict[str, Any], quote: str = "") -> str:
    return f"Written by {quote}{facts['command']}{quote} on {facts['date']}. Machine: {facts['machine']}."


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
