"""Tab-separated tables, with and without quotes.

Half the world's .tsv files quote cells as CSV does, the other half lets a cell begin with a quotation mark that means
itself; nothing says which. Here a quote is taken for one of CSV where that gives a row of the right width.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence

from langnet.errors import LangnetError

_LONGEST_ROW = 1_000  # lines that a quoted cell may span


def named_columns(line: list[str], asked: Sequence[str | None], name: str) -> tuple[list[str], list[str]]:
    """The names of a table's columns, and the cells of its first line where that is no header.

    It is none where columns are asked for by number alone, as AG News and CoLA have none, unless all its cells are
    numbers, as pandas names columns without names.

    Raises:
        LangnetError: two columns of the table called `name` have one name, of which one would be lost.
    """
    given = [wanted for wanted in asked if wanted is not None]
    names = [cell.strip() for cell in line]
    if not given or not all(map(str.isdecimal, given)) or all(map(str.isdecimal, names)):
        twice = next((one for place, one in enumerate(names) if one and one in names[:place]), None)
        if twice is not None:
            raise LangnetError(f"{name}, line 1: two columns are called '{twice}'; rename one of them")
        return names, []
    return [str(number) for number in range(1, len(line) + 1)], line


def tab_separated_rows(
    lines: Iterator[str], name: str, asked: Sequence[str | None] = ()
) -> Iterator[tuple[dict[str, str], int]]:
    """Cells by column, and the line where the row begins; `asked` as in `formats.read_rows`.

    Raises:
        LangnetError: a row of another width than the header.
    """
    csv.field_size_limit(2**28)  # a cell may be a whole document; formats.LARGEST_ROW
    source = _Lines(lines)
    header = source.take()
    if header is None:
        return
    columns, first = named_columns(_quoted([header]) or _plain(header), asked, name)
    if first:
        yield dict(zip(columns, first, strict=True)), source.number
    while (line := source.take()) is not None:
        number = source.number
        if not line.strip("\r\n"):
            continue
        cells = _cells(line, source, len(columns))
        if len(cells) != len(columns):
            raise LangnetError(
                f"{name}, line {number}: {len(cells)} cells where the header has {len(columns)}; "
                "put cells that hold a tab or a line break in double quotes"
            )
        yield dict(zip(columns, cells, strict=True)), number


class _Lines:
    """Lines that can be put back."""

    def __init__(self, lines: Iterator[str]):
        self._lines, self._ahead, self.number = lines, deque[str](), 0

    def take(self) -> str | None:
        """The next line; None at the end."""
        line = self._ahead.popleft() if self._ahead else next(self._lines, None)
        if line is None:
            return None
        self.number += 1
        return line.replace("\x00", "")

    def put_back(self, lines: list[str]) -> None:
        """Have these lines come again."""
        self._ahead.extendleft(reversed(lines))
        self.number -= len(lines)


def _cells(line: str, source: _Lines, width: int) -> list[str]:
    if not _has_opening_quote(line):
        return _plain(line)
    taken, cells = [line], _quoted([line])
    while cells is None:  # a quoted cell that goes on after the line's end, or a quotation mark that means itself
        following = source.take() if len(taken) < _LONGEST_ROW else None
        if following is None:
            break
        taken.append(following)
        if '"' in following:
            cells = _quoted(taken)
    if cells is not None and len(cells) == width:
        return cells
    source.put_back(taken[1:])
    return _plain(line)


def _has_opening_quote(line: str) -> bool:
    return line.startswith('"') or '\t"' in line


def _plain(line: str) -> list[str]:
    return line.rstrip("\r\n").split("\t")


def _quoted(lines: list[str]) -> list[str] | None:
    """One row by the rules of CSV; None where the lines are not a whole one; empty where they break the rules."""
    try:
        rows = list(csv.reader(lines, delimiter="\t", strict=True))
    except csv.Error as error:
        return None if "unexpected end" in str(error) else []
    return rows[0] if len(rows) == 1 else []
