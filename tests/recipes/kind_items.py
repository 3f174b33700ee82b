"""A few items of every kind of task: to learn from, and odd ones to be predicted."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from langnet.text.labelled import LabelledData
from langnet.text.multiple_choice import MultipleChoice
from langnet.text.pairs import Pair

# Empty, one token, 10,000 tokens, emoji, right to left, Chinese, combining marks.
ODD_TEXTS = ["", "a", "word " * 10_000, "👩‍👩‍👧 🎬", "فيلم رائع جدا", "电影很好看。", "Àwọn ọmọ ilé ìwé"]


def pairs(data: LabelledData) -> list[Pair]:
    """Two reviews: do they agree?"""
    rows = zip(data.texts, data.labels, data.texts[1:], data.labels[1:], strict=False)
    return [Pair(a, b, "same" if one == other else "other") for a, one, b, other in rows]


def rated_pairs(data: LabelledData) -> list[Pair]:
    """The same as a number, and a number between for some."""
    return [replace(pair, label=(pair.label == "same") + index % 3 / 10) for index, pair in enumerate(pairs(data))]


def odd_pairs() -> list[Pair]:
    """Every odd text beside every other."""
    return [Pair(first, second) for first in ODD_TEXTS for second in ODD_TEXTS]


def choices(data: LabelledData) -> list[MultipleChoice]:
    """Which verdict suits a review? Two or three alternatives, every fourth time in a blank."""
    verdicts = ("A dreadful film.", "A wonderful film.", "No film.")
    found = []
    for index, (text, label) in enumerate(zip(data.texts, data.labels, strict=True)):
        context = f"{text} _ That is all." if index % 4 == 0 else text
        found.append(MultipleChoice(context, verdicts[: 2 + index % 2], "In short?", int(label == "pos")))
    return found


def odd_choices() -> list[MultipleChoice]:
    """Odd texts as contexts and as alternatives; a single alternative; the same one twice."""
    items = [MultipleChoice(text, ("yes", text, "")) for text in ODD_TEXTS]
    return [*items, MultipleChoice("one", ("only",)), MultipleChoice("a _ b _", ("x", "x"), "_?")]


TRAIN: dict[str, Callable[[LabelledData], Sequence[Any]]] = {
    "choose": choices,
    "entail": pairs,
    "similarity": rated_pairs,
}
ODD: dict[str, Callable[[], Sequence[Any]]] = {
    "choose": odd_choices,
    "entail": odd_pairs,
    "similarity": odd_pairs,
}
