"""The texts of `benchmarks.equal_budget`: raw, labelled and test ones, all methods reading as much of each."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

from benchmarks.sources import read_imdb, read_masakhane, read_raw_imdb, read_yoruba
from langnet.text.labelled import LabelledData
from langnet.text.prepare import PrepareOptions

READ = 1200  # characters of a labelled or test text that all methods read, whatever their tokens
VOCABULARY = 4096


@dataclass(frozen=True)
class TextSet:
    """What one table is about.

    Attributes:
        name: of the set.
        raw: texts without labels.
        train: where labelled texts are drawn from.
        test: what is predicted.
        prepare: vocabulary and held-out part.
    """

    name: str
    raw: list[str]
    train: LabelledData
    test: LabelledData
    prepare: PrepareOptions


def read_set(arguments: argparse.Namespace) -> TextSet:
    """The texts of a table, from `--data`."""
    if arguments.set == "imdb":
        folder = arguments.data / "imdb"
        _, train, test = read_imdb(folder)
        raw, prepare = read_raw_imdb(folder), PrepareOptions(vocabulary_size=VOCABULARY, validation_fraction=0.01)
    else:
        raw = read_yoruba(arguments.data / "yoruba_text")
        train, test = read_masakhane(arguments.data / "masakhane_news" / "yor")
        prepare = PrepareOptions(vocabulary_size=VOCABULARY, validation_fraction=0.05)
    if arguments.development:  # the last texts of each class: IMDB's are numbered film by film
        last = {name: [i for i, label in enumerate(train.labels) if label == name] for name in train.label_names}
        held = {i for index in last.values() for i in index[-len(index) // 5 :]}
        test, train = (train.rows([i for i in range(len(train)) if (i in held) == side]) for side in (True, False))
    test = test.subset(min(arguments.tests, len(test)), arguments.seed)
    train, test = (replace(part, texts=[shortened(text) for text in part.texts]) for part in (train, test))
    return TextSet(arguments.set, raw[: arguments.texts or None], train, test, prepare)


def shortened(text: str) -> str:
    """The first and the last words of a text, as many as `READ` characters hold."""
    if len(text) <= READ:
        return text
    half = READ // 2
    return text[: text.rfind(" ", 0, half)] + "\n" + text[text.find(" ", len(text) - half) + 1 :]
