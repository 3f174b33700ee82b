"""The cells of a study: one method, a number of labels, one draw of them; each is written down as it is finished."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from langnet.errors import warn
from langnet.evaluate.intervals import Interval, bootstrap_cells, paired_difference, seeds_interval
from langnet.evaluate.metrics import METRICS, confusion_matrix


@dataclass(frozen=True)
class Cell:
    """What one method reached with one draw of labelled texts.

    Attributes:
        method: key of the method.
        n_labels: how many labelled texts it saw.
        draw: which draw of them.
        predicted: (n_test,) numbers of the predicted classes, in the order of the study's class names.
        scores: accuracy, macro F1 and MCC on the test texts.
        seconds: of fitting and predicting; what was learned from raw text, once a study, is not in it.
        facts: what else the method tells, such as its layer weights.
        settings: fingerprint of everything that the result depends on.
    """

    method: str
    n_labels: int
    draw: int
    predicted: tuple[int, ...]
    scores: dict[str, float]
    seconds: float
    facts: dict[str, Any] = field(default_factory=dict)
    settings: str = ""

    @property
    def key(self) -> tuple[str, int, int]:
        """What names the cell within its study."""
        return self.method, self.n_labels, self.draw


class CellStore:
    """Cells in memory, and in a file of one JSON object a line that survives an interruption.

    Args:
        path: of the file; None keeps nothing on disk.
    """

    def __init__(self, path: Path | None):
        self.path = path
        self._cells: dict[tuple[str, int, int], Cell] = {}
        if path is not None and path.exists():
            self._read(path)

    def __len__(self) -> int:
        return len(self._cells)

    def find(self, method: str, n_labels: int, draw: int, settings: str) -> Cell | None:
        """The cell, where it was computed with the same settings before."""
        cell = self._cells.get((method, n_labels, draw))
        return cell if cell is not None and cell.settings == settings else None

    def add(self, cell: Cell) -> None:
        """Remember a cell, on disk before this returns."""
        self._cells[cell.key] = cell
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf8") as file:
            file.write(json.dumps(asdict(cell), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _read(self, path: Path) -> None:
        """Read what is whole; a line that was cut off by an interruption is dropped and computed again."""
        content = path.read_text(encoding="utf8", errors="replace")
        bad = 0
        for line in content.split("\n")[: -1 if content.endswith("\n") else None]:
            try:
                fields = json.loads(line)
                cell = Cell(**{**fields, "predicted": tuple(fields["predicted"])})
            except (ValueError, TypeError, KeyError):
                bad += 1
                continue
            self._cells[cell.key] = cell
        if bad or not content.endswith("\n"):
            kept = "".join(json.dumps(asdict(cell), ensure_ascii=False) + "\n" for cell in self._cells.values())
            path.write_text(kept, encoding="utf8")
        if bad:
            warn(f"{path}: {bad} of its lines are damaged; those results are computed again")


@dataclass(frozen=True)
class Point:
    """A method at a number of labels, over all its draws.

    Attributes:
        method: key of the method.
        n_labels: how many labelled texts it saw.
        accuracy: mean over the draws.
        interval: of the mean accuracy, 95 %: Student's t over the draws, or bootstrap over test texts for one draw.
        macro_f1: mean over the draws.
        macro_f1_interval: likewise.
        n_draws: how many draws there were.
        n_test: how many test texts.
        seconds: mean of fitting and predicting once.
    """

    method: str
    n_labels: int
    accuracy: float
    interval: Interval
    macro_f1: float
    macro_f1_interval: Interval
    n_draws: int
    n_test: int
    seconds: float

    @property
    def interval_kind(self) -> str:
        """Where the interval comes from."""
        return "t over draws" if self.n_draws > 1 else "bootstrap over test texts"


def score_cell(gold: np.ndarray, predicted: np.ndarray, n_classes: int) -> dict[str, float]:
    """Accuracy, macro F1 and MCC of class numbers."""
    confusion = confusion_matrix(gold, predicted, labels=range(n_classes))
    return {name: float(metric(confusion[None])[0]) for name, metric in METRICS.items()}


def point(cells: Sequence[Cell], gold: np.ndarray, n_classes: int) -> Point:
    """The mean over the draws of one method at one number of labels.

    Args:
        cells: one a draw, at least one.
        gold: (n_test,) true class numbers.
        n_classes: how many there are.
    """
    intervals = {}
    for name in ("accuracy", "macro_f1"):
        if len(cells) > 1:
            intervals[name] = _bounded(seeds_interval([cell.scores[name] for cell in cells]))
        else:
            confusion = confusion_matrix(gold, np.array(cells[0].predicted), labels=range(n_classes))
            intervals[name] = bootstrap_cells(confusion, METRICS[name])
    return Point(
        cells[0].method,
        cells[0].n_labels,
        float(np.mean([cell.scores["accuracy"] for cell in cells])),
        intervals["accuracy"],
        float(np.mean([cell.scores["macro_f1"] for cell in cells])),
        intervals["macro_f1"],
        len(cells),
        len(gold),
        float(np.mean([cell.seconds for cell in cells])),
    )


@dataclass(frozen=True)
class Difference:
    """The accuracy of one method minus that of another on the same draws and test texts.

    Attributes:
        first, second: keys of the methods.
        n_labels: how many labelled texts both saw.
        value: mean over the draws that both have.
        interval: of it, 95 %: paired t over draws, or paired bootstrap over test texts for one draw.
        n_draws: how many draws both have.
    """

    first: str
    second: str
    n_labels: int
    value: float
    interval: Interval
    n_draws: int

    @property
    def beyond_doubt(self) -> int:
        """1 where the first is better beyond the interval, -1 where the second is, else 0."""
        return 1 if self.interval.low > 0 else -1 if self.interval.high < 0 else 0


def difference(first: Sequence[Cell], second: Sequence[Cell], gold: np.ndarray) -> Difference | None:
    """Compare two methods on the draws that both have; None where they share none."""
    others = {cell.draw: cell for cell in second}
    pairs = [(cell, others[cell.draw]) for cell in first if cell.draw in others]
    if not pairs:
        return None
    values = [a.scores["accuracy"] - b.scores["accuracy"] for a, b in pairs]
    if len(pairs) > 1:
        interval = seeds_interval(values)
    else:
        _, interval = paired_difference(gold.tolist(), pairs[0][0].predicted, pairs[0][1].predicted)
    a, b = pairs[0]
    return Difference(a.method, b.method, a.n_labels, float(np.mean(values)), interval, len(pairs))


def _bounded(interval: Interval) -> Interval:
    """A share lies between 0 and 1; an interval from few draws need not, and is cut."""
    return Interval(max(0.0, interval.low), min(1.0, interval.high))
