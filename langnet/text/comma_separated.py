"""Comma-separated tables: every row with the line where it begins, which a quoted cell may leave far behind."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from langnet.errors import LangnetError
from langnet.text.tab_separated import named_columns


def comma_separated_rows(
    lines: Iterator[str], name: str, asked: Sequence[str | None] = ()
) -> Iterator[tuple[dict[str, str], int]]:
    """Cells by column, and the line where the row begins; `asked` as in `formats.read_rows`.

    Raises:
        LangnetError: a row of another width than the header, or quotes that make no sense.
    """
    csv.field_size_limit(2**28)  # a cell may be a whole document; formats.LARGEST_ROW
    reader = csv.reader((line.replace("\x00", "") for line in lines), strict=True)
    start = 1  # line where the row begins
    try:
        header = next(reader, None)
        if header is None:
            return
        header, first = named_columns(header, asked, name)
        if first:
            yield dict(zip(header, first, strict=True)), start
        start = reader.line_num + 1
        for cells in reader:
            if cells and len(cells) != len(header):
                raise LangnetError(
                    f"{name}, line {start}: {len(cells)} cells where the header has {len(header)}; "
                    "put cells that hold the separator or a line break in double quotes"
                )
            if cells:
                yield dict(zip(header, cells, strict=True)), start
            start = reader.line_num + 1
    except csv.Error as error:
        if "unexpected end" in str(error):
            reason = "a quote that begins in this row is never closed"
        else:
            reason = str(error) if reader.line_num == start else f"{error}, in line {reader.line_num}"
        raise LangnetError(f"{name}, line {start}: {reason}; check the quotes there") from error
