"""File formats: streams of bytes out of compressed files, text out of bytes, rows out of tables; nothing held whole."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, Any, Protocol

from langnet.errors import LangnetError
from langnet.text.comma_separated import comma_separated_rows
from langnet.text.compression import COMPRESSIONS, damage_errors, decompressed, guarded, seekable
from langnet.text.tab_separated import tab_separated_rows

__all__ = [
    "ARCHIVES",
    "COMPRESSIONS",
    "LARGEST_ROW",
    "TABLES",
    "TEXTS",
    "USUAL_TEXT",
    "WORD_FILES",
    "Decoded",
    "Row",
    "begins_binary",
    "column",
    "damage_errors",
    "decode",
    "decompressed",
    "format_of",
    "guarded",
    "known_column",
    "looks_binary",
    "open_bytes",
    "read_rows",
    "seekable",
    "text_blocks",
    "text_column",
    "text_stream",
    "usual_text",
]

TABLES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
TEXTS = (".txt", ".md", ".text")
WORD_FILES = (  # of words and of trees: what their lines hold are no texts
    ".conll", ".conllu", ".conllup", ".ptb", ".mrg", ".parse", ".bracket", ".brackets", ".tree", ".trees", ".psd",
    ".gld",
)  # fmt: skip
USUAL_TEXT = ("text", "sentence", "comment_text", "review", "document")  # names that published sets give the text
ARCHIVES = (".zip", ".tar", ".tgz", ".tbz2", ".txz")
_MARKS = (  # byte-order marks; UTF-32 little-endian begins like UTF-16 little-endian, so it stands first
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ESCAPED = re.compile("[\udc80-\udcff]")  # what "surrogateescape" makes of bytes that are not UTF-8
_MAGIC = (b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"{\\rtf")
_JSON_CHARACTERS = 1 << 16  # read at a time; doubled while an object is longer
_JSON_SPACE = re.compile(r"[\s,\[\]\ufeff]*")
_SLICE = 1 << 20  # characters
LARGEST_ROW = 1 << 28  # characters; a row is held whole, several times over while it is read
_PARQUET_ROWS = 256  # a batch of long documents must not fill the memory


@dataclass(frozen=True)
class Row:
    """One row of a table: its cells by column, and the line where it stands (rows are counted in Parquet and JSON)."""

    cells: dict[str, Any]
    line: int


@dataclass
class Decoded:
    """Text, and how many bytes in it were not valid."""

    text: str
    bad_bytes: int


class BadByteCount(Protocol):
    """Whatever counts bad bytes: a `CorpusReport`, a `Decoded`."""

    bad_bytes: int


def format_of(name: str) -> str:
    """The suffix that says how a file is read, its compression left aside: `.csv` of `a/b.csv.gz`; empty if unknown."""
    suffixes = PurePath(name).suffixes[-2:]
    if suffixes and suffixes[-1].lower() in COMPRESSIONS:
        suffixes.pop()
    suffix = suffixes[-1].lower() if suffixes else ""
    return suffix if suffix in TEXTS or suffix in TABLES or suffix in ARCHIVES else ""


def open_bytes(path: Path) -> IO[bytes]:
    """A file's bytes, decompressed on the way.

    Raises:
        LangnetError: the file cannot be opened.
    """
    try:
        raw = path.open("rb")
        if path.suffix.lower() not in COMPRESSIONS:
            return raw
        return guarded(decompressed(raw, path.name), path.stat().st_size, str(path), raw)
    except OSError as error:
        raise LangnetError(f"cannot read {path}: {error.strerror or error}") from error


def looks_binary(head: bytes) -> bool:
    """Whether a file that begins so is no plain text: a picture, a PDF, an office document."""
    if head.startswith(tuple(mark for mark, _ in _MARKS)):
        return False
    controls = sum(byte < 9 or 13 < byte < 32 for byte in head)
    return head.startswith(_MAGIC) or controls > 0.05 * len(head)


def begins_binary(stream: IO[bytes]) -> bool:
    """Whether what a stream that can be peeked into holds first is no plain text; nothing of it is read."""
    peeked: Any = stream
    return looks_binary(peeked.peek(4096)[:4096])


def decode(data: bytes, name: str = "") -> Decoded:
    """Bytes as text: UTF-8, or what a byte-order mark says; every bad byte becomes U+FFFD and is counted.

    Where the file's name is given, bytes that are not UTF-8 are refused instead.
    """
    found = Decoded("", 0)
    encoding, errors = _encoding(data[:4])
    text = data.decode(encoding, errors)
    if name:
        _refuse_bad_bytes(text, name, 1)
    found.text = _mended(text, encoding, found)
    return found


def text_stream(
    stream: IO[bytes], count: BadByteCount | None = None, longest: int = -1, name: str = ""
) -> Iterator[str]:
    """A stream of bytes as lines of text, their ends as they are; bad bytes become U+FFFD, counted into `count`.

    A line of more than `longest` characters comes in parts of that size. Where the file's name is given, bytes that are
    not UTF-8 are refused with it and the line: nobody would hear of them.
    """
    number = 1
    with _decoding(stream) as (lines, encoding):
        while line := lines.readline(longest):
            if not line.isascii():
                if name:
                    _refuse_bad_bytes(line, name, number)
                line = _mended(line, encoding, count)
            yield line
            number += line.endswith(("\n", "\r"))


def text_blocks(stream: IO[bytes], count: BadByteCount | None = None) -> Iterator[str]:
    """The same in blocks of a million characters, wherever lines end."""
    with _decoding(stream) as (text, encoding):
        while block := text.read(_SLICE):
            yield block if block.isascii() else _mended(block, encoding, count)


def _encoding(head: bytes) -> tuple[str, str]:
    """Name of the encoding, and what is done about bytes that do not fit."""
    found = next((name for mark, name in _MARKS if head.startswith(mark)), "")
    return (found, "replace") if found else ("utf-8-sig", "surrogateescape")


def _with_peek(stream: IO[bytes]) -> Any:
    return stream if hasattr(stream, "peek") else io.BufferedReader(stream)


@contextmanager
def _decoding(stream: IO[bytes]) -> Iterator[tuple[io.TextIOWrapper, str]]:
    buffered = _with_peek(stream)
    encoding, errors = _encoding(buffered.peek(4)[:4])
    text = io.TextIOWrapper(buffered, encoding=encoding, errors=errors, newline="")
    try:
        yield text, encoding
    finally:
        if not buffered.closed:
            text.detach()  # the stream belongs to the caller, who closes it


def _refuse_bad_bytes(text: str, name: str, line: int) -> None:
    """Nothing, where all of a text that begins in this line was UTF-8."""
    try:
        text.encode("utf8")
    except UnicodeEncodeError as error:
        line += text.count("\n", 0, error.start)
        raise LangnetError(f"{name} is not UTF-8 at line {line}; convert it: iconv -f ENCODING -t utf-8") from None


def _mended(text: str, encoding: str, count: BadByteCount | None) -> str:
    if encoding != "utf-8-sig":
        bad = text.count("\ufffd")
    else:
        try:
            text.encode("utf8")  # ten times as quick as to search for what is hardly ever there
            return text
        except UnicodeEncodeError:
            # In slices: a substitution holds a list of all that lies between its findings.
            slices = [_ESCAPED.subn("\ufffd", text[i : i + _SLICE]) for i in range(0, len(text), _SLICE)]
            text, bad = "".join(mended for mended, _ in slices), sum(number for _, number in slices)
    if count is not None:
        count.bad_bytes += bad
    return text


def read_rows(
    stream: IO[bytes],
    name: str,
    columns: Sequence[str] = (),
    count: BadByteCount | None = None,
    asked: Sequence[str | None] = (),
) -> Iterator[Row]:
    """The rows of a table, one by one.

    Args:
        stream: the decompressed bytes.
        name: the file's name; its suffix says which format.
        columns: the only ones that are needed, so that others need not be read; empty for all.
        count: bad bytes are counted into it; None: they are refused.
        asked: columns that somebody named; numbers of them, counted from 1, mean a csv or tsv file without a header.

    Raises:
        LangnetError: a row that cannot be read, with file and line.
    """
    kind = format_of(name)
    if kind in TABLES and kind != ".parquet":
        stream = buffered = _with_peek(stream)
        if begins_binary(buffered):
            raise LangnetError(f"{name} is binary, and no table; is its ending right?")
    if kind in (".jsonl", ".ndjson"):
        yield from _json_lines(_table_lines(stream, name, count), name)
    elif kind == ".json":
        yield from _json(stream, name, count)
    elif kind in (".csv", ".tsv"):
        rows = comma_separated_rows if kind == ".csv" else tab_separated_rows
        for cells, line in rows(_table_lines(stream, name, count), name, asked):
            yield Row(dict(cells), line)
    elif kind == ".parquet":
        yield from _parquet(stream, name, columns)
    else:
        raise LangnetError(f"{name} is not a table; tables end in {', '.join(TABLES)}")


def column(row: Row, wanted: str, name: str) -> Any:
    """A cell of a row.

    Raises:
        LangnetError: the table has no such column; says which it has.
    """
    if wanted not in row.cells:
        names = [f"'{key if len(key) <= 30 else key[:29] + '…'}'" for key in map(str, row.cells)]
        found = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "") if names else "none"
        raise LangnetError(
            f"{name}, line {row.line}: there is no column '{wanted}'; the columns are {found}; "
            "say which of them is meant, or leave the file out"
        )
    return row.cells[wanted]


def known_column(row: Row, known: Sequence[str]) -> str:
    """The first of the known columns that the table has; the first of all where it has none."""
    return next((name for name in known if name in row.cells), known[0])


def usual_text(row: Row, wanted: str | None) -> str:
    """The column of the text: the wanted one; where nobody has named it, the first usual name that is there."""
    return known_column(row, USUAL_TEXT) if wanted in (None, USUAL_TEXT[0]) else str(wanted)


def text_column(row: Row, wanted: str, name: str) -> str:
    """A cell of a row as text; an absent value is the empty text.

    Raises:
        LangnetError: the table has no such column, or the cell holds a list or an object.
    """
    value = column(row, wanted, name)
    if isinstance(value, list | dict | bytes):
        kind = {list: "a list", dict: "an object", bytes: "bytes"}[type(value)]
        raise LangnetError(f"{name}, line {row.line}: the column '{wanted}' holds {kind} where text is expected")
    return "" if value is None else str(value)


def _table_lines(stream: IO[bytes], name: str, count: BadByteCount | None) -> Iterator[str]:
    for number, line in enumerate(text_stream(stream, count, LARGEST_ROW, name if count is None else ""), 1):
        if len(line) >= LARGEST_ROW:
            raise _too_long(f"{name}, line {number}")
        yield line


def _too_long(where: str) -> LangnetError:
    return LangnetError(
        f"{where}: longer than {LARGEST_ROW:,} characters, which is more than a row may have; "
        "put each text of that size into a text file of its own"
    )


def _json_lines(lines: Iterator[str], name: str) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", "too deep")
            raise LangnetError(f"{name}, line {number}: not valid JSON ({reason}); mend or delete the line") from error
        yield Row(_object(value, f"{name}, line {number}"), number)


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise LangnetError(f"{where}: expected an object with named fields, found {type(value).__name__}")
    return value


def _json(stream: IO[bytes], name: str, count: BadByteCount | None) -> Iterator[Row]:
    """Objects of a JSON array, or one after the other."""
    with _decoding(stream) as (text, encoding):
        line = 1

        def read(size: int) -> str:
            nonlocal line
            block = text.read(size)
            if count is None:
                _refuse_bad_bytes(block, name, line)
            line += block.count("\n")
            return _mended(block, encoding, count)

        values = _json_values(read, name)
        for number, value in enumerate(values, 1):
            yield Row(_object(value, f"{name}, item {number}"), number)


def _json_values(read: Callable[[int], str], name: str) -> Iterator[Any]:
    """The values of a JSON array or sequence, with the text of one of them in memory."""
    decoder = json.JSONDecoder()
    held, line, wanted, ended = "", 1, _JSON_CHARACTERS, False
    depth = 0  # arrays that are open
    while True:
        blank = _JSON_SPACE.match(held)
        start = blank.end() if blank else 0
        depth += held.count("[", 0, start) - held.count("]", 0, start)
        try:
            value, end = decoder.raw_decode(held, start)
        except (ValueError, RecursionError) as error:  # cut off where reading stopped, or wrong
            if ended and start == len(held):
                if depth > 0:
                    raise LangnetError(f"{name} is cut off: the array that it begins with is never closed") from None
                return
            if ended or isinstance(error, RecursionError):
                line += held.count("\n", 0, getattr(error, "pos", start))
                reason = getattr(error, "msg", "nested too deeply")
                raise LangnetError(f"{name}, line {line}: not valid JSON ({reason}); mend the file there") from error
            if len(held) - start > LARGEST_ROW:
                raise _too_long(f"{name}, line {line}") from error
            more = read(wanted)
            line += held.count("\n", 0, start)
            held, ended, wanted = held[start:] + more, not more, wanted * 2
            continue
        yield value
        line += held.count("\n", 0, end)
        held, wanted = held[end:], _JSON_CHARACTERS


def _parquet(stream: IO[bytes], name: str, columns: Sequence[str]) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    try:
        with seekable(stream) as source:
            file = pyarrow.parquet.ParquetFile(source)
            known = file.schema_arrow.names
            wanted = list(columns) if columns and set(columns) <= set(known) else None
            number = 0
            for batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=wanted):
                for value in batch.to_pylist():
                    number += 1
                    yield Row(value, number)
    except (pyarrow.ArrowException, OSError) as error:
        raise LangnetError(f"{name} cannot be read as Parquet: {str(error).splitlines()[0]}") from error
