"""`langnet explain`: which words of a text speak for what a model says of it.

Two methods. Occlusion (Zeiler & Fergus 2014; Li et al. 2016): a word is taken out, and what the score loses is its
contribution. Gradient times input (Shrikumar et al. 2016): the slope of the score at each word's embedding, times the
embedding; one pass for all words, exact where the score is linear in the embeddings. Both say what the model reacts to,
not why, and not whether it is right to.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from langnet.encoders.precision import exact
from langnet.errors import LangnetError
from langnet.recipes.explain_documents import DocumentReading
from langnet.recipes.explain_reading import Contribution, ExplainOptions, Explanation, Occlude, Reading
from langnet.recipes.explain_units import Unit
from langnet.recipes.kinds.registry import find_kind
from langnet.recipes.model import Model
from langnet.tasks.choose import ChoiceExample
from langnet.tasks.document_head import DocumentHead
from langnet.tasks.task import ClassGuess, SupervisedTask
from langnet.text.batches import Batch
from langnet.transfer.features import mixed_encoding

SUREST = 1e-12  # how far below 0 a log-probability is taken to lie at least
__all__ = ["Contribution", "ExplainOptions", "Explanation", "explain_items", "explain_texts", "reads_texts"]


def explain_texts(model: Model, texts: Sequence[str], options: ExplainOptions | None = None) -> list[Explanation]:
    """Explain what a model says of each text: its class, one of its labels, its number.

    Args:
        model: a classifier of texts, also of several labels, or a model that gives them a number.
        texts: to be explained.
        options: how.

    Raises:
        LangnetError: the model is no such model, or does not know the label.
    """
    options = options or ExplainOptions()
    if not reads_texts(model):
        model.refuse("be asked why it labels texts so", "give a classifier, or items of the model's own task")
    names = model.labels or []
    if options.label is not None and options.label not in names:
        known = f"it knows {', '.join(names[:10])}" if names else "it gives numbers"
        raise LangnetError(f"the model does not know the label '{options.label}'; {known}")
    return [DocumentReading(model, text, options).explain() for text in texts]


def reads_texts(model: Model) -> bool:
    """Whether the model says something of single texts."""
    return isinstance(model.network.task, DocumentHead)


def explain_items(model: Model, items: Sequence[Any], options: ExplainOptions | None = None) -> list[Explanation]:
    """Explain the guess of a model for any other task at each item.

    Raises:
        LangnetError: the model is no such model, its task has no score of a guess, or an option does not suit it.
    """
    options = options or ExplainOptions()
    task = model.network.task
    if not isinstance(task, SupervisedTask):
        model.refuse("be asked why it says something of such items", "give a model for a task: langnet finetune --task")
    if reads_texts(model):
        return explain_texts(model, [item.text for item in items], options)
    if options.label is not None or options.occlude == "remove":
        raise LangnetError(
            f"the task '{task.name}' explains its own guess, with words replaced; leave label and remove out"
        )
    return [_Item(model, item, options).explain() for item in items]


class _Item(Reading):
    """An item of any task and the log-odds of the model's guess, or the number that it is."""

    default: Occlude = "unknown"

    def __init__(self, model: Model, item: Any, options: ExplainOptions):
        (example,) = model.network.task.examples([item], model.writer, labelled=False)
        super().__init__(model, example, options)
        self.item = item
        if isinstance(example, ChoiceExample):
            self.units = _of_all_rows(self.units, example)
        (self.guess,) = model.guesses_of([example])

    def scored(self, batch: Batch) -> Tensor:
        encoding = self.model.encoder(batch.ids, batch.mask)
        mixed = mixed_encoding(self.model.network.mix, encoding)
        task: SupervisedTask[Any, Any] = self.model.network.task
        logs = task.guess_scores(mixed, batch, [self.guess] * batch.n_examples)  # (N,)
        if not task.scores_are_logs:
            return logs
        logs = exact(logs).clamp_max(-SUREST)
        return logs - torch.log(-torch.expm1(logs))

    def explain(self) -> Explanation:
        options = self.options
        guess = find_kind(self.model.network.task.name).said(self.item, self.guess)
        probability = self.guess.probability if isinstance(self.guess, ClassGuess) else None
        parts = (guess, options.method, options.unit)
        if options.method == "gradient":
            batch = self.model.collate([self.example]).to(self.device)
            value, _, cells = self.gradients(batch, lambda batch: self.scored(batch)[0])
            return Explanation(*parts, None, value, probability, self.by_unit(self.at_places(batch, cells)))
        units = self.occludable
        found = self.scores([self.example, *(self.occluded([unit]) for unit in units), self.occluded(units)])
        lost = {unit.places: float(found[0] - value) for unit, value in zip(units, found[1:-1], strict=True)}
        contributions = [Contribution(unit.text, lost.get(unit.places, 0.0), None, unit.special) for unit in self.units]
        how = options.occlude or self.default
        return Explanation(*parts, how, float(found[0]), probability, contributions, float(found[-1]))


def _of_all_rows(units: list[Unit], example: ChoiceExample) -> list[Unit]:
    """The units of an item's alternatives, what all of them begin with but once."""
    starts = [0, *accumulate(len(row) for row in example.rows)][:-1]
    # The border behind what is asked, for alternatives may begin with the same word; a cloze has none.
    border = next((unit.places[0] for unit in units if unit.special and unit.places[0] > 0), example.shared)
    shared = min(example.shared, border + 1)
    found = []
    for unit in units:
        row = bisect_right(starts, unit.places[0]) - 1
        if unit.places[-1] - starts[row] >= shared:
            found.append(unit)
        elif not row:
            found.append(replace(unit, places=tuple(start + place for start in starts for place in unit.places)))
    return found
