"""Pairs of texts with a number as a kind of task: relatedness, semantic similarity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate.pair_baselines import OverlapRatings
from langnet.evaluate.rating_statistics import rating_scores, rating_statistics, spearman
from langnet.evaluate.scoring import Neighbour
from langnet.recipes.kinds.kind import Columns, HeadOptions, Kind
from langnet.recipes.kinds.pair_heads import pair_columns, pair_config
from langnet.recipes.kinds.written_rows import written_rows
from langnet.tasks.similarity import Rating, Similarity, SimilarityConfig
from langnet.text.corpus import Source
from langnet.text.pairs import Pair, read_rated_pairs


class SimilarityRating(Kind[Pair, Rating]):
    """One number for two texts, whichever comes first."""

    name = "similarity"
    summary = "pairs of texts with a number: relatedness, semantic similarity"
    unit = "pairs"

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[Pair]:
        return read_rated_pairs(sources, pair_columns(columns), labelled)

    def head(self, items: Sequence[Pair], encoder: Encoder, options: HeadOptions) -> Similarity:
        ratings = [item.label for item in items if isinstance(item.label, float | int)]
        if len(set(ratings)) < 2:
            raise LangnetError(f"ratings have to differ; found {', '.join(f'{r:g}' for r in set(ratings)) or 'none'}")
        pair = pair_config(self.name, options, symmetric=True)
        scale = (min(ratings), max(ratings), float(np.mean(ratings)), float(np.std(ratings)))
        return Similarity(SimilarityConfig(*scale, pair), encoder.mixed_dim)

    def statistics(self, items: Sequence[Pair], methods: Sequence[Sequence[Rating]]) -> np.ndarray:
        return rating_statistics(_gold(items), [[guess.value for guess in guesses] for guesses in methods])

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return rating_scores(sums)

    def neighbours(self, train: Sequence[Pair], test: Sequence[Pair]) -> list[Neighbour]:
        overlap = OverlapRatings().fit_predict(train, _gold(train), test)
        mean = float(np.mean(_gold(train)))
        return [
            Neighbour("mean rating", [Rating(mean)] * len(test)),
            Neighbour(OverlapRatings.name, [Rating(float(value)) for value in overlap]),
        ]

    def written(self, items: Sequence[Pair], guesses: Sequence[Rating]) -> str:
        return written_rows(items, [{"score": round(guess.value, 4)} for guess in guesses])

    def details(self, items: Sequence[Pair], guesses: Sequence[Rating]) -> list[str]:
        gold, guessed = np.array(_gold(items)), np.array([guess.value for guess in guesses])
        error, spread = float(np.mean((gold - guessed) ** 2)), float(np.var(gold))
        rank = spearman(gold.tolist(), guessed.tolist())
        return [f"Spearman {rank:.3f}, mean squared error {error:.3f} (of the mean rating {spread:.3f})"]


def _gold(items: Sequence[Pair]) -> list[float]:
    return [float(item.label or 0.0) for item in items]
