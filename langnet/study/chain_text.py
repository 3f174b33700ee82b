"""Chains of mentions as text on a page: each mention in brackets with its chain's number, and a list of the chains.

Lines under the text tell chains apart by colour too; the line of a mention that holds others lies lower. A number leads
to its chain in the list, and what is listed to where it stands first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from langnet.study.chain_picture import (
    ALONE,
    MOST_CHAINS,
    MOST_FORMS,
    beginning,
    colour_of,
    counted,
    forms_of,
    levels_of,
    number_of,
    numbers_of,
    told,
)
from langnet.study.html import Content, Markup, tag
from langnet.text.chains import Span
from langnet.text.structures import Chained
from langnet.text.words import blank_between

DEEPEST = 5  # lines under one another


def chain_text(document: Chained, name: str) -> list[Markup]:
    """The list of chains, and the text, a paragraph a sentence.

    Args:
        document: words and chains; of more than `MOST_WORDS` words the first ones.
        name: what the names of places begin with; no other document of the page has the same.
    """
    shown = beginning(document)
    text = _Text(shown, name).sentences() or [tag("p", "no words", class_="source")]
    how_many, listed = counted(document, shown), _list(shown, name)
    summed = tag("details", tag("summary", how_many, dir="auto"), listed, open="open")
    return [summed if listed else tag("p", how_many, class_="source"), tag("div", text, class_="chained")]


@dataclass
class _Held:
    """A mention that is not yet at its end, and what stands in it; `whole` where it begins here."""

    span: Span
    parts: list[Content] = field(default_factory=list)
    whole: bool = False


class _Text:
    """The words of a document as nested elements.

    An element ends where the one around it does: of two mentions that cross, and of one that goes over the end of a
    sentence, the later one is made of two elements.
    """

    def __init__(self, document: Chained, name: str):
        self.document, self.name = document, name
        self.numbers = numbers_of(document)
        spans = [span for chain in document.chains for span in chain]
        self.levels = dict(levels_of(spans))
        self.opened: dict[int, list[Span]] = {}
        for span in sorted(spans, key=lambda span: (span[0], -span[1])):
            self.opened.setdefault(span[0], []).append(span)
        self.held: list[_Held] = []
        self.out: list[Content] = []

    def sentences(self) -> list[Markup]:
        """A paragraph each."""
        words, starts = self.document.words, sorted({0, *self.document.sentences})
        found = []
        for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
            for word in range(start, end):
                self._word(word, first=word == start)
            going = self._leave_until(0)
            if self.out:
                found.append(tag("p", self.out, dir="auto"))
            self.out, self.held = [], [_Held(span) for span in going]
        return found

    def _word(self, word: int, first: bool) -> None:
        words = self.document.words
        if not first and blank_between(words[word - 1], words[word]):
            self._add(" ")
        for span in self.opened.get(word, ()):
            self.held.append(_Held(span, [self._mark(span)], True))
        self._add(words[word])
        for place in reversed(range(len(self.held))):
            if self.held[place].span[1] == word:
                going = self._leave_until(place + 1)
                self.held[place].parts.append(self._end(self.held[place].span, crossed=bool(going)))
                self._leave_until(place)
                self.held += [_Held(span) for span in going]

    def _add(self, part: Content) -> None:
        (self.held[-1].parts if self.held else self.out).append(part)

    def _leave_until(self, place: int) -> list[Span]:
        """End the elements from the one at `place` in `held` on; their mentions, the outer ones first."""
        left = []
        while len(self.held) > place:
            one = self.held.pop()
            left.append(one.span)
            self._add(self._element(one))
        return left[::-1]

    def _element(self, one: _Held) -> Markup:
        number, depth = self.numbers.get(one.span), min(self.levels[one.span], DEEPEST)
        return tag(
            "span", one.parts, id=self._place(one.span) if one.whole else None, title=told(self.document, one.span),
            class_=f"mention c{ALONE} alone" if number is None else f"mention c{colour_of(number)}",
            style=f"--d:{depth}" if depth else None,
        )  # fmt: skip

    def _mark(self, span: Span) -> Markup:
        number = self.numbers.get(span)
        linked = number is not None and number <= MOST_CHAINS
        inside = tag("a", str(number), href=f"#{self.name}-c{number}") if linked else number
        return tag("b", "[", inside, class_="mark")

    def _end(self, span: Span, crossed: bool) -> Markup:
        """The bracket at the end, with the number where it is not that of the innermost mention."""
        return tag("b", self.numbers.get(span) if crossed else None, "]", class_="mark")

    def _place(self, span: Span) -> str:
        return place_of(self.name, span)


def place_of(name: str, span: Span) -> str:
    """The name of the place where a mention stands."""
    return f"{name}-{span[0]}-{span[1]}"


def _list(document: Chained, name: str) -> list[Markup]:
    entries = []
    for number, chain in enumerate(document.ranked[:MOST_CHAINS], 1):
        forms = forms_of(document, chain)
        parts: list[Content] = []
        for form in forms[:MOST_FORMS]:
            parts += [", " if parts else "", tag("a", form.text, href=f"#{place_of(name, form.first)}")]
            parts.append(f" ×{form.count}" if form.count > 1 else None)
        parts.append(f", and {len(forms) - MOST_FORMS:,} more" if len(forms) > MOST_FORMS else None)
        label = tag("b", str(number), class_=f"mark c{colour_of(number)}")
        entries.append(tag("li", label, " ", tag("bdi", parts), id=f"{name}-c{number}"))
    left = len(document.ranked) - MOST_CHAINS
    if left > 0:
        entries.append(tag("li", f"and {number_of(left, 'further chain')}"))
    return [tag("ul", entries, class_="chains")] if entries else []
