"""Unlabelled items of a task that become further examples, by what a first model guesses of them (Lee 2013).

Classification learns from unlabelled texts by its document vectors too, see `recipes.finetune`; this is what serves
every kind whose guesses have probabilities.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import torch

from langnet.recipes.kinds.kind import Kind
from langnet.recipes.model import Model
from langnet.transfer.pseudo_labels import PseudoLabelOptions, for_training


def guessed_items(
    model: Model,
    kind: Kind[Any, Any],
    labelled: Sequence[Any],
    unlabelled: Sequence[Any],
    options: PseudoLabelOptions,
    seed: int,
) -> list[Any]:
    """The items whose guesses are the surest of their class, with these guesses as labels.

    As many of each class as its share of the labelled items allows, so that no class swallows the others; what is
    guessed that no labelled item has is left out, and so is what has no probability at all.

    Args:
        model: has learned the task from the labelled items.
        kind: the task.
        labelled: with their labels.
        unlabelled: of the same kind.
        options: how many are read, and which part of these is kept.
        seed: of the draw where there are more than may be read.
    """
    pool = options.sample(unlabelled, seed, encoded=True)
    guessed = [kind.labelled(item, guess) for item, guess in zip(pool, model.guess(pool), strict=True)]
    place: dict[Hashable, int] = {}
    known = np.array([place.setdefault(kind.stratum(item), len(place)) for item in labelled])  # (n,)
    sure = torch.zeros(len(pool), len(place) + 1, dtype=torch.double)  # the last column: of no labelled item
    for row, (item, probability) in enumerate(guessed):
        if probability > 0:
            sure[row, place.get(kind.stratum(item), len(place))] = probability
        else:
            sure[row, -1] = 1.0
    return [guessed[row][0] for row in for_training(sure, known, options)]


def check_readable(model: Model, unlabelled: Sequence[Any], options: PseudoLabelOptions, seed: int) -> None:
    """Nothing, where the model can read the items that it is to guess; asked before it has learned anything.

    Raises:
        LangnetError: it cannot, as where its head was not made to find what they leave out.
    """
    model.network.task.examples(options.sample(unlabelled, seed, encoded=True), model.writer, labelled=False)
