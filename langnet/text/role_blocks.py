"""Columns of text in blocks, a word a line and an empty line after each sentence, for formats whose width varies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_SPACES = re.compile(r"[ \t]+")
_BLANK = " \t\r\n"
_DOCUMENT = re.compile(r"#(?:begin|end) document\b")
_NAMES = re.compile(r"#\s*global\.columns\s*=\s*(.+)")
ID = re.compile(r"\d+")


@dataclass
class Block:
    """One sentence.

    Attributes:
        lines: all of it, comments and what stands before them too, line ends included.
        start: the number of the first of these lines in the file, from 1.
        rows: which of the lines are words.
        cells: of each row.
    """

    lines: list[str] = field(default_factory=list)
    start: int = 1
    rows: list[int] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)

    def line(self, row: int) -> int:
        """The number of a row's line in the file."""
        return self.start + self.rows[row]


@dataclass(frozen=True)
class Blocks:
    """A file's sentences, and how its lines are cut.

    Attributes:
        sentences: those with a word.
        tabs: whether cells are parted by tabs alone.
        names: of the columns, where the file says them.
        numbered: whether the first cell of a row is the number of its word.
    """

    sentences: list[Block]
    tabs: bool
    names: tuple[str, ...] = ()
    numbered: bool = False


def read_blocks(lines: Iterable[str]) -> Blocks:
    """A file's lines as sentences.

    Ranges and empty nodes of CoNLL-U are no words; lines that begin with `#` are comments where cells are parted by
    tabs, and elsewhere those that begin or end a document.
    """
    held = list(lines)
    first = next((line for line in held if line.strip(_BLANK) and not line.startswith("#")), "")
    tabs = "\t" in first
    numbered = ID.match(first) is not None and tabs
    names: tuple[str, ...] = ()
    blocks = [Block()]
    for number, line in enumerate(held, 1):
        blank = not line.strip(_BLANK)
        if blank and blocks[-1].rows:
            blocks.append(Block(start=number))
        elif not blank:
            comment = line.startswith("#") and ("\t" not in line if tabs else _DOCUMENT.match(line) is not None)
            named = _NAMES.match(line) if comment and not names else None
            if named:
                names = tuple(named[1].split())
            if not comment:
                _add_row(blocks[-1], line, tabs, numbered)
        blocks[-1].lines.append(line)
    if not blocks[-1].rows and len(blocks) > 1:  # what stands behind the last sentence stays with it
        blocks[-2].lines += blocks.pop().lines
    return Blocks([block for block in blocks if block.rows], tabs, names, numbered)


def _add_row(block: Block, line: str, tabs: bool, numbered: bool) -> None:
    cells = cut(line, tabs)
    if not numbered or ID.fullmatch(cells[0]):
        block.rows.append(len(block.lines))
        block.cells.append(cells)


def cut(line: str, tabs: bool) -> list[str]:
    """The cells of a line."""
    return line.rstrip("\r\n").split("\t") if tabs else _SPACES.split(line.strip(_BLANK))


def with_cells(line: str, tabs: bool, changed: Mapping[int, str], added: Sequence[str] = (), after: int = 0) -> str:
    """A line with other cells, all between them as it was.

    Args:
        line: with its end.
        tabs: how it is cut.
        changed: cells by their columns.
        added: new cells.
        after: how many cells stand behind the new ones.
    """
    text = line.rstrip("\r\n")
    end = line[len(text) :]
    pieces = re.split(r"(\t)" if tabs else r"([ \t]+)", text)  # cells and what stands between them, in turn
    lead = 2 if not tabs and not pieces[0] else 0  # blanks before the first cell
    if not tabs and not pieces[-1]:
        pieces = pieces[:-2]
    for column, value in changed.items():
        pieces[lead + 2 * column] = value
    if added:
        place = len(pieces) - 2 * after + 1 if after else len(pieces)
        new = [piece for value in added for piece in ("\t" if tabs else " ", value)]
        if after:  # cells go before what is kept at the end, each followed by what parts it
            new = [*new[1:], new[0]]
        pieces[place:place] = new
    return "".join(pieces) + end
