"""Pairs of texts with a number as a kind of task: relatedness, semantic similarity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.evaluate.pair_baselines import OverlapRatings
from langnet.evaluate.rating_statistics import rating_scores, rating_statistics
from langnet.evaluate.scoring import Neighbour
from langnet.recipes.kinds.kind import Columns, HeadOptions
from langnet.recipes.kinds.pair_heads import pair_columns, pair_config
from langnet.recipes.kinds.ratings import number_scale, numbers
from langnet.recipes.kinds.written_rows import RowKind
from langnet.tasks.similarity import Rating, Similarity, SimilarityConfig
from langnet.text.corpus import Source
from langnet.text.pairs import Pair, read_rated_pairs
from langnet.text.written_tables import PREDICTED


class SimilarityRating(RowKind[Pair, Rating]):
    """One number for two texts, whichever comes first."""

    name = "similarity"
    summary = "pairs of texts with a number: relatedness, semantic similarity"
    unit = "pairs"

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[Pair]:
        return read_rated_pairs(sources, pair_columns(columns), labelled)

    def head(self, items: Sequence[Pair], encoder: Encoder, options: HeadOptions) -> Similarity:
        pair = pair_config(self.name, options, symmetric=True)
        return Similarity(SimilarityConfig(*number_scale(items), pair), encoder.mixed_dim)

    def statistics(self, items: Sequence[Pair], methods: Sequence[Sequence[Rating]]) -> np.ndarray:
        return rating_statistics(numbers(items), [[guess.value for guess in guesses] for guesses in methods])

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return rating_scores(sums)

    def simplest(self, train: Sequence[Pair], test: Sequence[Pair]) -> Neighbour:
        return Neighbour("mean rating", [Rating(float(np.mean(numbers(train))))] * len(test))

    def neighbours(self, train: Sequence[Pair], test: Sequence[Pair]) -> list[Neighbour]:
        overlap = OverlapRatings().fit_predict(train, numbers(train), test)
        return [
            self.simplest(train, test),
            Neighbour(OverlapRatings.name, [Rating(float(value)) for value in overlap]),
        ]

    def said(self, item: Pair, guess: Rating) -> str:
        return f"{guess.value:.4g}"

    def added(self, items: Sequence[Pair], guesses: Sequence[Rating]) -> list[dict[str, Any]]:
        return [{f"{PREDICTED}score": round(guess.value, 4)} for guess in guesses]
