"""Pairs of texts with a class as a kind of task: natural language inference, paraphrase."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate.baselines import MajorityBaseline, TfidfBaseline
from langnet.evaluate.class_statistics import class_scores, class_statistics
from langnet.evaluate.pair_baselines import OverlapBaseline
from langnet.evaluate.predictions import Predictions
from langnet.evaluate.scoring import Neighbour
from langnet.recipes.kinds.kind import Columns, HeadOptions
from langnet.recipes.kinds.pair_heads import pair_columns, pair_config
from langnet.recipes.kinds.written_rows import RowKind
from langnet.tasks.entail import Entail, EntailConfig
from langnet.tasks.task import ClassGuess, SupervisedTask
from langnet.text.corpus import Source
from langnet.text.pairs import Pair, read_pairs
from langnet.text.written_tables import PREDICTED


class Entailment(RowKind[Pair, ClassGuess]):
    """One label for two texts."""

    name = "entail"
    summary = "pairs of texts with a class: natural language inference, paraphrase"
    unit = "pairs"
    labels_further = True

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[Pair]:
        return read_pairs(sources, pair_columns(columns), labelled)

    def head(self, items: Sequence[Pair], encoder: Encoder, options: HeadOptions) -> Entail:
        names = sorted({str(item.label) for item in items})
        if len(names) < 2:
            raise LangnetError(f"pairs need two different labels or more, found {', '.join(names) or 'none'}")
        pair = pair_config(self.name, options, symmetric=False)
        return Entail(EntailConfig(tuple(names), pair), encoder.mixed_dim)

    def labels(self, task: SupervisedTask[Pair, ClassGuess]) -> list[str] | None:
        assert isinstance(task, Entail)
        return list(task.settings.labels)

    def labels_in(
        self, task: SupervisedTask[Pair, ClassGuess], items: Sequence[Pair]
    ) -> tuple[Sequence[str], Iterable[tuple[str, str]]]:
        return self.labels(task) or [], ((str(item.label), item.source) for item in items)

    def gold(self, items: Sequence[Pair]) -> list[str] | None:
        return [str(item.label) for item in items]

    def statistics(self, items: Sequence[Pair], methods: Sequence[Sequence[ClassGuess]]) -> np.ndarray:
        gold = [str(item.label) for item in items]
        return class_statistics(gold, [[guess.label for guess in guesses] for guesses in methods])

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return class_scores(sums)

    def simplest(self, train: Sequence[Pair], test: Sequence[Pair]) -> Neighbour:
        seconds, labels = [pair.second for pair in train], [str(pair.label) for pair in train]
        found = MajorityBaseline().fit_predict(seconds, labels, [pair.second for pair in test])
        return Neighbour("majority", _guesses(found))

    def neighbours(self, train: Sequence[Pair], test: Sequence[Pair]) -> list[Neighbour]:
        labels, seconds = [str(pair.label) for pair in train], [pair.second for pair in train]
        asked = [pair.second for pair in test]
        alone = TfidfBaseline().fit_predict(seconds, labels, asked)
        return [
            self.simplest(train, test),
            Neighbour("TF-IDF of the second text", _guesses(alone), "what its artifacts give away"),
            Neighbour(OverlapBaseline.name, _guesses(OverlapBaseline().fit_predict(train, labels, test))),
        ]

    def labelled(self, item: Pair, guess: ClassGuess) -> tuple[Pair, float]:
        return replace(item, label=guess.label), guess.probability

    def stratum(self, item: Pair) -> Hashable:
        return item.label

    def added(self, items: Sequence[Pair], guesses: Sequence[ClassGuess]) -> list[dict[str, Any]]:
        added = []
        for guess in guesses:
            each = {f"p({name})": round(value, 6) for name, value in guess.probabilities.items()}
            surest = round(max(guess.probabilities.values()), 4)
            added.append({f"{PREDICTED}label": guess.label, "probability": surest, **each})
        return added

    def details(self, items: Sequence[Pair], guesses: Sequence[ClassGuess]) -> list[str]:
        lines = []
        for name in sorted({str(item.label) for item in items}):
            right = [guess.label == name for item, guess in zip(items, guesses, strict=True) if str(item.label) == name]
            lines.append(f"{name}: {sum(right):,} of {len(right):,} right")
        return lines


def _guesses(predictions: Predictions) -> list[ClassGuess]:
    if predictions.probabilities is None:
        return [ClassGuess(label, {label: 1.0}) for label in predictions.labels]
    return ClassGuess.rows(predictions.label_names, predictions.probabilities)
