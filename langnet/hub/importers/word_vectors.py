"""Word vectors of other programs: word2vec as text and binary, fastText's .bin and .vec, GloVe's text; also compressed.

The format is told from the content, never from the name. Files are streamed, sizes that a header claims are checked
against the file before memory is taken for them, and whatever is no such file is refused; a pickle is never opened.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from langnet.encoders.vectors import FAMILY, vectors_of
from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError
from langnet.hub.importers.fasttext import is_fasttext, read_fasttext
from langnet.hub.importers.growing import GrowingRows, Notes, shown
from langnet.hub.importers.imported import Imported, Importer, ImportOptions, ImportReport, imported_model
from langnet.tasks.word_contexts import WordContexts
from langnet.text.archives import split_member
from langnet.text.compression import damage_errors, decompressed, guarded, refuse_bomb

FORMATS = "word2vec (text, binary), fastText (.bin, .vec) and GloVe, also in .gz, .bz2, .xz, .zst or .zip"
_HEAD = 1 << 16
_LONGEST_LINE = 1 << 20
_LONGEST_WORD = 1 << 12
_WIDEST = 1 << 16  # dimensions
_PACKED = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}
_HEADER = re.compile(rb"\s*(\d{1,18})[ \t]+(\d{1,18})[ \t]*\r?\n")
_NUMBERS = re.compile(rb"[-+0-9.eE \tnaifNAIF\r]+")
_PICKLE = re.compile(rb"\x80[\x02-\x05]|\(dp|ccopy_reg|c__main__")


@dataclass
class ImportedVectors:
    """What a file held.

    Attributes:
        space: the words.
        format: of the file, for people.
        notes: what was left out or mended, a sentence each.
    """

    space: WordSpace
    format: str
    notes: list[str] = field(default_factory=list)


def recognises(path: str | Path) -> bool:
    """Whether a file is one of word vectors, by its first bytes."""
    try:
        with _opened(path) as (stream, _, _):
            return _format(_peek(stream)) in ("text", "binary", "fasttext", "glove")
    except (LangnetError, OSError):
        return False


def read_word_vectors(path: str | Path, most: int = 0) -> ImportedVectors:
    """Read a file of word vectors.

    Args:
        path: of the file; `archive.zip!member` names one of several.
        most: only so many words, the first ones; 0 is all.

    Raises:
        LangnetError: there is no such file, it is of another kind, cut off, damaged, or not what its header says.
    """
    try:
        with _opened(path) as (stream, size, name):
            kind = _format(_peek(stream))
            if kind == "fasttext":
                space, notes = read_fasttext(stream, size, name, most)
                return ImportedVectors(_checked(space, name), "fastText binary", notes.sentences())
            if kind not in _READERS:
                raise LangnetError(f"{name} {_REFUSED.get(kind, _REFUSED[''])}")
            described, read = _READERS[kind]
            space, notes = read(stream, size, name, most)
            return ImportedVectors(_checked(space, name), described, notes.sentences())
    except damage_errors() as error:
        reason = getattr(error, "strerror", None) or str(error) or "it is cut off"
        raise LangnetError(f"cannot read {path}: {reason}; fetch the file again") from error


def read_model(path: Path, options: ImportOptions) -> Imported:
    """A file of word vectors as the folder of a model.

    Raises:
        LangnetError: as `read_word_vectors`.
    """
    found = read_word_vectors(path, options.most or 0)
    space, n_tensors = found.space, 2 if found.space.subwords else 1
    encoder, tokenizer = vectors_of(space)
    notes = [f"{len(space):,} words of {space.dim} dimensions", *found.notes]
    report = ImportReport(found.format, n_tensors, n_tensors, notes=notes)
    facts = {"vectors": {"kind": "imported", "words": len(space), "source": f"{path.name} ({found.format})"}}
    return imported_model(report, FAMILY.name, encoder, WordContexts(), tokenizer, [path], facts=facts)


_REFUSED = {
    "": f"holds no word vectors; langnet reads {FORMATS}",
    "empty": "is empty; fetch the file again",
    "pickle": (
        "is a Python pickle, which may run any code and is never opened; in gensim, write it anew with "
        "model.wv.save_word2vec_format('vectors.txt')"
    ),
}


def _peek(stream: io.BufferedReader) -> bytes:
    return stream.peek(_HEAD)[:_HEAD]


def _format(head: bytes) -> str:
    """text, binary, fasttext, glove; else empty, pickle or nothing."""
    if not head.strip(b"\0 \r\n\t"):
        return "empty" if not head else ""
    if _PICKLE.match(head):
        return "pickle"
    if is_fasttext(head):
        return "fasttext"
    header = _HEADER.match(head)
    if header:
        return _text_or_binary(head[header.end() :])
    line = head.split(b"\n", 1)[0]
    fields = line.split()
    if len(fields) >= 2 and b"\0" not in line and _NUMBERS.fullmatch(b" ".join(fields[-max(1, len(fields) // 2) :])):
        return "glove"
    return ""


def _text_or_binary(rest: bytes) -> str:
    """Which of word2vec's formats follows the header: in text, only numbers stand after the word."""
    word, _, numbers = rest.lstrip(b"\n").partition(b" ")
    if not word or len(word) > _LONGEST_WORD:
        return ""
    return "text" if _NUMBERS.fullmatch(numbers.split(b"\n", 1)[0]) else "binary"


@contextmanager
def _opened(path: str | Path) -> Iterator[tuple[io.BufferedReader, int | None, str]]:
    """The bytes of vectors, their number where it is known, and the name; packed ones unpacked."""
    archive, member = split_member(str(path)) if not os.path.exists(path) else (str(path), "")
    place = Path(archive).expanduser()
    if place.is_dir():
        raise LangnetError(f"{place} is a folder, and no file of word vectors")
    if not place.exists():
        raise LangnetError(f"there is no file '{path}'; check the path (here: {Path.cwd()})")
    with place.open("rb") as raw:
        size = os.fstat(raw.fileno()).st_size
        magic = raw.peek(8)[:8]
        suffix = next((suffix for start, suffix in _PACKED.items() if magic.startswith(start)), "")
        if magic.startswith(b"PK\x03\x04"):
            with _member(raw, str(place), member) as found:
                yield found
        elif suffix:
            with guarded(decompressed(raw, f"packed{suffix}"), size, str(path)) as stream:
                yield io.BufferedReader(stream, _HEAD), None, str(path)  # type: ignore[arg-type]
        else:
            yield io.BufferedReader(raw, _HEAD), size, str(path)


@contextmanager
def _member(raw: IO[bytes], name: str, member: str) -> Iterator[tuple[io.BufferedReader, int | None, str]]:
    """The one file of a zip, or the member that is named."""
    with zipfile.ZipFile(raw) as archive:
        files = [info for info in archive.infolist() if not info.is_dir() and "__MACOSX" not in info.filename]
        if any(info.filename.endswith((".pkl", ".pickle")) for info in files):
            raise LangnetError(f"{name} {_REFUSED['pickle']}")
        wanted = [info for info in files if not member or info.filename == member]
        if len(wanted) != 1:
            held = ", ".join(info.filename for info in files[:5]) or "nothing"
            raise LangnetError(f"{name} holds {held}; name one file of vectors, as in '{name}!{held.split(', ')[0]}'")
        info = wanted[0]
        refuse_bomb(f"{name}!{info.filename}", info.compress_size, info.file_size)
        with archive.open(info) as data, guarded(data, info.compress_size, name) as stream:
            yield io.BufferedReader(stream, _HEAD), None, f"{name}!{info.filename}"  # type: ignore[arg-type]


def _read_header(stream: io.BufferedReader, size: int | None, name: str, least: int) -> tuple[int, int]:
    """Number of words and dimensions, refused where the file is too short for them.

    Args:
        stream: at its beginning.
        size: of the file, or None.
        name: of the file.
        least: bytes that a dimension takes at least.
    """
    line = stream.readline(_LONGEST_LINE)
    n_words, dim = (int(number) for number in line.split())
    if not n_words or not 0 < dim <= _WIDEST:
        raise LangnetError(f"{name}: its header gives {n_words:,} words of {dim:,} dimensions, which no such file has")
    if size is not None and n_words * (dim * least + 2) > size:
        raise LangnetError(
            f"{name}: its header gives {n_words:,} words of {dim:,} dimensions, for which {size:,} bytes are too few; "
            "the file is cut off or mislabelled"
        )
    return n_words, dim


def _read_text(stream: io.BufferedReader, size: int | None, name: str, most: int) -> tuple[WordSpace, Notes]:
    """word2vec's text, fastText's .vec: a header, then a line a word."""
    n_words, dim = _read_header(stream, size, name, 2)
    wanted = min(most or n_words, n_words)
    rows = GrowingRows(dim, wanted, size is not None)
    for number in range(wanted):
        line = _line(stream, name, number + 2)
        if not line.strip():
            raise LangnetError(f"{name}: it ends after {number:,} of the {n_words:,} words that its header gives")
        if number == 0 and len(line.split()) > dim + 1:  # else numbers would become part of the words
            raise LangnetError(f"{name}: its first line has {len(line.split()) - 1:,} numbers, its header says {dim:,}")
        _add_line(rows, line, dim, f"{name}, line {number + 2}")
    if wanted == n_words and stream.readline(_LONGEST_LINE).strip():
        raise LangnetError(f"{name}: it has more lines than the {n_words:,} words that its header gives")
    return rows.space(name)


def _read_glove(stream: io.BufferedReader, size: int | None, name: str, most: int) -> tuple[WordSpace, Notes]:
    """GloVe's text: a line a word, and no header; what all lines have is the number of dimensions."""
    first = _line(stream, name, 1)
    fields = first.split()
    dim = len(fields) - 1
    if not 0 < dim <= _WIDEST:
        raise LangnetError(f"{name}: its first line has {dim:,} numbers after the word, which no such file has")
    rows = GrowingRows(dim, None, False)
    line, number = first, 1
    while line.strip() and (not most or number <= most):
        _add_line(rows, line, dim, f"{name}, line {number}")
        number += 1
        line = _line(stream, name, number)
    if line and not line.strip() and any(more.strip() for more in iter(lambda: stream.read(_HEAD), b"")):
        raise LangnetError(f"{name}, line {number}: it is empty, and more words follow; the file is damaged")
    return rows.space(name)


def _line(stream: io.BufferedReader, name: str, number: int) -> bytes:
    line = stream.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE:
        raise LangnetError(f"{name}, line {number}: it is longer than {_LONGEST_LINE:,} bytes, which no vector is")
    return line


def _add_line(rows: GrowingRows, line: bytes, dim: int, where: str) -> None:
    """One word and its numbers; the word may hold spaces, as some of GloVe's do."""
    parts = line.rstrip().rsplit(None, dim)
    if len(parts) != dim + 1:
        raise LangnetError(f"{where}: it has {len(parts) - 1} numbers where {dim} are expected")
    try:
        vector = np.array(parts[1:], dtype=np.float32)
    except ValueError:
        raise LangnetError(f"{where}: after the word {shown(parts[0])} stands something that is no number") from None
    rows.add(parts[0].strip(), vector)


def _read_binary(stream: io.BufferedReader, size: int | None, name: str, most: int) -> tuple[WordSpace, Notes]:
    """word2vec's binary: a header as text, then of each word its bytes, a space, and its numbers as float32."""
    n_words, dim = _read_header(stream, size, name, 4)
    wanted = min(most or n_words, n_words)
    rows = GrowingRows(dim, wanted, size is not None)
    for number in range(wanted):
        word = bytearray()
        while (sign := stream.read(1)) not in (b" ", b""):
            if sign != b"\n" or word:  # the original program ends a vector with a newline, others don't
                word += sign
            if len(word) > _LONGEST_WORD:
                raise LangnetError(f"{name}: word {number + 1:,} is longer than {_LONGEST_WORD:,} bytes; it is damaged")
        data = stream.read(4 * dim)
        if len(data) < 4 * dim:
            raise LangnetError(f"{name}: it ends within word {number + 1:,} of the {n_words:,} that its header gives")
        rows.add(bytes(word), np.frombuffer(data, dtype="<f4"))
    if wanted == n_words and stream.read(16).strip():
        raise LangnetError(f"{name}: it goes on after the {n_words:,} words that its header gives; it is mislabelled")
    return rows.space(name)


_READERS = {
    "text": ("word2vec text", _read_text),
    "binary": ("word2vec binary", _read_binary),
    "glove": ("GloVe text", _read_glove),
}


def _checked(space: WordSpace, name: str) -> WordSpace:
    """The same words, where every number is finite and there is a word."""
    if not len(space):
        raise LangnetError(f"{name} holds no words")
    wrong = np.flatnonzero(~np.isfinite(space.vectors).all(axis=1))
    if len(wrong):
        raise LangnetError(f"{name}: the vector of '{space.words[wrong[0]]}' has numbers that are not finite")
    return space


WORD_VECTORS = Importer("word vectors", FORMATS, recognises, read_model, frozenset({"most"}))
