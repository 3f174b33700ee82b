"""A probabilistic context-free grammar read off a treebank, and its most probable trees (Charniak 1996).

Rules are counted in the training trees. A phrase knows what it stands in, and long rules are cut in two: what is still
to come of a phrase is a symbol of its own that knows the phrase and the child before (Klein & Manning 2003, vertical
order 2 and horizontal order 1), so that phrases can be said that no tree has. Words are said by their tags; a word that
is rare or new by its shape and its ending. The best tree is found by the algorithm of Cocke, Kasami and Younger in
logarithms, all spans of a width at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from langnet.evaluate.tag_baselines import shape
from langnet.text.trees import Chain, Span, Tree, children_of, spans_of

LONGEST = 70  # words of a sentence, whose cube is the cost
RARE = 2  # a word that occurs so often or less says what new words are like
SHARE = 1.0  # how many occurrences the look of a word is worth
BEAM = 12.0  # a symbol so much less probable than the best of its span, in nats, is given up
NOTHING = -1e9

Phrase = tuple[Chain, str]  # labels, and the label of what it stands in
Symbol = Phrase | str  # or a tag
ROOT: Phrase = (), ""


class TreebankGrammar:
    """Counts of rules and words.

    Args:
        trees: as `bare` has them.
    """

    def __init__(self, trees: Sequence[Tree]):
        self.numbers: dict[object, int] = {}  # of phrases, tags, and what is still to come of a phrase
        self.chains: list[Chain] = []  # the labels of each symbol; empty of other symbols than phrases
        self.tags: list[str] = []
        binary: Counter[tuple[int, int, int]] = Counter()
        unary: Counter[tuple[int, int]] = Counter()
        for tree in trees:
            for parent, children in _rules(tree):
                self._count(parent, children, binary, unary)
        self._words(trees)
        totals: Counter[int] = Counter()
        for (parent_number, *_), times in [*binary.items(), *unary.items()]:
            totals[parent_number] += times
        rules = sorted(binary)
        self.parents, self.lefts, self.rights = np.array(rules, dtype=np.int64).reshape(-1, 3).T
        self.rule_logs = np.log([binary[rule] / totals[rule[0]] for rule in rules])
        alone = sorted(unary)
        self.over, self.under = np.array(alone, dtype=np.int64).reshape(-1, 2).T
        self.alone_logs = np.log([unary[rule] / totals[rule[0]] for rule in alone])
        pairs, self.pair_of_rule = np.unique(np.stack([self.lefts, self.rights]), axis=1, return_inverse=True)
        self.pair_of_rule = self.pair_of_rule.reshape(-1)
        self.pair_lefts, self.pair_rights = pairs
        # Rules are sorted by parents, so each parent's are in a row.
        self.own_parents, self.first_rules = np.unique(self.parents, return_index=True)
        self.own_over, self.first_alone = np.unique(self.over, return_index=True)

    def _number(self, symbol: object, chain: Chain = ()) -> int:
        if symbol not in self.numbers:
            self.numbers[symbol] = len(self.numbers)
            self.chains.append(chain)
        return self.numbers[symbol]

    def _count(
        self,
        parent: Phrase,
        children: Sequence[Symbol],
        binary: Counter[tuple[int, int, int]],
        unary: Counter[tuple[int, int]],
    ) -> None:
        own = self._number(parent, parent[0])
        numbers = [self._number(child, () if isinstance(child, str) else child[0]) for child in children]
        if len(children) == 1:
            unary[own, numbers[0]] += 1
            return
        for place in range(len(children) - 2):
            rest = self._number(("…", parent, children[place]))
            binary[own, numbers[place], rest] += 1
            own = rest
        binary[own, numbers[-2], numbers[-1]] += 1

    def _words(self, trees: Sequence[Tree]) -> None:
        """How probable a word is after its tag."""
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.tag_counts: Counter[str] = Counter()
        for tree in trees:
            for word, tag in zip(tree.words, tree.tags, strict=True):
                counts[word][tag] += 1
                self.tag_counts[tag] += 1
        self.word_tags = dict(counts)
        self.look_tags: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for own in counts:
            if counts[own].total() <= RARE:
                for look in _looks(own):
                    self.look_tags[look] += counts[own]
        self.tags = sorted(self.tag_counts)
        self.tag_numbers = np.array([self._number(tag) for tag in self.tags])

    def word_logs(self, word: str) -> np.ndarray:
        """The logarithm, but for a constant, of each tag's probability of the word, (tags,)."""
        look = next((self.look_tags[one] for one in _looks(word) if one in self.look_tags), self.tag_counts)
        own, total = self.word_tags.get(word, Counter()), look.total()
        every = self.tag_counts.total()
        return np.array(
            [
                np.log(
                    (own[tag] + SHARE * (look[tag] + self.tag_counts[tag] / every) / (total + 1)) / self.tag_counts[tag]
                )
                for tag in self.tags
            ]
        )

    def parse(self, words: Sequence[str]) -> tuple[list[Span], list[str]] | None:
        """The spans and the tags of the most probable tree; None where the grammar has no tree for these words."""
        n, root = len(words), self.numbers.get(ROOT)
        if not n or n > LONGEST or root is None:
            return None
        # By start and width, and by end and width, so that all ways to split a span are slices.
        begins = np.full((n, n + 1, len(self.numbers)), NOTHING, dtype=np.float32)
        stops = np.full((n + 1, n + 1, len(self.numbers)), NOTHING, dtype=np.float32)
        for place, word in enumerate(words):
            begins[place, 1, self.tag_numbers] = self.word_logs(word)
            self._alone(begins[place : place + 1, 1])
            stops[place + 1, 1] = begins[place, 1]
        for width in range(2, n + 1):
            cells = self._combined(begins[: n - width + 1, 1:width], stops[width:, width - 1 : 0 : -1])
            best = cells.max(axis=1, keepdims=True)
            cells[cells < best - BEAM] = NOTHING
            begins[: n - width + 1, width] = cells
            stops[width:, width] = cells
        self._alone(begins[:1, n])  # the whole may be one phrase
        if begins[0, n, root] <= NOTHING / 2:
            return None
        return self._trace(begins, stops, root, n)

    def _alone(self, cells: np.ndarray) -> None:
        """Rules with one child, in place: a phrase of one word, or the whole of a tree; (spans, symbols)."""
        if len(self.over):
            values = (cells[:, self.under] + self.alone_logs).astype(cells.dtype)
            best = np.maximum.reduceat(values, self.first_alone, axis=1)
            cells[:, self.own_over] = np.maximum(cells[:, self.own_over], best)

    def _combined(self, lefts: np.ndarray, rights: np.ndarray) -> np.ndarray:
        """The best of two parts, (spans, symbols), of lefts and rights (spans, splits, symbols)."""
        some_left, some_right = (part.max(axis=(0, 1)) > NOTHING / 2 for part in (lefts, rights))
        used = some_left[self.pair_lefts] & some_right[self.pair_rights]
        pairs = np.full((len(lefts), len(used)), NOTHING, dtype=np.float32)
        chosen = np.flatnonzero(used)
        if len(chosen):
            one, other = self.pair_lefts[chosen], self.pair_rights[chosen]
            best = np.full((len(lefts), len(chosen)), NOTHING, dtype=np.float32)
            for split in range(lefts.shape[1]):
                np.maximum(best, lefts[:, split, one] + rights[:, split, other], out=best)
            pairs[:, chosen] = best
        found = np.full((len(lefts), lefts.shape[2]), NOTHING, dtype=np.float32)
        if len(self.parents):
            values = pairs[:, self.pair_of_rule] + self.rule_logs.astype(np.float32)
            found[:, self.own_parents] = np.maximum.reduceat(values, self.first_rules, axis=1)
        return np.maximum(found, NOTHING)

    def _trace(self, begins: np.ndarray, stops: np.ndarray, root: int, n: int) -> tuple[list[Span], list[str]]:
        """What the best tree was made of."""
        spans: list[Span] = []
        tags = [""] * n
        tag_of = dict(zip(self.tag_numbers.tolist(), self.tags, strict=True))
        waiting = [(root, 0, n)]
        while waiting:
            symbol, start, end = waiting.pop()
            chain = self.chains[symbol]
            if chain:
                spans.append(Span(chain, start, end))
            if symbol in tag_of:
                tags[start] = tag_of[symbol]
                continue
            waiting += self._parts(begins, stops, (symbol, start, end))
        return sorted(spans, key=lambda span: (span.start, -span.end)), tags

    def _parts(self, begins: np.ndarray, stops: np.ndarray, cell: tuple[int, int, int]) -> list[tuple[int, int, int]]:
        """The best children of a symbol over the words start .. end - 1."""
        symbol, start, end = cell
        width, options = end - start, []
        alone = np.flatnonzero(self.over == symbol)
        if len(alone) and (width == 1 or (start == 0 and symbol == self.numbers[ROOT])):
            values = begins[start, width, self.under[alone]] + self.alone_logs[alone]
            best = int(values.argmax())
            options.append((float(values[best]), [(int(self.under[alone[best]]), start, end)]))
        rules = np.flatnonzero(self.parents == symbol)
        if len(rules) and width > 1:
            left = begins[start, 1:width][:, self.lefts[rules]]  # (splits, rules)
            right = stops[end, width - 1 : 0 : -1][:, self.rights[rules]]
            values = left + right + self.rule_logs[rules]
            split, rule = np.unravel_index(int(values.argmax()), values.shape)
            middle, chosen = start + 1 + int(split), rules[rule]
            parts = [(int(self.lefts[chosen]), start, middle), (int(self.rights[chosen]), middle, end)]
            options.append((float(values.max()), parts))
        return max(options, key=lambda option: option[0])[1]


def _rules(tree: Tree) -> Iterable[tuple[Phrase, list[Symbol]]]:
    """Every phrase and its children; the whole among them."""
    spans = spans_of(tree)
    held = children_of(spans, len(tree.words))
    phrases: list[Phrase] = [ROOT] * (len(spans) + 1)
    for parent in [len(spans), *range(len(spans))]:  # outer ones first
        label = spans[parent].chain[-1] if parent < len(spans) else ""
        for child in held[parent]:
            if child >= 0:
                phrases[child] = spans[child].chain, label
        if held[parent]:
            yield (
                phrases[parent],
                [phrases[child] if child >= 0 else tree.tags[-1 - child] for child in held[parent]],
            )


def _looks(word: str) -> list[str]:
    """How a word looks, from what is rare to what is common."""
    looks = shape(word)
    return [f"{looks} {word[-size:].lower()}" for size in (3, 2, 1) if len(word) > size] + [looks]
