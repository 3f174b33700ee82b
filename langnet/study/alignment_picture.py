"""Where a translator looked: a matrix of tokens, and lines between the words of a sentence and of its translation.

In the matrix a row is a token that was written, and its cells say in per cent how much it looked at each token of the
sentence. Lines are the wider the more a word looked there. Sides that are written from the right are read from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from langnet.study.html import Markup, tag
from langnet.study.structures import EDGE, GAP, LABEL, LETTER, from_right, svg, width_of
from langnet.text.structures import Aligned, Side

MOST = 80  # tokens, or words, of a side that are drawn
END = "(end)"  # of the mark behind a sentence
CELL = 24.0
SHOWN, WRITTEN = 0.05, 0.095  # weights from which on a cell is filled, and has its number
LONGEST = 20  # signs of a label
TILT = 0.82  # of the width of a label over a column, the height that it needs there
LEAST = 0.1  # weight of a line; each word's strongest one is drawn in any case
BETWEEN, LINE = 120.0, 26.0  # heights: between the two rows of words, of a row
NOTE = 22.0


def matrix_picture(aligned: Aligned) -> Markup:
    """The weights of tokens as a matrix; the first ones of a long sentence."""
    weights = aligned.weights[:MOST, :MOST]
    columns, rows = _labels(aligned.source)[:MOST], _labels(aligned.target)[:MOST]
    turned = from_right(aligned.source.tokens)
    margin = EDGE + max((width_of(one, LABEL) for one in rows), default=0.0) + 8
    head = EDGE + max((width_of(one, LABEL) for one in columns), default=0.0) * TILT + 10
    over = head if columns else EDGE  # a label of the last column stands out to the side
    whole, height = margin + len(columns) * CELL + over, head + len(rows) * CELL + EDGE

    def x(column: float) -> float:
        return whole - margin - column * CELL if turned else margin + column * CELL

    parts = list[Markup]()
    for column, label in enumerate(columns):
        at = f"translate({x(column + 0.5):.2f},{head - 6:.2f}) rotate({50 if turned else -50})"
        parts.append(
            tag("text", label, class_="label", transform=at, style=f"text-anchor:{'end' if turned else 'start'}")
        )
    for row, label in enumerate(rows):
        side = "start" if turned else "end"
        y = head + (row + 0.5) * CELL + 4
        parts.append(
            tag("text", label, class_="label", x=x(0) + (8 if turned else -8), y=y, style=f"text-anchor:{side}")
        )
    right, floor = x(len(columns)), head + len(rows) * CELL
    for row in range(len(rows) + 1):
        parts.append(tag("line", class_="grid", x1=x(0), x2=right, y1=head + row * CELL, y2=head + row * CELL))
    for column in range(len(columns) + 1):
        parts.append(tag("line", class_="grid", x1=x(column), x2=x(column), y1=head, y2=floor))
    for row, column in zip(*np.nonzero(weights >= SHOWN), strict=True):
        left = min(x(column), x(column + 1))
        told = f"{rows[row]} ← {columns[column]}: {weights[row, column]:.2f}"
        parts.append(_cell(float(weights[row, column]), left, head + row * CELL, told))
    return _noted(parts, (whole, height), aligned, "matrix")


def lines_picture(aligned: Aligned) -> Markup:
    """Words of the sentence over those of the translation, and lines between them; the first ones of a long one."""
    weights = aligned.by_word()[:MOST, :MOST]
    sides = [_words(side)[:MOST] for side in (aligned.source, aligned.target)]
    rooms = [[width_of(word, LETTER) + GAP for word in own] for own in sides]
    whole = max(sum(own) for own in rooms) + 2 * EDGE
    middles = [_middles(own, whole, from_right(words)) for own, words in zip(rooms, sides, strict=True)]
    top, bottom = EDGE + LINE, EDGE + LINE + BETWEEN
    parts = list[Markup]()
    for row, shares in enumerate(weights):
        strongest = int(shares.argmax()) if len(shares) else -1
        for column in np.flatnonzero((shares >= LEAST) | (np.arange(len(shares)) == strongest)):
            share, start, end = float(shares[column]), middles[0][column], middles[1][row]
            path = (
                f"M{start:.2f} {top:.2f}C{start:.2f} {top + 50:.2f} {end:.2f} {bottom - 50:.2f} {end:.2f} {bottom:.2f}"
            )
            told = tag("title", f"{sides[1][row]} ← {sides[0][column]}: {share:.2f}")
            look = f"stroke-width:{0.8 + 4 * share:.1f};stroke-opacity:{0.25 + 0.7 * share:.2f}"
            parts.append(tag("path", told, class_="link c0", d=path, style=look))
    for own, places, y in zip(sides, middles, (EDGE + 15, bottom + 17), strict=True):
        way = "rtl" if from_right(own) else None
        for word, place in zip(own, places, strict=True):
            parts.append(tag("text", word, class_="label" if word == END else "word", x=place, y=y, direction=way))
    return _noted(parts, (whole, bottom + LINE + EDGE), aligned, "lines")


def told_of(aligned: Aligned) -> str:
    """Each word of the translation, and where it looked most."""
    weights = aligned.by_word()
    source, target = (_words(side) for side in (aligned.source, aligned.target))
    parts = [
        f"{word}: {source[int(row.argmax())]} {row.max():.2f}"
        for word, row in zip(target[:MOST], weights[:MOST], strict=True)
        if len(row)
    ]
    return f"Words and where each looked most. {'; '.join(parts)}"


def _labels(side: Side) -> list[str]:
    """Tokens; one that goes on with a word has a hyphen before it."""
    starts = {first for first, _ in side.words}
    found = []
    for place, token in enumerate(side.tokens):
        text = token.strip() or ("␣" if token else END)
        text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        found.append(text if place in starts else f"-{text}")
    return found


def _words(side: Side) -> list[str]:
    """Words, each of a bounded length."""
    found = []
    for (first, last), text in zip(side.words, side.spelled, strict=True):
        text = text or ("␣" if "".join(side.tokens[first:last]) else END)
        found.append(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")
    return found


def _middles(rooms: Sequence[float], whole: float, turned: bool) -> list[float]:
    """The middle of each word of a row that stands in the middle of the picture."""
    start = (whole - sum(rooms)) / 2
    ends = [start + end for end in accumulate(rooms)]
    middles = [end - room / 2 for end, room in zip(ends, rooms, strict=True)]
    return [whole - x for x in middles] if turned else middles


def _cell(weight: float, left: float, top: float, told: str) -> Markup:
    """A cell, the darker the more weight; its number, where that is worth reading."""
    box = tag(
        "rect",
        x=left + 1,
        y=top + 1,
        width=CELL - 2,
        height=CELL - 2,
        rx=3,
        style=f"fill-opacity:{0.08 + 0.92 * weight:.2f}",
    )
    strong = " strong" if weight > 0.5 else ""
    number = tag("text", f"{100 * weight:.0f}", class_=f"share{strong}", x=left + CELL / 2, y=top + CELL / 2 + 3.5)
    return tag("g", tag("title", told), box, number if weight >= WRITTEN else None, class_="cell c0")


def _noted(parts: list[Markup], size: tuple[float, float], aligned: Aligned, kind: str) -> Markup:
    """The picture, and under it what of a long sentence it leaves out."""
    whole, height = size
    long = [len(side.tokens if kind == "matrix" else side.words) for side in (aligned.source, aligned.target)]
    if max(long) <= MOST:
        return svg(parts, whole, height, told_of(aligned), f"alignment {kind}")
    unit = "tokens" if kind == "matrix" else "words"
    note = f"The first {MOST} of {long[0]:,} and {long[1]:,} {unit} are drawn."
    whole = max(whole, width_of(note, LABEL) + 2 * EDGE)
    drawn = tag("text", note, class_="label", x=EDGE, y=height + NOTE - 8, style="text-anchor:start")
    return svg([*parts, drawn], whole, height + NOTE, f"{told_of(aligned)}. {note}", f"alignment {kind}")
