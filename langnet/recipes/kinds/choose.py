"""Multiple choice and cloze as a kind of task."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate.choice_baselines import SCORERS, choose_greatest
from langnet.evaluate.choice_statistics import choice_scores, choice_statistics
from langnet.evaluate.scoring import Neighbour
from langnet.recipes.kinds.kind import Columns, HeadOptions
from langnet.recipes.kinds.settings import read_settings
from langnet.recipes.kinds.written_rows import RowKind
from langnet.tasks.choose import ChoiceGuess, Choose, ChooseConfig
from langnet.tasks.pooling import WIDTHS
from langnet.text.corpus import Source
from langnet.text.multiple_choice import ChoiceColumns, MultipleChoice, read_multiple_choice
from langnet.text.written_tables import PREDICTED


class MultipleChoiceKind(RowKind[MultipleChoice, ChoiceGuess]):
    """One of several alternatives."""

    name = "choose"
    summary = "multiple choice and cloze: which alternative suits a context"
    unit = "questions"
    labels_further = True

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[MultipleChoice]:
        named = ChoiceColumns(columns.text, columns.second, columns.label, columns.where)
        return read_multiple_choice(sources, named, labelled)

    def head(self, items: Sequence[MultipleChoice], encoder: Encoder, options: HeadOptions) -> Choose:
        if not any(len(item.alternatives) > 1 for item in items):
            raise LangnetError("nothing to choose from: no question has two alternatives or more")
        pooling = read_settings(self.name, options.settings, {"pooling": tuple(WIDTHS)}).get("pooling", "concat")
        config = ChooseConfig(pooling, options.hidden or 0, options.dropout)  # type: ignore[arg-type]  # compared above
        return Choose(config, encoder.mixed_dim)

    def statistics(self, items: Sequence[MultipleChoice], methods: Sequence[Sequence[ChoiceGuess]]) -> np.ndarray:
        return choice_statistics([-1 if item.answer is None else item.answer for item in items], methods)

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return choice_scores(sums)

    def simplest(self, train: Sequence[MultipleChoice], test: Sequence[MultipleChoice]) -> Neighbour:
        name, (scorer, note) = next(iter(SCORERS.items()))
        return Neighbour(name, choose_greatest(scorer(train, test)), note)

    def neighbours(self, train: Sequence[MultipleChoice], test: Sequence[MultipleChoice]) -> list[Neighbour]:
        return [Neighbour(name, choose_greatest(scorer(train, test)), note) for name, (scorer, note) in SCORERS.items()]

    def labelled(self, item: MultipleChoice, guess: ChoiceGuess) -> tuple[MultipleChoice, float]:
        return replace(item, answer=guess.index), max(guess.probabilities)

    def stratum(self, item: MultipleChoice) -> Hashable:
        return item.answer

    def added(self, items: Sequence[MultipleChoice], guesses: Sequence[ChoiceGuess]) -> list[dict[str, Any]]:
        return [
            {f"{PREDICTED}choice": guess.index, "probabilities": [round(value, 6) for value in guess.probabilities]}
            for guess in guesses
        ]

    def said(self, item: MultipleChoice, guess: ChoiceGuess) -> str:
        return item.alternatives[guess.index] or "(empty)"

    def details(self, items: Sequence[MultipleChoice], guesses: Sequence[ChoiceGuess]) -> list[str]:
        lines = [f"chance: {np.mean([1 / len(item.alternatives) for item in items]):.3f}"]
        tied = sum(guess.tied for guess in guesses)
        if tied:
            lines.append(f"{tied:,} questions with two alternatives as probable as each other, counted as wrong")
        return lines
