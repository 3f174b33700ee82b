"""What explanations are made of, and what a model has read of which they are made; see `langnet.recipes.explain`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from langnet.recipes.explain_units import Unit, UnitName, units_of
from langnet.recipes.model import TOKENS_AT_ONCE, Model
from langnet.tasks.examples import in_order
from langnet.text.batches import Batch
from langnet.text.characters import NO_CHARACTER, NO_WORD, spell_specials

MethodName = Literal["occlusion", "gradient"]
Occlude = Literal["remove", "unknown", "pad"]


@dataclass(frozen=True)
class ExplainOptions:
    """How an answer is explained.

    Attributes:
        method: `occlusion` or `gradient`.
        unit: what is explained together: tokens, words or sentences.
        occlude: what takes a unit's place in occlusion: nothing (`remove`), or for each of its tokens the unknown or
            the padding one. None removes from texts that are classified, and puts unknown tokens into what other tasks
            read, where the places of words matter.
        label: which label of a classifier is explained; None: the one it predicts.
    """

    method: MethodName = "occlusion"
    unit: UnitName = "word"
    occlude: Occlude | None = None
    label: str | None = None


@dataclass(frozen=True)
class Contribution:
    """What one unit does for the score.

    Attributes:
        text: the unit's.
        score: its contribution; above zero it speaks for the guess.
        probability: how much of the label's probability is lost without it; None for gradients and for tasks without.
        special: whether it is a mark of start, end or border.
    """

    text: str
    score: float
    probability: float | None = None
    special: bool = False

    @property
    def shown(self) -> float:
        """What is displayed, and ranked by: the score. A probability hardly moves where a model is sure."""
        return self.score


@dataclass(frozen=True)
class Explanation:
    """Why a model says what it says, as far as that can be told.

    Attributes:
        guess: what it says, or the label that was asked for.
        method, unit, occlude: how it was explained.
        score: of the guess: how far a label's score lies above the mean of the others', a number, or log-odds.
        probability: of the label; None for tasks without.
        contributions: in reading order.
        baseline: the score with everything occluded; None for gradients.
        terms: of the document vectors that the head reads: each token or pair of neighbours with what it adds to the
            score, the largest first; part of the contributions already.
    """

    guess: str
    method: MethodName
    unit: UnitName
    occlude: Occlude | None
    score: float
    probability: float | None
    contributions: list[Contribution]
    baseline: float | None = None
    terms: list[tuple[str, float]] = field(default_factory=list)

    @property
    def total(self) -> float:
        """Sum of the contributions to the score."""
        return sum(one.score for one in self.contributions)

    def texts(self) -> list[list[Contribution]]:
        """The contributions of each text that was read, as of a question and its passage; marks stand between them."""
        found: list[list[Contribution]] = [[]]
        for one in self.contributions:
            if one.special:
                found += [[]] if found[-1] else []
            else:
                found[-1].append(one)
        return [part for part in found if part] or [[]]


class Reading(ABC):
    """One sequence that a model has read, and the score of what it says: what both kinds of models share."""

    default: Occlude

    def __init__(self, model: Model, example: Any, options: ExplainOptions):
        self.model, self.example, self.options = model, example, options
        self.model.network.eval()
        self.device = next(model.network.parameters()).device
        self.units = units_of(model.tokenizer, example.ids, options.unit)

    @abstractmethod
    def explain(self) -> Explanation:
        """The explanation of what the model says of the sequence."""

    def scores(self, examples: Sequence[Any]) -> np.ndarray:
        """Scores (N, ...) of examples, without gradient."""
        found: list[Any] = [None] * len(examples)
        for index, batch in in_order(examples, TOKENS_AT_ONCE, self.model.collate):
            with torch.no_grad():
                values = self.scored(batch.to(self.device)).cpu().double().numpy()
            for place, value in zip(index, values, strict=True):
                found[place] = value
        return np.stack(found)

    @abstractmethod
    def scored(self, batch: Batch) -> Tensor:
        """Scores of a batch's examples, (N, ...)."""

    def occluded(self, units: Sequence[Unit]) -> Any:
        """The example without some of its units."""
        places = np.array([place for unit in units for place in unit.places], dtype=np.int64)
        return self.with_ids(occlude(self.model, self.example.ids, places, self.options.occlude or self.default))

    def with_ids(self, ids: np.ndarray) -> Any:
        """The example with other tokens."""
        own = getattr(self.example, "with_ids", None)  # of examples that are several sequences
        return replace(self.example, ids=ids) if own is None else own(ids)

    def gradients(self, batch: Batch, score: Any) -> tuple[float, Tensor | None, Tensor]:
        """Score, gradient of the batch's features, and gradient times input of every position, (B, T)."""
        held: list[tuple[Tensor, Tensor]] = []

        def catch(_: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            held.append((inputs[0], output.detach().requires_grad_(True)))
            return held[-1][1]

        if batch.features is not None:
            batch = replace(batch, features=batch.features.requires_grad_(True))
        hook = self.model.encoder.embedder.register_forward_hook(catch)
        try:
            value = score(batch)
        finally:
            hook.remove()
        wanted = [embedded for _, embedded in held] + ([] if batch.features is None else [batch.features])
        slopes = torch.autograd.grad(value, wanted, allow_unused=True)
        total = torch.zeros(batch.ids.shape[:2], dtype=torch.double)
        for (ids, embedded), slope in zip(held, slopes, strict=False):
            if slope is not None:
                part = (slope * embedded.detach()).sum(-1).cpu().double()
                total += part if ids.shape == batch.ids.shape and torch.equal(ids, batch.ids) else part.T
        return float(value.detach()), None if batch.features is None else slopes[-1], total

    def at_places(self, batch: Batch, values: Tensor) -> np.ndarray:
        """From values of a batch's cells (B, T) to those of the sequence's places, (T,), summed."""
        length = len(self.example.ids)
        spelled = self.example.ids.ndim == 2
        numbers = np.arange(1, length + 1, dtype=np.uint16)[:, None] if spelled else np.arange(length)
        where = self.model.collate([self.with_ids(numbers)])
        places = where.ids if where.ids.dim() == 2 else where.ids[..., 0] - 1
        found = np.zeros(length)
        kept = where.mask.numpy()
        np.add.at(found, places.numpy()[kept], values.numpy()[kept])
        return found

    def by_unit(self, values: np.ndarray) -> list[Contribution]:
        """Values of places (T,) as contributions."""
        return [Contribution(u.text, float(values[list(u.places)].sum()), None, u.special) for u in self.units]

    @property
    def occludable(self) -> list[Unit]:
        return [unit for unit in self.units if not unit.special]


def occlude(model: Model, ids: np.ndarray, places: np.ndarray, how: Occlude) -> np.ndarray:
    """Ids (T,) or (T, C) without those at some places, or with others there."""
    if how == "remove":
        return np.delete(ids, places, axis=0)
    tokenizer = model.tokenizer
    out = ids.copy()
    if ids.ndim == 1:
        out[places] = tokenizer.unknown_id if how == "unknown" else tokenizer.pad_id
        return out
    row = spell_specials()[tokenizer.unknown_id if how == "unknown" else tokenizer.pad_id]
    wide = np.full((len(out), max(out.shape[1], len(row))), NO_CHARACTER, dtype=out.dtype)
    wide[:, : out.shape[1]] = out
    wide[places] = NO_CHARACTER if how == "unknown" else NO_WORD
    wide[places, : len(row)] = row
    return wide
