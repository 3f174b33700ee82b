"""Texts with a number as a kind of task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.evaluate.rating_statistics import rating_scores, rating_statistics
from langnet.evaluate.scoring import Neighbour
from langnet.evaluate.text_baselines import tfidf_numbers
from langnet.recipes.kinds.kind import Columns, HeadOptions
from langnet.recipes.kinds.ratings import number_scale, numbers
from langnet.recipes.kinds.settings import SWITCH, read_settings
from langnet.recipes.kinds.text_heads import POOLING, as_facts, begin_head, head_shape, text_columns
from langnet.recipes.kinds.written_rows import RowKind
from langnet.recipes.model import Model
from langnet.tasks.regress import Regress, RegressConfig
from langnet.tasks.similarity import Rating
from langnet.text.corpus import Source
from langnet.text.text_items import TextItem, read_numbers
from langnet.text.written_tables import PREDICTED
from langnet.transfer.frozen_targets import NUMBERS

SETTINGS = {"bounded": SWITCH, **POOLING}


class Regression(RowKind[TextItem, Rating]):
    """One number for a text."""

    name = "regress"
    summary = "texts with a number: stars, difficulty, years"
    unit = "texts"

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[TextItem]:
        return read_numbers(sources, text_columns(columns), labelled)

    def head(self, items: Sequence[TextItem], encoder: Encoder, options: HeadOptions) -> Regress:
        chosen = read_settings(self.name, options.settings, SETTINGS)
        shape = head_shape(options, chosen.get("pooling", "mean"))
        config = RegressConfig(*number_scale(items), chosen.get("bounded", "on") == "on", shape)
        return Regress(config, encoder.mixed_dim)

    def begin(self, model: Model, examples: Sequence[Any], fit: bool, seed: int) -> Mapping[str, Any] | None:
        found = begin_head(model, examples, NUMBERS, fit, seed)
        return None if found is None else as_facts(found)

    def statistics(self, items: Sequence[TextItem], methods: Sequence[Sequence[Rating]]) -> np.ndarray:
        return rating_statistics(numbers(items), [[guess.value for guess in guesses] for guesses in methods])

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return rating_scores(sums)

    def simplest(self, train: Sequence[TextItem], test: Sequence[TextItem]) -> Neighbour:
        return Neighbour("mean", [Rating(float(np.mean(numbers(train))))] * len(test))

    def neighbours(self, train: Sequence[TextItem], test: Sequence[TextItem]) -> list[Neighbour]:
        mean = self.simplest(train, test)
        found = tfidf_numbers([item.text for item in train], numbers(train), [item.text for item in test])
        ridge = mean.guesses if found is None else [Rating(float(value)) for value in found]
        return [mean, Neighbour("TF-IDF", ridge, "ridge regression")]

    def added(self, items: Sequence[TextItem], guesses: Sequence[Rating]) -> list[dict[str, Any]]:
        rows = zip(items, guesses, strict=True)
        return [{PREDICTED + item.layout.column: float(f"{guess.value:.6g}")} for item, guess in rows]
