"""A few items of every kind of task: to learn from, and odd ones to be predicted."""

from collections.abc import Callable, Sequence
from typing import Any

from langnet.text.labelled import LabelledData
from langnet.text.pairs import Pair
from langnet.text.questions import Answer, Question

# Empty, one token, 10,000 tokens, emoji, right to left, Chinese, combining marks.
ODD_TEXTS = ["", "a", "word " * 10_000, "👩‍👩‍👧 🎬", "فيلم رائع جدا", "电影很好看。", "Àwọn ọmọ ilé ìwé"]


def pairs(data: LabelledData) -> list[Pair]:
    """Two reviews: do they agree?"""
    rows = zip(data.texts, data.labels, data.texts[1:], data.labels[1:], strict=False)
    return [Pair(a, b, "same" if one == other else "other") for a, one, b, other in rows]


def odd_pairs() -> list[Pair]:
    """Every odd text beside every other."""
    return [Pair(first, second) for first in ODD_TEXTS for second in ODD_TEXTS]


def questions(data: LabelledData) -> list[Question]:
    """How was the last thing that a review speaks of? Some are asked of another thing, and have no answer."""
    items = []
    for index, text in enumerate(data.texts):
        thing, _, word = text.rstrip(".").rpartition(". ")[2].removeprefix("The ").partition(" was ")
        missing = index % 5 == 4 and "The king" not in text
        answers = () if missing else (Answer(word, len(text) - 1 - len(word)),)
        asked = f"How was the {'king' if missing else thing}?"
        items.append(Question(asked, text, answers, f"q{index}", f"article {index // 4}", "reviews.json"))
    return items


def odd_questions() -> list[Question]:
    """Every odd text as a question, and as a passage, and the longest as both."""
    plain, long = "The ending was a joy.", max(ODD_TEXTS, key=len)
    texts = (
        [(text, plain) for text in ODD_TEXTS] + [("How was it?", text) for text in ODD_TEXTS] + [(long, long), ("", "")]
    )
    return [Question(question, passage, name=str(index)) for index, (question, passage) in enumerate(texts)]


TRAIN: dict[str, Callable[[LabelledData], Sequence[Any]]] = {"entail": pairs, "answer": questions}
ODD: dict[str, Callable[[], Sequence[Any]]] = {"entail": odd_pairs, "answer": odd_questions}
