"""Files of predicates and roles: Universal Propositions, CoNLL-2005, CoNLL-2012, JSON; and plain text to predict on."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from langnet.errors import LangnetError
from langnet.text.corpus import Source
from langnet.text.formats import (
    TEXTS,
    Row,
    begins_binary,
    column,
    damage_errors,
    format_of,
    open_bytes,
    read_rows,
    text_stream,
)
from langnet.text.frames import Frame, FramedSentence, RoleLayout, flat_roles
from langnet.text.paths import require_path
from langnet.text.role_blocks import Blocks, read_blocks
from langnet.text.role_columns import (
    Wanted,
    bracket_layout,
    numbered_layout,
    read_columns_of_roles,
    write_columns_of_roles,
)
from langnet.text.role_lists import (
    HEADS,
    PREDICATE,
    SPANS,
    list_layout,
    read_lists_of_roles,
    write_lists_of_roles,
)
from langnet.text.tag_schemes import Span
from langnet.text.words import word_spans

LISTS = (".jsonl", ".ndjson", ".json", ".parquet")
WORDS = ("tokens", "words")
FIELD = "frames"
_TITLE = f"# global.columns = ID FORM {PREDICATE} {HEADS} {SPANS}\n"


def read_roles(
    sources: Sequence[Source],
    words: str | None = None,
    roles: str | None = None,
    predicates: str | None = None,
    labelled: bool = True,
) -> list[FramedSentence]:
    """Sentences of files with predicates and roles, also compressed.

    Args:
        sources: files.
        words: the column of words by its number from 1 (-1 is the last), or the field of an object; None leaves it to
            the format.
        roles: which column of Universal Propositions 2 says where roles are, `UP:ARGSPANS` or `UP:ARGHEADS`; or the
            field of an object.
        predicates: the number of the column that says which words are predicates, in columns with brackets.
        labelled: whether roles are read; without, only predicates, and of files that have none the words alone.

    Raises:
        LangnetError: no such file, what cannot be read (with its line and column), no roles where they are needed, or
            no sentence at all.
    """
    sentences: list[FramedSentence] = []
    for source in sources:
        path = require_path(source)
        if path.is_dir():
            raise LangnetError(f"{path} is a folder; name the files in it that hold predicates and roles")
        try:
            with open_bytes(path) as stream:
                if format_of(path.name) in LISTS:
                    sentences += (
                        _from_object(row, path, (words, roles), labelled) for row in read_rows(stream, str(path))
                    )
                    continue
                if begins_binary(stream):
                    raise LangnetError(f"{path} is no plain text; roles are read from columns of text and from jsonl")
                lines = list(text_stream(stream, name=str(path)))
        except damage_errors() as error:
            raise LangnetError(f"cannot read {path}: {str(error) or 'the file is cut off'}") from error
        if format_of(path.name) in TEXTS and not labelled and not _has_columns(lines):
            sentences += _from_text(lines, path)
        else:
            sentences += _from_columns(lines, path, (words, roles, predicates), labelled)
    if not sentences:
        raise LangnetError(f"{', '.join(map(str, sources))}: no sentences found")
    return sentences


def _has_columns(lines: Sequence[str]) -> bool:
    """Whether a text file holds columns: cells parted by tabs, or brackets at the ends of its first lines."""
    some = [line for line in lines[:50] if line.strip()]
    return any("\t" in line or line.startswith("#begin document") for line in some) or any(
        re.search(r"\s\(?[^\s()*]*\*\)?\s*$", line) for line in some
    )


def _from_text(lines: Sequence[str], path: Path) -> Iterator[FramedSentence]:
    """A sentence a line; signs of punctuation at the ends of what blanks part are words of their own."""
    layout = RoleLayout("text", added=True)
    for number, line in enumerate(lines, 1):
        words = tuple(split_words(line))
        if words:
            yield FramedSentence(words, None, f"{path}:{number}", (line,), (), layout)


def split_words(line: str) -> list[str]:
    """The words of a line of text, as treebanks have them as nearly as signs alone can tell.

    What is parted by blanks, without the signs of punctuation that it begins and ends with, each run of which is a
    word; Han characters, which no blanks part, one by one.
    """
    found = []
    for piece in line.split():
        if any("\u4e00" <= sign <= "\u9fff" for sign in piece):
            found += [piece[start:end] for start, end in word_spans(piece)]
            continue
        plain = [unicodedata.category(sign)[0] not in "PS" for sign in piece]
        if not any(plain):
            found.append(piece)
            continue
        start, end = plain.index(True), len(plain) - plain[::-1].index(True)
        found += [*_runs(piece[:start]), piece[start:end], *_runs(piece[end:])]
    return found


def _runs(signs: str) -> list[str]:
    """Each run of a sign: `...` and `)` of `...)`."""
    return [run[0] for run in re.finditer(r"(.)\1*", signs)]


def _from_columns(
    lines: Sequence[str], path: Path, named: tuple[str | None, str | None, str | None], labelled: bool
) -> Iterator[FramedSentence]:
    words, roles, predicates = named
    blocks = read_blocks(lines)
    if not blocks.sentences:
        return
    width = len(blocks.sentences[0].cells[0])
    word, predicate = (_number(value, width, path) for value in (words, predicates))
    wanted = Wanted(word, predicate, labelled)
    if blocks.numbered:
        layout = None if PREDICATE in blocks.names and "UP:FLAG" not in blocks.names else numbered_layout(blocks)
        if layout is None:
            layout, place = list_layout(blocks, path)
            _refuse_bare(layout, labelled, path)
            column = _listed(layout, roles, path) if labelled else None
            for block in blocks.sentences:
                yield read_lists_of_roles(block, layout, (place if word is None else word, column), path)
            return
        place = 1 if word is None else word
    else:
        layout, place = bracket_layout(blocks, wanted)
        _refuse_bare(layout, labelled, path)
        _refuse_wordless(blocks, layout, place, path)
    for block in blocks.sentences:
        yield read_columns_of_roles(block, layout, place, wanted, path)


def _refuse_bare(layout: RoleLayout, labelled: bool, path: Path) -> None:
    if labelled and layout.added:
        raise LangnetError(
            f"{path}: no roles in it; they are read from Universal Propositions (CoNLL-U with columns of roles), from "
            "brackets as CoNLL-2005 and CoNLL-2012 have them, and from jsonl with 'tokens' and 'frames'"
        )


def _refuse_wordless(blocks: Blocks, layout: RoleLayout, word: int, path: Path) -> None:
    if not layout.added and layout.predicate is not None and word >= layout.predicate:
        raise LangnetError(
            f"{path}, line {blocks.sentences[0].line(0)}: column {word + 1} has predicates or roles where a column of "
            "words is expected; put the file of words before it: paste words props"
        )


def _number(value: str | None, width: int, path: Path) -> int | None:
    """The index of a column by its number."""
    if value is None:
        return None
    if not re.fullmatch(r"-?\d+", value):
        raise LangnetError(f"{path}: '{value}' is no column of a file of roles; give a number from 1 to {width}")
    number = int(value)
    if number == 0 or not -width <= number <= width:
        raise LangnetError(f"{path}: there is no column {number}; its first row has {width}, counted from 1 or from -1")
    return number - 1 if number > 0 else width + number


def _listed(layout: RoleLayout, roles: str | None, path: Path) -> int:
    """The column in which roles are read."""
    known = {HEADS: layout.heads, SPANS: layout.spans}
    name = roles.upper() if roles else SPANS if layout.spans is not None else HEADS
    found = known.get(name)
    if found is None:
        has = ", ".join(name for name, place in known.items() if place is not None)
        raise LangnetError(f"{path}: there is no column '{roles}' of roles; it has {has}")
    return found


def _from_object(row: Row, path: Path, named: tuple[str | None, str | None], labelled: bool) -> FramedSentence:
    """A sentence of an object `{"tokens": [...], "frames": [{"predicate": 1, "roles": [["A0", 0, 1]]}]}`."""
    where = f"{path}, line {row.line}"
    name = named[0] or next((name for name in WORDS if name in row.cells), WORDS[0])
    field = named[1] or FIELD
    words = column(row, name, str(path))
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise LangnetError(f"{where}: the field '{name}' has to be a list of words")
    frames = None
    if labelled or row.cells.get(field) is not None:
        value = column(row, field, str(path))
        if not isinstance(value, list):
            raise LangnetError(f"{where}: the field '{field}' has to be a list of frames")
        frames = tuple(_frame(one, len(words), f"{where}, frame {k + 1}", labelled) for k, one in enumerate(value))
    text = json.dumps(row.cells, ensure_ascii=False, default=str) + "\n"
    layout = RoleLayout("json", field=f"predicted_{field}")
    return FramedSentence(tuple(words), frames, f"{path}:{row.line}", (text,), (), layout)


def _frame(value: Any, length: int, where: str, labelled: bool) -> Frame:
    place = value.get("predicate") if isinstance(value, dict) else None
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < length:
        raise LangnetError(f"{where}: 'predicate' has to be the number of a word from 0 to {length - 1}")
    sense = str(value.get("sense") or "")
    if not labelled:
        return Frame(place, None, sense)
    roles = value.get("roles")
    if not isinstance(roles, list):
        raise LangnetError(f"{where}: 'roles' has to be a list of [role, first word, word after the last]")
    return Frame(place, tuple(sorted((_role(r, length, where) for r in roles), key=lambda s: (s.start, s.end))), sense)


def _role(value: Any, length: int, where: str) -> Span:
    if isinstance(value, dict):
        value = [value.get(name) for name in ("role", "start", "end")]
    if (
        not isinstance(value, list)
        or len(value) != 3
        or not isinstance(value[0], str)
        or any(not isinstance(end, int) or isinstance(end, bool) for end in value[1:])
        or not 0 <= value[1] < value[2] <= length
    ):
        raise LangnetError(
            f'{where}: expected a role as ["A0", first word, word after the last], words counted from 0 to {length}, '
            f"found {json.dumps(value, default=str)[:60]}"
        )
    return Span(*value)


def write_roles(sentences: Sequence[FramedSentence], frames: Sequence[Sequence[Frame]]) -> str:
    """The files that the sentences were read from, with other roles, and nothing else changed.

    Where a file has no roles, they come in new columns: those of Universal Propositions 2 for CoNLL-U and plain text,
    those of CoNLL-2005 for other columns.

    Args:
        sentences: in the order of their files.
        frames: of each.
    """
    pieces: list[str] = []
    file = None
    for sentence, own in zip(sentences, frames, strict=True):
        ordered = sorted(own, key=lambda frame: frame.predicate)
        kind = sentence.layout.kind if sentence.layout else "text"
        name = sentence.source.rpartition(":")[0]
        title = not pieces or (kind != "text" and name != file)
        file = name
        if kind == "json":
            cells = json.loads(sentence.lines[0])
            assert sentence.layout is not None
            cells[sentence.layout.field] = [_object(frame) for frame in ordered]
            pieces.append(json.dumps(cells, ensure_ascii=False) + "\n")
            continue
        if pieces and title and not pieces[-1].endswith("\n\n"):
            pieces.append("\n" if pieces[-1].endswith("\n") else "\n\n")
        if kind == "text":
            pieces.append(_as_lists(sentence, ordered, title))
        elif kind == "lists":
            pieces.append(write_lists_of_roles(sentence, ordered, title))
        else:
            pieces.append(write_columns_of_roles(sentence, ordered))
    return "".join(pieces)


def _object(frame: Frame) -> dict[str, Any]:
    sense = {"sense": frame.sense} if frame.sense else {}
    return {"predicate": frame.predicate, **sense, "roles": [list(role) for role in frame.roles or ()]}


def _as_lists(sentence: FramedSentence, frames: Sequence[Frame], title: bool) -> str:
    """A sentence that came from no columns, in Universal Propositions 2's."""
    rows = tuple(f"{n}\t{_cell(word)}\n" for n, word in enumerate(sentence.words, 1))
    places = (2, 3, 4)
    layout = RoleLayout("lists", True, 5, 0, *places, added=True)
    made = replace(sentence, lines=rows, rows=tuple(range(len(rows))), layout=layout)
    return (_TITLE if title else "") + write_lists_of_roles(made, frames, False) + "\n"


def _cell(word: str) -> str:
    """A word as a cell, which holds neither tabs nor ends of lines."""
    return re.sub(r"\s+", "\u00a0", word) or "_"


def overlapping(sentences: Sequence[FramedSentence]) -> str | None:
    """A line on roles that overlap others of their predicate, with the first place; None where none do."""
    found = [
        (sentence, frame)
        for sentence in sentences
        for frame in sentence.frames or ()
        if len(flat_roles(frame.roles or ())) < len(frame.roles or ())
    ]
    if not found:
        return None
    sentence, frame = found[0]
    return (
        f"{len(found):,} predicates have roles that overlap, of which the longest are learned; the first in the "
        f"sentence of {sentence.source or 'no file'}: '{sentence.words[frame.predicate]}'"
    )
