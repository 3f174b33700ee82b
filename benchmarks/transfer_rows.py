"""The rows of `benchmarks.transfer_table`: means, intervals and paired gains of its cells, set by set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.transfer_cells import Resampler, TableCell
from benchmarks.transfer_sets import MINIMAL_PAIRS, TaskSet, scores_of
from langnet.evaluate.intervals import Interval

SCRATCH = "scratch"
CONTROLS = (SCRATCH, "longer")  # the network from random weights
PRETRAINED = ("frozen", "finetune", "documents")
PERFECT = {"BLEU": 100.0}  # of other scores 1
NAMES = {
    "scratch": "from scratch", "longer": "from scratch, 30 passes", "frozen": "frozen", "finetune": "fine-tuned",
    "documents": "frozen, document vectors",
}  # fmt: skip


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

    def text(self, digits: int) -> str:
        """With so many digits behind the point."""
        return f"{self.value:+.{digits}f} [{self.interval.low:+.{digits}f}, {self.interval.high:+.{digits}f}]"


@dataclass(frozen=True)
class TableRow:
    """One method on one set.

    Attributes:
        encoder: its name; empty for a neighbour.
        method: of transfer, or the neighbour's name.
        draws: K.
        value: the mean over draws of the set's first score.
        interval: of the mean.
        seconds: of the processor, a draw.
        over_scratch, over_neighbour: paired gains; None where there is nothing to compare with.
        closed: the share of what the same network from random weights lacks to a perfect score that is made up.
        scores: all of them by name, the first one too, as means over draws.
    """

    encoder: str
    method: str
    draws: int
    value: float
    interval: Interval
    seconds: float
    over_scratch: Gap | None = None
    over_neighbour: Gap | None = None
    closed: float | None = None
    scores: dict[str, float] = field(default_factory=dict)

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

    @property
    def title(self) -> str:
        """What was learned and judged."""
        learned = f"{self.n_train:,} items learned from" if self.n_train else "nothing learned"
        return f"{self.task.name} ({self.task.kind}): {learned}, {self.n_test:,} judged"

    @property
    def digits(self) -> int:
        """Behind the point of its scores."""
        return 1 if self.metric in PERFECT else 3

    @property
    def head(self) -> list[str]:
        """Of a table of its rows."""
        return [
            "method", self.metric, "over scratch", "of the gap", "over the best neighbour", "also", "draws",
            "processor seconds",
        ]  # fmt: skip

    def cells(self, row: TableRow) -> list[str]:
        """A row as text."""
        n = self.digits
        also = [f"{name.replace('_', ' ')} {value:.{n}f}" for name, value in row.scores.items()][1:2]
        return [
            row.name, f"{row.value:.{n}f} [{row.interval.low:.{n}f}, {row.interval.high:.{n}f}]",
            row.over_scratch.text(n) if row.over_scratch else "", "" if row.closed is None else f"{row.closed:.0%}",
            row.over_neighbour.text(n) if row.over_neighbour else "", *(also or [""]), str(row.draws),
            f"{row.seconds:.0f}",
        ]  # fmt: skip


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
    metric = next(iter(cells[0].scores)).replace("_", " ")
    rows = []
    for key in keys:
        encoder, method = key
        gaps: list[Gap | None] = [None, None]
        if encoder and task.kind != MINIMAL_PAIRS:
            scratch = (encoder, SCRATCH)
            for place, other in enumerate([None if method == SCRATCH else scratch, best]):
                found = resampler.difference(groups[key], groups[other]) if other in groups else None  # type: ignore[index]
                gaps[place] = Gap(other[1], *found) if found and other else None
        value, interval = means[key]
        seconds = sum(cell.seconds for cell in groups[key]) / len(groups[key])
        closed = None
        if gaps[0] is not None and method in PRETRAINED:
            draws = {cell.draw for cell in groups[key]}  # of the gain, which is paired
            shared = [cell for cell in groups[encoder, SCRATCH] if cell.draw in draws]
            lacking = PERFECT.get(metric, 1.0) - resampler.mean(shared)[0]
            closed = gaps[0].value / lacking if lacking else 0.0
        scores = {
            name: sum(cell.scores[name] for cell in groups[key]) / len(groups[key]) for name in groups[key][0].scores
        }
        rows.append(TableRow(encoder, method, len(groups[key]), value, interval, seconds, *gaps, closed, scores))
    return SetTable(task, metric, cells[0].n_train, n_test, rows)


SUMMARY_HEAD = ["encoder, method", "sets", "above scratch: yes / unclear / below", "above the best neighbour: likewise"]


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
