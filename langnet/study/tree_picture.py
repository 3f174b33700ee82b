"""A constituency tree as SVG: words at the bottom, their tags over them, phrases over what they hold.

Each phrase stands one step over the highest of its parts. Nothing is loaded and no script runs; the picture is for day
and night, and for scripts that are written from right to left. `structures.css` has the colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from langnet.study.html import Markup, tag
from langnet.study.structures import LABEL, LETTER, from_right, svg, width_of
from langnet.text.trees import Bracket, JudgedTree, Tree, category, said

GAP = 16.0  # between words, in pixels
STEP, LEAF = 44.0, 26.0  # heights: from a phrase to what it stands over, from a tag to its word
EDGE, ABOVE, UNDER = 8.0, 14.0, 6.0  # around the picture; over the line of the highest label, under that of the words
BELOW, BAR = 6.0, 7.0  # from a label's line to where the lines to its parts begin, and to where they part
UNSURE = 0.5  # a bracket that is less probable has dashed lines
# Colours of the page by label; phrases of other names have the last.
_SORTS = {"NP": 0, "NX": 0, "WHNP": 0, "VP": 1, "PP": 2, "WHPP": 2, "S": 3, "SBAR": 3, "SQ": 3, "SINV": 3, "SBARQ": 3}
_SORTS |= {"ADJP": 5, "ADVP": 5, "WHADVP": 5, "WHADJP": 5}
_OTHER = 4


def tree_picture(judged: JudgedTree) -> Markup:
    """The drawing of a tree with one word or more; of none, an empty one."""
    tree, places = judged.tree, _Places.of(judged.tree)
    whole = places.width
    height = 2 * EDGE + ABOVE + max([*places.levels, 0]) * STEP + LEAF + UNDER
    floor = height - EDGE - UNDER
    parts = _Drawn(judged, places, floor, from_right(tree.words)).parts() if tree.words else []
    return svg(parts, whole, height, str(tree), "tree")


def _parents(brackets: Sequence[Bracket], n_words: int) -> tuple[list[int], list[int]]:
    """The bracket in which each bracket, and each word, stands; -1 for none."""
    over, of_words = [-1] * len(brackets), [-1] * n_words
    inside: list[int] = []
    after = 0
    for word in range(n_words):
        while inside and brackets[inside[-1]].end <= word:
            inside.pop()
        while after < len(brackets) and brackets[after].start == word:
            over[after] = inside[-1] if inside else -1
            inside.append(after)
            after += 1
        of_words[word] = inside[-1] if inside else -1
    return over, of_words


@dataclass(frozen=True)
class _Places:
    """Where things stand before the picture is turned.

    Attributes:
        words: the middle of each word.
        brackets: the middle of each label.
        levels: how many steps each label stands over the tags.
        over, of_words: as `_parents` has them.
        width: of all.
    """

    words: list[float]
    brackets: list[float]
    levels: list[int]
    over: list[int]
    of_words: list[int]
    width: float

    @classmethod
    def of(cls, tree: Tree) -> _Places:
        over, of_words = _parents(tree.brackets, len(tree.words))
        rooms = _rooms(tree)
        offsets = [0.0, *accumulate(rooms)]
        words = [EDGE + offsets[i] + room / 2 for i, room in enumerate(rooms)]
        levels = [1] * len(tree.brackets)
        ends: list[list[float]] = [[] for _ in tree.brackets]
        for middle, parent in zip(words, of_words, strict=True):
            if parent >= 0:
                ends[parent].append(middle)
        middles = [0.0] * len(tree.brackets)
        for index in reversed(range(len(tree.brackets))):  # parts come after what they are part of
            middles[index] = (min(ends[index]) + max(ends[index])) / 2
            if over[index] >= 0:
                ends[over[index]].append(middles[index])
                levels[over[index]] = max(levels[over[index]], levels[index] + 1)
        return cls(words, middles, levels, over, of_words, offsets[-1] + 2 * EDGE)


def _rooms(tree: Tree) -> list[float]:
    """The room of each word in pixels: its own, its tag's, and what the labels over it need."""
    pairs = zip(tree.words, tree.tags, strict=True)
    rooms = [max(width_of(word, LETTER), width_of(own, LABEL)) + GAP for word, own in pairs]
    for bracket in sorted(tree.brackets, key=lambda one: one.end - one.start):
        missing = width_of(bracket.label, LABEL) + GAP - sum(rooms[bracket.start : bracket.end])
        for word in range(bracket.start, bracket.end):
            rooms[word] += max(0.0, missing) / (bracket.end - bracket.start)
    return rooms


@dataclass(frozen=True)
class _Drawn:
    """A picture.

    Attributes:
        judged: what is drawn.
        places: where.
        floor: the line of the words.
        turned: whether it is read from right to left.
    """

    judged: JudgedTree
    places: _Places
    floor: float
    turned: bool

    def parts(self) -> list[Markup]:
        """Lines first, so that labels stand over them."""
        tree, words = self.judged.tree, said(self.judged.tree.words)
        shares = self.judged.of_brackets()
        lines, labels = list[Markup](), list[Markup]()
        for index, bracket in enumerate(tree.brackets):
            name = f"c{_colour(bracket.label)}"
            share = shares[index]
            unsure = " unsure" if share is not None and share < UNSURE else ""
            parent = self.places.over[index]
            if parent >= 0:
                lines.append(self._line(parent, self._x(index), self._y(index) - 12, unsure))
            held = f"{bracket.label or 'whole'}: {' '.join(words[bracket.start : bracket.end])}"
            told = tag("title", held if share is None else f"{held}, probability {share:.2f}")
            labels.append(self._text(bracket.label, f"label {name}{unsure}", self._x(index), self._y(index), told))
        for word, (text, own) in enumerate(zip(words, tree.tags, strict=True)):
            x, y = self._across(self.places.words[word]), self.floor - LEAF
            if self.places.of_words[word] >= 0:
                lines.append(self._line(self.places.of_words[word], x, y - 12, ""))
            labels.append(self._text(own, "label", x, y))
            labels.append(self._text(text, "word", x, self.floor))
        return [*lines, *labels]

    def _line(self, parent: int, x: float, y: float, more: str) -> Markup:
        """From a part straight up to the bar under its label, where no other part stands, and along that."""
        start = self._y(parent) + BELOW
        return tag(
            "path", class_=f"branch{more}", d=f"M{x:.2f} {y:.2f}V{start + BAR:.2f}H{self._x(parent):.2f}V{start:.2f}"
        )

    def _text(self, text: str, kind: str, x: float, y: float, told: Markup | None = None) -> Markup:
        way = "rtl" if self.turned and kind == "word" else None
        return tag("text", told, text, class_=kind, x=x, y=y, direction=way)

    def _across(self, x: float) -> float:
        return self.places.width - x if self.turned else x

    def _x(self, bracket: int) -> float:
        return self._across(self.places.brackets[bracket])

    def _y(self, bracket: int) -> float:
        return self.floor - LEAF - self.places.levels[bracket] * STEP


def _colour(label: str) -> int:
    return _SORTS.get(category(label), _OTHER)
