"""`langnet explain`: which words of a text speak for what a model says of it.

Two methods. Occlusion (Zeiler & Fergus 2014; Li et al. 2016): a word is taken out, and what the score loses is its
contribution. Gradient times input (Shrikumar et al. 2016): the slope of the score at each word's embedding, times the
embedding; one pass for all words, exact where the score is linear in the embeddings. Both say what the model reacts to,
not why, and not whether it is right to.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from langnet.errors import LangnetError
from langnet.recipes.explain_units import Unit, UnitName, units_of
from langnet.recipes.model import TOKENS_AT_ONCE, Model
from langnet.tasks.classify import Classify
from langnet.tasks.examples import Example, in_order
from langnet.tasks.task import ClassGuess, SupervisedTask
from langnet.text.batches import Batch
from langnet.text.characters import NO_CHARACTER, NO_WORD, spell_specials
from langnet.text.spelling import spelled_texts
from langnet.transfer.features import mixed_encoding

MethodName = Literal["occlusion", "gradient"]
Occlude = Literal["remove", "unknown", "pad"]
MOST_TERMS = 20


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
        """What is displayed: of the probability where that is known, else of the score."""
        return self.score if self.probability is None else self.probability


@dataclass(frozen=True)
class Explanation:
    """Why a model says what it says, as far as that can be told.

    Attributes:
        guess: what it says, or the label that was asked for.
        method, unit, occlude: how it was explained.
        score: of the guess: how far a label's score lies above the mean of the others', or a task's own.
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


def explain_texts(model: Model, texts: Sequence[str], options: ExplainOptions | None = None) -> list[Explanation]:
    """Explain the label of each text.

    Args:
        model: a classifier of texts.
        texts: to be explained.
        options: how.

    Raises:
        LangnetError: the model is no classifier, or does not know the label.
    """
    options = options or ExplainOptions()
    if not model.is_classifier:
        model.refuse("be asked why it labels texts so", "give a classifier, or items of the model's own task")
    names = model.labels or []
    if options.label is not None and options.label not in names:
        raise LangnetError(f"the model does not know the label '{options.label}'; it knows {', '.join(names[:10])}")
    return [_Text(model, text, options).explain() for text in texts]


def explain_items(model: Model, items: Sequence[Any], options: ExplainOptions | None = None) -> list[Explanation]:
    """Explain the guess of a model for any other task at each item.

    Raises:
        LangnetError: the model is no such model, its task has no score of a guess, or an option does not suit it.
    """
    options = options or ExplainOptions()
    task = model.network.task
    if not isinstance(task, SupervisedTask):
        model.refuse("be asked why it says something of such items", "give a model for a task: langnet finetune --task")
    if options.label is not None or options.occlude == "remove":
        raise LangnetError(
            f"the task '{task.name}' explains its own guess, with words replaced; leave label and remove out"
        )
    return [_Item(model, item, options).explain() for item in items]


class _Read(ABC):
    """One sequence that a model has read, and the score of what it says: what both kinds of models share."""

    default: Occlude

    def __init__(self, model: Model, example: Any, options: ExplainOptions):
        self.model, self.example, self.options = model, example, options
        self.model.network.eval()
        self.device = next(model.network.parameters()).device
        self.units = units_of(model, example.ids, options.unit)

    @abstractmethod
    def explain(self) -> Explanation:
        """The explanation of what the model says of the sequence."""

    def scores(self, examples: Sequence[Any]) -> np.ndarray:
        """Scores (N, ...) of examples, without gradient."""
        found: list[Any] = [None] * len(examples)
        for index, batch in in_order(examples, TOKENS_AT_ONCE, self.model.collate):
            with torch.no_grad():
                values = self.scored(batch.to(self.device)).double().cpu().numpy()
            for place, value in zip(index, values, strict=True):
                found[place] = value
        return np.stack(found)

    @abstractmethod
    def scored(self, batch: Batch) -> Tensor:
        """Scores of a batch's examples, (N, ...)."""

    def occluded(self, units: Sequence[Unit]) -> Any:
        """The example without some of its units."""
        places = np.array([place for unit in units for place in unit.places], dtype=np.int64)
        return self.with_ids(_occlude(self.model, self.example.ids, places, self.options.occlude or self.default))

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
                part = (slope * embedded.detach()).sum(-1).double().cpu()
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


class _Text(_Read):
    """A text and the scores of its labels."""

    default: Occlude = "remove"

    def __init__(self, model: Model, text: str, options: ExplainOptions):
        longest = model.encoder.characters
        if longest:
            documents, read = spelled_texts([text], model.tokenizer, model.max_tokens, longest)
        else:
            documents = read = model.token_ids([text])
        self.document = documents[0]  # as the document vectors read it
        super().__init__(model, Example(read[0], None, _features(model, documents[0])), options)
        self.names = list(model.labels or [])
        own = self.scores([self.example])[0]
        self.label = self.names.index(options.label) if options.label else int(own.argmax())
        self.own = own

    def scored(self, batch: Batch) -> Tensor:
        task = self.model.network.task
        assert isinstance(task, Classify)
        encoding = self.model.encoder(batch.ids, batch.mask)
        scores: Tensor = task.scores(mixed_encoding(self.model.network.mix, encoding), batch)
        return scores / self.model.temperature  # (N, C)

    def occluded(self, units: Sequence[Unit]) -> Example:
        example: Example = super().occluded(units)
        places = np.array([place for unit in units for place in unit.places], dtype=np.int64)
        document = _occlude(self.model, self.document, places, self.options.occlude or self.default)
        return replace(example, features=_features(self.model, document))

    def explain(self) -> Explanation:
        options, probability = self.options, _softmax(self.own)[self.label]
        parts = (self.names[self.label], options.method, options.unit)
        if options.method == "gradient":
            return self._by_gradient(parts, float(probability))
        units = self.occludable
        examples = [self.occluded([unit]) for unit in units]
        found = self.scores([*examples, self.occluded(units)])  # (U + 1, C)
        margins, chances = _margin(found, self.label), _softmax(found)[:, self.label]
        score = float(_margin(self.own, self.label))
        contributions = [
            Contribution(unit.text, score - float(margin), float(probability - chance))
            for unit, margin, chance in zip(units, margins[:-1], chances[:-1], strict=True)
        ]
        how = options.occlude or self.default
        return Explanation(*parts, how, score, float(probability), contributions, float(margins[-1]))

    def _by_gradient(self, parts: tuple[str, MethodName, UnitName], probability: float) -> Explanation:
        batch = self.model.collate([self.example]).to(self.device)

        def margin(batch: Batch) -> Tensor:
            scores = self.scored(batch)[0]  # (C,)
            return scores[self.label] - (scores.sum() - scores[self.label]) / max(1, len(scores) - 1)

        value, slope, cells = self.gradients(batch, margin)
        values = self.at_places(batch, cells)  # (T,)
        terms: list[tuple[str, float]] = []
        if slope is not None:
            by_token, terms = self._terms(slope[0].double().cpu().numpy())
            values = values + by_token
        return Explanation(*parts, None, value, probability, self.by_unit(values), None, terms)

    def _terms(self, slope: np.ndarray) -> tuple[np.ndarray, list[tuple[str, float]]]:
        """What the terms of the document vectors add to the score: by token (T,), and the largest by name.

        Vectors are made of length one, which for one document is a division by a number; so each term's part is linear,
        and the parts sum to what the whole vector gives. A pair's part goes to its two tokens in halves.

        Args:
            slope: (K,) of the score by the document features.
        """
        space = self.model.document_vectors
        assert space is not None
        terms = space.terms([self.document])
        raw = np.asarray(terms @ space.vectors[:, : space.unit_dim]).ravel()
        slope = slope.copy()
        slope[: space.unit_dim] /= max(float(np.linalg.norm(raw)), 1e-12)
        worth = np.zeros(len(space.buckets))
        worth[terms.indices] = terms.data * (space.vectors[terms.indices] @ slope)
        single, pairs = space.occurrences(self.document)
        counts = np.bincount(np.concatenate([single, pairs]) + 1, minlength=len(worth) + 1)[1:]
        share = np.append(worth / np.maximum(counts, 1), 0.0)  # the last one is for no term
        by_token = share[single]
        by_token[:-1] += share[pairs] / 2
        by_token[1:] += share[pairs] / 2
        return by_token, _named(self.model, self.document, (single, pairs), worth)


class _Item(_Read):
    """An item of any task and the score of the model's guess."""

    default: Occlude = "unknown"

    def __init__(self, model: Model, item: Any, options: ExplainOptions):
        (example,) = model.network.task.examples([item], model.writer, labelled=False)
        super().__init__(model, example, options)
        (self.guess,) = model.guesses_of([example])

    def scored(self, batch: Batch) -> Tensor:
        encoding = self.model.encoder(batch.ids, batch.mask)
        mixed = mixed_encoding(self.model.network.mix, encoding)
        task: SupervisedTask[Any, Any] = self.model.network.task
        return task.guess_scores(mixed, batch, [self.guess] * batch.n_examples)  # (N,)

    def explain(self) -> Explanation:
        options = self.options
        guess = self.guess.label if isinstance(self.guess, ClassGuess) else str(self.guess)
        probability = self.guess.probability if isinstance(self.guess, ClassGuess) else None
        parts = (guess, options.method, options.unit)
        if options.method == "gradient":
            batch = self.model.collate([self.example]).to(self.device)
            value, _, cells = self.gradients(batch, lambda batch: self.scored(batch)[0])
            return Explanation(*parts, None, value, probability, self.by_unit(self.at_places(batch, cells)))
        units = self.occludable
        found = self.scores([self.example, *(self.occluded([unit]) for unit in units), self.occluded(units)])
        contributions = [
            Contribution(unit.text, float(found[0] - value)) for unit, value in zip(units, found[1:-1], strict=True)
        ]
        how = options.occlude or self.default
        return Explanation(*parts, how, float(found[0]), probability, contributions, float(found[-1]))


def _named(
    model: Model, document: np.ndarray, occurrences: tuple[np.ndarray, np.ndarray], worth: np.ndarray
) -> list[tuple[str, float]]:
    """The terms of a document that are worth most, by name."""
    found: dict[int, str] = {}
    for width, terms in enumerate(occurrences, 1):
        for place, term in enumerate(terms):
            if term >= 0 and term not in found:
                found[int(term)] = model.tokenizer.decode(document[place : place + width])
                if len(set(document[place : place + width]) & set(model.tokenizer.special_ids)):
                    found[int(term)] = f"{found[int(term)]} (at the text's border)"
    best = sorted(found, key=lambda term: -abs(worth[term]))[:MOST_TERMS]
    return [(found[term].strip(), float(worth[term])) for term in best if worth[term]]


def _features(model: Model, document: np.ndarray) -> np.ndarray | None:
    space = model.document_vectors
    found: np.ndarray | None = space.transform([document])[0] if space else None
    return found


def _occlude(model: Model, ids: np.ndarray, places: np.ndarray, how: Occlude) -> np.ndarray:
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


def _softmax(scores: np.ndarray) -> np.ndarray:
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    result: np.ndarray = shares / shares.sum(-1, keepdims=True)
    return result


def _margin(scores: np.ndarray, label: int) -> np.ndarray:
    """How far a label's score lies above the mean of the others', of (..., C)."""
    others = scores.sum(-1) - scores[..., label]
    result: np.ndarray = scores[..., label] - others / max(1, scores.shape[-1] - 1)
    return result
