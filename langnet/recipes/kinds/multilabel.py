"""Texts with any number of labels as a kind of task."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import expit

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate.label_sets import choose_thresholds, indicator, label_set_scores, label_set_statistics
from langnet.evaluate.predictions import Predictions
from langnet.evaluate.scoring import Neighbour
from langnet.evaluate.text_baselines import most_frequent_set, tfidf_label_sets
from langnet.recipes.kinds.kind import Columns, HeadOptions
from langnet.recipes.kinds.settings import read_settings
from langnet.recipes.kinds.text_heads import POOLING, as_facts, begin_head, head_shape, text_columns
from langnet.recipes.kinds.written_rows import RowKind
from langnet.recipes.model import Model
from langnet.tasks.multilabel import LabelSetGuess, MultiLabel, MultiLabelConfig
from langnet.tasks.task import SupervisedTask
from langnet.text.corpus import Source
from langnet.text.text_items import LIST, LabelLayout, TextItem, read_label_sets
from langnet.text.written_tables import PREDICTED
from langnet.transfer.frozen_targets import LABEL_SETS

SETTINGS = {"thresholds": ("one", "each", "half"), **POOLING}
MOST_SHOWN = 30  # labels


class MultiLabelClassification(RowKind[TextItem, LabelSetGuess]):
    """Any number of labels a text, none included."""

    name = "multilabel"
    summary = "texts with any number of labels: topics, tags, emotions"
    unit = "texts"
    labels_further = True

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[TextItem]:
        return read_label_sets(sources, text_columns(columns), labelled)

    def as_read(self, items: Sequence[TextItem], columns: Columns) -> Columns:
        lists = all(item.layout.separator == LIST for item in items)
        return replace(columns, separator=LIST) if lists and columns.separator is None else columns

    def head(self, items: Sequence[TextItem], encoder: Encoder, options: HeadOptions) -> MultiLabel:
        chosen = read_settings(self.name, options.settings, SETTINGS)
        names = sorted({label for own in _sets(items) for label in own})
        if not names:
            raise LangnetError("no text has a label; there is nothing to learn from")
        shape = head_shape(options, chosen.get("pooling", "mean"))
        how: Any = chosen.get("thresholds", "one")
        return MultiLabel(MultiLabelConfig(tuple(names), (), how, shape), encoder.mixed_dim)

    def begin(self, model: Model, examples: Sequence[Any], fit: bool, seed: int) -> Mapping[str, Any] | None:
        found = begin_head(model, examples, LABEL_SETS, fit, seed)
        if found is None:
            return None
        task = model.network.task
        gold = np.stack([example.label for example in examples])[found.index].astype(bool)  # (m, C)
        if len(gold):
            task.settle(choose_thresholds(expit(found.scores), gold, task.settings.how))
        return as_facts(found)

    def settle(
        self, task: SupervisedTask[TextItem, LabelSetGuess], items: Sequence[TextItem], guesses: Sequence[LabelSetGuess]
    ) -> None:
        """Choose thresholds on held-out texts."""
        assert isinstance(task, MultiLabel)
        table = np.array([list(guess.probabilities.values()) for guess in guesses])
        gold = indicator(_sets(items), task.settings.labels)
        task.settle(choose_thresholds(table, gold, task.settings.how))

    def labels(self, task: SupervisedTask[TextItem, LabelSetGuess]) -> list[str] | None:
        assert isinstance(task, MultiLabel)
        return list(task.settings.labels)

    def labels_in(
        self, task: SupervisedTask[TextItem, LabelSetGuess], items: Sequence[TextItem]
    ) -> tuple[Sequence[str], Iterable[tuple[str, str]]]:
        sets = zip(_sets(items), items, strict=True)
        return self.labels(task) or [], ((label, item.source) for own, item in sets for label in own)

    def statistics(self, items: Sequence[TextItem], methods: Sequence[Sequence[LabelSetGuess]]) -> np.ndarray:
        sets = _sets(items)
        known = {name for guesses in methods for guess in guesses for name in guess.probabilities}
        names = sorted(known.union(*sets))
        tables = [indicator([guess.labels for guess in guesses], names) for guesses in methods]
        return label_set_statistics(indicator(sets, names), tables)

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return label_set_scores(sums)

    def simplest(self, train: Sequence[TextItem], test: Sequence[TextItem]) -> Neighbour:
        return Neighbour("most frequent set", most_frequent_set(_sets(train), len(test)))

    def neighbours(self, train: Sequence[TextItem], test: Sequence[TextItem]) -> list[Neighbour]:
        sets = _sets(train)
        names = sorted({label for own in sets for label in own})
        majority = self.simplest(train, test)
        texts, asked = [item.text for item in train], [item.text for item in test]
        found = tfidf_label_sets(texts, indicator(sets, names), names, asked, "one")
        return [
            majority,
            Neighbour("TF-IDF", majority.guesses if found is None else found, "a logistic regression a label"),
        ]

    def labelled(self, item: TextItem, guess: LabelSetGuess) -> tuple[TextItem, float]:
        """As sure as the least sure of its labels, given or not."""
        sure = [share if name in guess.labels else 1 - share for name, share in guess.probabilities.items()]
        return replace(item, label=guess.labels), min(sure)

    def stratum(self, item: TextItem) -> Hashable:
        return item.label

    def added(self, items: Sequence[TextItem], guesses: Sequence[LabelSetGuess]) -> list[dict[str, Any]]:
        added = []
        for item, guess in zip(items, guesses, strict=True):
            each = {f"p({name})": round(value, 6) for name, value in guess.probabilities.items()}
            said = {PREDICTED + name: cell for name, cell in _written_set(guess, item.layout).items()}
            added.append(said | each)
        return added

    def decisions(
        self, items: Sequence[TextItem], guesses: Sequence[LabelSetGuess]
    ) -> tuple[list[str], Predictions] | None:
        """Of every text and every label of the model: yes or no, whichever is more probable, whatever the threshold."""
        if not guesses:
            return None
        names = list(guesses[0].probabilities)
        gold = indicator(_sets(items), names).ravel()
        yes = np.array([list(guess.probabilities.values()) for guess in guesses]).ravel()  # (N x C,)
        words = ["yes" if one else "no" for one in gold]
        return words, Predictions.from_probabilities(np.stack([1 - yes, yes], axis=1), ["no", "yes"])

    def details(self, items: Sequence[TextItem], guesses: Sequence[LabelSetGuess]) -> list[str]:
        """Scores by label, the most frequent ones first, and how many labels a text has."""
        sets, given = _sets(items), [guess.labels for guess in guesses]
        names = sorted({label for own in (*sets, *given) for label in own})
        gold, guessed = indicator(sets, names), indicator(given, names)
        hits, true, predicted = (gold & guessed).sum(0), gold.sum(0), guessed.sum(0)  # (C,)
        order = np.argsort(-true, kind="stable")
        width = max([len(names[i]) for i in order[:MOST_SHOWN]], default=0)
        lines = [f"labels a text: true {gold.sum() / len(gold):.2f}, predicted {guessed.sum() / len(gold):.2f}"]
        for i in order[:MOST_SHOWN]:
            precision, recall = hits[i] / max(predicted[i], 1), hits[i] / max(true[i], 1)
            f1 = 2 * hits[i] / max(true[i] + predicted[i], 1)
            lines.append(
                f"{names[i]:{width}}  F1 {f1:.3f}  precision {precision:.3f}  recall {recall:.3f}  "
                f"true {true[i]:,}  predicted {predicted[i]:,}"
            )
        return lines + ([f"and {len(order) - MOST_SHOWN} more"] if len(order) > MOST_SHOWN else [])


def _sets(items: Sequence[TextItem]) -> list[tuple[str, ...]]:
    return [item.label if isinstance(item.label, tuple) else () for item in items]


def _written_set(guess: LabelSetGuess, layout: LabelLayout) -> dict[str, Any]:
    """The set as the file writes such: a list, labels with a separator between, or a column of 0 and 1 each."""
    if layout.columns:
        names = dict.fromkeys([*layout.columns, *guess.probabilities])
        return {name: int(name in guess.labels) for name in names}
    ambiguous = any(layout.separator in label for label in guess.labels)
    if layout.separator == LIST or ambiguous:
        return {layout.column: list(guess.labels)}
    return {layout.column: layout.separator.join(guess.labels)}
