"""Tags of words as a kind of task: named entities, parts of speech, chunks."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError, warn
from langnet.evaluate.scoring import Neighbour
from langnet.evaluate.tag_baselines import chain_of_features, one_tag, tag_of_word
from langnet.evaluate.tag_scores import (
    reading_in,
    span_scores,
    strict_f1,
    tag_statistics,
    type_lines,
    word_scores,
)
from langnet.recipes.kinds.kind import Columns, HeadOptions, Kind
from langnet.recipes.kinds.settings import SWITCH, read_settings
from langnet.tasks.tag import Tag, TagConfig, TagGuess
from langnet.tasks.task import SupervisedTask
from langnet.text.corpus import Source
from langnet.text.structures import Bracket, Structure
from langnet.text.tag_schemes import OUTSIDE, SCHEMES, Scheme, inventory, parts, recognise, spans
from langnet.text.tag_schemes import faults as faults_of
from langnet.text.tagged import describe_faults, read_tagged, refuse_misfits, refuse_odd_tags, write_tagged
from langnet.text.tagged_sentences import LearnedColumn, Sentence, place_of

HIDDEN = 128  # units of each direction of the task network
MOST_CHAINED = 150  # tags, up to which a conditional random field, whose cost grows with their square, is the default


# Settings of the head, and their values, the default first.
SETTINGS: dict[str, tuple[str, ...]] = {
    "crf": ("auto", *SWITCH),
    "words": ("last", "first", "mean"),
    "scheme": ("auto", *SCHEMES[1:]),
    "constraints": ("decoding", "always", "never"),
    "hidden": (str(HIDDEN), "0", "32", "64", "256", "512", "1024"),
    "layers": ("1", "2", "3"),
    "output_mix": ("off", "on"),
}


class Tagging(Kind[Sentence, TagGuess]):
    """One tag a word."""

    name = "tag"
    summary = "tags of words: named entities, parts of speech, chunks"
    unit = "sentences"
    labels_further = True

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[Sentence]:
        return read_tagged(sources, columns.text, columns.label, labelled)

    def as_read(self, items: Sequence[Sentence], columns: Columns) -> Columns:
        """Columns without names are counted from the right, but where predictions stand behind them, from the left."""
        asked, layout = columns.label or "-1", items[0].layout if items else None
        if layout is None or layout.kind != "columns" or layout.named or not asked.startswith("-"):
            return columns
        if any(
            item.layout is None or (item.layout.tags, item.layout.width) != (layout.tags, layout.width)
            for item in items
        ):
            return columns
        return replace(columns, label=str(LearnedColumn(int(asked), layout.tags + 1, layout.width)))

    def remarks(self, items: Sequence[Sentence]) -> list[str]:
        return list(dict.fromkeys(item.layout.note for item in items if item.layout and item.layout.note))

    def head(self, items: Sequence[Sentence], encoder: Encoder, options: HeadOptions) -> Tag:
        """A head for the tags that occur, in the scheme that they are recognised to have."""
        gold, chosen = _gold(items), read_settings(self.name, options.settings, SETTINGS)
        settings = {name: values[0] for name, values in SETTINGS.items()} | chosen
        found = scheme = "plain" if settings["scheme"] == "plain" else recognise(gold)
        if settings["scheme"] != "plain":
            refuse_odd_tags(items)
        if found == "plain":
            labels = sorted({tag for tags in gold for tag in tags})
        else:
            if settings["scheme"] != "auto":
                scheme = next(name for name in SCHEMES if name == settings["scheme"])
            elif found == "iob1":
                scheme = "iob2"
            types = {span.type for tags in gold for span in spans(tags)}
            labels = inventory(types, scheme) if types else [OUTSIDE]
            faults = describe_faults(items, found)
            if faults:
                warn(faults)
        if len(labels) < 2:
            raise LangnetError(f"a tagger needs two different tags or more, found {', '.join(labels) or 'none'}")
        words: Any = settings["words"]
        constraints: Any = settings["constraints"]
        crf = settings["crf"]
        config = TagConfig(
            labels=tuple(labels),
            scheme=scheme,
            written=found,
            words=words,
            hidden=int(settings["hidden"]) if options.hidden is None or "hidden" in chosen else options.hidden,
            layers=int(settings["layers"]),
            mixed_layers=encoder.n_layers + 1 if settings["output_mix"] == "on" else 0,
            crf=len(labels) <= MOST_CHAINED if crf == "auto" else crf == "on",
            constraints=constraints,
            dropout=options.dropout,
        )
        return Tag(config, encoder.mixed_dim)

    def labels(self, task: SupervisedTask[Sentence, TagGuess]) -> list[str] | None:
        assert isinstance(task, Tag)
        return list(task.settings.labels)

    def labels_in(
        self, task: SupervisedTask[Sentence, TagGuess], items: Sequence[Sentence]
    ) -> tuple[Sequence[str], Iterable[tuple[str, str]]]:
        """The types of spans; tags, where they mark none."""
        assert isinstance(task, Tag)
        known, scheme = list(task.settings.labels), task.settings.written
        if scheme != "plain":
            known = list(dict.fromkeys(parts(tag)[1] for tag in known if tag != OUTSIDE))
            refuse_misfits(items, scheme, known)
        tags = ((item, place, tag) for item in items for place, tag in enumerate(item.tags or ()))
        told = (
            (parts(tag)[1] if scheme != "plain" else tag, item, place)
            for item, place, tag in tags
            if scheme == "plain" or tag != OUTSIDE
        )
        return known, ((label, place_of(item, place)) for label, item, place in told)

    def statistics(self, items: Sequence[Sentence], methods: Sequence[Sequence[TagGuess]]) -> np.ndarray:
        gold = _gold(items)
        scheme = _scheme(gold, methods)
        tags = [[guess.tags for guess in guesses] for guesses in methods]
        table, _ = tag_statistics(gold, tags, reading_in(scheme))
        # One more number, the same for all: whether words or spans are counted, since sums alone do not say.
        kind = np.full((*table.shape[:2], 1), float(scheme == "plain"))
        return np.concatenate([table, kind], axis=2)

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        plain = bool((sums[..., -1] > 0).all())
        return (word_scores if plain else span_scores)(sums[..., :-1])

    def simplest(self, train: Sequence[Sentence], test: Sequence[Sentence]) -> Neighbour:
        tags, new = _gold(train), [item.words for item in test]
        if recognise(tags) == "plain":
            return Neighbour("the most frequent tag", _guesses(one_tag(tags, new)))
        return Neighbour("no spans at all", _guesses([[OUTSIDE] * len(own) for own in new]))

    def neighbours(self, train: Sequence[Sentence], test: Sequence[Sentence]) -> list[Neighbour]:
        words, tags, new = [item.words for item in train], _gold(train), [item.words for item in test]
        return [
            self.simplest(train, test),
            Neighbour("each word's most frequent tag", _guesses(tag_of_word(words, tags, new))),
            Neighbour("CRF of word features", _guesses(chain_of_features(words, tags, new)), "L-BFGS, words' looks"),
        ]

    def labelled(self, item: Sentence, guess: TagGuess) -> tuple[Sentence, float]:
        """As sure as the least sure of its words' tags."""
        return replace(item, tags=guess.tags), min(guess.probabilities, default=0.0)

    def stratum(self, item: Sentence) -> Hashable:
        """The types of its spans; of tags that mark none, nothing."""
        tags = item.tags or ()
        return () if recognise([tags]) == "plain" else tuple(sorted({span.type for span in spans(tags)}))

    def written(self, items: Sequence[Sentence], guesses: Sequence[TagGuess]) -> str:
        return write_tagged(items, [guess.tags for guess in guesses])

    def said(self, item: Sentence, guess: TagGuess) -> str:
        return self.structures([item], [guess])[0].told or "no spans"

    def structures(self, items: Sequence[Sentence], guesses: Sequence[TagGuess]) -> list[Structure]:
        """Brackets over spans; where tags mark none, over every word."""
        read = reading_in(_scheme([guess.tags for guess in guesses], [guesses]))
        found = [read(guess.tags) for guess in guesses]
        colour = {name: index for index, name in enumerate(sorted({span.type for own in found for span in own}))}
        drawn = []
        for item, own in zip(items, found, strict=True):
            row = [Bracket(span.start, span.end, span.type, colour[span.type]) for span in own]
            told = "; ".join(f"{span.type}: {' '.join(item.words[span.start : span.end])}" for span in own)
            drawn.append(Structure(item.words, [row] if row else [], (), told))
        return drawn

    def details(self, items: Sequence[Sentence], guesses: Sequence[TagGuess]) -> list[str]:
        """Scores by type, F1 in seqeval's strict mode, and what the true tags break of their scheme."""
        gold, predicted = _gold(items), [guess.tags for guess in guesses]
        scheme = _scheme(gold, [guesses])
        table, types = tag_statistics(gold, [predicted], reading_in(scheme))
        lines = type_lines(table[0].sum(0), types)
        true = scheme
        if scheme != "plain" and any(map(partial(faults_of, scheme=scheme), gold)):
            found = recognise(gold)
            true = scheme if found == "plain" else found
        if scheme != "plain":
            strict = strict_f1(gold, predicted, (true, scheme))
            lines.append(f"F1 of spans that are whole in {true.upper()} (strict): {strict:.3f}")
        faults = describe_faults(items, true)
        return [*lines, faults] if faults else lines


def _gold(items: Sequence[Sentence]) -> list[Sequence[str]]:
    return [item.tags or () for item in items]


def _scheme(gold: Sequence[Sequence[str]], methods: Sequence[Sequence[TagGuess]]) -> Scheme:
    """That of the model whose guesses are among those of the methods; of methods alone, that of the true tags.

    A part of a file, or one of few sentences, need not have what tells the schemes apart.
    """
    stored = (guess.scheme for guesses in methods for guess in guesses[:1] if guess.scheme)
    return next(stored, None) or recognise(gold)


def _guesses(tags: Sequence[Sequence[str]]) -> list[Any]:
    return [TagGuess(tuple(own)) for own in tags]
