"""Pairs of texts with a label or a number: tables, parallel text files, and the XML of the RTE challenges."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from langnet.errors import LangnetError
from langnet.text.archives import is_archive, read_members, split_member
from langnet.text.clean import clean_text
from langnet.text.corpus import Source
from langnet.text.formats import (
    Row,
    column,
    damage_errors,
    format_of,
    known_column,
    open_bytes,
    text_column,
    text_stream,
)
from langnet.text.tab_separated import tab_separated_rows
from langnet.text.table_rows import table_rows

# Names that published sets give their columns: SNLI and XNLI, GLUE, SICK, MRPC, QNLI, ANLI, BoolQ, FEVER as NLI.
FIRST = (
    "premise", "sentence1", "sentence_A", "text", "question1", "first", "#1 String", "question", "context", "evidence",
)  # fmt: skip
SECOND = (
    "hypothesis", "sentence2", "sentence_B", "text2", "question2", "second", "#2 String", "sentence", "passage",
    "query", "claim",
)  # fmt: skip
LABEL = ("gold_label", "label", "entailment_judgment", "entailment_label", "is_duplicate", "Quality", "answer")
SCORE = ("relatedness_score", "similarity_score", "score", "similarity", "label")
NO_LABEL, NO_CLASS = "-", "-1"  # SNLI's, where the annotators had no majority; the Hub's beside classes from 0 on
_XML = re.compile(rb"<!ENTITY", re.IGNORECASE)
_SPLIT = re.compile(r"s1(\..+)")  # InferSent's names: s1.dev beside s2.dev and labels.dev


@dataclass(frozen=True)
class Pair:
    """Two texts.

    Attributes:
        first, second: cleaned.
        label: a string, a number where pairs are rated, or None where it is to be predicted.
        source: `file:line`.
        cells: the row that the pair was read from, to be written again with what is predicted; None: there was none.
        format: of the file, as `.csv`.
    """

    first: str
    second: str
    label: str | float | None = None
    source: str = ""
    cells: Mapping[str, Any] | None = field(default=None, compare=False)
    format: str = ".jsonl"


@dataclass(frozen=True)
class PairColumns:
    """Where in a table a pair stands.

    Attributes:
        first, second, label: names of columns; None finds those of the published sets.
        known_labels: the published names of the label, in the order in which they are looked for.
        where: only rows with these values in these columns, such as `language`: `de`.
    """

    first: str | None = None
    second: str | None = None
    label: str | None = None
    known_labels: Sequence[str] = LABEL
    where: Mapping[str, str] = field(default_factory=dict)


def read_pairs(sources: Sequence[Source], columns: PairColumns | None = None, labelled: bool = True) -> list[Pair]:
    """Pairs from files; those that have no gold label are left out where labels are needed.

    Args:
        sources: tables (csv, tsv, jsonl, json, parquet, and text files with tabs), also compressed or in archives;
            `first.txt+second.txt+labels.txt`, parallel files of one text a line; `s1.dev`, with `s2.dev` and
            `labels.dev` beside it; RTE's XML, also as `rte.zip!rte/rte3_dev.xml`.
        columns: of tables.
        labelled: whether every pair needs a label.

    Raises:
        LangnetError: no such file or column, an empty label, or nothing to read.
    """
    columns = columns or PairColumns()
    pairs: list[Pair] = []
    for source in sources:
        parallel = _parallel_files(source)
        if parallel:
            pairs += _parallel(parallel, labelled)
        elif str(source).lower().endswith(".xml"):
            pairs += _challenge(source, labelled)
        else:
            for name, rows in _tables(source, columns):
                pairs += _pairs(_with_header(rows, columns), name, columns, labelled)
    if labelled and columns.known_labels is LABEL:
        pairs = _with_a_class(pairs)
    if not pairs:
        chosen = " with " + ", ".join(f"{k}={v}" for k, v in columns.where.items()) if columns.where else ""
        raise LangnetError(f"{', '.join(map(str, sources))}: no pairs of texts found{chosen}")
    return pairs


def read_rated_pairs(
    sources: Sequence[Source], columns: PairColumns | None = None, labelled: bool = True
) -> list[Pair]:
    """As `read_pairs`, with numbers for labels.

    Raises:
        LangnetError: also where a label is no number.
    """
    columns = replace(columns or PairColumns(), known_labels=SCORE)
    pairs = read_pairs(sources, columns, labelled)
    return [replace(pair, label=_number(pair)) for pair in pairs] if labelled else pairs


def _number(pair: Pair) -> float:
    try:
        value = float(str(pair.label))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise LangnetError(f"{pair.source}: the rating is '{pair.label}', which is no number; name its column")
    return value


def _tables(source: Source, columns: PairColumns) -> Iterator[tuple[str, list[Row]]]:
    """The name and the rows of each table."""
    path, asked = Path(source).expanduser(), (columns.first, columns.second, columns.label)
    if format_of(path.name) != ".txt" or not path.exists():
        for name, found in groupby(table_rows([source], asked), key=lambda pair: pair[1]):
            yield name, [row for row, _ in found]
        return
    with _opened(source) as stream:  # SICK, MRPC: text files that are tables
        lines = tab_separated_rows(text_stream(stream, name=str(path)), str(path), asked)
        yield str(path), [Row(dict(cells), line) for cells, line in lines]


def _with_header(rows: list[Row], columns: PairColumns) -> list[Row]:
    """The rows of a table; where it has three columns and no header, as XTREME's files of XNLI, the names of SNLI's.

    What was taken for the header is a row where none of its cells is a known name, and its last cell comes again below.
    """
    header = list(rows[0].cells) if rows else []
    if len(header) != 3 or columns.first or columns.second or columns.label or {*header} & {*FIRST, *SECOND}:
        return rows
    if header[2] not in {str(row.cells[header[2]]).strip() for row in rows}:
        return rows
    names = (FIRST[0], SECOND[0], "label")
    every = [header, *([row.cells[name] for name in header] for row in rows)]
    lines = [1, *(row.line for row in rows)]
    return [Row(dict(zip(names, cells, strict=True)), line) for cells, line in zip(every, lines, strict=True)]


def _pairs(rows: Sequence[Row], name: str, columns: PairColumns, labelled: bool) -> Iterator[Pair]:
    kind = ".tsv" if format_of(name) == ".txt" else format_of(name)
    for row in rows:
        if any(str(column(row, key, name)) != value for key, value in columns.where.items()):
            continue
        where = f"{name}:{row.line}"
        first, second = (
            clean_text(text_column(row, wanted or known_column(row, known), name)).text
            for wanted, known in ((columns.first, FIRST), (columns.second, SECOND))
        )
        label_column = columns.label or known_column(row, columns.known_labels)
        if not labelled:
            yield Pair(first, second, None, where, row.cells, kind)
            continue
        label = text_column(row, label_column, name).strip()
        if label == NO_LABEL:
            continue
        if not label:
            raise LangnetError(f"{name}, line {row.line}: the column '{label_column}' is empty; every pair needs one")
        yield Pair(first, second, label, where, row.cells, kind)


def _with_a_class(pairs: list[Pair]) -> list[Pair]:
    """Without those of class -1, where the others are numbered from 0 on; beside 1 alone it is a class like another."""
    classes = {pair.label for pair in pairs}
    if NO_CLASS not in classes or "0" not in classes or not all(str(one).isdecimal() for one in classes - {NO_CLASS}):
        return pairs
    return [pair for pair in pairs if pair.label != NO_CLASS]


def _parallel_files(source: Source) -> list[Path]:
    """The files of first texts, second texts and labels, where the source names such; else none."""
    path = Path(source).expanduser()
    found = _SPLIT.fullmatch(path.name)
    if found and path.exists():
        second, labels = (path.with_name(name + found[1]) for name in ("s2", "labels"))
        if second.exists():
            return [path, second, *([labels] if labels.exists() else [])]
    parts = [Path(part).expanduser() for part in str(source).split("+")]
    if path.exists() or len(parts) not in (2, 3):
        return []
    missing = [part for part in parts if not part.is_file()]
    if missing:
        raise LangnetError(f"{source}: there is no file '{missing[0]}' of these parallel files (here: {Path.cwd()})")
    return parts


def _parallel(files: Sequence[Path], labelled: bool) -> list[Pair]:
    if labelled and len(files) < 3:
        raise LangnetError(f"{files[0]}: no labels beside these texts; name them: first.txt+second.txt+labels.txt")
    columns: list[list[str]] = []
    for path in files:
        with _opened(path) as stream:
            columns.append([line.rstrip("\r\n") for line in text_stream(stream, name=str(path))])
    for path, lines in zip(files[1:], columns[1:], strict=True):
        if len(lines) != len(columns[0]):
            raise LangnetError(
                f"{path} has {len(lines):,} lines and {files[0]} {len(columns[0]):,}; parallel files have one a pair"
            )
    labels = [line.strip() for line in columns[2]] if labelled else [None] * len(columns[0])
    rows = enumerate(zip(columns[0], columns[1], labels, strict=True), 1)
    pairs = [Pair(clean_text(a).text, clean_text(b).text, c, f"{files[0]}:{n}") for n, (a, b, c) in rows]
    empty = next((n for n, label in enumerate(labels, 1) if label == ""), None)
    if empty:
        raise LangnetError(f"{files[2]}, line {empty}: the label is empty; every pair needs one")
    return [pair for pair in pairs if pair.label != NO_LABEL]


def _challenge(source: Source, labelled: bool) -> Iterator[Pair]:
    """The pairs of a file of the RTE challenges: `<pair value="TRUE"><t>…</t><h>…</h></pair>`."""
    with _opened(source) as stream:
        data = stream.read()
    if _XML.search(data):  # entities that name each other can fill any memory
        raise LangnetError(f"{source} declares entities of its own, which are not read; write them out")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise LangnetError(f"{source} is no valid XML: {error}") from error
    for number, pair in enumerate(root.iter("pair"), 1):
        where = f"{source}:{pair.get('id', number)}"
        parts = [part for part in (pair.find("t"), pair.find("h")) if part is not None]
        texts = [clean_text("".join(part.itertext())).text for part in parts]
        if len(texts) != 2:
            raise LangnetError(f"{where}: the pair has no text <t> or no hypothesis <h>")
        label = pair.get("entailment") or pair.get("value")  # of RTE-2 and later, and of RTE-1
        if labelled and not label:
            raise LangnetError(f"{where}: the pair has no label; every pair needs one")
        yield Pair(texts[0], texts[1], label if labelled else None, where)


@contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    """A file's bytes, or those of an archive's member."""
    name, member = split_member(str(source))
    path = Path(name).expanduser()
    if not path.exists():
        raise LangnetError(f"there is no file '{source}'; check the path (here: {Path.cwd()})")
    try:
        if not is_archive(path.name):
            with open_bytes(path) as stream:
                yield stream
            return
        with path.open("rb") as raw:
            for _, data in read_members(raw, path.name, path.stat().st_size, member):
                if data is not None:
                    yield data
                    return
    except damage_errors() as error:
        raise LangnetError(f"cannot read {source}: {str(error) or 'the file is cut off'}") from error
