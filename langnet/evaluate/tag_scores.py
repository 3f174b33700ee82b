"""Scores of tagged sentences as sums over sentences: span F1 as conlleval and seqeval have it, accuracy of words.

A sentence gives, of every type, how many of its spans were found, predicted and true; then of its words how many tags
are right, and how many there are. Where tags mark no spans, as parts of speech do, each tag is a type and each word a
span of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from langnet.errors import LangnetError
from langnet.evaluate.metrics import ratio
from langnet.text.tag_schemes import Scheme, Span, recognise, spans, strict_spans

Reading = Callable[[Sequence[str]], list[Span]]
FOUND, PREDICTED, TRUE = range(3)
MOST_SHOWN = 30  # types
NO_TYPE = "_"  # how a type without a name is shown


@dataclass(frozen=True)
class TypeScore:
    """How well spans of one type are found."""

    type: str
    precision: float
    recall: float
    f1: float
    true: int
    predicted: int


def reading_of(gold: Sequence[Sequence[str]], strict: bool = False) -> Reading:
    """How tags are read as spans, which the true ones settle.

    Args:
        gold: the true tags of all sentences.
        strict: count only spans that are whole and correct in the scheme of the true tags (seqeval's strict mode).
    """
    return reading_in(recognise(gold), strict)


def reading_in(scheme: Scheme, strict: bool = False) -> Reading:
    """How tags of a scheme are read as spans; see `reading_of`."""
    if scheme == "plain":
        return _words
    return (lambda tags: strict_spans(tags, scheme)) if strict else spans


def _words(tags: Sequence[str]) -> list[Span]:
    """Every word as a span of its tag."""
    return [Span(tag, place, place + 1) for place, tag in enumerate(tags)]


def tag_statistics(
    gold: Sequence[Sequence[str]], methods: Sequence[Sequence[Sequence[str]]], reading: Reading | None = None
) -> tuple[np.ndarray, list[str]]:
    """What each sentence adds to the scores of each of M methods.

    Args:
        gold: the true tags of N sentences.
        methods: of each method the tags of the N sentences.
        reading: of tags as spans; None takes `reading_of(gold)`.

    Returns:
        (M, N, 3 K + 2), and the K types in their order.

    Raises:
        LangnetError: a method has another number of tags than there are words.
    """
    read = reading or reading_of(gold)
    for tags in methods:
        for n, (own, right) in enumerate(zip(tags, gold, strict=True)):
            if len(own) != len(right):
                raise LangnetError(f"sentence {n + 1}: {len(own)} tags predicted for {len(right)} words")
    counts, types = count_found([read(tags) for tags in gold], [[read(tags) for tags in method] for method in methods])
    words = [
        [[sum(map(str.__eq__, own, right)), len(own)] for own, right in zip(method, gold, strict=True)]
        for method in methods
    ]
    return np.concatenate([counts, np.array(words, dtype=float).reshape(*counts.shape[:2], 2)], axis=2), types


class HasType(Protocol):
    """What is found and counted by its type; equal where it is the same."""

    @property
    def type(self) -> str:
        """Its type."""
        ...

    def __hash__(self) -> int: ...


def count_found(
    gold: Sequence[Sequence[HasType]], methods: Sequence[Sequence[Sequence[HasType]]]
) -> tuple[np.ndarray, list[str]]:
    """How many of what each of N items truly has were found, how many predicted, how many there are, by type.

    Args:
        gold: what each item has.
        methods: what each of M methods predicts of each.

    Returns:
        (M, N, 3 K), and the K types in their order.
    """
    types = sorted({one.type for part in (gold, *methods) for own in part for one in own})
    place = {type: 3 * index for index, type in enumerate(types)}
    table = np.zeros((len(methods), len(gold), 3 * len(types)))
    for number, method in enumerate(methods):
        for row, mine, true in zip(table[number], method, gold, strict=True):
            for kind, part in ((PREDICTED, mine), (TRUE, true), (FOUND, set(mine) & set(true))):
                for one in part:
                    row[place[one.type] + kind] += 1
    return table, types


def span_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """F1, precision and recall of spans over all types, and accuracy of words, of sums (..., 3 K + 2)."""
    return {**found_scores(sums[..., :-2]), "accuracy": ratio(sums[..., -2], sums[..., -1])}


def found_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """F1, precision and recall over all types, of sums (..., 3 K) of `count_found`."""
    found, predicted, true = (sums[..., kind::3].sum(-1) for kind in (FOUND, PREDICTED, TRUE))
    return {
        "f1": ratio(2 * found, predicted + true),
        "precision": ratio(found, predicted),
        "recall": ratio(found, true),
    }


def word_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Accuracy of words, and the mean F1 of the tags that occur, of sums (..., 3 K + 2)."""
    found, both = sums[..., FOUND:-2:3], sums[..., PREDICTED:-2:3] + sums[..., TRUE:-2:3]  # (..., K)
    mean = ratio(ratio(2 * found, both).sum(-1), (both > 0).sum(-1))
    return {"accuracy": ratio(sums[..., -2], sums[..., -1]), "macro_f1": mean}


def type_scores(sums: np.ndarray, types: Sequence[str]) -> list[TypeScore]:
    """Precision, recall and F1 of every type, of sums of `count_found`, or longer; the most frequent first."""
    scores = []
    for index, type in enumerate(types):
        found, predicted, true = (sums[3 * index + kind] for kind in (FOUND, PREDICTED, TRUE))
        precision, recall, f1 = (
            float(ratio(part, whole))
            for part, whole in ((found, predicted), (found, true), (2 * found, predicted + true))
        )
        scores.append(TypeScore(type or NO_TYPE, precision, recall, f1, int(true), int(predicted)))
    return sorted(scores, key=lambda score: (-score.true, score.type))


def type_lines(sums: np.ndarray, types: Sequence[str]) -> list[str]:
    """The scores of every type, or of the most frequent ones, as lines of a report."""
    rows = type_scores(sums, types)
    width = max([len(row.type) for row in rows[:MOST_SHOWN]], default=0)
    lines = [
        f"{row.type:{width}}  F1 {row.f1:.3f}  precision {row.precision:.3f}  recall {row.recall:.3f}  "
        f"true {row.true:,}  predicted {row.predicted:,}"
        for row in rows[:MOST_SHOWN]
    ]
    return [*lines, f"and {len(rows) - MOST_SHOWN} more"] if len(rows) > MOST_SHOWN else lines


def strict_f1(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], schemes: tuple[Scheme, Scheme]
) -> float:
    """F1 of spans that are whole in their scheme, that of the true tags, and that of the predicted ones."""
    true, said = (
        [strict_spans(tags, scheme) for tags in part] for part, scheme in zip((gold, predicted), schemes, strict=True)
    )
    table, _ = count_found(true, [said])
    return float(found_scores(table[0].sum(0))["f1"])


def span_f1(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], strict: bool = False) -> float:
    """Micro-averaged F1 of spans, as conlleval has it, or in seqeval's strict mode."""
    statistics, _ = tag_statistics(gold, [predicted], reading_of(gold, strict))
    return float(span_scores(statistics[0].sum(0))["f1"])
