"""What a study found: its points, comparisons, headline and warnings."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from langnet.study.cells import Cell, Difference, Point, difference, point
from langnet.study.headline import Equivalence, equivalence
from langnet.study.methods import KINDS
from langnet.text.labelled import LabelledData

HEADLINE_LABELS = 100


@dataclass
class SampleEfficiency:
    """The finished cells of a study, and what follows from them.

    Attributes:
        cells: one a method, number of labels and draw.
        methods: keys of the methods that were asked for, in their order.
        class_names: sorted; predictions are numbers of them.
        test: the texts that were predicted.
        n_train: how many labelled texts there were to draw from.
        n_overlap: how many test texts occur word by word among them.
        n_in_raw: how many occur word by word among the raw texts, without labels.
        left_out: (method, labels, draw) for which there was no time.
        options: of the study.
        seconds: that this run of the study took.
    """

    cells: list[Cell]
    methods: tuple[str, ...]
    class_names: list[str]
    test: LabelledData
    n_train: int
    n_overlap: int = 0
    n_in_raw: int = 0
    left_out: list[tuple[str, int, int]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @cached_property
    def gold(self) -> np.ndarray:
        """(n_test,) true class numbers."""
        number = {name: i for i, name in enumerate(self.class_names)}
        return np.array([number[label] for label in self.test.labels])

    def cells_of(self, method: str, n_labels: int) -> list[Cell]:
        """The draws of a method at a number of labels."""
        found = [cell for cell in self.cells if cell.method == method and cell.n_labels == n_labels]
        return sorted(found, key=lambda cell: cell.draw)

    @cached_property
    def points(self) -> list[Point]:
        """One a method and number of labels, in the order of methods, then labels."""
        found = []
        for method in self.methods:
            for n in sorted({cell.n_labels for cell in self.cells if cell.method == method}):
                found.append(point(self.cells_of(method, n), self.gold, len(self.class_names)))
        return found

    def point(self, method: str, n_labels: int) -> Point | None:
        """One of them; None where it was not computed."""
        return next((p for p in self.points if (p.method, p.n_labels) == (method, n_labels)), None)

    def curve(self, method: str) -> list[tuple[int, float]]:
        """(labels, mean accuracy), ascending."""
        return [(p.n_labels, p.accuracy) for p in self.points if p.method == method]

    def of_family(self, *families: str) -> list[str]:
        """The methods of these families that have results."""
        present = {cell.method for cell in self.cells}
        return [method for method in self.methods if method in present and KINDS[method].family in families]

    def difference(self, first: str, second: str, n_labels: int) -> Difference | None:
        """Accuracy of the first minus the second over their common draws."""
        return difference(self.cells_of(first, n_labels), self.cells_of(second, n_labels), self.gold)

    @cached_property
    def equivalences(self) -> dict[tuple[str, int], Equivalence]:
        """For each pretrained method and number of labels, what it is worth without pretraining."""
        curves = {KINDS[method].name: self.curve(method) for method in self.of_family("labels only")}
        return {
            (p.method, p.n_labels): equivalence(p.n_labels, p.accuracy, p.interval, curves)
            for p in self.points
            if KINDS[p.method].family == "langnet"
        }

    @cached_property
    def headline_point(self) -> Point | None:
        """The best pretrained method at a hundred labels, or at the size closest to that; None without any."""
        points = [p for p in self.points if KINDS[p.method].family == "langnet"]
        if not points:
            return None
        nearest = min({p.n_labels for p in points}, key=lambda n: abs(np.log(n / HEADLINE_LABELS)))
        return max((p for p in points if p.n_labels == nearest), key=lambda p: p.accuracy)

    @property
    def headline(self) -> str:
        """The one sentence to remember."""
        best = self.headline_point
        if best is None:
            return "No pretrained method was run, so there is nothing to say about pretraining."
        return self.equivalences[best.method, best.n_labels].sentence()

    @property
    def headline_details(self) -> str:
        """Which method it is about, and what it is compared with."""
        best = self.headline_point
        if best is None:
            return ""
        found = self.equivalences[best.method, best.n_labels]
        return found.details(KINDS[best.method].name, best.interval)

    @cached_property
    def comparisons(self) -> list[Difference]:
        """Every pretrained method minus every neighbour and the control, at every number of labels."""
        rivals = self.of_family("labels only", "raw text")
        found = []
        for p in self.points:
            if KINDS[p.method].family == "langnet":
                found += [self.difference(p.method, rival, p.n_labels) for rival in rivals]
        return [d for d in found if d is not None]

    @cached_property
    def warnings(self) -> list[str]:
        """What a reader has to know before believing the rest."""
        found = _not_better(self.comparisons)
        few = sorted({p.n_draws for p in self.points if p.n_draws < 3})
        if few:
            found.append(
                f"Some points rest on {' or '.join(map(str, few))} draw{'s' if few != [1] else ''} of labels only; "
                "the spread over draws is then unknown or known badly."
            )
        if self.n_overlap:
            found.append(
                f"{self.n_overlap:,} of the {len(self.test):,} test texts also occur, word by word, among the "
                "training texts: every method's score is too high by some part of that."
            )
        if self.n_in_raw > self.n_overlap:
            found.append(
                f"{self.n_in_raw:,} of the {len(self.test):,} test texts are also in the raw text, without labels: "
                "methods that read raw text have seen them."
            )
        if self.left_out:
            names = sorted({KINDS[method].name for method, _, _ in self.left_out})
            found.append(
                f"{len(self.left_out)} of {len(self.left_out) + len(self.cells)} results were left out for lack of "
                f"time: {', '.join(names)}."
            )
        return found


def _not_better(comparisons: list[Difference]) -> list[str]:
    """One warning for each pretrained method and neighbour that it does not beat beyond the interval."""
    grouped: dict[tuple[str, str, int], list[Difference]] = {}
    for found in comparisons:
        if found.beyond_doubt < 1:
            grouped.setdefault((found.first, found.second, found.beyond_doubt), []).append(found)
    warnings = []
    for (first, second, verdict), cases in grouped.items():
        sizes = ", ".join(f"{case.n_labels:,}" for case in cases)
        values = ", ".join(f"{case.value:+.3f} {case.interval}" for case in cases)
        how = "is worse than" if verdict < 0 else "does not beat"
        beyond = "" if verdict < 0 else " beyond the interval"
        warnings.append(
            f"{KINDS[first].name} {how} {KINDS[second].name}{beyond} at {sizes} labels "
            f"(difference in accuracy {values})."
        )
    return warnings
