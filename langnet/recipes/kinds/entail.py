"""Pairs of texts as a kind of task: natural language inference, paraphrase."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate.baselines import MajorityBaseline, TfidfBaseline
from langnet.evaluate.class_statistics import class_scores, class_statistics
from langnet.evaluate.predictions import Predictions
from langnet.evaluate.scoring import Neighbour
from langnet.recipes.kinds.kind import Columns, HeadOptions, Kind
from langnet.tasks.entail import Entail, EntailConfig
from langnet.tasks.task import ClassGuess, SupervisedTask
from langnet.text.corpus import Source
from langnet.text.pairs import Pair, read_pairs


class Entailment(Kind[Pair, ClassGuess]):
    """One label for two texts."""

    name = "entail"
    summary = "pairs of texts: natural language inference, paraphrase"
    unit = "pairs"

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[Pair]:
        return read_pairs(sources, columns.text, columns.second, columns.label, labelled)

    def head(self, items: Sequence[Pair], encoder: Encoder, options: HeadOptions) -> Entail:
        names = sorted({str(item.label) for item in items})
        if len(names) < 2:
            raise LangnetError(f"pairs need two different labels or more, found {', '.join(names) or 'none'}")
        return Entail(EntailConfig(tuple(names), dropout=options.dropout), encoder.mixed_dim)

    def labels(self, task: SupervisedTask[Pair, ClassGuess]) -> list[str] | None:
        assert isinstance(task, Entail)
        return list(task.settings.labels)

    def gold(self, items: Sequence[Pair]) -> list[str] | None:
        return [str(item.label) for item in items]

    def statistics(self, items: Sequence[Pair], methods: Sequence[Sequence[ClassGuess]]) -> np.ndarray:
        gold = [str(item.label) for item in items]
        return class_statistics(gold, [[guess.label for guess in guesses] for guesses in methods])

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return class_scores(sums)

    def neighbours(self, train: Sequence[Pair], test: Sequence[Pair]) -> list[Neighbour]:
        labels = [str(pair.label) for pair in train]
        majority, bag = MajorityBaseline(), TfidfBaseline()
        seconds = bag.fit_predict([pair.second for pair in train], labels, [pair.second for pair in test])
        both = bag.fit_predict([_marked(pair) for pair in train], labels, [_marked(pair) for pair in test])
        return [
            Neighbour("majority", _guesses(majority.fit_predict(labels, labels, [""] * len(test)))),
            Neighbour("TF-IDF of the second text", _guesses(seconds), "what its artifacts give away"),
            Neighbour("TF-IDF of both", _guesses(both)),
        ]

    def written(self, items: Sequence[Pair], guesses: Sequence[ClassGuess]) -> str:
        rows = [
            {"source": item.source, "label": guess.label, "probability": round(guess.probability, 4)}
            for item, guess in zip(items, guesses, strict=True)
        ]
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _marked(pair: Pair) -> str:
    """Both texts as one bag, in which a word of the first and one of the second are two."""
    words = [f"{place}_{word}" for place, text in enumerate((pair.first, pair.second)) for word in text.split()]
    return " ".join(words)


def _guesses(predictions: Predictions) -> list[ClassGuess]:
    if predictions.probabilities is None:
        return [ClassGuess(label, {label: 1.0}) for label in predictions.labels]
    return ClassGuess.rows(predictions.label_names, predictions.probabilities)
