"""File formats: streams of bytes out of compressed files, and rows out of tables."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, Any

from langnet.errors import LangnetError

COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
TABLES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
TEXTS = (".txt", ".md", ".text")
ARCHIVES = (".zip", ".tar", ".tgz", ".tbz2", ".txz")
# What grows by more than this from its compressed size is taken for a bomb: text compresses some tenfold.
LARGEST_RATIO = 200
SMALLEST_BOMB = 2**24  # bytes; smaller files may be as repetitive as they like
# A cell of a table may be a whole document.
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


@dataclass(frozen=True)
class Row:
    """One row of a table: its cells by column, and the line where it stands (rows are counted in Parquet)."""

    cells: dict[str, Any]
    line: int


def format_of(name: str) -> str:
    """The suffix that says how a file is read, its compression left aside: `.csv` of `a/b.csv.gz`; empty if unknown."""
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    if not suffixes:
        return ""
    return suffixes[-1] if suffixes[-1] in (*TEXTS, *TABLES, *ARCHIVES) else ""


def open_bytes(path: Path) -> IO[bytes]:
    """A file's bytes, decompressed on the way.

    Raises:
        LangnetError: the file cannot be opened.
    """
    try:
        raw = path.open("rb")
        if PurePath(path.name).suffix.lower() not in COMPRESSIONS:
            return raw
        return guarded(decompressed(raw, path.name), path.stat().st_size, str(path), raw)
    except OSError as error:
        raise LangnetError(f"cannot read {path}: {error.strerror or error}") from error


def guarded(stream: IO[bytes], compressed_size: int, name: str, *also_closed: IO[bytes]) -> IO[bytes]:
    """A decompressed stream that refuses to grow beyond what text can; closing it closes `also_closed` too."""
    return io.BufferedReader(_Guarded(stream, compressed_size, name, also_closed))


class _Guarded(io.RawIOBase):
    """Counts what is read; seeking is left out, so that a stream out of an archive will do."""

    def __init__(self, stream: IO[bytes], compressed_size: int, name: str, also_closed: tuple[IO[bytes], ...]):
        self._streams, self._name, self._size, self._count = (stream, *also_closed), name, compressed_size, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._streams[0].read(len(buffer))
        self._count += len(data)
        refuse_bomb(self._name, self._size, self._count)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            for stream in self._streams:
                stream.close()
        super().close()


def refuse_bomb(name: str, compressed_size: int, size: int) -> None:
    """Refuse a size that no compressed text has.

    Raises:
        LangnetError: it is too large.
    """
    if size > SMALLEST_BOMB and size > LARGEST_RATIO * max(compressed_size, 1):
        raise LangnetError(
            f"{name} grows from {compressed_size:,} to {size:,} bytes or more, which no text does; unpack it by hand "
            "if you trust it"
        )


def decompressed(stream: IO[bytes], name: str) -> IO[bytes]:
    """The stream behind a compressed one, by the name's suffix."""
    suffix = PurePath(name).suffix.lower()
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]
    if suffix == ".bz2":
        return bz2.BZ2File(stream)
    if suffix == ".xz":
        return lzma.LZMAFile(stream)
    if suffix == ".zst":
        import zstandard

        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(stream))
    return stream


# What reading a damaged compressed file may raise.
def damage_errors() -> tuple[type[Exception], ...]:
    """Exceptions that mean a file is cut off or damaged."""
    found: list[type[Exception]] = [EOFError, OSError, zlib.error, lzma.LZMAError]
    try:
        import zstandard

        found.append(zstandard.ZstdError)
    except ImportError:
        pass
    return tuple(found)


@dataclass
class Decoded:
    """Text, and how many bytes in it were not valid."""

    text: str
    bad_bytes: int


def decode(data: bytes) -> Decoded:
    """Bytes as text: UTF-8, or UTF-16 where a byte-order mark says so; every bad byte becomes U+FFFD and is counted."""
    encoding = "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        return Decoded(data.decode(encoding), 0)
    except UnicodeDecodeError:
        text = data.decode(encoding, errors="replace")
        original = data.count("\ufffd".encode())
        return Decoded(text, max(1, text.count("\ufffd") - original))


def text_stream(stream: IO[bytes]) -> Iterator[str]:
    """A stream of bytes as lines of text, their ends as they are; bad bytes become U+FFFD."""
    buffered = stream if isinstance(stream, io.BufferedIOBase) else io.BufferedReader(stream)  # type: ignore[type-var]
    head = buffered.peek(2)[:2] if hasattr(buffered, "peek") else b""
    encoding = "utf-16" if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    lines = io.TextIOWrapper(buffered, encoding=encoding, errors="replace", newline="")
    try:
        yield from lines
    finally:
        if not buffered.closed:
            lines.detach()  # the stream belongs to the caller, who closes it


def read_rows(stream: IO[bytes], name: str) -> Iterator[Row]:
    """The rows of a table, one by one.

    Args:
        stream: the decompressed bytes.
        name: the file's name; its suffix says which format.

    Raises:
        LangnetError: a row that cannot be read, with file and line.
    """
    kind = format_of(name)
    if kind in (".jsonl", ".ndjson"):
        yield from _json_lines(stream, name)
    elif kind == ".json":
        yield from _json(stream, name)
    elif kind in (".csv", ".tsv"):
        yield from _separated(stream, name, "\t" if kind == ".tsv" else ",")
    elif kind == ".parquet":
        yield from _parquet(stream, name)
    else:
        raise LangnetError(f"{name} is not a table; tables end in {', '.join(TABLES)}")


def column(row: Row, wanted: str, name: str) -> Any:
    """A cell of a row.

    Raises:
        LangnetError: the table has no such column; says which it has.
    """
    if wanted not in row.cells:
        found = ", ".join(f"'{key}'" for key in row.cells) or "none"
        raise LangnetError(f"{name}, line {row.line}: there is no column '{wanted}'; the columns are {found}")
    return row.cells[wanted]


def _json_lines(stream: IO[bytes], name: str) -> Iterator[Row]:
    for number, line in enumerate(text_stream(stream), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise LangnetError(f"{name}, line {number}: not valid JSON ({error}); mend or delete the line") from error
        if not isinstance(value, dict):
            raise LangnetError(
                f"{name}, line {number}: expected an object with named fields, found {type(value).__name__}"
            )
        yield Row(value, number)


def _json(stream: IO[bytes], name: str) -> Iterator[Row]:
    try:
        held = json.loads(decode(stream.read()).text)
    except ValueError as error:
        raise LangnetError(f"{name}: not valid JSON ({error}); for one object a line, name the file .jsonl") from error
    rows = held if isinstance(held, list) else [held]
    for number, value in enumerate(rows, 1):
        if not isinstance(value, dict):
            raise LangnetError(
                f"{name}, item {number}: expected an object with named fields, found {type(value).__name__}"
            )
        yield Row(value, number)


def _separated(stream: IO[bytes], name: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader((line.replace("\x00", "") for line in text_stream(stream)), delimiter=delimiter, strict=True)
    try:
        header = next(reader, None)
        if header is None:
            return
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise LangnetError(
                    f"{name}, line {reader.line_num}: {len(cells)} cells where the header has {len(header)}; "
                    "put cells that hold the separator or a line break in double quotes"
                )
            yield Row(dict(zip(header, cells, strict=True)), reader.line_num)
    except csv.Error as error:
        raise LangnetError(f"{name}, line {reader.line_num}: {error}; check the quotes there") from error


def _parquet(stream: IO[bytes], name: str) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    source: Any = stream if stream.seekable() else io.BytesIO(stream.read())
    try:
        file = pyarrow.parquet.ParquetFile(source)
        number = 0
        for batch in file.iter_batches(batch_size=1024):
            for value in batch.to_pylist():
                number += 1
                yield Row(value, number)
    except (pyarrow.ArrowException, OSError) as error:
        raise LangnetError(f"{name} cannot be read as Parquet: {str(error).splitlines()[0]}") from error
