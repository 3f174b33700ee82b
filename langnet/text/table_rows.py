"""Rows of tables from wherever they lie: files, folders of them, archives; each with the name of its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from langnet.errors import LangnetError
from langnet.text.archives import is_archive, read_members, split_member
from langnet.text.corpus import Source
from langnet.text.formats import TABLES, Row, damage_errors, format_of, open_bytes, read_rows
from langnet.text.paths import require_path


def table_rows(sources: Sequence[Source], asked: Sequence[str | None] = ()) -> Iterator[tuple[Row, str]]:
    """Every row of tables (csv, tsv, jsonl, json, parquet), also compressed or in archives, and its file's name.

    Args:
        sources: files, folders whose tables are read in the order of their names, archives, `archive.zip!member`.
        asked: see `formats.read_rows`.

    Raises:
        LangnetError: no such file, no table, or one that cannot be read.
    """
    for source in sources:
        found = False
        for path, member in _files(source):
            for row in _rows(path, member, asked):
                found = True
                yield row
        if not found:
            raise LangnetError(f"{source}: no rows of a table found; tables end in {', '.join(TABLES)}")


def _files(source: Source) -> Iterator[tuple[Path, str]]:
    name, member = split_member(str(source))
    path = require_path(name)
    if not path.is_dir():
        yield path, member
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and format_of(file.name) in TABLES and not file.name.startswith("."):
            yield file, ""


def _rows(path: Path, member: str, asked: Sequence[str | None]) -> Iterator[tuple[Row, str]]:
    archive = is_archive(path.name)
    if not archive and format_of(path.name) not in TABLES:
        raise LangnetError(f"{path} is no table; rows are read from {', '.join(TABLES)}, or archives of them")
    try:
        if archive:
            with path.open("rb") as raw:
                for inner, data in read_members(raw, path.name, path.stat().st_size, member):
                    if data is not None and format_of(inner) in TABLES:
                        yield from ((row, inner) for row in read_rows(data, inner, asked=asked))
            return
        with open_bytes(path) as stream:
            yield from ((row, str(path)) for row in read_rows(stream, str(path), asked=asked))
    except damage_errors() as error:
        raise LangnetError(f"cannot read {path}: {str(error) or 'the file is cut off'}") from error
