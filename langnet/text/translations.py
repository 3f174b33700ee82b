"""Sentences with their translations: two files side by side, tables, or plain text, a sentence a line, to translate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from langnet.errors import LangnetError
from langnet.text.clean import clean_text
from langnet.text.corpus import Source
from langnet.text.formats import (
    COMPRESSIONS,
    TABLES,
    WORD_FILES,
    Row,
    begins_binary,
    damage_errors,
    format_of,
    open_bytes,
    read_rows,
    text_column,
    text_stream,
)
from langnet.text.paths import require_path
from langnet.text.written_tables import ROW_FORMATS, beside, table_text

SOURCES, TARGETS = ("source", "src", "sentence1", "text"), ("target", "tgt", "translation", "sentence2")
BY_LANGUAGE = "translation"  # a column that holds a sentence in each language, as the Hub's translation sets have it


@dataclass(frozen=True)
class Translation:
    """A sentence, and what it is in another language.

    Attributes:
        text: the sentence.
        target: its translation; None where that is to be found.
        source: `file:line`.
        cells: of its row in a table; None of plain text.
    """

    text: str
    target: str | None = None
    source: str = ""
    cells: dict[str, Any] | None = None


def read_translations(
    sources: Sequence[Source], text: str | None = None, target: str | None = None, labelled: bool = True
) -> list[Translation]:
    """Read sentences with their translations.

    Args:
        sources: `a.en+a.de`, two files of a sentence a line, also compressed; or tables (csv, tsv, jsonl, json,
            parquet); or, where no translations are needed, plain text.
        text, target: columns of tables; None looks for `source` and `target`, or what published sets call them. Where
            a column `translation` holds sentences by language, these are languages, and None takes the first two.
        labelled: whether translations are needed.

    Raises:
        LangnetError: no such file or column, files of unequal length, or nothing to read.
    """
    found: list[Translation] = []
    for source in sources:
        try:
            found += _read(source, (text, target), labelled)
        except damage_errors() as error:
            raise LangnetError(f"cannot read {source}: {str(error) or 'the file is cut off'}") from error
    if not found:
        raise LangnetError(f"{', '.join(map(str, sources))}: no sentences found")
    return found


def _read(source: Source, names: tuple[str | None, str | None], labelled: bool) -> Iterator[Translation]:
    parts = [Path(part).expanduser() for part in str(source).split("+")]
    if len(parts) == 2 and not Path(source).expanduser().exists():
        for part in parts:
            require_path(str(part))
        yield from _parallel(*parts)
        return
    require_path(str(source))
    path = Path(source).expanduser()
    if format_of(path.name) in TABLES:
        with open_bytes(path) as stream:
            for row in read_rows(stream, str(path)):
                yield _of_row(row, path, names, labelled)
    elif labelled:
        raise LangnetError(
            f"{path} has no translations: name the two files that have a sentence a line, {path}+OTHER, or a table"
        )
    else:
        for number, line in enumerate(_lines(path), 1):
            yield Translation(clean_text(line).text, None, f"{path}:{number}")


def _parallel(first: Path, second: Path) -> Iterator[Translation]:
    lines, others = _lines(first), _lines(second)
    if len(lines) != len(others):
        raise LangnetError(f"{second} has {len(others):,} lines and {first} {len(lines):,}; they have one a sentence")
    for number, (line, other) in enumerate(zip(lines, others, strict=True), 1):
        yield Translation(clean_text(line).text, clean_text(other).text, f"{first}:{number}")


def _lines(path: Path) -> list[str]:
    if path.is_dir():
        raise LangnetError(f"{path} is a folder; name the files in it that hold sentences")
    name = Path(path.stem) if path.suffix.lower() in COMPRESSIONS else path
    if name.suffix.lower() in WORD_FILES:
        raise LangnetError(f"{path} holds words or trees, no sentence a line; write the sentences into a .txt file")
    with open_bytes(path) as stream:
        if begins_binary(stream):
            raise LangnetError(f"{path} is no plain text; sentences are read a line each, or from tables")
        return [line.rstrip("\r\n") for line in text_stream(stream, name=str(path))]


def _of_row(row: Row, path: Path, names: tuple[str | None, str | None], labelled: bool) -> Translation:
    texts, cells = [], row.cells
    if isinstance(by_language := cells.get(BY_LANGUAGE), dict):
        row, names = replace(row, cells=by_language), _two_languages(list(by_language), *names)
        if labelled and not all(name and by_language.get(name) for name in names):
            wanted = " and ".join(f"'{name}'" for name in names if name and not by_language.get(name)) or "a second one"
            raise LangnetError(f"{path}, line {row.line}: of the languages of '{BY_LANGUAGE}', {wanted} is missing")
    for name, known in zip(names, (SOURCES, TARGETS), strict=True):
        chosen = name or next((key for key in known if key in row.cells), known[0])
        needed = known is SOURCES or labelled
        texts.append(clean_text(text_column(row, chosen, str(path))).text if needed else None)
    return Translation(texts[0] or "", texts[1], f"{path}:{row.line}", cells)


def _two_languages(languages: list[str], text: str | None, target: str | None) -> tuple[str | None, str | None]:
    text = text or next((name for name in languages if name != target), None)
    return text, target or next((name for name in languages if name != text), None)


def write_translations(items: Sequence[Translation], texts: Sequence[str], suffix: str = "") -> str:
    """A translation a line; of rows of tables, the rows with a column `predicted`.

    Args:
        items: N sentences.
        texts: N translations.
        suffix: of the file; rows are written as csv, tsv or, without one, JSON lines, and into others as lines.
    """
    flat = [" ".join(text.split()) for text in texts]
    rows = [item.cells for item in items if item.cells is not None]
    if len(rows) < len(items) or suffix not in ("", ".json", *ROW_FORMATS):
        return "".join(line + "\n" for line in flat)
    return table_text(beside(rows, [{"predicted": text} for text in flat]), suffix)
