"""Several classifiers as one, by their mean probabilities: forward and backward in Howard & Ruder 2018."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from langnet.errors import LangnetError
from langnet.recipes.model import Model, load


@dataclass(frozen=True)
class Ensemble:
    """Classifiers of the same labels under one; see `average`.

    Attributes:
        models: each reads a text in its own way: its direction, its tokenizer, its architecture.
        weights: of each model's probabilities; they sum to one.
    """

    models: tuple[Model, ...]
    weights: tuple[float, ...]

    @property
    def labels(self) -> list[str]:
        """Names of the classes, in the order of the first model's."""
        return list(self.models[0].labels or [])

    @property
    def facts(self) -> dict[str, Any]:
        """What all models have in common to say of themselves: the labelled texts that they learned from."""
        remembered = [(model.facts.get("finetune") or {}).get("training_texts") or {} for model in self.models]
        same = len({texts.get("digest") for texts in remembered}) == 1
        return {"finetune": {"training_texts": remembered[0]}} if same else {}

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Weighted means of the models' probabilities, (N, C), columns in the order of `labels`."""
        total = np.zeros((len(texts), len(self.labels)))
        for model, weight in zip(self.models, self.weights, strict=True):
            columns = [(model.labels or []).index(label) for label in self.labels]
            total += weight * model.predict_proba(texts)[:, columns]
        return total

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The most probable label of each text."""
        return [self.labels[index] for index in self.predict_proba(texts).argmax(axis=1)]


def average(models: Sequence[Model | str | Path], weights: Sequence[float] | None = None) -> Ensemble:
    """Classifiers whose probabilities are averaged, as one classifier.

    Args:
        models: classifiers, or their folders or names; at least one.
        weights: how much each counts; None counts all alike.

    Raises:
        LangnetError: one is no classifier, or has other labels than the first; weights that are not one a model.
    """
    if not len(models):
        raise LangnetError("there is no model to average; give at least one classifier")
    given = [1.0] * len(models) if weights is None else [float(weight) for weight in weights]
    if len(given) != len(models) or min(given) < 0 or not sum(given) > 0:
        raise LangnetError(f"{len(models)} models need {len(models)} weights of 0 or more, not {given}")
    names = [_name(model, number) for number, model in enumerate(models, 1)]
    loaded = [model if isinstance(model, Model) else load(model) for model in models]
    for name, model in zip(names, loaded, strict=True):
        if model.labels is None:
            if model.is_language_model:
                raise LangnetError(f"{name} is a language model without labels; fine-tune it first: langnet finetune")
            raise LangnetError(
                f"{name} is a model for the task '{model.network.task.name}'; only classifiers are averaged"
            )
        if set(model.labels) != set(loaded[0].labels or []):
            raise LangnetError(
                f"{name} has the labels {_shown(model)}, {names[0]} has {_shown(loaded[0])}; only classifiers of the "
                "same labels can be averaged"
            )
    return Ensemble(tuple(loaded), tuple(weight / sum(given) for weight in given))


def _name(model: Model | str | Path, number: int) -> str:
    return f"model {number}" if isinstance(model, Model) else str(model)


def _shown(model: Model) -> str:
    labels = model.labels or []
    return ", ".join(labels[:5]) + (", …" if len(labels) > 5 else "")
