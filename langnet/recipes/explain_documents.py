"""Explanations of what a model says of a whole text: its class, one of its labels, its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import expit, softmax
from torch import Tensor

from langnet.recipes.explain_reading import (
    Contribution,
    ExplainOptions,
    Explanation,
    MethodName,
    Occlude,
    Reading,
    occlude,
)
from langnet.recipes.explain_units import Unit, UnitName
from langnet.recipes.model import Model
from langnet.tasks.classify import Classify
from langnet.tasks.examples import Example
from langnet.tasks.regress import Regress
from langnet.text.batches import Batch
from langnet.text.spelling import spelled_texts
from langnet.transfer.features import mixed_encoding

MOST_TERMS = 20


class DocumentReading(Reading):
    """A text and its scores: of classes, of labels each by itself, or the number that is said of it."""

    default: Occlude = "remove"

    def __init__(self, model: Model, text: str, options: ExplainOptions):
        longest = model.encoder.characters
        if longest:
            documents, read = spelled_texts([text], model.tokenizer, model.max_tokens, longest)
        else:
            documents = read = model.token_ids([text])
        self.document = documents[0]  # as the document vectors read it
        super().__init__(model, Example(read[0], None, _features(model, documents[0])), options)
        self.own = self.scores([self.example])[0]
        names = list(model.labels or [])
        self.label = names.index(options.label) if options.label else int(self.own.argmax())
        self.name = names[self.label] if names else f"{model.guesses_of([self.example])[0].value:.4g}"

    def scored(self, batch: Batch) -> Tensor:
        task, encoding = self.model.network.task, self.model.encoder(batch.ids, batch.mask)
        mixed = mixed_encoding(self.model.network.mix, encoding)
        if isinstance(task, Regress):
            return task.guess_scores(mixed, batch, [])[:, None]  # (N, 1)
        scores: Tensor = task.scores(mixed, batch)
        return scores / self.model.temperature  # (N, C)

    def margins(self, scores: Any) -> Any:
        """How strongly scores (..., C) speak for the label: a class's against the others', any other by itself."""
        own = scores[..., self.label]
        if not isinstance(self.model.network.task, Classify):
            return own
        return own - (scores.sum(-1) - own) / max(1, scores.shape[-1] - 1)

    def chances(self, scores: np.ndarray) -> np.ndarray | None:
        """The probability of the label by scores (..., C); a number has none."""
        if isinstance(self.model.network.task, Regress):
            return None
        own = isinstance(self.model.network.task, Classify)
        found: np.ndarray = (softmax(scores, axis=-1) if own else expit(scores))[..., self.label]
        return found

    def occluded(self, units: Sequence[Unit]) -> Example:
        example: Example = super().occluded(units)
        places = np.array([place for unit in units for place in unit.places], dtype=np.int64)
        document = occlude(self.model, self.document, places, self.options.occlude or self.default)
        return replace(example, features=_features(self.model, document))

    def explain(self) -> Explanation:
        """What each unit does for the label, or for the number."""
        options, own = self.options, self.chances(self.own)
        probability = None if own is None else float(own)
        parts = (self.name, options.method, options.unit)
        if options.method == "gradient":
            return self._by_gradient(parts, probability)
        units = self.occludable
        examples = [self.occluded([unit]) for unit in units]
        found = self.scores([*examples, self.occluded(units)])  # (U + 1, C)
        margins, chances = self.margins(found), self.chances(found)
        score = float(self.margins(self.own))
        contributions = [
            Contribution(
                unit.text,
                score - float(margins[i]),
                None if probability is None or chances is None else probability - float(chances[i]),
            )
            for i, unit in enumerate(units)
        ]
        how = options.occlude or self.default
        return Explanation(*parts, how, score, probability, contributions, float(margins[-1]))

    def _by_gradient(self, parts: tuple[str, MethodName, UnitName], probability: float | None) -> Explanation:
        batch = self.model.collate([self.example]).to(self.device)
        value, slope, cells = self.gradients(batch, lambda batch: self.margins(self.scored(batch)[0]))
        values = self.at_places(batch, cells)  # (T,)
        terms: list[tuple[str, float]] = []
        if slope is not None:
            by_token, terms = self._terms(slope[0].cpu().double().numpy())
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
