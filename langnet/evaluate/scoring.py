"""Scores of any task from sums over its examples, so that one bootstrap serves them all.

Accuracy, span F1, Pearson's correlation, BLEU: each is a function of numbers that are summed over examples. A task says
which numbers an example gives, its statistics, and how the sums become scores; examples are then resampled with
replacement (Efron 1979) by summing them with multinomial weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from langnet.evaluate.abstention import Abstention
from langnet.evaluate.calibration import Calibration
from langnet.evaluate.confidence import confidence_parts
from langnet.evaluate.intervals import LEVEL, Interval
from langnet.evaluate.metrics import Score

if TYPE_CHECKING:
    from rich.console import RenderableType

N_RESAMPLES = 1000
_AT_ONCE = 50  # resamples whose weights are held together
_FEW = 100
_ABREAST = 3  # scores with their intervals that stand beside each other in 80 columns

# From sums (..., S) of statistics to scores (...) by name, the one that is watched first; higher is better.
Scores = Callable[[np.ndarray], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Neighbour:
    """What a neighbour of the model says of the same examples.

    Attributes:
        name: of the method.
        guesses: one an example.
        note: what it learned from.
    """

    name: str
    guesses: Sequence[Any]
    note: str = ""


@dataclass(frozen=True)
class TaskRow:
    """One method's scores, and how far the model lies above it in the first of them, on the same examples."""

    name: str
    scores: dict[str, Score]
    note: str = ""
    model_minus_this: float | None = None
    difference_interval: Interval | None = None

    @property
    def beaten(self) -> bool:
        """Whether the model lies above beyond the interval of the paired difference."""
        return self.difference_interval is not None and self.difference_interval.low > 0


@dataclass(frozen=True)
class Breakdown:
    """The model's first score in parts of the examples.

    Attributes:
        title: what the parts are.
        rows: name, number of examples and score of each.
    """

    title: str
    rows: list[tuple[str, int, Score]]


@dataclass
class TaskReport:
    """A model's evaluation on a task.

    Attributes:
        task: its name.
        n: examples.
        unit: what an example is.
        rows: the model first, then its neighbours.
        details: further lines, such as scores by class.
        warnings: one line each.
        breakdowns: the first score by kinds of examples.
        calibration, abstention: of the probabilities of a task with classes; None for others.
    """

    task: str
    n: int
    unit: str
    rows: list[TaskRow]
    details: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    breakdowns: list[Breakdown] = field(default_factory=list)
    calibration: Calibration | None = None
    abstention: Abstention | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def render(self) -> RenderableType:
        """For a terminal of 80 columns."""
        return _render(self)


def report_task(
    task: tuple[str, str], statistics: np.ndarray, neighbours: Sequence[tuple[Neighbour, np.ndarray]], scores: Scores
) -> TaskReport:
    """Score a model beside its neighbours.

    Args:
        task: its name, and what an example is ("sentences").
        statistics: (N, S) of the model's guesses.
        neighbours: each with the statistics (N, S) of its own.
        scores: from sums to scores.
    """
    rows = [TaskRow("this model", scores_with_intervals(statistics, scores))]
    for neighbour, own in neighbours:
        difference, interval = paired(statistics, own, scores)
        rows.append(TaskRow(neighbour.name, scores_with_intervals(own, scores), neighbour.note, difference, interval))
    report = TaskReport(task[0], len(statistics), task[1], rows)
    if report.n < _FEW:
        report.warnings.append(f"only {report.n} {report.unit}: the intervals are wide, and perhaps too narrow still")
    metric = next(iter(rows[0].scores)).replace("_", " ")
    for row in rows[1:]:
        if not row.beaten:
            report.warnings.append(f"the model does not lie above {row.name} beyond the interval, in {metric}")
    return report


def break_down(title: str, parts: Mapping[str, Sequence[int]], statistics: np.ndarray, scores: Scores) -> Breakdown:
    """The first score of each part of the examples.

    Args:
        title: what the parts are.
        parts: numbers of the examples in each.
        statistics: (N, S) of all examples.
        scores: from sums to scores.
    """
    rows = []
    for name, index in parts.items():
        found = scores_with_intervals(statistics[np.asarray(index, dtype=np.int64)], scores)
        rows.append((name, len(index), next(iter(found.values()))))
    return Breakdown(title, rows)


def scores_with_intervals(statistics: np.ndarray, scores: Scores, seed: int = 0) -> dict[str, Score]:
    """Each score with its 95 % interval over examples.

    Args:
        statistics: (N, S).
        scores: from sums to scores.
        seed: of the resamples.
    """
    point = scores(statistics.sum(0))
    if len(statistics) < 2:
        return {name: Score(float(value), Interval(float("nan"), float("nan"))) for name, value in point.items()}
    drawn = scores(resampled(statistics, seed))
    return {name: Score(float(value), _interval(drawn[name])) for name, value in point.items()}


def paired(first: np.ndarray, second: np.ndarray, scores: Scores, seed: int = 0) -> tuple[float, Interval]:
    """The first score of one method minus another's on the same examples, and its 95 % interval.

    Args:
        first, second: (N, S) statistics.
        scores: from sums to scores.
        seed: of the resamples, in which both methods see the same examples.
    """
    name = next(iter(scores(first.sum(0))))
    difference = float(scores(first.sum(0))[name] - scores(second.sum(0))[name])
    if len(first) < 2:
        return difference, Interval(float("nan"), float("nan"))
    both = resampled(np.concatenate([first, second], axis=1), seed)
    width = first.shape[1]
    return difference, _interval(scores(both[:, :width])[name] - scores(both[:, width:])[name])


def resampled(statistics: np.ndarray, seed: int = 0, n_resamples: int = N_RESAMPLES) -> np.ndarray:
    """Sums (R, S) of N examples that are drawn with replacement, R times.

    Equal examples, such as the hits of an accuracy, are drawn together, at a cost that does not grow with N.
    """
    generator, n = np.random.default_rng(seed), len(statistics)
    distinct, counts = np.unique(statistics, axis=0, return_counts=True)
    shares = counts / n
    parts = [generator.multinomial(n, shares, size=_AT_ONCE) @ distinct for _ in range(-(-n_resamples // _AT_ONCE))]
    return np.concatenate(parts)[:n_resamples]


def _interval(values: np.ndarray) -> Interval:
    if np.isnan(values).all():
        return Interval(float("nan"), float("nan"))
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _known(row: TaskRow) -> str:
    """The interval of a difference; none where one example alone says nothing of it."""
    interval = row.difference_interval
    return "" if interval is None or np.isnan(interval.low) else f" {interval}"


def _render(report: TaskReport) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = [Text(f"{report.task}, {report.n:,} {report.unit}")]
    names = list(report.rows[0].scores)
    width = len(names) if len(names) <= _ABREAST else 2
    for start in range(0, len(names), width):
        table = Table("", box=None, pad_edge=False)
        for name in names[start : start + width]:
            table.add_column(name.replace("_", " "), no_wrap=True)
        for row in report.rows:
            table.add_row(row.name, *(str(row.scores[name]) for name in names[start : start + width]))
        parts.append(table)
    for row in report.rows[1:]:
        note = f"  ({row.note})" if row.note else ""
        parts.append(Text(f"model minus {row.name}: {row.model_minus_this:+.3f}{_known(row)}{note}"))
    for breakdown in report.breakdowns:
        shown = Table(breakdown.title, box=None, pad_edge=False)
        for title in (report.unit, next(iter(report.rows[0].scores)).replace("_", " ")):
            shown.add_column(title, justify="right", no_wrap=True)
        for name, n, score in breakdown.rows:
            shown.add_row(name, f"{n:,}", str(score))
        parts += [Text(), shown]
    parts += [Text(line) for line in report.details]
    parts += confidence_parts(report.calibration, report.abstention)
    parts += [Text(f"! {warning}", style="yellow") for warning in report.warnings]
    return Group(*parts)
