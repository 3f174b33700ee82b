"""Chains of mentions as one picture: words under brackets with the numbers of chains, and a list of the chains.

Chains are numbered by how many mentions they have, and every mention bears its number, so that colours, of which there
are few, only help. Mentions that are the only ones of their thing have no number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from langnet.study.html import Markup, tag
from langnet.study.structures import EDGE, LABEL, WIDTH, drawn, from_right, svg, width_of
from langnet.text.chains import Chain, Span
from langnet.text.structures import Bracket, Chained, Structure

MOST_WORDS = 3000  # of a document that are drawn
MOST_CHAINS, MOST_FORMS, MOST_SIGNS = 100, 24, 48  # that are listed; forms of a chain; signs of a form
NUMBERED = (0, 1, 2, 3, 5)  # colours of chains
ALONE = 4  # that of mentions alone
ENTRY = 20.0  # height of a line of the list


def chain_picture(document: Chained, width: float = WIDTH) -> Markup:
    """The drawing, in lines of a width in pixels; of more than `MOST_WORDS` words the first ones."""
    shown = beginning(document)
    numbers = numbers_of(shown)
    rows: list[list[Bracket]] = []
    for span, level in levels_of(span for chain in shown.chains for span in chain):
        number = numbers.get(span)
        label, colour = ("", ALONE) if number is None else (str(number), colour_of(number))
        rows += [[]] if level == len(rows) else []
        rows[level].append(Bracket(span[0], span[1] + 1, label, colour, told(shown, span)))
    parts, whole, height = drawn(Structure(shown.words, rows), width, least=width / 2)
    turned = from_right(shown.words)
    for number, chain in enumerate(shown.ranked[:MOST_CHAINS], 1):
        height += ENTRY
        text = shortened(f"{number}: {listed(shown, chain)}", int((whole - 2 * EDGE) / width_of("x", LABEL)))
        side = {"x": whole - EDGE, "direction": "rtl"} if turned else {"x": EDGE}
        parts.append(tag("text", text, class_=f"label entry c{colour_of(number)}", y=height, **side))
    return svg(parts, whole, height + EDGE, summary(document, shown))


@dataclass(frozen=True)
class Form:
    """What a thing is called in a chain: as it is written first, where that is, and how often it is called so."""

    text: str
    first: Span
    count: int

    def __str__(self) -> str:
        return self.text + (f" (×{self.count})" if self.count > 1 else "")


def beginning(document: Chained) -> Chained:
    """The first words of a document that is long, and the mentions that lie within them."""
    if len(document.words) <= MOST_WORDS:
        return document
    chains = [tuple(span for span in chain if span[1] < MOST_WORDS) for chain in document.chains]
    starts = [start for start in document.sentences if start < MOST_WORDS]
    return replace(document, words=document.words[:MOST_WORDS], sentences=starts, chains=[own for own in chains if own])


def numbers_of(document: Chained) -> dict[Span, int]:
    """The number of each mention's chain, from 1; none of a mention alone."""
    return {span: number for number, chain in enumerate(document.ranked, 1) for span in chain}


def colour_of(number: int) -> int:
    """The colour of a chain, by its number."""
    return NUMBERED[(number - 1) % len(NUMBERED)]


def levels_of(spans: Iterable[Span]) -> list[tuple[Span, int]]:
    """Mentions, the short ones first, each a level higher than all before it that have words with it in common."""
    placed: list[tuple[Span, int]] = []
    for first, last in sorted(spans, key=lambda span: (span[1] - span[0], span)):
        under = [level for (a, b), level in placed if a <= last and b >= first]
        placed.append(((first, last), max(under, default=-1) + 1))
    return placed


def forms_of(document: Chained, chain: Chain) -> list[Form]:
    """What a thing is called, in the order of the text; capitals make no difference."""
    first: dict[str, Span] = {}
    counts: dict[str, int] = {}
    for span in chain:
        key = document.text(span).casefold()
        first.setdefault(key, span)
        counts[key] = counts.get(key, 0) + 1
    return [Form(shortened(document.text(span), MOST_SIGNS), span, counts[key]) for key, span in first.items()]


def listed(document: Chained, chain: Chain) -> str:
    """All that a thing is called, in one line."""
    forms = forms_of(document, chain)
    return ", ".join([*map(str, forms[:MOST_FORMS]), *(["…"] if len(forms) > MOST_FORMS else [])])


def told(document: Chained, span: Span) -> str:
    """What is said of a mention to who points at it."""
    if span not in document.links:
        return document.text(span)
    other, probability = document.links[span]
    return f"{document.text(span)} → {document.text(other)}, probability {probability:.2f}"


def summary(document: Chained, shown: Chained) -> str:
    """A drawing in words."""
    parts = [f"chain {number}: {listed(shown, own)}" for number, own in enumerate(shown.ranked[:MOST_CHAINS], 1)]
    return ". ".join([counted(document, shown), *parts])


def counted(document: Chained, shown: Chained) -> str:
    """How much is drawn."""
    ranked, alone = shown.ranked, sum(len(chain) == 1 for chain in shown.chains)
    told = f"{number_of(len(ranked), 'chain')} with {number_of(sum(map(len, ranked)), 'mention')}"
    told = told if ranked else "no chains"
    told += f", {number_of(alone, 'mention')} alone" if alone else ""
    cut = len(shown.words) < len(document.words)
    return told + (f", in the first {len(shown.words):,} of {len(document.words):,} words" if cut else "")


def number_of(n: int, what: str) -> str:
    """A number of things."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def shortened(text: str, most: int) -> str:
    """A text of at most so many signs, without its middle."""
    if len(text) <= most:
        return text
    head = max(1, (most - 3) * 2 // 3)
    return f"{text[:head].rstrip()} … {text[len(text) - max(0, most - 3 - head) :].lstrip()}"
