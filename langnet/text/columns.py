"""Columns of text, a word a line: CoNLL's formats and CoNLL-U, read into sentences and written back with other tags.

In CoNLL-U (universaldependencies.org/format.html) the ranges of multiword tokens (`1-2`) and empty nodes (`1.1`) are no
words: they stay as they are. CoNLL-U Plus names its columns in a comment, `# global.columns = ID FORM UPOS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import IO

from langnet.errors import LangnetError
from langnet.text.compression import COMPRESSIONS
from langnet.text.formats import text_stream
from langnet.text.tagged_sentences import Layout, LearnedColumn, Sentence, TagColumns

CONLLU = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
BOUNDARY = "-DOCSTART-"  # begins a document in CoNLL-2003
NOTHING = "_"  # an empty cell of CoNLL-U
_PREDICTED = "Predicted"  # in MISC, beside a true tag
# A comment that tells in CoNLL-U that a column was written over by guesses.
_MARK = "# langnet predicted "
_MARKED = re.compile(r"#\s*langnet predicted (\S+)\s*")
_NAMES = re.compile(r"#\s*global\.columns\s*=\s*(.+)")
# What is no row although it may have as many cells: comments of CoNLL-U, of SemEval's sets, and of GermEval's.
_COMMENT = re.compile(r"#[ \t]+(?:(?:id|newdoc|newpar|sent_id|text|global\.columns)\b|\S+ = |https?://)")
_NO_WORD = re.compile(r"\d+[-.]\d+")
_ID = re.compile(r"\d+(?:[-.]\d+)?")
_BLANK = " \t\r\n"
_SPACES = re.compile(r"[ \t]+")


@dataclass
class _Held:
    """What was read of a sentence."""

    lines: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    line: int = 0


class _Reader:
    """One file: how its rows are cut is settled by the first of them."""

    def __init__(self, path: Path, wanted: TagColumns):
        suffixes = [suffix.lower() for suffix in PurePath(path.name).suffixes]
        if suffixes and suffixes[-1] in COMPRESSIONS:
            suffixes.pop()
        self.path, self.wanted = path, wanted
        self.universal = bool(suffixes) and suffixes[-1] == ".conllu"
        self.names: tuple[str, ...] = CONLLU if self.universal else ()
        self.first = 0  # line of the first row; 0 before it
        self.n_columns, self.tabs = 0, False
        self.word, self.tag = 0, -1
        self.feature: str | None = None  # that the tags are values of
        self.layout = Layout("columns")
        self.marks: set[str] = set()  # names of columns that hold guesses

    def sentences(self, lines: Iterator[str]) -> Iterator[Sentence]:
        held, previous = _Held(), None
        for number, line in enumerate(lines, 1):
            blank = not line.strip(_BLANK)
            boundary = line.startswith(BOUNDARY)
            if (blank or boundary) and held.words:
                if previous is not None:
                    yield previous
                previous, held = self._closed(held), _Held()
            if not blank and not boundary and (held.words or not self._is_comment(line)):
                self._row(line, number, held)
            held.lines.append(line)
        if held.words:
            if previous is not None:
                yield previous
            yield self._closed(held)
        elif previous is not None:  # what stands behind the last sentence stays with it
            yield _longer(previous, held.lines)

    def _closed(self, held: _Held) -> Sentence:
        tags = tuple(held.tags) if self.wanted.labelled else None
        source = f"{self.path}:{held.line}"
        return Sentence(tuple(held.words), tags, source, tuple(held.lines), tuple(held.rows), self.layout)

    def _is_comment(self, line: str) -> bool:
        if not line.startswith("#"):
            return False
        marked = _MARKED.fullmatch(line)
        if marked:
            self.marks.add(marked[1].lower())
            self.layout = self._with_note(self.layout)
        named = _NAMES.match(line)
        if named and not self.first:
            self.names = tuple(named[1].split())
        if self.names or _COMMENT.match(line):
            return True
        return len(self._cells(line)) != self.n_columns if self.first else not self._looks_like_a_row(line)

    def _looks_like_a_row(self, line: str) -> bool:
        """Before the first row: a sign `#` or a hashtag as a word, with one tag or with cells cut by tabs."""
        return "\t" in line or len(_SPACES.split(line.strip(_BLANK))) == 2

    def _cells(self, line: str) -> list[str]:
        return line.rstrip("\r\n").split("\t") if self.tabs else _SPACES.split(line.strip(_BLANK))

    def _row(self, line: str, number: int, held: _Held) -> None:
        if not self.first:
            self._settle(line, number)
        cells = self._cells(line)
        where = f"{self.path}, line {number}"
        if len(cells) != self.n_columns:
            raise LangnetError(
                f"{where}: {_count(len(cells))} where line {self.first} has {self.n_columns}; every row of a file has "
                "as many, and sentences are parted by empty lines"
            )
        if self.names and self.names[0] == "ID" and _NO_WORD.fullmatch(cells[0]):
            return
        if not cells[self.word].strip():
            raise LangnetError(f"{where}, column {self.word + 1}: the word is empty")
        if self.wanted.labelled:
            held.tags.append(self._tag(cells[self.tag], where))
        held.line = held.line or number
        held.rows.append(len(held.lines))
        held.words.append(cells[self.word])

    def _tag(self, cell: str, where: str) -> str:
        tag = feature_of(cell, self.feature) if self.feature else cell.strip()
        if not tag:
            raise LangnetError(
                f"{where}, column {self.tag + 1}: the tag is empty; every word needs one (--label-column names the "
                "column of the tags)"
            )
        return tag

    def _settle(self, line: str, number: int) -> None:
        """How the rows are cut, and which columns are read."""
        self.first, self.tabs = number, "\t" in line
        cells = self._cells(line)
        self.n_columns = len(cells)
        if self.tabs and not self.names and len(cells) == len(CONLLU) and _ID.fullmatch(cells[0]):
            self.names = CONLLU
        if self.names and len(self.names) != len(cells):
            columns = " ".join(self.names)
            raise LangnetError(
                f"{self.path}, line {number}: {_count(len(cells))}, cut at tabs, where the format has "
                f"{len(self.names)}: {columns}"
            )
        default = self._named("UPOS") if "UPOS" in self.names else len(cells) - 1
        self.word, _ = self._place(self.wanted.words, self._named("FORM") if "FORM" in self.names else 0)
        self.tag, self.feature = self._place(self.wanted.tags, default)
        if self.wanted.labelled and len(cells) == 1:
            raise LangnetError(f"{self.path}, line {number}: one column alone, so its words have no tags")
        if self.wanted.labelled and self.tag == self.word:
            raise LangnetError(
                f"{self.path}, line {number}: column {self.word + 1} cannot hold both words and tags; name others by "
                "--text-column and --label-column"
            )
        where = replace(self._where_tags_go(), tags=self.tag, width=self.n_columns, named=bool(self.names))
        if self.names and not self.wanted.labelled:
            where = replace(where, replaced=self._tags_name())
        self.layout = self._with_note(where)

    def _tags_name(self) -> str:
        name = self.names[self.tag] if self.tag < len(self.names) else str(self.tag + 1)
        return f"{name}.{self.feature}" if self.feature else name

    def _with_note(self, layout: Layout) -> Layout:
        """Where the tags that are read are guesses, as a comment of the file says."""
        if not (self.first and self.wanted.labelled and self._tags_name().lower() in self.marks):
            return layout
        note = f"{self.path}: the tags in {self._tags_name()} were predicted, as a comment in the file says"
        return replace(layout, note=f"{note}; they are no truth to learn from or to score by")

    def _where_tags_go(self) -> Layout:
        """In place of those that are not read, and beside those that are."""
        if self.wanted.labelled and "MISC" in self.names:
            return Layout("columns", self._named("MISC"), _PREDICTED, self.tabs)
        asked = self.wanted.tags and not LearnedColumn.of(self.wanted.tags)
        if self.wanted.labelled or not (self.names or asked):
            return Layout("columns", None, None, self.tabs or self.n_columns == 1)
        return Layout("columns", self.tag, self.feature, self.tabs)

    def _named(self, name: str) -> int:
        return self.names.index(name)

    def _place(self, wanted: str | None, default: int) -> tuple[int, str | None]:
        """A column's index, and the feature in it."""
        learned = LearnedColumn.of(wanted)
        if learned:
            # What was remembered of a file is no wish for this one.
            wanted = None if self.names or not self.wanted.labelled else str(learned.from_end)
        if wanted is None:
            return default, None
        if re.fullmatch(r"-?\d+", wanted):
            number = int(wanted)
            if number == 0 or not -self.n_columns <= number <= self.n_columns:
                raise LangnetError(
                    f"{self.path}, line {self.first}: there is no column {number}; the rows have "
                    f"{self.n_columns}, counted from 1, or from -1 at the end"
                )
            return (number - 1 if number > 0 else self.n_columns + number), None
        lower = [name.lower() for name in self.names]
        if wanted.lower() in lower:
            return lower.index(wanted.lower()), None
        name, _, feature = wanted.partition(".")
        if feature and name.lower() in ("feats", "misc") and name.lower() in lower:
            return lower.index(name.lower()), feature
        if self.names:
            raise LangnetError(f"{self.path}: there is no column '{wanted}'; the columns are {', '.join(self.names)}")
        raise LangnetError(
            f"{self.path}: the columns have no names, so '{wanted}' is none of them; give a number from 1 to "
            f"{self.n_columns}"
        )


def read_columns(stream: IO[bytes], path: Path, wanted: TagColumns) -> Iterator[Sentence]:
    """The sentences of one file.

    Raises:
        LangnetError: a row that cannot be read, with file, line and column.
    """
    read = _Reader(path, wanted).sentences(text_stream(stream, name=str(path)))
    learned = LearnedColumn.of(wanted.tags)
    return iter(_as_in_training(list(read), learned, path)) if learned and wanted.labelled else read


def _as_in_training(sentences: list[Sentence], learned: LearnedColumn, path: Path) -> list[Sentence]:
    """With the tags of the column that had them in training, where one more stands behind those of training.

    That the further column holds guesses shows in its having tags of that one; any other further column is left to be
    what it was taken for.
    """
    layout = sentences[0].layout if sentences else None
    if layout is None or layout.named or layout.width != learned.width + 1:
        return sentences
    place = learned.number - 1
    found = [
        tuple(_cut(sentence.lines[row], layout.tabs)[place].strip() for row in sentence.rows) for sentence in sentences
    ]
    there = {tag for tags in found for tag in tags}
    if place == layout.tags or "" in there or not there & {tag for one in sentences for tag in one.tags or ()}:
        return sentences
    note = (
        f"{path}: the tags are read from column {learned.number}, as in training; column {layout.tags + 1} looks like "
        f"what predict adds (--label-column {layout.tags + 1} would read it)"
    )
    now = replace(layout, tags=place, note=note)
    return [replace(one, tags=tags, layout=now) for one, tags in zip(sentences, found, strict=True)]


def with_tags(sentence: Sentence, layout: Layout, tags: Sequence[str], mark: bool = False) -> str:
    """The lines of a sentence with these tags; with a comment on what they replace, if there is to be a `mark`."""
    lines = list(sentence.lines)
    for row, tag in zip(sentence.rows, tags, strict=True):
        lines[row] = _with_cell(lines[row], layout, tag)
    if layout.column is None and sentence.rows:
        width = len(_cut(sentence.lines[sentence.rows[0]], layout.tabs))
        for index, line in enumerate(lines):
            if line.startswith(BOUNDARY) and len(_cut(line, layout.tabs)) == width:
                lines[index] = _with_cell(line, layout, "O")
    if mark and layout.replaced:
        _mark(lines, layout.replaced)
    return "".join(lines)


def _mark(lines: list[str], name: str) -> None:
    """Put a comment that the column `name` holds guesses behind the comments of a sentence, unless it is there."""
    place = next((i for i, line in enumerate(lines) if not line.startswith("#") and line.strip(_BLANK)), len(lines))
    if not any(found and found[1] == name for found in map(_MARKED.fullmatch, lines[:place])):
        lines.insert(place, f"{_MARK}{name}" + ("\r\n" if lines[0].endswith("\r\n") else "\n"))


def _cut(line: str, tabs: bool) -> list[str]:
    return line.rstrip("\r\n").split("\t") if tabs else _SPACES.split(line.strip(_BLANK))


def _with_cell(line: str, layout: Layout, tag: str) -> str:
    text = line.rstrip("\r\n")
    end = line[len(text) :]
    if layout.column is None:
        separator = "\t" if layout.tabs else " "
        return (text if layout.tabs else text.rstrip(_BLANK)) + separator + tag + end
    assert isinstance(layout.column, int), "columns of text have numbers"
    pieces = re.split(r"(\t)" if layout.tabs else r"([ \t]+)", text)  # cells and what stands between them, in turn
    index = 2 * layout.column + (2 if not layout.tabs and not pieces[0] else 0)  # blanks before the first cell
    pieces[index] = with_feature(pieces[index], layout.feature, tag) if layout.feature else tag
    return "".join(pieces) + end


def feature_of(cell: str, name: str) -> str:
    """The value of a feature in a cell `Case=Nom|Number=Sing`; `_` where it has none."""
    for pair in cell.split("|"):
        key, equals, value = pair.partition("=")
        if equals and key == name:
            return value
    return NOTHING


def with_feature(cell: str, name: str, value: str) -> str:
    """The cell with this value of a feature, features in CoNLL-U's order; `_` takes the feature away."""
    pairs = [pair for pair in cell.split("|") if pair != NOTHING and pair.partition("=")[0] != name]
    if value != NOTHING:
        pairs.append(f"{name}={value}")
    return "|".join(sorted(pairs, key=lambda pair: pair.partition("=")[0].lower())) or NOTHING


def _longer(sentence: Sentence, lines: list[str]) -> Sentence:
    return Sentence(
        sentence.words, sentence.tags, sentence.source, (*sentence.lines, *lines), sentence.rows, sentence.layout
    )


def _count(n: int) -> str:
    return "1 column" if n == 1 else f"{n} columns"
