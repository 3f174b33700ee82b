"""What a classifier is worth: its scores beside its neighbours', by class, with the pairs that it mixes up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from langnet.evaluate.abstention import Abstention, abstain
from langnet.evaluate.calibration import Calibration, calibrate
from langnet.evaluate.confidence import confidence_parts
from langnet.evaluate.intervals import paired_difference
from langnet.evaluate.metrics import classification_scores
from langnet.evaluate.predictions import Predictions
from langnet.evaluate.scoring import TaskRow

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_CLASSES_SHOWN = 30
MOST_PAIRS = 10
FEW_TEXTS = 100
TITLES = {"accuracy": "accuracy", "macro_f1": "macro F1", "mcc": "MCC"}


@dataclass(frozen=True)
class NeighbourPredictions:
    """What a neighbour predicts.

    Attributes:
        name: of the neighbour.
        labels: its predictions.
        note: what it learned from.
        index: which of the test texts it predicts; None for all.
    """

    name: str
    labels: list[str]
    note: str = ""
    index: np.ndarray | None = None


@dataclass(frozen=True)
class Row(TaskRow):
    """One method's scores; `n` is how many texts it has been judged on, which may be fewer than the model was."""

    n: int = 0


@dataclass(frozen=True)
class ClassRow:
    """Precision, recall and F1 of one class, with its texts and how often it was predicted."""

    name: str
    precision: float
    recall: float
    f1: float
    n: int
    n_predicted: int


@dataclass
class EvaluationReport:
    """A classifier's evaluation.

    Attributes:
        n: test texts.
        rows: the model first, then its neighbours.
        classes: by name.
        confusions: (true class, predicted class, number of texts), the most frequent first.
        calibration, abstention: of the model's probabilities; None without them.
        warnings: one line each.
    """

    n: int
    rows: list[Row]
    classes: list[ClassRow] = field(default_factory=list)
    confusions: list[tuple[str, str, int]] = field(default_factory=list)
    calibration: Calibration | None = None
    abstention: Abstention | None = None
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def render(self) -> RenderableType:
        """For a terminal of 80 columns."""
        return _render(self)


def report_classifier(
    gold: Sequence[str],
    predictions: Predictions,
    neighbours: Sequence[NeighbourPredictions],
    abstain_below: float | None = None,
    seed: int = 0,
) -> EvaluationReport:
    """Score a classifier beside its neighbours.

    Args:
        gold: true labels of the test texts.
        predictions: the classifier's.
        neighbours: the neighbours'.
        abstain_below: probability from which on the classifier answers; None: always.
        seed: of the bootstraps.
    """
    rows = [Row("this model", classification_scores(gold, predictions.labels, seed), n=len(gold))]
    for neighbour in neighbours:
        index = list(range(len(gold))) if neighbour.index is None else neighbour.index.tolist()
        own_gold, own = [gold[i] for i in index], [predictions.labels[i] for i in index]
        difference, interval = paired_difference(own_gold, own, neighbour.labels, seed=seed)
        scores = classification_scores(own_gold, neighbour.labels, seed)
        rows.append(Row(neighbour.name, scores, neighbour.note, difference, interval, len(index)))
    pairs = Counter((g, p) for g, p in zip(gold, predictions.labels, strict=True) if g != p)
    confusions = [(g, p, count) for (g, p), count in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))]
    report = EvaluationReport(
        len(gold),
        rows,
        class_rows(gold, predictions.labels),
        confusions[:MOST_PAIRS],
        calibrate(gold, predictions, seed),
        abstain(gold, predictions, abstain_below, seed),
    )
    report.warnings = _warnings(report)
    return report


def class_rows(gold: Sequence[str], predicted: Sequence[str]) -> list[ClassRow]:
    """Precision, recall and F1 of every class that occurs; 0 where there is nothing to divide by."""
    n, n_predicted = Counter(gold), Counter(predicted)
    hits = Counter(g for g, p in zip(gold, predicted, strict=True) if g == p)
    return [
        ClassRow(
            name,
            hits[name] / max(n_predicted[name], 1),
            hits[name] / max(n[name], 1),
            2 * hits[name] / (n[name] + n_predicted[name]),
            n[name],
            n_predicted[name],
        )
        for name in sorted({*gold, *predicted})
    ]


def _warnings(report: EvaluationReport) -> list[str]:
    found = []
    for row in report.rows[1:]:
        if not row.beaten:
            found.append(
                f"the model does not beat {row.name} beyond the interval: {row.model_minus_this:+.3f} "
                f"{row.difference_interval} in accuracy on {row.n:,} texts"
            )
    if report.n < FEW_TEXTS:
        found.append(f"{report.n:,} test texts are few: the intervals are wide")
    never = [row.name for row in report.classes if row.n and not row.n_predicted]
    if never:
        found.append(f"never predicted: {', '.join(never[:5])}{', …' if len(never) > 5 else ''}")
    return found


def _render(report: EvaluationReport) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [Text(f"{report.n:,} test texts; scores with 95 % intervals"), _scores(report)]
    for row in report.rows[1:]:
        note = f"  ({row.note})" if row.note else ""
        parts.append(Text(f"model minus {row.name}: {row.model_minus_this:+.3f} {row.difference_interval}{note}"))
    parts += [Text(), _classes(report)]
    if report.confusions:
        parts += [Text("\nmost confused: true class, predicted, texts")]
        parts += [Text(f"  {gold} → {predicted}: {count:,}") for gold, predicted, count in report.confusions]
    parts += confidence_parts(report.calibration, report.abstention)
    parts += [Text(f"! {warning}", style="yellow") for warning in report.warnings]
    return Group(*parts)


def _scores(report: EvaluationReport) -> RenderableType:
    from rich.table import Table

    table = Table("", box=None, pad_edge=False)
    for title in TITLES.values():
        table.add_column(title, no_wrap=True)
    for row in report.rows:
        name = row.name if row.n == report.n else f"{row.name}, n = {row.n:,}"
        table.add_row(name, *(str(row.scores[metric]) for metric in TITLES))
    return table


def _classes(report: EvaluationReport) -> RenderableType:
    from rich.table import Table

    shown = report.classes
    title = "class"
    if len(shown) > MOST_CLASSES_SHOWN:
        shown = sorted(shown, key=lambda row: row.f1)[:MOST_CLASSES_SHOWN]
        title = f"class (the {len(shown)} worst of {len(report.classes)})"
    table = Table(title, box=None, pad_edge=False)
    for name in ("precision", "recall", "F1", "texts", "predicted"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in shown:
        values = (f"{value:.3f}" for value in (row.precision, row.recall, row.f1))
        table.add_row(row.name, *values, f"{row.n:,}", f"{row.n_predicted:,}")
    return table
