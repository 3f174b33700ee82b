"""A few items of every kind of task: to learn from, and odd ones to be predicted."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from langnet.text.chains import Document, PronounChoice
from langnet.text.frames import Frame, FramedSentence
from langnet.text.labelled import LabelledData
from langnet.text.multiple_choice import MultipleChoice
from langnet.text.pairs import Pair
from langnet.text.questions import Answer, Question
from langnet.text.tag_schemes import Span, spans
from langnet.text.tagged_sentences import Sentence
from langnet.text.text_items import TextItem
from langnet.text.translations import Translation
from langnet.text.tree_files import ParseItem, item_of
from langnet.text.trees import Bracket, Tree

# Empty, one token, many tokens (10,000 in the slow tests), emoji, right to left, Chinese, combining marks.
LONG = "word " * 300
ODD_TEXTS = ["", "a", LONG, "👩‍👩‍👧 🎬", "فيلم رائع جدا", "电影很好看。", "Àwọn ọmọ ilé ìwé"]


# Settings of heads that would write long texts before they have learned when to end.
HEADS = {"translate": {"longest": "30", "beam": "2", "vocabulary_size": "300"}}


def pairs(data: LabelledData) -> list[Pair]:
    """Two reviews: do they agree?"""
    rows = zip(data.texts, data.labels, data.texts[1:], data.labels[1:], strict=False)
    return [Pair(a, b, "same" if one == other else "other") for a, one, b, other in rows]


def rated_pairs(data: LabelledData) -> list[Pair]:
    """The same as a number, and a number between for some."""
    return [replace(pair, label=(pair.label == "same") + index % 3 / 10) for index, pair in enumerate(pairs(data))]


def odd_pairs() -> list[Pair]:
    """Every odd text before and after an ordinary one, and beside itself."""
    return [pair for text in ODD_TEXTS for pair in (Pair(text, "a film"), Pair("a film", text), Pair(text, text))]


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


def documents(data: LabelledData) -> list[Document]:
    """Pairs of reviews, in which what is reviewed twice is one thing, and every full stop is another."""
    found = []
    for one, other in zip(data.texts, data.texts[1:] + data.texts[:1], strict=True):
        words = tuple(f"{one} {other}".replace(".", " .").split())
        starts = [0, *(i + 1 for i, word in enumerate(words[:-1]) if word == ".")]
        things: dict[str, list[tuple[int, int]]] = {}
        for start in starts:
            things.setdefault(words[start + 1], []).append((start, start + 1))
        found.append(Document(words, tuple(starts), tuple(tuple(spans) for spans in things.values())))
    return found


def odd_documents() -> list[Document]:
    """Odd texts as words and as sentences of one word; nothing; a question of a pronoun."""
    split = [tuple(text.split()) for text in ODD_TEXTS]
    whole = [Document(words) for words in split] + [Document(words, tuple(range(len(words) or 1))) for words in split]
    return [*whole, Document(("Ann", "met", "Eve", ".", "She", "sang"), choice=PronounChoice((4, 4), (0, 0), (2, 2)))]


def translations(data: LabelledData) -> list[Translation]:
    """Reviews in capitals."""
    return [Translation(text[:60], text[:60].upper()) for text in data.texts]


def odd_translations() -> list[Translation]:
    """Odd texts to be translated."""
    return [Translation(text) for text in ODD_TEXTS]


def sentences(data: LabelledData) -> list[Sentence]:
    """Reviews as words, in which what is reviewed and what is said of it are spans."""
    found = []
    for text in data.texts:
        words = text.replace(".", " .").split()
        judged = [i for i, word in enumerate(words) if word == "was"]
        tags = ["O"] * len(words)
        for i in judged:
            tags[i - 1] = "B-thing"
            end = words.index(".", i)
            tags[i + 1 : end] = ["B-view", *["I-view"] * (end - i - 2)]
        found.append(Sentence(tuple(words), tuple(tags)))
    return found


def framed(data: LabelledData) -> list[FramedSentence]:
    """The same words: every "was" is a predicate, what is reviewed and what is said of it are its roles."""
    found = []
    for sentence in sentences(data):
        views = [span for span in spans(sentence.tags or ()) if span.type == "view"]
        frames = []
        for view in views:
            place = view.start - 1
            roles = (Span("A1", place - 2, place), Span("A2", view.start, view.end))
            frames.append(Frame(place, roles, "be.01"))
        found.append(FramedSentence(sentence.words, tuple(frames)))
    return found


def odd_framed() -> list[FramedSentence]:
    """Odd sentences whose predicates are to be found; with none; with every word, or the first and the last, as one."""
    unknown = [FramedSentence(sentence.words) for sentence in odd_sentences()]
    none = [replace(sentence, frames=()) for sentence in unknown]
    ends = [
        replace(sentence, frames=(Frame(0), Frame(len(sentence.words) - 1)))
        for sentence in unknown
        if len(sentence.words) > 1
    ]
    short = [s for s in unknown if len(s.words) < 20]
    every = [replace(s, frames=tuple(Frame(place) for place in range(len(s.words)))) for s in short]
    return [*unknown, *none, *ends, *every]


def odd_sentences() -> list[Sentence]:
    """Every odd text as words; no words; words that are blanks or nothing, or hold blanks; two joined by a mark."""
    split = [Sentence(tuple(text.split())) for text in ODD_TEXTS]
    return [*split, Sentence((" ", "", "New York", "\u0301a", "x" * 300))]


def label_sets(data: LabelledData) -> list[TextItem]:
    """What a review speaks of, and whether it is long; some have no label at all."""
    things = ("film", "story", "music")
    found = []
    for text in data.texts:
        labels = [thing for thing in things if f"The {thing} " in text] + ["long"] * (text.count(".") > 3)
        found.append(TextItem(text, tuple(sorted(labels))))
    return found


def numbered(data: LabelledData) -> list[TextItem]:
    """How many sentences a review has, above or below zero by its mood."""
    rows = zip(data.texts, data.labels, strict=True)
    return [TextItem(text, text.count(".") * (1.0 if label == "pos" else -1.0)) for text, label in rows]


def odd_texts() -> list[TextItem]:
    """Every odd text by itself."""
    return [TextItem(text) for text in ODD_TEXTS]


def trees(data: LabelledData) -> list[ParseItem]:
    """Reviews as trees of what is reviewed and what is said of it, under one root."""
    found = []
    for item in sentences(data):
        tags = [
            "DT" if word in ("The", "a") else "VBD" if word == "was" else "." if word == "." else "NN"
            for word in item.words
        ]
        brackets = [Bracket("ROOT", 0, len(tags))]
        start = 0
        for end in (i + 1 for i, word in enumerate(item.words) if word == "."):
            middle = item.words.index("was", start)
            brackets += [Bracket("S", start, end), Bracket("NP-SBJ", start, middle), Bracket("VP", middle, end - 1)]
            brackets.append(Bracket("ADJP", middle + 1, end - 1))
            start = end
        found.append(item_of(Tree(item.words, tuple(tags), tuple(brackets))))
    return found


def odd_trees() -> list[ParseItem]:
    """The odd sentences, and words with brackets."""
    return [*(ParseItem(item.words) for item in odd_sentences()), ParseItem(("(", "-LRB-", "``"))]


TRAIN: dict[str, Callable[[LabelledData], Sequence[Any]]] = {
    "answer": questions,
    "choose": choices,
    "corefer": documents,
    "entail": pairs,
    "multilabel": label_sets,
    "regress": numbered,
    "label_roles": framed,
    "parse": trees,
    "similarity": rated_pairs,
    "tag": sentences,
    "translate": translations,
}
ODD: dict[str, Callable[[], Sequence[Any]]] = {
    "answer": odd_questions,
    "choose": odd_choices,
    "corefer": odd_documents,
    "entail": odd_pairs,
    "multilabel": odd_texts,
    "regress": odd_texts,
    "label_roles": odd_framed,
    "parse": odd_trees,
    "similarity": odd_pairs,
    "tag": odd_sentences,
    "translate": odd_translations,
}
