"""Documents whose mentions of one thing are chained together, and the brackets that CoNLL writes chains with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from langnet.errors import LangnetError

Span = tuple[int, int]  # the first and the last word of a mention, numbered through the document
Chain = tuple[Span, ...]

_PART = re.compile(r"\((?P<open>[^()|]+)(?P<single>\))?|(?P<close>[^()|]+)\)|\|")
_GUM = re.compile(r"[^\W\d]+-(?P<number>\d+)(?:-.*)?")  # an entity's type, its number, and perhaps a name for it
NOTHING = ("_", "-", "")


@dataclass(frozen=True)
class Layout:
    """Where chains are written in a document's lines.

    Attributes:
        kind: columns of text, or an object of JSON; `text` has no place for them.
        nothing: what stands in the column of brackets where no bracket does.
    """

    kind: Literal["columns", "json", "text"]
    nothing: str = "-"


@dataclass(frozen=True)
class PronounChoice:
    """Which of two names a pronoun stands for (Webster et al. 2018: GAP).

    Attributes:
        pronoun, a, b: their words.
        gold: whether it stands for either; None where that is to be said.
        feminine: whether the pronoun is feminine.
    """

    pronoun: Span
    a: Span
    b: Span
    gold: tuple[bool, bool] | None = None
    feminine: bool = False


@dataclass(frozen=True)
class Document:
    """Words in sentences, and the chains among them.

    Attributes:
        words: of all sentences.
        sentences: the first word of each sentence; mentions do not cross their borders.
        chains: mentions of one thing each, in the order of the text; None where they are to be found.
        name: as the file calls it.
        source: `file:line` of its beginning.
        lines, rows, layout: of the file, which of the lines hold words, and where chains stand in them.
        choice: the one question that is asked of it, in place of all chains.
    """

    words: tuple[str, ...]
    sentences: tuple[int, ...] = (0,)
    chains: tuple[Chain, ...] | None = None
    name: str = ""
    source: str = ""
    lines: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    layout: Layout | None = None
    choice: PronounChoice | None = None

    def text(self, span: Span) -> str:
        """The words of a span, with blanks between them."""
        return " ".join(self.words[span[0] : span[1] + 1])


def crosses(one: Span, other: Span) -> bool:
    """Whether two mentions share words, and each has words of its own."""
    return one[0] < other[0] <= one[1] < other[1] or other[0] < one[0] <= other[1] < one[1]


def read_brackets(cells: Sequence[str], where: Sequence[str]) -> dict[str, list[Span]]:
    """The mentions of each chain, by its name, from a cell a word: `(3`, `3)`, `(3)`, several joined by `|` or nothing.

    Chains are named by numbers, or as GUM does by type, number and perhaps more, `(person-3-Ada_Lovelace`, of which the
    number counts. A bracket closes the last one opened of its chain. Chains come in the order of their first brackets,
    in one cell those of one word first: where two of them have the same mention, the first one has it, as the CoNLL
    scorer sees it.

    Args:
        cells: of every word of a document.
        where: the place of each word, for messages.

    Raises:
        LangnetError: a cell that is none, a bracket that closes nothing, or one that is never closed.
    """
    chains: dict[str, list[Span]] = {}
    held: dict[str, list[int]] = {}
    for word, cell in enumerate(cells):
        if cell in NOTHING:
            continue
        for begun in sorted(_PART.finditer(cell), key=lambda begun: begun["single"] is None):
            if begun["open"]:
                chains.setdefault(_name(begun["open"]), [])
        at = 0
        while at < len(cell):
            part = _PART.match(cell, at)
            if part is None:
                raise LangnetError(f"{where[word]}: '{cell}' is no bracket of a chain; write (3, 3) or (3), or _")
            at = part.end()
            if part["single"]:
                chains.setdefault(_name(part["open"]), []).append((word, word))
            elif part["open"]:
                held.setdefault(_name(part["open"]), []).append(word)
            elif part["close"]:
                name = _name(part["close"])
                if not held.get(name):
                    raise LangnetError(f"{where[word]}: '{cell}' closes chain {name}, which is not open")
                chains.setdefault(name, []).append((held[name].pop(), word))
    for name, words in held.items():
        if words:
            raise LangnetError(f"{where[words[-1]]}: chain {name} is opened and never closed in its document")
    return chains


def _name(written: str) -> str:
    gum = _GUM.fullmatch(written)
    return gum["number"] if gum else written


def as_chains(named: Mapping[str, Iterable[Span]]) -> tuple[tuple[Chain, ...], int]:
    """Chains in the order of the text, and how many mentions were dropped since another chain has the same words."""
    seen: set[Span] = set()
    chains, dropped = [], 0
    for spans in named.values():
        own = sorted(set(spans))
        fresh = [span for span in own if span not in seen]
        dropped += len(own) - len(fresh)
        seen.update(fresh)
        if fresh:
            chains.append(tuple(fresh))
    return tuple(sorted(chains)), dropped


def write_brackets(n_words: int, chains: Sequence[Chain], nothing: str) -> list[str]:
    """A cell a word; chains are numbered in their order, long mentions opened first and closed last."""
    opened: list[list[tuple[int, str]]] = [[] for _ in range(n_words)]
    single: list[list[str]] = [[] for _ in range(n_words)]
    closed: list[list[tuple[int, str]]] = [[] for _ in range(n_words)]
    for number, chain in enumerate(chains):
        for first, last in chain:
            if first == last:
                single[first].append(f"({number})")
            else:
                opened[first].append((-last, f"({number}"))
                closed[last].append((-first, f"{number})"))
    cells = []
    for word in range(n_words):
        ends = [text for _, text in sorted(closed[word])]
        begins = [text for _, text in sorted(opened[word])]
        cells.append("|".join([*begins, *single[word], *ends]) or nothing)
    return cells
