"""Raw text from wherever it lies: files, folders, globs, archives, standard input, the `datasets` library."""

from __future__ import annotations

import glob
import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Literal

from langnet.errors import LangnetError
from langnet.text.archives import is_archive, read_members
from langnet.text.clean import DuplicateFilter, clean_text, digest
from langnet.text.formats import (
    COMPRESSIONS,
    TABLES,
    TEXTS,
    column,
    damage_errors,
    decode,
    decompressed,
    format_of,
    open_bytes,
    read_rows,
    text_stream,
)
from langnet.text.remote import is_remote, read_remote

Source = str | Path


@dataclass(frozen=True)
class Document:
    """One document, and where it came from: `file`, `file:line` or `archive!member`."""

    text: str
    source: str


@dataclass(frozen=True)
class CorpusOptions:
    """How raw text is read.

    Attributes:
        text_column: the column of tables that holds the text.
        documents: what is one document in a text file: the whole file, a line, or a paragraph (blank lines between).
        drop_duplicates: keep one of equal documents.
        min_characters: shorter documents are dropped and counted as empty.
    """

    text_column: str = "text"
    documents: Literal["file", "line", "paragraph"] = "file"
    drop_duplicates: bool = True
    min_characters: int = 1


@dataclass
class CorpusReport:
    """What was read, what was dropped, what was mended.

    Attributes:
        files: files and archive members that were read.
        skipped_files: files of folders whose suffix is not read.
        documents, characters, bytes: of the documents that were kept; bytes of UTF-8.
        empty, duplicates: documents that were dropped.
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
            "bad bytes replaced": self.bad_bytes,
            "NULs removed": self.nulls,
            "control characters removed": self.control_characters,
            "files of other kinds skipped": self.skipped_files,
        }
        return "; ".join(parts + [f"{count:,} {what}" for what, count in notes.items() if count])


def read_documents(sources: Sequence[Source], options: CorpusOptions, report: CorpusReport) -> Iterator[Document]:
    """Every document of the sources as it stands, one at a time; files are counted into `report`.

    Args:
        sources: paths of files, folders and archives; globs; `-` for standard input; `hf://datasets/owner/name` and
            other addresses that the `datasets` library opens.
        options: how.
        report: counts files and bad bytes.

    Raises:
        LangnetError: a source that does not exist or cannot be read, a table without the text column.
    """
    for source in [sources] if isinstance(sources, str | Path) else sources:
        if str(source) == "-":
            report.files += 1
            yield from _read_stream(sys.stdin.buffer, "standard input", ".txt", options, report)
        elif is_remote(str(source)):
            report.files += 1
            for text, where in read_remote(str(source), options.text_column):
                yield Document(text, where)
        else:
            for path in _paths(source, report):
                yield from _read_file(path, options, report)


def clean_documents(documents: Iterable[Document], options: CorpusOptions, report: CorpusReport) -> Iterator[Document]:
    """Documents cleaned, without empty ones and duplicates; all counted into `report`."""
    seen = DuplicateFilter()
    running = hashlib.blake2b(digest_size=16)
    try:
        for document in documents:
            cleaned = clean_text(document.text)
            report.nulls += cleaned.nulls
            report.control_characters += cleaned.control_characters
            if len(cleaned.text) < max(options.min_characters, 1):
                report.empty += 1
                continue
            if options.drop_duplicates and not seen.is_new(cleaned.text):
                report.duplicates += 1
                continue
            report.documents += 1
            report.characters += len(cleaned.text)
            report.bytes += len(cleaned.text.encode("utf8"))
            running.update(digest(cleaned.text))
            report.checksum = running.hexdigest()
            yield Document(cleaned.text, document.source)
    finally:
        seen.close()


def split_of(text: str, validation_fraction: float, seed: int = 0) -> Literal["train", "validation"]:
    """The side on which a document falls, by its hash: the same document always falls on the same side."""
    number = int.from_bytes(hashlib.blake2b(digest(text) + str(seed).encode(), digest_size=8).digest())
    return "validation" if number < validation_fraction * 2**64 else "train"


def fingerprint(sources: Sequence[Source], options: CorpusOptions) -> str | None:
    """A name for what the sources hold now, from paths, sizes and times; None where that cannot be known."""
    names = [sources] if isinstance(sources, str | Path) else list(sources)
    if any(str(name) == "-" or is_remote(str(name)) for name in names):
        return None
    running = hashlib.blake2b(repr(options).encode(), digest_size=16)
    for source in names:
        for path in _paths(source, CorpusReport()):
            facts = path.stat()
            running.update(f"{path.resolve()}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode("utf8", "surrogatepass"))
    return running.hexdigest()


def total_bytes(sources: Sequence[Source]) -> int | None:
    """Size of all files on disk, for progress; None where it cannot be known."""
    names = [sources] if isinstance(sources, str | Path) else list(sources)
    if any(str(name) == "-" or is_remote(str(name)) for name in names):
        return None
    return sum(path.stat().st_size for source in names for path in _paths(source, CorpusReport()))


def _paths(source: Source, report: CorpusReport) -> list[Path]:
    """The files that a path, folder or glob names, sorted."""
    path = Path(source).expanduser()
    if path.is_dir():
        every = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
        found = [p for p in every if format_of(p.name) or is_archive(p.name)]
        report.skipped_files += len(every) - len(found)
        if not found:
            known = ", ".join((*TEXTS, *TABLES, ".zip", ".tar"))
            raise LangnetError(
                f"the folder {path} holds no file that langnet reads ({len(every)} others); it reads {known}, "
                f"also with {', '.join(COMPRESSIONS)}"
            )
        return found
    if path.exists():
        return [path]
    matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True) if Path(match).is_file())
    if not matches:
        what = "no file matches" if any(sign in str(source) for sign in "*?[") else "there is no file or folder"
        raise LangnetError(f"{what} '{source}'; check the path (here: {Path.cwd()})")
    return matches


def _read_file(path: Path, options: CorpusOptions, report: CorpusReport) -> Iterator[Document]:
    if is_archive(path.name):
        for name, stream in read_members(path):
            report.files += 1
            yield from _read_stream(decompressed(stream, name), f"{path}!{name}", format_of(name), options, report)
        return
    report.files += 1
    with open_bytes(path) as stream:
        # A file that was named itself is read as text whatever its suffix.
        yield from _read_stream(stream, str(path), format_of(path.name) or ".txt", options, report)


def _read_stream(
    stream: IO[bytes], name: str, kind: str, options: CorpusOptions, report: CorpusReport
) -> Iterator[Document]:
    try:
        if kind in TABLES:
            for row in read_rows(stream, name):
                value = column(row, options.text_column, name)
                text = "" if value is None else str(value)
                report.bad_bytes += text.count("\ufffd")
                yield Document(text, f"{name}:{row.line}")
        elif options.documents == "file":
            decoded = decode(stream.read())
            report.bad_bytes += decoded.bad_bytes
            yield Document(decoded.text, name)
        else:
            yield from _pieces(stream, name, options, report)
    except damage_errors() as error:
        raise LangnetError(f"cannot read {name}: {str(error) or 'the file is cut off'}") from error


def _pieces(stream: IO[bytes], name: str, options: CorpusOptions, report: CorpusReport) -> Iterator[Document]:
    """Lines or paragraphs of a text, streamed."""
    held: list[str] = []
    first = 1
    for number, line in enumerate(text_stream(stream), 1):
        report.bad_bytes += line.count("\ufffd")
        if options.documents == "line":
            yield Document(line, f"{name}:{number}")
        elif line.strip():
            first = first if held else number
            held.append(line)
        elif held:
            yield Document("".join(held), f"{name}:{first}")
            held = []
    if held:
        yield Document("".join(held), f"{name}:{first}")
