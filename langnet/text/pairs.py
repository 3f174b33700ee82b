"""Pairs of texts with a label: from tables with named columns, or SNLI's jsonl."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from langnet.errors import LangnetError
from langnet.text.clean import clean_text
from langnet.text.corpus import Source
from langnet.text.formats import TABLES, Row, damage_errors, format_of, open_bytes, read_rows, text_column

# Names that published sets give their columns: SNLI and XNLI, GLUE, SICK.
FIRST = ("premise", "sentence1", "sentence_A", "text", "question1", "first")
SECOND = ("hypothesis", "sentence2", "sentence_B", "text2", "question2", "second")
LABEL = ("gold_label", "label", "entailment_judgment", "entailment_label")
NO_LABEL = "-"  # SNLI's, where the annotators had no majority


@dataclass(frozen=True)
class Pair:
    """Two texts.

    Attributes:
        first, second: cleaned.
        label: a string, or None where it is to be predicted.
        source: `file:line`.
    """

    first: str
    second: str
    label: str | None = None
    source: str = ""


def read_pairs(
    sources: Sequence[Source],
    first: str | None = None,
    second: str | None = None,
    label: str | None = None,
    labelled: bool = True,
) -> list[Pair]:
    """Read tables (csv, tsv, jsonl, json, parquet, also compressed); pairs without a gold label are left out.

    Args:
        sources: files.
        first, second, label: names of columns; None finds those of the published sets.
        labelled: whether every pair needs a label.

    Raises:
        LangnetError: no such file or column, an empty label, or nothing to read.
    """
    pairs: list[Pair] = []
    for source in sources:
        path = Path(source).expanduser()
        if not path.exists():
            raise LangnetError(f"there is no file '{source}'; check the path (here: {Path.cwd()})")
        if format_of(path.name) not in TABLES:
            raise LangnetError(f"{path} is no table; pairs are read from {', '.join(TABLES)}")
        try:
            with open_bytes(path) as stream:
                pairs += _pairs(read_rows(stream, str(path)), path, (first, second, label), labelled)
        except damage_errors() as error:
            raise LangnetError(f"cannot read {path}: {str(error) or 'the file is cut off'}") from error
    if not pairs:
        raise LangnetError(f"{', '.join(map(str, sources))}: no pairs of texts found")
    return pairs


def _pairs(
    rows: Iterator[Row], path: Path, wanted: tuple[str | None, str | None, str | None], labelled: bool
) -> Iterator[Pair]:
    for row in rows:
        where = f"{path}:{row.line}"
        first, second = (
            clean_text(text_column(row, name or _found(row, known), str(path))).text
            for name, known in zip(wanted[:2], (FIRST, SECOND), strict=True)
        )
        column = wanted[2] or _found(row, LABEL)
        if not labelled and column not in row.cells:
            yield Pair(first, second, None, where)
            continue
        label = text_column(row, column, str(path)).strip()
        if label == NO_LABEL and labelled:
            continue
        if not label and labelled:
            raise LangnetError(f"{path}, line {row.line}: the column '{column}' is empty; every pair needs a label")
        yield Pair(first, second, label or None, where)


def _found(row: Row, known: Sequence[str]) -> str:
    """The first of the known columns that the table has; the first of all where it has none."""
    return next((name for name in known if name in row.cells), known[0])
