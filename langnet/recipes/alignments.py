"""Where a translator looked in the sentence while it wrote each token of the translation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from langnet.recipes.explain_units import units_of
from langnet.recipes.model import TOKENS_AT_ONCE, Model
from langnet.tasks.examples import in_order
from langnet.tasks.translate import Translate, TranslateGuess
from langnet.text.structures import Aligned, Side
from langnet.text.tokenizer import Tokenizer
from langnet.text.translations import Translation
from langnet.transfer.features import mixed_encoding


@torch.no_grad()
def alignments(
    model: Model, items: Sequence[Translation], guesses: Sequence[TranslateGuess] | None = None
) -> list[Aligned]:
    """The attention of a translator, the weights of the tokens of a sentence for each token of its translation.

    What an encoder makes of a token has seen the tokens around it too, so that weights are no proof of which words
    were translated into which.

    Args:
        model: fine-tuned for translation.
        items: sentences.
        guesses: their translations; None asks the model for them.

    Raises:
        LangnetError: the model is no translator.
    """
    task = model.network.task
    if not isinstance(task, Translate):
        model.refuse("say where it looked while it translated", "give a model for the task 'translate'")
    if guesses is None:
        guesses = model.guess(items)
    examples = task.examples(items, model.writer, labelled=False) if items else []
    found: dict[int, Aligned] = {}
    model.network.eval()
    device = next(model.network.parameters()).device
    for index, batch in in_order(examples, TOKENS_AT_ONCE, model.collate):
        moved = batch.to(device)
        encoding = mixed_encoding(model.network.mix, model.encoder(moved.ids, moved.mask))
        own = [guesses[int(place)] for place in index]
        for place, guess, weights in zip(index, own, task.alignment(encoding, moved, own), strict=True):
            found[int(place)] = _aligned(model.tokenizer, examples[int(place)].ids, task.tokenizer, guess, weights)
    return [found[place] for place in range(len(examples))]


def _aligned(
    reader: Tokenizer, ids: np.ndarray, writer: Tokenizer, guess: TranslateGuess, weights: np.ndarray
) -> Aligned:
    """Weights (S, W) of tokens as weights of their texts, where several tokens may hold one character."""
    written = np.array([*guess.tokens, writer.extract_id])
    source, columns = _side(reader, ids, 1)  # the mark of the start is not looked at
    target, rows = _side(writer, written, 0)
    summed = [weights[:, [place - 1 for place in own]].sum(1) for own in columns]
    table = np.stack(summed, 1)  # (T, S)
    return Aligned(source, target, np.stack([table[list(own)].mean(0) for own in rows]))


def _side(tokenizer: Tokenizer, ids: np.ndarray, first: int) -> tuple[Side, list[tuple[int, ...]]]:
    """Tokens and words from a place on, and the places of each token."""
    tokens = [unit for unit in units_of(tokenizer, ids, "token") if unit.places[0] >= first]
    where = {place: number for number, unit in enumerate(tokens) for place in unit.places}
    held = [
        [where[place] for place in unit.places] for unit in units_of(tokenizer, ids, "word") if unit.places[0] >= first
    ]
    words = [(min(numbers), max(numbers) + 1) for numbers in held]
    return Side(["" if unit.special else unit.text for unit in tokens], words), [unit.places for unit in tokens]
