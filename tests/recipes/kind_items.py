"""A few items of every kind of task: to learn from, and odd ones to be predicted."""

from collections.abc import Callable, Sequence
from typing import Any

from langnet.text.labelled import LabelledData
from langnet.text.pairs import Pair

# Empty, one token, 10,000 tokens, emoji, right to left, Chinese, combining marks.
ODD_TEXTS = ["", "a", "word " * 10_000, "👩‍👩‍👧 🎬", "فيلم رائع جدا", "电影很好看。", "Àwọn ọmọ ilé ìwé"]


def pairs(data: LabelledData) -> list[Pair]:
    """Two reviews: do they agree?"""
    rows = zip(data.texts, data.labels, data.texts[1:], data.labels[1:], strict=False)
    return [Pair(a, b, "same" if one == other else "other") for a, one, b, other in rows]


def odd_pairs() -> list[Pair]:
    """Every odd text beside every other."""
    return [Pair(first, second) for first in ODD_TEXTS for second in ODD_TEXTS]


TRAIN: dict[str, Callable[[LabelledData], Sequence[Any]]] = {"entail": pairs}
ODD: dict[str, Callable[[], Sequence[Any]]] = {"entail": odd_pairs}
