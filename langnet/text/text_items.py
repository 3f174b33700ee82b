"""Single texts with a set of labels or with a number: from tables, and from plain lines where nothing is labelled."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from langnet.errors import LangnetError
from langnet.text.archives import is_archive, split_member
from langnet.text.clean import clean_text
from langnet.text.corpus import CorpusOptions, CorpusReport, Source, read_documents
from langnet.text.formats import TABLES, USUAL_TEXT, Row, column, format_of, known_column, text_column, usual_text
from langnet.text.table_rows import table_rows

# Names that published sets give their columns, in the order in which they are looked for.
LABELS = ("labels", "label", "tags", "categories", "topics", "genres", "emotions")
NUMBER = ("score", "rating", "stars", "value", "label")
SEPARATOR = ";"
LIST = "json"  # in place of a separator: cells are JSON lists
_YES, _NO = ("1", "1.0", "true"), ("0", "0.0", "false")


@dataclass(frozen=True)
class ItemOptions(CorpusOptions):
    """How texts are read of which something is to be said: a line or a row each, whole, and none in a wrong spelling.

    Bytes that are not UTF-8 are refused, and files of words and trees; rows keep their cells; where the column of the
    text is not named, another usual name is found.
    """

    documents: Literal["file", "line", "paragraph"] = "line"
    longest_document: int = 0

    keeps_rows: ClassVar[bool] = True


@dataclass(frozen=True)
class LabelLayout:
    """How a table writes sets of labels.

    Attributes:
        column: that holds the set; empty where every label has a column.
        separator: between the labels of a cell, or `LIST`.
        columns: the labels, where each has a column of 0 and 1.
    """

    column: str = LABELS[0]
    separator: str = SEPARATOR
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class TextItem:
    """A text.

    Attributes:
        text: cleaned.
        label: a sorted set of labels, a number, or None where it is to be predicted.
        source: `file:line`.
        cells: the row that it was read from, to be written again with what is predicted; None: there was none.
        format: of the file, as `.csv`.
        layout: how the file writes sets of labels.
    """

    text: str
    label: tuple[str, ...] | float | None = None
    source: str = ""
    cells: Mapping[str, Any] | None = field(default=None, compare=False)
    format: str = ".jsonl"
    layout: LabelLayout = field(default_factory=LabelLayout, compare=False)


@dataclass(frozen=True)
class TextColumns:
    """Where in a table a text and its label stand.

    Attributes:
        text, label: names of columns; None finds those of published sets. For sets of labels, `label` may name several
            columns of 0 and 1, with commas between.
        separator: between the labels of a cell, or `LIST`; None: lists where a cell is one, else `SEPARATOR`.
        where: only rows with these values in these columns.
    """

    text: str | None = None
    label: str | None = None
    separator: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)


# The label of a row of this file, and how the file writes such; no label where it is to be predicted.
_Reader = Callable[[Row, str, TextColumns, bool], tuple[tuple[str, ...] | float | None, LabelLayout]]


def read_label_sets(
    sources: Sequence[Source], columns: TextColumns | None = None, labelled: bool = True
) -> list[TextItem]:
    """Texts with any number of labels, none included.

    A set is a cell of labels with a separator between, a JSON list, or several columns of 0 and 1. An empty cell, an
    empty list and a row of zeros are the empty set; a value that is missing (null) is none, and refused.

    Args:
        sources: tables (csv, tsv, jsonl, json, parquet), also compressed or in archives; where nothing is labelled,
            text files of a text a line and `-` too.
        columns: of tables.
        labelled: whether the labels are read.

    Raises:
        LangnetError: no such file or column, a cell that is no set of labels, or nothing to read.
    """
    return list(_items(sources, columns or TextColumns(), labelled, _label_set))


def read_numbers(
    sources: Sequence[Source], columns: TextColumns | None = None, labelled: bool = True
) -> list[TextItem]:
    """Texts with a number; sources are those of `read_label_sets`.

    Raises:
        LangnetError: no such file or column, a cell that is no finite number, or nothing to read.
    """
    return list(_items(sources, columns or TextColumns(), labelled, _number))


def _items(sources: Sequence[Source], columns: TextColumns, labelled: bool, read: _Reader) -> Iterator[TextItem]:
    count = 0
    for source in sources:
        plain = not labelled and not _is_table(source)
        for item in _lines(source, columns, read) if plain else _rows(source, columns, labelled, read):
            count += 1
            yield item
    if not count:
        chosen = " with " + ", ".join(f"{k}={v}" for k, v in columns.where.items()) if columns.where else ""
        raise LangnetError(f"{', '.join(map(str, sources))}: no texts found{chosen}")


def _is_table(source: Source) -> bool:
    name, member = split_member(str(source))
    return format_of(member or name) in TABLES or is_archive(name)


def _lines(source: Source, columns: TextColumns, read: _Reader) -> Iterator[TextItem]:
    """A text a line, or the tables of a folder."""
    for document in read_documents([source], ItemOptions(columns.text or USUAL_TEXT[0]), CorpusReport()):
        _, layout = read(Row(dict(document.cells or {}), 1), document.source, columns, False)
        text = clean_text(document.text).text
        yield TextItem(text, None, document.source, document.cells, document.format, layout)


def _rows(source: Source, columns: TextColumns, labelled: bool, read: _Reader) -> Iterator[TextItem]:
    for row, name in table_rows([source], (columns.text, columns.label)):
        if any(str(column(row, key, name)) != value for key, value in columns.where.items()):
            continue
        text = clean_text(text_column(row, usual_text(row, columns.text), name)).text
        label, layout = read(row, name, columns, labelled)
        yield TextItem(text, label, f"{name}:{row.line}", row.cells, format_of(name), layout)


def _number(row: Row, name: str, columns: TextColumns, labelled: bool) -> tuple[float | None, LabelLayout]:
    wanted = columns.label or known_column(row, NUMBER)
    if not labelled:
        return None, LabelLayout(wanted)
    cell = text_column(row, wanted, name).strip()
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        what = f"'{cell}', which is no number" if cell else "empty; every text needs a number"
        raise LangnetError(f"{name}, line {row.line}: the column '{wanted}' is {what}")
    return value, LabelLayout(wanted)


def _label_set(row: Row, name: str, columns: TextColumns, labelled: bool) -> tuple[tuple[str, ...] | None, LabelLayout]:
    wanted = columns.label or known_column(row, LABELS)
    several = tuple(part.strip() for part in wanted.split(",")) if "," in wanted and wanted not in row.cells else ()
    if several:
        held = None
        if labelled:
            held = tuple(sorted({label for label in several if _is_set(column(row, label, name), row, name, label)}))
        return held, LabelLayout("", columns.separator or SEPARATOR, several)
    cell = column(row, wanted, name) if labelled else row.cells.get(wanted)
    listed = _as_list(cell) if columns.separator in (None, LIST) else None
    separator = columns.separator or (LIST if listed is not None else SEPARATOR)
    if not labelled:
        if cell is None and columns.separator is None and format_of(name) not in (".csv", ".tsv"):
            separator = LIST
        return None, LabelLayout(wanted, separator)
    where = f"{name}, line {row.line}: the column '{wanted}'"
    if cell is None:
        raise LangnetError(f"{where} is missing (null); no labels are written as an empty cell or list")
    if listed is None and (separator == LIST or isinstance(cell, dict | bytes)):
        raise LangnetError(f"{where} is {str(cell)[:40]!r}, which is no JSON list of labels")
    parts = str(cell).split(separator) if listed is None else listed
    wrong = next((part for part in parts if part is None or isinstance(part, list | dict)), "")
    if wrong != "":
        raise LangnetError(f"{where} holds {json.dumps(wrong)} within a list, which is no label")
    return tuple(sorted({str(part).strip() for part in parts} - {""})), LabelLayout(wanted, separator)


def _as_list(cell: Any) -> list[Any] | None:
    """The list that a cell is, or spells in JSON; else None."""
    if isinstance(cell, list | tuple):
        return list(cell)
    if not isinstance(cell, str) or not cell.strip().startswith("["):
        return None
    try:
        found = json.loads(cell)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _is_set(cell: Any, row: Row, name: str, label: str) -> bool:
    word = str(cell).strip().lower()
    if word not in (*_YES, *_NO):
        raise LangnetError(f"{name}, line {row.line}: the column '{label}' is '{cell}', and has to be 0 or 1")
    return word in _YES
