"""The headline: how many labels without pretraining are worth as much as few labels with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from langnet.evaluate.intervals import Interval

Outcome = Literal["found", "beyond the curve", "nothing gained", "below the curve", "no curve"]


@dataclass(frozen=True)
class Equivalence:
    """A score with pretraining, and the number of labels that reaches it without.

    Attributes:
        n_labels: how many labelled texts the pretrained method saw.
        score: what it reached.
        outcome: whether a number was found, or why there is none.
        equal_labels: the number of labels without pretraining; a bound where the curve is too short; else None.
        low, high: the numbers at the two ends of the score's interval; None where the curve does not reach them.
        against: what the curve without pretraining is made of.
    """

    n_labels: int
    score: float
    outcome: Outcome
    equal_labels: float | None
    low: float | None
    high: float | None
    against: str

    @property
    def labels(self) -> str:
        """The number of labels without pretraining, as it is written."""
        if self.equal_labels is None:
            return "–"
        before = {"beyond the curve": "more than ", "below the curve": "fewer than "}.get(self.outcome, "")
        return before + _round(self.equal_labels)

    @property
    def range(self) -> str:
        """The numbers at the two ends of the score's interval, as they are written."""
        if self.low is None:
            return self.labels if self.outcome == "beyond the curve" else "–"
        return f"{_round(self.low)} to {_round(self.high)}" if self.high is not None else f"{_round(self.low)} or more"

    def sentence(self) -> str:
        """The finding in one sentence."""
        start = f"{self.n_labels:,} labels with pretraining"
        if self.outcome == "no curve":
            return f"{start} cannot be compared: no method without pretraining was run."
        if self.outcome in ("nothing gained", "below the curve"):
            return f"{start} = {self.labels} without: pretraining bought nothing here."
        return f"{start} = {self.labels} without."

    def details(self, method: str, interval: Interval) -> str:
        """How the sentence came about.

        Args:
            method: name of the pretrained method.
            interval: of its score.
        """
        start = f"{method} reaches {self.score:.3f} {interval} with {self.n_labels:,} labels"
        if self.outcome == "no curve":
            return f"{start}."
        best = f"{self.against}, best without pretraining,"
        if self.outcome == "beyond the curve":
            return f"{start}; {best} never got there with up to {self.labels.removeprefix('more than ')}."
        return f"{start}; {best} reaches that with {self.labels} ({self.range} at the ends of the interval)."


def equivalence(
    n_labels: int, score: float, interval: Interval, curves: Mapping[str, Sequence[tuple[int, float]]]
) -> Equivalence:
    """Find the number of labels at which the best method without pretraining reaches a score.

    Between two measured sizes the curve is a straight line over the logarithm of the number of labels; beyond the last
    one it is not continued.

    Args:
        n_labels: how many labelled texts the pretrained method saw.
        score: its mean score.
        interval: of the score.
        curves: (labels, mean score) of each method without pretraining, by its name.
    """
    curve = best_curve(curves)
    against = " or ".join(_winners(curves))
    if not curve:
        return Equivalence(n_labels, score, "no curve", None, None, None, "")
    found = crossing(curve, score)
    low, high = crossing(curve, interval.low), crossing(curve, interval.high)
    if found is None:
        return Equivalence(n_labels, score, "beyond the curve", curve[-1][0], low, None, against)
    if score <= curve[0][1] and curve[0][0] < n_labels:
        return Equivalence(n_labels, score, "below the curve", curve[0][0], None, high, against)
    # A hair above n is n: the interpolation goes through logarithms.
    outcome: Outcome = "nothing gained" if found <= n_labels * (1 + 1e-9) else "found"
    return Equivalence(n_labels, score, outcome, found, low, high, against)


def best_curve(curves: Mapping[str, Sequence[tuple[int, float]]]) -> list[tuple[int, float]]:
    """The best score at each number of labels, ascending, over those methods that were measured there."""
    best: dict[int, float] = {}
    for points in curves.values():
        for n_labels, score in points:
            best[n_labels] = max(score, best.get(n_labels, score))
    return sorted(best.items())


def _winners(curves: Mapping[str, Sequence[tuple[int, float]]]) -> list[str]:
    """The methods that the best curve is made of."""
    best = best_curve(curves)
    return [name for name, points in curves.items() if set(points) & set(best)]


def crossing(curve: Sequence[tuple[int, float]], score: float) -> float | None:
    """The smallest number of labels at which the curve reaches the score; None where it never does.

    Args:
        curve: (labels, score), ascending in labels.
        score: to be reached. One below the whole curve is reached at its first point.
    """
    if not np.isfinite(score):
        return None
    if curve[0][1] >= score:
        return float(curve[0][0])
    for (n_before, before), (n_after, after) in pairwise(curve):
        if after >= score:
            part = (score - before) / (after - before)
            return float(np.exp(np.log(n_before) + part * (np.log(n_after) - np.log(n_before))))
    return None


def _round(labels: float) -> str:
    """Two significant digits: interpolation knows no more."""
    digits = max(0, len(str(int(labels))) - 2)
    return f"{round(labels / 10**digits) * 10**digits:,}"
