"""Neighbours of a parser: trees that branch to one side, with learned labels, and a grammar read off the treebank.

Trees of languages such as English branch to the right so often that a tree which does nothing else is hard to beat by a
model that has learned little; what it is called, each bracket learns from the training trees by the tags at its ends.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Literal

from langnet.evaluate.bracket_scores import COLLINS
from langnet.evaluate.tag_baselines import tag_of_word
from langnet.evaluate.treebank_grammar import TreebankGrammar
from langnet.text.trees import Chain, Span, Tree, from_spans, spans_of

Side = Literal["right", "left"]


class Branching:
    """Trees that branch to one side.

    Args:
        trees: for learning, as `bare` has them.
    """

    def __init__(self, trees: Sequence[Tree]):
        self.trees = trees
        self.labels: defaultdict[tuple[str, ...], Counter[Chain]] = defaultdict(Counter)
        for tree in trees:
            for span in spans_of(tree):
                if span.end - span.start > 1:
                    for key in _keys(tree.tags, span.start, span.end):
                        self.labels[key][span.chain] += 1

    def parse(self, sentences: Sequence[Sequence[str]], side: Side, outer: str | None = None) -> list[Tree]:
        """A tree of each sentence's words; each word has the tag that it has most often.

        Args:
            sentences: words of each.
            side: to which every bracket reaches.
            outer: the label of a bracket around each tree, or None.
        """
        words, tags = [tree.words for tree in self.trees], [tree.tags for tree in self.trees]
        guessed = tag_of_word(words, tags, sentences)
        return [self._tree(own, right, side, outer) for own, right in zip(sentences, guessed, strict=True)]

    def _tree(self, words: Sequence[str], tags: Sequence[str], side: Side, outer: str | None) -> Tree:
        n = len(words)
        end = n
        while end > 1 and tags[end - 1] in COLLINS.deleted_tags:  # a full stop stands beside everything
            end -= 1
        whole = [(0, n)] if n > 1 else []
        inner = [(i, end) for i in range(end - 1)] if side == "right" else [(0, i) for i in range(2, end + 1)]
        spans = [Span(self._label(tags, *place), *place) for place in dict.fromkeys([*whole, *inner])]
        return from_spans(words, tags, [span for span in spans if span.chain], outer)

    def _label(self, tags: Sequence[str], start: int, end: int) -> Chain:
        """What brackets with such tags are called most often; the first by name among equals."""
        for key in _keys(tags, start, end):
            if key in self.labels:
                counts = self.labels[key]
                return min(counts, key=lambda chain: (-counts[chain], chain))
        return ()


def _keys(tags: Sequence[str], start: int, end: int) -> list[tuple[str, ...]]:
    """What a bracket's label is learned by, from much to little: whether it is everything, its first tags, the last."""
    whole = "all" if end - start == len(tags) else "part"
    first, second, last = tags[start], tags[start + 1], tags[end - 1]
    return [(whole, first, second, last), (whole, first, second), (whole, first), (whole,)]


def grammar_trees(
    trees: Sequence[Tree], sentences: Sequence[Sequence[str]], instead: Sequence[Tree], outer: str | None = None
) -> tuple[list[Tree], int]:
    """The most probable trees by the grammar of the training trees.

    Args:
        trees: for learning, as `bare` has them.
        sentences: words of each.
        instead: trees of those that are too long for it, or that it has no tree for.
        outer: the label of a bracket around each tree, or None.

    Returns:
        A tree a sentence, and how many are not the grammar's.
    """
    grammar = TreebankGrammar(trees)
    found, others = [], 0
    for words, other in zip(sentences, instead, strict=True):
        parsed = grammar.parse(words)
        others += parsed is None
        found.append(other if parsed is None else from_spans(words, parsed[1], parsed[0], outer))
    return found, others
