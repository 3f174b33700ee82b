"""Raw text from wherever it lies: files, folders, globs, archives, standard input, the `datasets` library."""

from __future__ import annotations

import glob
import hashlib
import io
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePath
from typing import IO, Any, ClassVar, Literal

from langnet.errors import LangnetError
from langnet.text.archives import is_archive, read_members, split_member
from langnet.text.clean import DuplicateFilter, clean_text, digest
from langnet.text.formats import (
    COMPRESSIONS,
    TABLES,
    TEXTS,
    WORD_FILES,
    Row,
    damage_errors,
    decompressed,
    format_of,
    guarded,
    looks_binary,
    read_rows,
    text_blocks,
    text_column,
    text_stream,
    usual_text,
)
from langnet.text.paths import matches_of
from langnet.text.pieces import Pieces, cut_text
from langnet.text.remote import hub_rows, is_hub_data_set, is_remote, remote_files

KNOWN = f"{', '.join((*TEXTS, *TABLES, '.zip', '.tar'))}, also with {', '.join(COMPRESSIONS)}"

LONGEST_DOCUMENT = 10_000_000  # characters; the longest novels have six million

Source = str | Path


@dataclass(frozen=True)
class Document:
    """One document, and where it came from: `file`, `file:line` or `archive!member`.

    With `ItemOptions`, a row's cells and the format of its table stand beside it.
    """

    text: str
    source: str
    cells: Mapping[str, Any] | None = field(default=None, compare=False)
    format: str = field(default=".jsonl", compare=False)


@dataclass(frozen=True)
class CorpusOptions:
    """How raw text is read.

    Attributes:
        text_column: the column of tables that holds the text.
        documents: what is one document in a text file: the whole file, a line, or a paragraph (blank lines between).
        normalise: bring the spelling of accented letters to one form, Unicode NFC.
        drop_duplicates: keep one of equal documents.
        min_characters: shorter documents are dropped and counted as empty.
        longest_document: longer ones are cut into consecutive documents, between paragraphs, lines or words, so that
            memory is bounded whatever there is to read; 0 never cuts.
    """

    text_column: str = "text"
    documents: Literal["file", "line", "paragraph"] = "file"
    normalise: bool = True
    drop_duplicates: bool = True
    min_characters: int = 1
    longest_document: int = LONGEST_DOCUMENT

    keeps_rows: ClassVar[bool] = False  # see `text_items.ItemOptions`


@dataclass
class CorpusReport:
    """What was read, what was dropped, what was mended.

    Attributes:
        files: files and archive members that were read.
        skipped_files: files of folders, globs and archives whose kind is not read.
        documents, characters, bytes: of the documents that were kept; bytes of UTF-8.
        empty, duplicates: documents that were dropped.
        cut: documents that were longer than `longest_document`; their pieces are counted as documents.
        bad_bytes, nulls, control_characters: signs that were replaced or removed.
        checksum: of all kept documents in order.
    """

    files: int = 0
    skipped_files: int = 0
    documents: int = 0
    characters: int = 0
    bytes: int = 0
    empty: int = 0
    duplicates: int = 0
    cut: int = 0
    bad_bytes: int = 0
    nulls: int = 0
    control_characters: int = 0
    checksum: str = field(default="0" * 32)

    def to_dict(self) -> dict[str, int | str]:
        """For JSON."""
        return asdict(self)

    def summary(self) -> str:
        """One line for people; what did not occur is not mentioned."""
        parts = [f"{self.documents:,} documents, {self.characters:,} characters from {self.files:,} files"]
        notes = {
            "duplicates dropped": self.duplicates,
            "empty documents dropped": self.empty,
            "long documents cut into pieces": self.cut,
            "bad bytes replaced": self.bad_bytes,
            "NULs removed": self.nulls,
            "control characters removed": self.control_characters,
            "files of other kinds skipped": self.skipped_files,
        }
        return "; ".join(parts + [f"{count:,} {what}" for what, count in notes.items() if count])


def read_documents(sources: Sequence[Source], options: CorpusOptions, report: CorpusReport) -> Iterator[Document]:
    """Every document of the sources as it stands, one at a time; files are counted into `report`.

    Args:
        sources: paths of files, folders and archives; globs; `archive.zip!member`, the member a name, a folder or a
            pattern; `-` for standard input; `hf://datasets/owner/name[:config][:split]` for a data set of the hub;
            other addresses (`https://`, `s3://`, `gs://`, `hf://datasets/owner/name/file`) for files elsewhere.
        options: how.
        report: counts files and bad bytes.

    Raises:
        LangnetError: a source that does not exist or cannot be read, a table without the text column.
    """
    for source in _listed(sources):
        name = str(source)
        if name == "-":
            report.files += 1
            yield from _read_stream(sys.stdin.buffer, "standard input", ".txt", options, report)
        elif is_hub_data_set(name):
            report.files += 1
            found_rows = (Row(cells, number) for number, cells in enumerate(hub_rows(name), 1))
            yield from _rows(found_rows, name, options, report)
        elif is_remote(name):
            yield from _read_remote(name, options, report)
        else:
            for found in _find(source, report):
                yield from _read_file(found, options, report)


def clean_documents(documents: Iterable[Document], options: CorpusOptions, report: CorpusReport) -> Iterator[Document]:
    """Documents cleaned, without empty ones and duplicates; all counted into `report`."""
    seen = DuplicateFilter()
    running = hashlib.blake2b(digest_size=16)
    try:
        for document in documents:
            cleaned = clean_text(document.text, options.normalise)
            report.nulls += cleaned.nulls
            report.control_characters += cleaned.control_characters
            if len(cleaned.text) < max(options.min_characters, 1):
                report.empty += 1
                continue
            encoded = cleaned.text.encode("utf8")
            name = hashlib.blake2b(encoded, digest_size=16).digest()
            if options.drop_duplicates and not seen.is_new_digest(name):
                report.duplicates += 1
                continue
            report.documents += 1
            report.characters += len(cleaned.text)
            report.bytes += len(encoded)
            running.update(name)
            del encoded  # it may be large, and whoever reads the document is at work next
            yield Document(cleaned.text, document.source)
    finally:
        report.checksum = running.hexdigest()
        seen.close()


def split_of(text: str, validation_fraction: float, seed: int = 0) -> Literal["train", "validation"]:
    """The side on which a document falls, by its hash: the same document always falls on the same side."""
    number = int.from_bytes(hashlib.blake2b(digest(text) + str(seed).encode(), digest_size=8).digest())
    return "validation" if number < validation_fraction * 2**64 else "train"


def fingerprint(sources: Sequence[Source], options: CorpusOptions) -> str | None:
    """A name for what the sources hold now, from paths, sizes and times; None where that cannot be known."""
    if not _on_disk(sources):
        return None
    running = hashlib.blake2b(repr(options).encode(), digest_size=16)
    for source in _listed(sources):
        for found in _find(source, CorpusReport()):
            facts = found.path.stat()
            line = f"{found.path.resolve()}\0{found.member}\0{facts.st_size}\0{facts.st_mtime_ns}\n"
            running.update(line.encode("utf8", "surrogatepass"))
    return running.hexdigest()


def total_bytes(sources: Sequence[Source]) -> int | None:
    """Size of all files on disk, for progress; None where it cannot be known."""
    if not _on_disk(sources):
        return None
    return sum(found.path.stat().st_size for source in _listed(sources) for found in _find(source, CorpusReport()))


@dataclass(frozen=True)
class _Found:
    """A file on disk, the member that is wanted of an archive, and whether it is one of many that a folder holds."""

    path: Path
    member: str = ""
    one_of_many: bool = False


def _listed(sources: Sequence[Source] | Source) -> list[Source]:
    return [sources] if isinstance(sources, str | Path) else list(sources)


def _on_disk(sources: Sequence[Source]) -> bool:
    return not any(str(source) == "-" or is_remote(str(source)) for source in _listed(sources))


def _find(source: Source, report: CorpusReport) -> list[_Found]:
    """The files that a path, folder or glob names, sorted."""
    path = Path(source).expanduser()
    if path.is_dir():
        return _folder(path, report)
    if path.exists():
        return [_Found(path)]
    archive, member = split_member(str(path))
    if member and Path(archive).is_file():
        return [_Found(Path(archive), member)]
    named = matches_of(str(path))
    matches = [match for match in named if os.path.isfile(match)]
    inside = [one for match in named if os.path.isdir(match) for one in _in_folder(Path(match), report)[0]]
    if not matches and not inside:
        what = "no file matches" if glob.has_magic(str(source)) else "there is no file or folder"
        raise LangnetError(f"{what} '{source}'; check the path (here: {Path.cwd()}); langnet reads {KNOWN}")
    found = [_Found(Path(match), "", len(matches) > 1) for match in matches if _is_read(match) or _is_text(match)]
    report.skipped_files += len(matches) - len(found)
    if not found and not inside:
        raise LangnetError(f"none of the files that match '{source}' is text; langnet reads {KNOWN}")
    return [*found, *inside]


def _folder(folder: Path, report: CorpusReport) -> list[_Found]:
    found, n_files = _in_folder(folder, report)
    if not found:
        others = f"the {n_files:,} there are of other kinds" if n_files else "it is empty"
        raise LangnetError(f"the folder {folder} holds no file that langnet reads ({others}); it reads {KNOWN}")
    return found


def _in_folder(folder: Path, report: CorpusReport) -> tuple[list[_Found], int]:
    """The files that are read, sorted, and how many there are of all kinds."""
    every: list[str] = []
    for inner, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        every += [os.path.join(inner, name) for name in files if not name.startswith(".")]
    found = sorted(name for name in every if _is_read(name))
    report.skipped_files += len(every) - len(found)
    return [_Found(Path(name), "", True) for name in found], len(every)


def _is_read(name: str) -> bool:
    return bool(format_of(name)) or is_archive(name)


def _is_text(name: str) -> bool:
    try:
        with open(name, "rb") as stream:
            return not looks_binary(stream.read(1024))
    except OSError:
        return True  # the error is told when it is read


def _read_file(found: _Found, options: CorpusOptions, report: CorpusReport) -> Iterator[Document]:
    try:
        stream = found.path.open("rb")
    except OSError as error:
        raise LangnetError(f"cannot read {found.path}: {error.strerror or error}; check who may read it") from error
    with stream:
        size = os.fstat(stream.fileno()).st_size
        before = report.files
        yield from _read_opened(stream, str(found.path), size, options, report, found.member)
        if report.files == before and not found.one_of_many:
            raise LangnetError(f"the archive {found.path} holds no file that langnet reads; it reads {KNOWN}")


def _read_remote(source: str, options: CorpusOptions, report: CorpusReport) -> Iterator[Document]:
    archive, member = split_member(source)
    for file in remote_files(archive):
        if file is None:
            report.skipped_files += 1
        else:
            yield from _read_opened(file.stream, file.name, file.size, options, report, member)


def _read_opened(
    stream: IO[bytes], name: str, size: int, options: CorpusOptions, report: CorpusReport, member: str = ""
) -> Iterator[Document]:
    """The documents of a file's bytes as they are stored, compressed or an archive."""
    if is_archive(name):
        for inner, data in read_members(stream, name, size, member):
            if data is None:
                report.skipped_files += 1
            else:
                report.files += 1
                yield from _read_stream(data, f"{name}!{inner}", format_of(inner), options, report)
        return
    report.files += 1
    if name.lower().endswith(COMPRESSIONS):
        stream = guarded(decompressed(stream, name), size, name)
    yield from _read_stream(stream, name, format_of(name), options, report)


def _read_stream(
    stream: IO[bytes], name: str, kind: str, options: CorpusOptions, report: CorpusReport
) -> Iterator[Document]:
    try:
        if not kind:
            if options.keeps_rows and PurePath(name).suffix.lower() in WORD_FILES:
                raise LangnetError(f"{name} holds words or trees in {PurePath(name).suffix}, and no texts, a line each")
            buffered: Any = stream if hasattr(stream, "peek") else io.BufferedReader(stream)
            stream = buffered
            if looks_binary(buffered.peek(1024)[:1024]):
                raise LangnetError(f"{name} is no plain text; langnet reads {KNOWN}; convert it to one of them")
        if kind in TABLES:
            needed, count = ((), None) if options.keeps_rows else ((options.text_column,), report)
            yield from _rows(read_rows(stream, name, needed, count, (options.text_column,)), name, options, report)
        elif options.documents == "file":
            yield from _whole(stream, name, options, report)
        else:
            yield from _lines(stream, name, options, report)
    except damage_errors() as error:
        raise LangnetError(f"cannot read {name}: {str(error) or 'the file is cut off'}") from error
    except Exception as error:  # the stores that remote files come from raise whatever they like
        if isinstance(error, LangnetError) or not is_remote(name):
            raise
        raise LangnetError(f"cannot read {name}: {_one_line(error)}") from error


def _rows(rows: Iterable[Row], name: str, options: CorpusOptions, report: CorpusReport) -> Iterator[Document]:
    for row in rows:
        if options.keeps_rows:
            text = text_column(row, usual_text(row, options.text_column), name)
            yield Document(text, f"{name}:{row.line}", row.cells, format_of(name) or ".jsonl")
        else:
            yield from _cut(text_column(row, options.text_column, name), f"{name}:{row.line}", options, report)


def _one_line(error: Any) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _cut(text: str, source: str, options: CorpusOptions, report: CorpusReport) -> Iterator[Document]:
    """A text as one document, or as several where it is too long."""
    pieces = cut_text(text, options.longest_document or len(text))
    report.cut += len(pieces) > 1
    yield from (Document(piece, source) for piece in pieces)


def _whole(stream: IO[bytes], name: str, options: CorpusOptions, report: CorpusReport) -> Iterator[Document]:
    """All of a text, streamed."""
    pieces = Pieces(options.longest_document)
    for block in text_blocks(stream, report):
        yield from (Document(piece, name) for piece in pieces.add(block))
    yield _last(pieces, name, report)


def _lines(stream: IO[bytes], name: str, options: CorpusOptions, report: CorpusReport) -> Iterator[Document]:
    """Lines or paragraphs of a text, streamed."""
    pieces = Pieces(options.longest_document)
    number = first = 1
    held = False  # whether `pieces` has a part of a document that began in the line `first`
    for part in text_stream(stream, report, options.longest_document or -1, name if options.keeps_rows else ""):
        ends_line = part.endswith(("\n", "\r"))
        if options.documents == "line" or part.strip():
            first, held = first if held else number, True
            yield from (Document(piece, f"{name}:{first}") for piece in pieces.add(part))
            ends = ends_line and options.documents == "line"
        else:
            ends = held
        if ends:
            yield _last(pieces, f"{name}:{first}", report)
            held = False
        number += ends_line
    if held:
        yield _last(pieces, f"{name}:{first}", report)


def _last(pieces: Pieces, source: str, report: CorpusReport) -> Document:
    report.cut += pieces.was_cut
    return Document(pieces.end(), source)
