"""Sentences with brackets and arcs over their words as SVG, by day and by night, from left or from right.

The words stand in lines as wide as the page; over each line are the rows of brackets that have something in it. Nothing
is loaded and no script runs. Widths of letters are estimated, since what draws the picture has the fonts and we do not.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from langnet.study.html import Markup, tag
from langnet.text.structures import Arc, Bracket, Structure

STYLE = Path(__file__).with_name("structures.css")
WIDTH = 860.0  # of a picture
LETTER, LABEL = 8.6, 7.7  # widths of a letter in a word and in a label, in pixels
CAPITAL = 1.2  # of such a width, that of a capital
GAP = 9.0  # between words
ROW, WORDS, BETWEEN = 36.0, 30.0, 14.0  # heights: of a row of brackets, of the words, between lines
EDGE = 8.0
ARC, LEAST_ARC = 17.0, 26.0  # how much higher each arc over others is; the height of the lowest
COLOURS = 6


def picture(structure: Structure, width: float = WIDTH) -> Markup:
    """The drawing; `structures.css` has its colours.

    Args:
        structure: what is drawn.
        width: of a line, in pixels; a sentence with arcs is one line, whatever its width.
    """
    parts, across, down = drawn(structure, width)
    return svg(parts, across, down, structure.told or " ".join(structure.words))


def drawn(structure: Structure, width: float = WIDTH, least: float = 0.0) -> tuple[list[Markup], float, float]:
    """The parts of a picture, its width, which is `least` or more, and its height; see `picture`."""
    offsets = [0.0, *accumulate(_rooms(structure))]
    lines = _lines(offsets, float("inf") if structure.arcs else width - 2 * EDGE)
    whole = max(offsets[line.stop] - offsets[line.start] for line in lines) + 2 * EDGE
    whole = max(whole, least)
    turned, levels = from_right(structure.words), _levels(structure.arcs)
    parts, top = list[Markup](), 0.0
    for line in lines:
        one = _Line(structure, offsets, line, whole, top, turned, levels)
        parts.append(tag("g", one.parts()))
        top = one.bottom + BETWEEN
    return parts, whole, max(top - BETWEEN, 1.0)


def svg(parts: Sequence[Markup], width: float, height: float, told: str, kind: str = "") -> Markup:
    """A picture of a size, which says in words what it shows; `kind` is a further class for the style."""
    return tag(
        "svg", tag("title", told), parts, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=told,
        class_=f"structure {kind}".strip(), style=f"width:{width:g}px", xmlns="http://www.w3.org/2000/svg",
    )  # fmt: skip


def picture_file(drawing: Markup) -> str:
    """A picture as a file of its own, with the colours that it has on the page."""
    opening, rest = drawing.split(">", 1)
    return f"{opening}>{tag('style', Markup(STYLE.read_text(encoding='utf8')))}{rest}\n"


def from_right(words: Sequence[str]) -> bool:
    """Whether the first letter that has a direction is written from right to left."""
    ways = (unicodedata.bidirectional(sign) for word in words for sign in word)
    return next((way != "L" for way in ways if way in ("L", "R", "AL")), False)


def width_of(text: str, letter: float) -> float:
    """About how wide a text is: two letters for a wide sign, none for a mark on another, a bit more for a capital."""
    total = 0.0
    for sign in text:
        if not unicodedata.combining(sign) and unicodedata.category(sign) not in ("Mn", "Cf"):
            total += 2.0 if unicodedata.east_asian_width(sign) in ("W", "F") else CAPITAL if sign.isupper() else 1.0
    return max(total, 0.5) * letter


def _rooms(structure: Structure) -> list[float]:
    """The room of each word, in pixels: its own, and what labels over it need."""
    rooms = [width_of(word, LETTER) + GAP for word in structure.words]
    brackets = [bracket for row in structure.rows for bracket in row]
    for bracket in sorted(brackets, key=lambda one: one.end - one.start):
        missing = width_of(bracket.label, LABEL) + GAP - sum(rooms[bracket.start : bracket.end])
        for word in range(bracket.start, bracket.end):
            rooms[word] += max(0.0, missing) / (bracket.end - bracket.start)
    for arc, _ in _levels(structure.arcs):
        low, high = sorted((arc.start, arc.end))
        over = sum(rooms[low : high + 1]) - (rooms[low] + rooms[high]) / 2
        missing = max(0.0, width_of(arc.label, LABEL) + GAP - over)
        rooms[low] += missing
        rooms[high] += missing
    return rooms


def _lines(offsets: Sequence[float], width: float) -> list[range]:
    """Which words stand in which line, by where each begins and the last one ends."""
    found, start = list[range](), 0
    for word in range(len(offsets) - 1):
        if word > start and offsets[word + 1] - offsets[start] > width:
            found.append(range(start, word))
            start = word
    return [*found, range(start, len(offsets) - 1)]


@dataclass(frozen=True)
class _Line:
    """One line of a picture.

    Attributes:
        structure: what is drawn.
        offsets: where each word would begin in one line, and the last one end.
        line: the words that are drawn.
        width: of the picture.
        top: where the line begins.
        turned: whether words stand from right to left.
        levels: arcs and how high each is.
    """

    structure: Structure
    offsets: Sequence[float]
    line: range
    width: float
    top: float
    turned: bool
    levels: Sequence[tuple[Arc, int]]

    @property
    def rows(self) -> list[list[Bracket]]:
        """The rows that have something here."""
        here = [[b for b in row if b.start < self.line.stop and b.end > self.line.start] for row in self.structure.rows]
        return [row for row in here if row]

    @property
    def arcs(self) -> float:
        """The height of all arcs."""
        return LEAST_ARC + max(level for _, level in self.levels) * ARC + LABEL * 2 if self.levels else 0.0

    @property
    def bottom(self) -> float:
        return self.top + self.arcs + len(self.rows) * ROW + WORDS

    def x(self, word: int, end: bool = False) -> float:
        """Where a word begins or ends."""
        left = EDGE + self.offsets[word + (1 if end else 0)] - self.offsets[self.line.start]
        return self.width - left if self.turned else left

    def middle(self, word: int) -> float:
        """Of a word."""
        return (self.x(word) + self.x(word, True)) / 2

    def parts(self) -> list[Markup]:
        """Rows, arcs and words."""
        base = self.bottom - WORDS / 2 + 5
        way = "rtl" if self.turned else None
        words = [
            tag("text", self.structure.words[word], class_="word", x=self.middle(word), y=base, direction=way)
            for word in self.line
        ]
        # The first row is the nearest to the words.
        rows = [self._row(row, self.bottom - WORDS - index * ROW) for index, row in enumerate(self.rows)]
        floor = self.bottom - WORDS - len(self.rows) * ROW
        return [*rows[::-1], *(self._arc(arc, level, floor) for arc, level in self.levels), *words]

    def _row(self, row: Sequence[Bracket], floor: float) -> Markup:
        places = [self._ends(bracket) for bracket in row]
        low, high = min(min(pair) for pair in places), max(max(pair) for pair in places)
        guide = tag("line", class_="guide", x1=low, x2=high, y1=floor - 8, y2=floor - 8)
        return tag("g", guide, [self._bracket(b, ends, floor) for b, ends in zip(row, places, strict=True)])

    def _ends(self, bracket: Bracket) -> tuple[float, float]:
        """The first and the last pixel of a bracket's words in this line."""
        first, last = max(bracket.start, self.line.start), min(bracket.end, self.line.stop) - 1
        step = -3.0 if self.turned else 3.0
        return self.x(first) + step, self.x(last, True) - step

    def _bracket(self, bracket: Bracket, ends: tuple[float, float], floor: float) -> Markup:
        (start, end), height = ends, floor - 8
        label = tag("text", bracket.label, class_="label", x=(start + end) / 2, y=height - 8)
        told = tag("title", bracket.told) if bracket.told else None
        name = f"c{bracket.colour % COLOURS}"
        if bracket.filled:
            box = tag("rect", x=min(start, end), y=height - 21, width=abs(end - start), height=25, rx=5)
            return tag("g", told, box, label, class_=f"{name} filled")
        # A bracket that begins or ends in another line stays open there.
        first = f"M{start:.2f} {height + 6:.2f}V{height:.2f}" if bracket.start >= self.line.start else ""
        line = f"{first or f'M{start:.2f} {height:.2f}'}H{end:.2f}"
        last = f"V{height + 6:.2f}" if bracket.end <= self.line.stop else ""
        return tag("g", told, tag("path", d=line + last), label, class_=name)

    def _arc(self, arc: Arc, level: int, floor: float) -> Markup:
        start, end = self.middle(arc.start), self.middle(arc.end)
        height = LEAST_ARC + level * ARC
        top = floor - height
        bend = min(height, abs(end - start) / 2)
        way = 1 if end > start else -1
        path = (
            f"M{start:.2f} {floor:.2f}C{start:.2f} {top:.2f} {start:.2f} {top:.2f} {start + way * bend:.2f} {top:.2f}"
            f"H{end - way * bend:.2f}C{end:.2f} {top:.2f} {end:.2f} {top:.2f} {end:.2f} {floor:.2f}"
        )
        head = tag(
            "path",
            class_="head",
            d=f"M{end - 4:.2f} {floor - 7:.2f}L{end:.2f} {floor:.2f}L{end + 4:.2f} {floor - 7:.2f}Z",
        )
        label = tag("text", arc.label, class_="label", x=(start + end) / 2, y=top - 4) if arc.label else None
        return tag("g", tag("path", class_="arc", d=path), head, label)


def _levels(arcs: Sequence[Arc]) -> list[tuple[Arc, int]]:
    """Each arc with how many of those under it are over one another, the short ones first."""
    placed: list[tuple[Arc, int]] = []
    for arc in sorted(arcs, key=lambda one: abs(one.end - one.start)):
        low, high = sorted((arc.start, arc.end))
        under = [
            level for other, level in placed if min(other.start, other.end) < high and max(other.start, other.end) > low
        ]
        placed.append((arc, max(under, default=-1) + 1))
    return placed
