"""Frozen heads for sets of labels and for numbers, by the steps of `langnet.transfer.frozen` with another loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from threadpoolctl import threadpool_limits
from torch import Tensor

from langnet.tasks.multilabel import set_loss
from langnet.transfer.frozen import STRENGTHS, FeatureTable, FrozenHead, candidates
from langnet.transfer.linear_fits import (
    RIDGE_STRENGTHS,
    Fit,
    best_sigmoid_temperature,
    held_out_scores,
    one_vs_rest,
    plain_splits,
    ridge,
    squared_error,
)

_SMALL = 2_000_000  # values in a table up to which a second thread costs more than it brings


@dataclass(frozen=True)
class Objective:
    """What is learned, and how.

    Attributes:
        loss: of scores (n, C) and targets (n, C), as `FrozenHead.fit` minimises it beside `|W|^2 / (2 strength n)`.
        fit: the same with the features fixed: weights (F, C) and biases (C,).
        judge: of held-out scores and targets: a temperature, and the loss at it.
        strengths: that are tried.
        default: where there is nothing to try them on.
    """

    loss: Callable[[Tensor, Tensor], Tensor]
    fit: Fit
    judge: Callable[[np.ndarray, np.ndarray], tuple[float, float]]
    strengths: tuple[float, ...]
    default: float


LABEL_SETS = Objective(set_loss, one_vs_rest, best_sigmoid_temperature, STRENGTHS, 8.0)
NUMBERS = Objective(lambda a, b: F.mse_loss(a, b) / 2, ridge, squared_error, RIDGE_STRENGTHS, 1.0)


@dataclass(frozen=True)
class TargetChoice:
    """What cross-validation on the labelled examples chose.

    Attributes:
        strength: inverse regularisation.
        state_weight: factor on the encoder's states.
        document: whether the document features are used.
        temperature: what the scores are divided by, so that held-out probabilities are calibrated.
        held_out_loss: the objective's, on held-out examples at that temperature.
    """

    strength: float
    state_weight: float
    document: bool
    temperature: float = 1.0
    held_out_loss: float = float("nan")


@dataclass(frozen=True)
class FittedTargets:
    """A head, and how it does on texts that it has not learned from.

    Attributes:
        head: fitted on all examples, calibrated.
        choice: how.
        index: (m,) numbers of the examples that were held out in turn.
        scores: (m, C) of each of them by a model that had not seen it, at the choice's temperature.
    """

    head: FrozenHead
    choice: TargetChoice
    index: np.ndarray
    scores: np.ndarray


def fit_targets(table: FeatureTable, targets: np.ndarray, objective: Objective, seed: int) -> FittedTargets:
    """Choose features and strength by cross-validation, fit on all examples, and calibrate.

    Args:
        table: features of n documents.
        targets: (n, C) float.
        objective: what is learned.
        seed: of the folds.
    """
    size = table.layers[:, 0].numel() + table.document.numel()
    with threadpool_limits(1 if size < _SMALL else None):
        choice, index, scores = choose_targets(table, targets, objective, seed)
        head = FrozenHead(table, targets.shape[1], choice.state_weight, choice.document)
        wanted = torch.as_tensor(targets, dtype=table.layers.dtype)  # (n, C)
        with torch.no_grad():  # from what the targets are on average, where a rare label's bias has far to go
            head.linear.bias.copy_(torch.from_numpy(objective.fit(np.zeros((len(targets), 1)), targets, 1.0)[1]))
        head.fit(table, wanted, choice.strength, loss=objective.loss)
    with torch.no_grad():
        head.linear.weight.div_(choice.temperature)
        head.linear.bias.div_(choice.temperature)
    return FittedTargets(head, choice, index, scores / choice.temperature)


def choose_targets(
    table: FeatureTable, targets: np.ndarray, objective: Objective, seed: int
) -> tuple[TargetChoice, np.ndarray, np.ndarray]:
    """The choice, the examples that were held out for it (m,), and their scores (m, C); the mix is uniform here.

    First the features are chosen at the default strength, then the strength: one fit is of many labels, and costs too
    much for every pair of the two.
    """
    parts = plain_splits(len(targets), seed)
    if not parts:
        has_document = table.document.shape[1] > 0
        choice = TargetChoice(objective.default, 0.0 if has_document else 1.0, has_document)
        return choice, np.zeros(0, dtype=np.int64), np.zeros((0, targets.shape[1]))
    gold = targets.astype(np.float64)
    index = np.concatenate([held_out for _, held_out in parts])

    def tried(state_weight: float, document: bool, strength: float) -> tuple[TargetChoice, np.ndarray]:
        with torch.no_grad():
            head = FrozenHead(table, targets.shape[1], state_weight, document)
            features = head.inputs(table).cpu().double().numpy()  # (n, D + K)
        scores = held_out_scores(features, gold, objective.fit, strength, parts)
        temperature, loss = objective.judge(scores, gold[index])
        return TargetChoice(strength, state_weight, document, temperature, loss), scores

    found = [tried(*mixture, objective.default) for mixture in candidates(table)]
    best = min(found, key=lambda one: one[0].held_out_loss)
    others = [strength for strength in objective.strengths if strength != objective.default]
    found = [best, *(tried(best[0].state_weight, best[0].document, strength) for strength in others)]
    choice, scores = min(found, key=lambda one: one[0].held_out_loss)
    return choice, index, scores
