"""Abstention: to say nothing where one is not sure, and what that buys.

A classifier that answers only above a threshold of its probability answers fewer texts, and more of them rightly: the
risk-coverage curve (El-Yaniv & Wiener 2010; Geifman & El-Yaniv 2017, "Selective classification for deep neural
networks").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import betaincinv

from langnet.errors import LangnetError
from langnet.evaluate.calibration import share_interval
from langnet.evaluate.intervals import LEVEL, Interval
from langnet.evaluate.metrics import Score
from langnet.evaluate.predictions import Predictions

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
N_RESAMPLES = 500
TRIED = 20  # coverages among which a threshold is chosen


@dataclass(frozen=True)
class Selective:
    """What a classifier is worth that answers from a threshold on.

    Attributes:
        threshold: of the probability of the predicted class.
        coverage: share of the texts that it answers.
        accuracy: share of the answers that are right; None where there is none.
        n_answered: texts that it answers.
    """

    threshold: float
    coverage: Score
    accuracy: Score | None
    n_answered: int

    def __str__(self) -> str:
        right = f"{self.accuracy} of the answers right" if self.accuracy else "no answers"
        return f"abstaining below {self.threshold:.4g}: {self.coverage} of the texts answered, {right}"


@dataclass(frozen=True)
class Abstention:
    """Accuracy against coverage.

    Attributes:
        aurc: area under the risk-coverage curve: the mean error among the k surest texts, over all k. A classifier
            whose probabilities say nothing has its error at every coverage, and so as its area.
        best_aurc: that of the same answers in a perfect order, wrong ones last.
        curve: coverage, threshold, and accuracy of the answers.
        selective: at the wanted threshold; None where none is.
    """

    aurc: Score
    best_aurc: float
    curve: list[tuple[float, float, float]] = field(default_factory=list)
    selective: Selective | None = None

    def __str__(self) -> str:
        points = ", ".join(f"{coverage:.0%} {accuracy:.3f}" for coverage, _, accuracy in self.curve)
        lines = [
            f"accuracy of the surest texts: {points}",
            f"area under the risk-coverage curve {self.aurc}; the same answers in perfect order {self.best_aurc:.3f}",
        ]
        return "\n".join([*lines, *([str(self.selective)] if self.selective else [])])


def check_threshold(value: float | None) -> None:
    """Nothing, where the value can be a threshold.

    Raises:
        LangnetError: it is no probability.
    """
    if value is not None and not 0 <= value <= 1:
        raise LangnetError(f"--abstain-below is a probability from 0 to 1, not {value:g}")


def check_target(value: float | None) -> None:
    """Nothing, where the value can be wanted as an accuracy.

    Raises:
        LangnetError: it lies outside of 0 and 1.
    """
    if value is not None and not 0 < value < 1:
        raise LangnetError(f"the target accuracy must lie between 0 and 1, not {value:g}")


def abstain(
    gold: Sequence[str], predictions: Predictions, threshold: float | None = None, seed: int = 0
) -> Abstention | None:
    """The risk-coverage curve of predictions, and what a threshold gives; None without probabilities or texts."""
    if predictions.probabilities is None or not len(gold):
        return None
    confidence = predictions.probabilities.max(axis=1)  # (N,)
    hits = np.array([g == p for g, p in zip(gold, predictions.labels, strict=True)], dtype=float)
    order = np.argsort(-confidence, kind="stable")
    confidence, wrong = confidence[order], 1 - hits[order]
    n = len(gold)
    best = float(np.mean(np.cumsum(np.sort(wrong)) / np.arange(1, n + 1)))
    return Abstention(
        Score(risk_area(confidence, wrong), _area_interval(confidence, wrong, seed)),
        best,
        [_point(confidence, wrong, share) for share in COVERAGES],
        None if threshold is None else select(confidence, 1 - wrong, threshold),
    )


def risk_area(confidence: np.ndarray, wrong: np.ndarray) -> float:
    """The mean over k of the error among the k surest; texts of equal confidence share their errors.

    Args:
        confidence: (N,), falling.
        wrong: (N,) 1 where the answer is wrong.
    """
    starts = np.concatenate([[True], confidence[1:] < confidence[:-1]])
    block = np.cumsum(starts) - 1  # (N,)
    mean = np.bincount(block, weights=wrong) / np.bincount(block)
    return float(np.mean(np.cumsum(mean[block]) / np.arange(1, len(wrong) + 1)))


def _area_interval(confidence: np.ndarray, wrong: np.ndarray, seed: int) -> Interval:
    n = len(wrong)
    if n < 2:
        return Interval(float("nan"), float("nan"))
    generator = np.random.default_rng(seed)
    areas = np.zeros(N_RESAMPLES)
    for index in range(N_RESAMPLES):
        chosen = np.repeat(np.arange(n), np.bincount(generator.integers(n, size=n), minlength=n))
        areas[index] = risk_area(confidence[chosen], wrong[chosen])
    low, high = np.quantile(areas, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def _point(confidence: np.ndarray, wrong: np.ndarray, share: float) -> tuple[float, float, float]:
    """Coverage, threshold and accuracy where at least such a share is answered; equal ones are answered alike."""
    threshold = float(confidence[max(1, int(np.ceil(share * len(wrong)))) - 1])
    answered = confidence >= threshold
    return float(answered.mean()), threshold, float(1 - wrong[answered].mean())


def select(confidence: np.ndarray, hits: np.ndarray, threshold: float) -> Selective:
    """What answering from a threshold on gives, of confidences (N,) and hits (N,)."""
    answered = confidence >= threshold
    count, right = int(answered.sum()), round(float(hits[answered].sum()))
    accuracy = Score(right / count, share_interval(right, count)) if count else None
    return Selective(threshold, Score(count / len(hits), share_interval(count, len(hits))), accuracy, count)


def threshold_for(
    confidence: np.ndarray, hits: np.ndarray, target: float, level: float = LEVEL
) -> tuple[float, Selective]:
    """The lowest threshold above which the answers are right often enough, with so much certainty.

    Of twenty coverages the largest is taken at which the binomial bound of the accuracy (Clopper & Pearson 1934)
    reaches the target; the uncertainty is shared among the twenty, so that the choice between them costs no certainty
    (Angelopoulos et al. 2021, "Learn then test"; Geifman & El-Yaniv 2017 search by halving).

    Args:
        confidence: (N,) on texts that neither the model nor the temperature has learned from.
        hits: (N,) whether the answer was right.
        target: wanted accuracy of the answers.
        level: of certainty.

    Returns:
        The threshold, and what it gives on these texts.

    Raises:
        LangnetError: no threshold reaches the target, or the target is no share.
    """
    check_target(target)
    n = len(confidence)
    sure = np.sort(confidence)[::-1]
    risk, best = (1 - level) / TRIED, 0.0
    for share in np.arange(TRIED, 0, -1) / TRIED:
        threshold = float(sure[max(1, int(np.ceil(share * n))) - 1])
        answered = confidence >= threshold
        count, right = int(answered.sum()), round(float(hits[answered].sum()))
        bound = float(betaincinv(right, count - right + 1, risk)) if right else 0.0
        if bound >= target:
            return threshold, select(confidence, hits, threshold)
        best = max(best, bound)
    raise LangnetError(
        f"no threshold reaches an accuracy of {target:g} with {level:.0%} certainty on {n:,} texts; {best:.3f} is the "
        "most that is certain; lower the target, or give more texts"
    )
