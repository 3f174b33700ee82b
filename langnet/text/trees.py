"""Constituency trees as bracketed text: read, written, and reduced to what is learned and scored.

A tree is its words, their tags, and brackets over spans of words, outer before inner: as flat as a list, however deep.
The format is the Penn Treebank's (Marcus et al. 1993): `(S (NP-SBJ (DT the) (NN cat)) (VP (VBD sat)))`, over any number
of lines, with or without an outer bracket that is empty or called ROOT, TOP or S1. `NP-SBJ=2` is the category NP with a
function and an index; `(-NONE- *)` is an empty element, a word that nobody said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple

from langnet.errors import LangnetError

ROOTS = ("", "ROOT", "TOP", "S1", "VROOT")  # labels of what only holds a tree together
EMPTY = "-NONE-"
# Blanks are ASCII's alone, as for EVALB: a number may be written with a no-break space in it.
_TOKEN = re.compile(r"[()]|[^\s()]+", re.ASCII)
# How the treebank writes signs that its format needs for itself, and quotes.
_SIGNS = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}
_QUOTES = {"``": '"', "''": '"'}
_UNSAFE = re.compile(r"[()\s]", re.ASCII)

Chain = tuple[str, ...]  # labels of brackets over the same words, outer first


class Bracket(NamedTuple):
    """Words start .. end - 1 and what they are."""

    label: str
    start: int
    end: int


class Span(NamedTuple):
    """All brackets over the words start .. end - 1 as one: `S+VP` as ("S", "VP")."""

    chain: Chain
    start: int
    end: int


@dataclass(frozen=True)
class Tree:
    """One tree.

    Attributes:
        words: as they stand in the file, `-LRB-` for a bracket.
        tags: one a word.
        brackets: in the order in which they open, outer before inner; each holds one word or more.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    brackets: tuple[Bracket, ...] = ()

    def __str__(self) -> str:
        return tree_text(self)


@dataclass(frozen=True)
class JudgedTree:
    """A tree, and how probable each span of `spans_of(bare(tree))` is; empty where that is not known."""

    tree: Tree
    probabilities: tuple[float, ...] = ()

    def of_brackets(self) -> list[float | None]:
        """The probability of each bracket, which is that of its span; None of one that only holds the tree together."""
        found: list[float | None] = []
        number, before = -1, (-1, -1)
        for label, start, end in self.tree.brackets:
            if label in ROOTS or not self.probabilities:
                found.append(None)
                continue
            number, before = number + (before != (start, end)), (start, end)
            found.append(self.probabilities[number])
        return found


def tree_text(tree: Tree) -> str:
    """The tree in one line of bracketed text; nothing of one without words.

    Brackets and spaces within words and tags, which the format needs for itself, are written as `-LRB-` and `_`.
    """
    opening: list[list[str]] = [[] for _ in tree.words]
    closing = [0] * len(tree.words)
    for label, start, end in tree.brackets:
        opening[start].append(f"({_safe(label)} ")
        closing[end - 1] += 1
    leaves = zip(opening, tree.tags, tree.words, closing, strict=True)
    return " ".join(
        f"{''.join(opened)}({_safe(tag) or '_'} {_safe(word) or '_'}){')' * closed}"
        for opened, tag, word, closed in leaves
    )


def _safe(text: str) -> str:
    return _UNSAFE.sub(lambda found: {"(": "-LRB-", ")": "-RRB-"}.get(found[0], "_"), text)


def said(words: Iterable[str]) -> tuple[str, ...]:
    """Words as running text has them, without the treebank's spelling of brackets and quotes, for an encoder."""
    return tuple(_QUOTES.get(word) or _unescaped(word) for word in words)


def _unescaped(word: str) -> str:
    for name, sign in _SIGNS.items():
        if name in word:
            word = word.replace(name, sign)
    return word.replace("\\/", "/").replace("\\*", "*") if "\\" in word else word


def parse_trees(lines: Iterable[str], name: str) -> Iterator[tuple[Tree, int]]:
    """The trees of a file, each with the line on which it begins.

    Args:
        lines: of the file.
        name: of the file, for messages.

    Raises:
        LangnetError: brackets that do not match, a word without a tag, a bracket without words, or text between trees;
            with file and line.
    """
    reader = _Reader(name)
    number = 0
    for number, line in enumerate(lines, 1):
        for token in _TOKEN.findall(line):
            found = reader.take(token, number)
            if found is not None:
                yield found
    reader.finish(number)


@dataclass
class _Open:
    """A bracket that has not been closed: its label, None before one is read; its word, where it is a word's tag."""

    line: int
    start: int
    place: int
    label: str | None = None
    word: str | None = None


class _Reader:
    """Takes tokens, gives trees."""

    def __init__(self, name: str):
        self.name = name
        self._begin()

    def _begin(self) -> None:
        self.stack: list[_Open] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self.brackets: list[Bracket] = []

    def take(self, token: str, line: int) -> tuple[Tree, int] | None:
        """The tree that ends with this token, if one does."""
        if token == "(":
            self._open(line)
        elif not self.stack:
            what = "a bracket is closed that was never opened" if token == ")" else f"'{token}' stands between trees"
            raise self._wrong(line, f"{what}; every tree is one bracket, as in (S (NP (PRP it)) (VP (VBZ works)))")
        elif token == ")":
            return self._close(line)
        else:
            self._text(token, line)
        return None

    def _open(self, line: int) -> None:
        if self.stack and self.stack[-1].word is not None:
            raise self._wrong(line, f"a bracket opens behind the word '{self.stack[-1].word}', inside of its tag")
        if self.stack and self.stack[-1].label is None:
            self.stack[-1].label = ""
        self.stack.append(_Open(line, len(self.words), len(self.brackets)))

    def _text(self, token: str, line: int) -> None:
        top = self.stack[-1]
        if top.label is None:
            top.label = token
        elif top.word is not None:
            raise self._wrong(line, f"two words, '{top.word}' and '{token}', share the tag {top.label}; one a tag")
        elif top.start < len(self.words):
            raise self._wrong(line, f"the word '{token}' has no tag; it is written as (TAG {token})")
        else:
            top.word = token

    def _close(self, line: int) -> tuple[Tree, int] | None:
        top = self.stack.pop()
        if top.word is not None:
            self.words.append(top.word)
            self.tags.append(top.label or "")
        elif top.start == len(self.words):
            raise self._wrong(line, f"the bracket '({top.label or ''})' holds no words")
        else:
            self.brackets.insert(top.place, Bracket(top.label or "", top.start, len(self.words)))
        if self.stack:
            return None
        tree = Tree(tuple(self.words), tuple(self.tags), tuple(self.brackets))
        self._begin()
        return tree, top.line

    def finish(self, line: int) -> None:
        """Nothing, where every tree was closed."""
        if self.stack:
            count = len(self.stack)
            raise self._wrong(
                self.stack[0].line,
                f"the tree that begins here is not closed by the end of the file (line {line}): {count} bracket"
                f"{'s are' if count > 1 else ' is'} missing, there or in between",
            )

    def _wrong(self, line: int, what: str) -> LangnetError:
        return LangnetError(f"{self.name}, line {line}: {what}")


def category(label: str) -> str:
    """A label without functions and indices: NP of NP-SBJ=2; what begins with a hyphen stays, as -LRB-."""
    return re.split("[-=]", label, maxsplit=1)[0] or label


def outer_label(tree: Tree) -> str | None:
    """The label of the bracket that only holds the tree together, as ROOT; None where there is none."""
    if not tree.brackets or tree.brackets[0].label not in ROOTS or tree.brackets[0].end != len(tree.words):
        return None
    return tree.brackets[0].label


def without_words(tree: Tree, gone: Sequence[bool]) -> Tree:
    """The tree without some of its words, and without the brackets that then hold none.

    Args:
        tree: any.
        gone: of every word whether it goes.
    """
    before = [0, *accumulate(not out for out in gone)]  # words that stay before each place
    kept = [i for i, out in enumerate(gone) if not out]
    brackets = (Bracket(label, before[start], before[end]) for label, start, end in tree.brackets)
    return Tree(
        tuple(tree.words[i] for i in kept),
        tuple(tree.tags[i] for i in kept),
        tuple(bracket for bracket in brackets if bracket.start < bracket.end),
    )


def bare(tree: Tree) -> Tree:
    """What is learned and scored of a tree: no empty elements, no functions, no bracket that only holds it together."""
    if EMPTY in tree.tags:
        tree = without_words(tree, [tag == EMPTY for tag in tree.tags])
    kept = (bracket for bracket in tree.brackets if bracket.label not in ROOTS)
    return replace(tree, brackets=tuple(Bracket(category(label), start, end) for label, start, end in kept))


def spans_of(tree: Tree) -> list[Span]:
    """The spans of words that have brackets, chains of brackets over the same words as one, in the order of opening."""
    found: list[Span] = []
    for label, start, end in tree.brackets:
        if found and (found[-1].start, found[-1].end) == (start, end):
            found[-1] = Span((*found[-1].chain, label), start, end)
        else:
            found.append(Span((label,), start, end))
    return found


def from_spans(words: Sequence[str], tags: Sequence[str], spans: Iterable[Span], outer: str | None = None) -> Tree:
    """The tree of spans that do not cross, in any order.

    Args:
        words, tags: of the sentence.
        spans: at most one over the same words.
        outer: the label of a bracket that holds all together; where several trees would stand side by side, None is as
            an empty one.
    """
    ordered = sorted(spans, key=lambda span: (span.start, -span.end))
    brackets = [Bracket(label, span.start, span.end) for span in ordered for label in span.chain]
    whole = bool(ordered) and (ordered[0].start, ordered[0].end) == (0, len(words))
    if words and (outer is not None or not (whole or len(words) == 1)):
        brackets.insert(0, Bracket(outer or "", 0, len(words)))
    return Tree(tuple(words), tuple(tags), tuple(brackets))


def children_of(spans: Sequence[Span], n_words: int) -> list[list[int]]:
    """What each span holds, in reading order; last, what no span holds.

    Args:
        spans: in the order of opening.
        n_words: of the sentence.

    Returns:
        Of each span its children: the number of a span, or -1 - i for the word i.
    """
    found: list[list[int]] = [[] for _ in range(len(spans) + 1)]
    inside = [len(spans)]
    ends = [n_words]
    after = 0
    for word in range(n_words):
        while ends[-1] <= word:
            inside.pop()
            ends.pop()
        while after < len(spans) and spans[after].start == word:
            found[inside[-1]].append(after)
            inside.append(after)
            ends.append(spans[after].end)
            after += 1
        found[inside[-1]].append(-1 - word)
    return found
