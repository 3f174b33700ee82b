"""Constituency trees as a kind of task: bracket files in and out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from math import exp
from typing import Any

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate import bracket_scores as scoring
from langnet.evaluate.bracket_scores import EVALB, bracket_statistics, label_counts
from langnet.evaluate.scoring import Neighbour
from langnet.evaluate.tag_scores import type_lines
from langnet.evaluate.tree_baselines import Branching, grammar_trees
from langnet.recipes.kinds.kind import Columns, HeadOptions, Kind
from langnet.recipes.kinds.settings import read_settings
from langnet.tasks.parse import Parse, ParseConfig, ParseGuess
from langnet.tasks.task import SupervisedTask
from langnet.text.corpus import Source
from langnet.text.tree_files import ParseItem, read_parsed
from langnet.text.trees import Chain, JudgedTree, Tree, bare, outer_label, spans_of, tree_text

# Settings of the head, and their values, the default first.
SETTINGS: dict[str, tuple[str, ...]] = {
    "decoder": ("chart", "linear"),
    "tags": ("predict", "file"),
    "words": ("last", "first", "mean"),
    "hidden": ("128", "0", "32", "64", "256", "512"),
    "layers": ("2", "1", "3"),
    "output_mix": ("off", "on"),
    "span_hidden": ("256", "64", "128", "512"),
    "beam": ("5", "1", "2", "10", "20"),
    "length_penalty": ("0", "0.2", "0.4", "0.6", "0.8", "1"),
}


class Parsing(Kind[ParseItem, ParseGuess]):
    """One tree a sentence."""

    name = "parse"
    summary = "constituency trees of sentences: Penn Treebank brackets"
    unit = "sentences"
    labels_further = True

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[ParseItem]:
        return read_parsed(sources, columns.text, columns.label, labelled)

    def head(self, items: Sequence[ParseItem], encoder: Encoder, options: HeadOptions) -> Parse:
        """A head for the labels and tags that occur."""
        chosen = read_settings(self.name, options.settings, SETTINGS)
        settings = {name: values[0] for name, values in SETTINGS.items()} | chosen
        trees = [bare(_gold(item)) for item in items]
        labels: set[Chain] = {span.chain for tree in trees for span in spans_of(tree)}
        if not labels:
            raise LangnetError("no tree has a bracket; there is nothing to learn")
        words: Any = settings["words"]
        decoder: Any = settings["decoder"]
        config = ParseConfig(
            labels=tuple(sorted(labels)),
            tags=tuple(sorted({tag for tree in trees for tag in tree.tags})),
            outer=_outer(items),
            decoder=decoder,
            given_tags=settings["tags"] == "file",
            words=words,
            hidden=int(settings["hidden"]) if options.hidden is None or "hidden" in chosen else options.hidden,
            layers=int(settings["layers"]),
            mixed_layers=encoder.n_layers + 1 if settings["output_mix"] == "on" else 0,
            span_hidden=int(settings["span_hidden"]),
            beam=int(settings["beam"]),
            length_penalty=float(settings["length_penalty"]),
            dropout=options.dropout,
        )
        return Parse(config, encoder.mixed_dim)

    def labels(self, task: SupervisedTask[ParseItem, ParseGuess]) -> list[str] | None:
        assert isinstance(task, Parse)
        return ["+".join(chain) for chain in task.settings.labels]

    def statistics(self, items: Sequence[ParseItem], methods: Sequence[Sequence[ParseGuess]]) -> np.ndarray:
        return bracket_statistics([_gold(item) for item in items], [_trees(guesses) for guesses in methods])

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return scoring.bracket_scores(sums)

    def simplest(self, train: Sequence[ParseItem], test: Sequence[ParseItem]) -> Neighbour:
        branching, words = Branching([bare(_gold(item)) for item in train]), [item.words for item in test]
        right = branching.parse(words, "right", _outer(train))
        return Neighbour("right-branching", _guesses(right), "labels by the tags at the ends")

    def neighbours(self, train: Sequence[ParseItem], test: Sequence[ParseItem]) -> list[Neighbour]:
        trees, words = [bare(_gold(item)) for item in train], [item.words for item in test]
        outer, branching = _outer(train), Branching(trees)
        right, left = (branching.parse(words, side, outer) for side in ("right", "left"))
        grammar, others = grammar_trees(trees, words, right, outer)
        note = "with parents, h = 1, v = 2" + (f"; {others:,} of its trees branch to the right" if others else "")
        return [
            Neighbour("right-branching", _guesses(right), "labels by the tags at the ends"),
            Neighbour("left-branching", _guesses(left), "labels by the tags at the ends"),
            Neighbour("treebank grammar", _guesses(grammar), note),
        ]

    def labelled(self, item: ParseItem, guess: ParseGuess) -> tuple[ParseItem, float]:
        """As sure as its brackets a word: the probability of the tree's, to the power of one by the number of words."""
        sure = exp(guess.log_probability / len(item.words)) if item.words else 0.0
        return replace(item, tree=guess.tree), sure

    def stratum(self, item: ParseItem) -> Hashable:
        """How many words it has, by factors of two, so that short sentences do not swallow the others."""
        return len(item.words).bit_length()

    def written(self, items: Sequence[ParseItem], guesses: Sequence[ParseGuess]) -> str:
        """A tree a line; an empty line of a sentence without words."""
        return "".join(f"{tree_text(guess.tree)}\n" for guess in guesses)

    def structures(self, items: Sequence[ParseItem], guesses: Sequence[ParseGuess]) -> list[JudgedTree]:
        return [JudgedTree(guess.tree, guess.probabilities) for guess in guesses]

    def details(self, items: Sequence[ParseItem], guesses: Sequence[ParseGuess]) -> list[str]:
        """Short sentences, crossings, scores by label, and what EVALB itself makes of wrong tags of punctuation."""
        gold, trees = [_gold(item) for item in items], _trees(guesses)
        own, strict = bracket_statistics(gold, [trees])[0], bracket_statistics(gold, [trees], EVALB)[0]
        short = own[[len(item.words) <= scoring.CUT_OFF for item in items]]
        valid = max(own[:, scoring.VALID].sum(), 1)
        lines = [
            f"F1 of the {len(short):,} sentences of {scoring.CUT_OFF} words or less: {_f1(short):.3f}",
            f"crossing brackets a sentence: {own[:, scoring.CROSSING].sum() / valid:.2f}; "
            f"sentences without any: {own[:, scoring.UNCROSSED].sum() / valid:.3f}",
        ]
        lost = int((own[:, scoring.ERRORS] + own[:, scoring.SKIPPED]).sum())
        if lost:
            lines.append(f"{lost:,} sentences are punctuation alone, or have other words, and count in no score")
        dropped = int(strict[:, scoring.ERRORS].sum())
        if dropped:
            lines.append(
                f"EVALB drops punctuation by each tree's own tags; {dropped:,} sentences then have another length and "
                f"count in no score, and F1 is {_f1(strict):.3f}"
            )
        return [*lines, *type_lines(*label_counts(gold, trees))]


def _gold(item: ParseItem) -> Tree:
    if item.tree is None:
        raise LangnetError(f"{item.source or 'a sentence'}: there is no tree")
    return item.tree


def _outer(items: Sequence[ParseItem]) -> str | None:
    """What most trees are held together by; the first by name among equals."""
    counts = Counter(outer_label(_gold(item)) for item in items)
    return min(counts, key=lambda label: (-counts[label], label or "")) if counts else None


def _trees(guesses: Sequence[ParseGuess]) -> list[Tree]:
    return [guess.tree for guess in guesses]


def _guesses(trees: Sequence[Tree]) -> list[Any]:
    return [ParseGuess(tree) for tree in trees]


def _f1(table: np.ndarray) -> float:
    return float(scoring.bracket_scores(table.sum(0))["f1"])
