"""Predicates and roles in columns, one a predicate: Universal Propositions 1, CoNLL-2005, CoNLL-2012.

Universal Propositions 1 is CoNLL-U with the predicate's sense in a further column, then a column a predicate with a
role's name at the head of its words. There are two shapes of it: behind all ten columns, with `V` at the predicate
(English), and behind eight and a flag, `Y` at predicates, without `V` (the other languages). In CoNLL-2005's and
CoNLL-2012's files a role is a bracket, `(A0*` to `*)`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from langnet.errors import LangnetError
from langnet.text.frames import VERB, Frame, FramedSentence, RoleLayout
from langnet.text.role_blocks import Block, Blocks, cut, with_cells
from langnet.text.tag_schemes import Span

CONLLU = 10  # columns
FLAG = "Y"
NOTHING = ("_", "")
_NONE = "-"  # of a bracket file's cells
_CELL = re.compile(r"((?:\([^()*]+)*)\*((?:[^()*]*\))*)")
_LEMMA, _HEAD, _FLAGS = 2, 6, 8  # of CoNLL-U, the last in its stead
_ONTONOTES = 12  # columns of CoNLL-2012 around those of roles, the last of which is coreference


@dataclass(frozen=True)
class Wanted:
    """What is read.

    Attributes:
        words: the column of words; None leaves it to the format.
        predicates: the column that says which words are predicates; None leaves it to the format.
        labelled: whether roles are read, or only predicates.
    """

    words: int | None
    predicates: int | None
    labelled: bool


def numbered_layout(blocks: Blocks) -> RoleLayout | None:
    """Which shape of Universal Propositions 1 a file of CoNLL-U has; None where it has no roles at all."""
    if "UP:FLAG" in blocks.names and "UP:PRED" in blocks.names:
        place = blocks.names.index("UP:PRED")
        return RoleLayout("columns", True, place + 1, 0, place, marked=False, lemma=_LEMMA, head=_HEAD)
    rows = [cells for block in blocks.sentences for cells in block.cells]
    flags = {cells[_FLAGS] for cells in rows if len(cells) >= CONLLU}
    flagged = FLAG in flags and flags <= {"_", FLAG}
    if all(len(cells) <= CONLLU for cells in rows) and not flagged:
        return None
    after_flag = RoleLayout("columns", True, CONLLU, 0, CONLLU - 1, marked=False, lemma=_LEMMA, head=_HEAD)
    after_all = RoleLayout("columns", True, CONLLU + 1, 0, CONLLU, marked=True, lemma=_LEMMA, head=_HEAD)
    return after_flag if flagged else after_all


def bracket_layout(blocks: Blocks, wanted: Wanted) -> tuple[RoleLayout, int]:
    """Where predicates and brackets stand in a file of columns, and the column of words.

    Raises:
        LangnetError: there is no column of words.
    """
    first = blocks.sentences[0]
    begun = any(line.startswith("#begin document") for line in first.lines)
    if begun or all(len(c) >= _ONTONOTES and c[2] == str(i) for i, c in enumerate(first.cells)):
        layout = RoleLayout("brackets", blocks.tabs, _ONTONOTES - 1, 1, 7, lemma=6)
        return layout, 3 if wanted.words is None else wanted.words
    starts = [start for block in blocks.sentences if (start := _first_bracket(block)) is not None]
    if not starts and wanted.labelled:  # what is wrong with it is told when it is read
        starts = [start for block in blocks.sentences if (start := _likely_bracket(block)) is not None]
    word = 0 if wanted.words is None else wanted.words
    width = len(first.cells[0])
    if wanted.predicates is None and not starts:
        return RoleLayout("brackets", blocks.tabs, width + 1, 0, width, added=True), word
    predicate = starts[0] - 1 if wanted.predicates is None else wanted.predicates
    return RoleLayout("brackets", blocks.tabs, predicate + 1, 0, predicate), word


def _first_bracket(block: Block) -> int | None:
    """The first of the columns of brackets at the end, one a predicate; None where there are none."""
    width = len(block.cells[0])
    if any(len(cells) != width for cells in block.cells):
        return None
    start = width
    while start > 1 and all(_CELL.fullmatch(cells[start - 1]) for cells in block.cells):
        start -= 1
    # A syntactic tree has brackets too, but no column before it that says which words are predicates.
    return start if sum(cells[start - 1] != _NONE for cells in block.cells) == width - start > 0 else None


def _likely_bracket(block: Block) -> int | None:
    """The column behind the last one that has `-` beside brackets; None where there is none."""
    cells = block.cells[0]
    likely = [
        column + 1
        for column in range(len(cells) - 1)
        if "*" in cells[column + 1] and any(row[column] == _NONE for row in block.cells if column < len(row))
    ]
    return likely[-1] if likely else None


def read_columns_of_roles(block: Block, layout: RoleLayout, word: int, wanted: Wanted, path: object) -> FramedSentence:
    """One sentence.

    Raises:
        LangnetError: a cell that cannot be read, or another number of predicates than of columns of roles.
    """
    width = _width(block, layout, path)
    words = tuple(_word(cells, word, f"{path}, line {block.line(row)}") for row, cells in enumerate(block.cells))
    source = f"{path}:{block.line(0)}"
    sentence = FramedSentence(words, None, source, tuple(block.lines), tuple(block.rows), layout)
    if layout.added:
        return sentence
    assert layout.predicate is not None, "a file with roles says which words are predicates"
    count = width - layout.first - layout.after
    columns = [[cells[layout.first + k] for cells in block.cells] for k in range(count)]
    if layout.kind == "columns":
        while columns and all(cell == "" for cell in columns[-1]):  # an empty column where there is no predicate
            columns.pop()
    ontonotes = layout.kind == "brackets" and layout.after == 1
    read = [
        (_brackets if layout.kind == "brackets" else _names)(column, (block, layout.first + k, path))
        for k, column in enumerate(columns)
    ]
    places = _marked(read, block, layout, path) if ontonotes and read else _predicates(block, layout)
    if len(places) != len(read) and (read or wanted.labelled):
        raise LangnetError(
            f"{path}, line {block.line(0)}, column {layout.predicate + 1}: {_count(len(places), 'predicate')} and "
            f"{_count(len(read), 'column')} of roles; every predicate has one"
        )
    frames = []
    for k, place in enumerate(places):
        sense = block.cells[place][layout.predicate]
        roles = tuple(span for span in read[k] if span != Span(VERB, place, place + 1)) if wanted.labelled else None
        frames.append(Frame(place, roles, "" if sense in (*NOTHING, _NONE) else sense))
    return replace(sentence, frames=tuple(frames))


def _width(block: Block, layout: RoleLayout, path: object) -> int:
    width = len(block.cells[0])
    for row, cells in enumerate(block.cells):
        if len(cells) != width:
            raise LangnetError(
                f"{path}, line {block.line(row)}: {_count(len(cells), 'column')} where the sentence's first row, line "
                f"{block.line(0)}, has {width}; all rows of a sentence have as many"
            )
    least = layout.first + layout.after - (0 if layout.kind == "brackets" else 1)
    if not layout.added and width < least:
        raise LangnetError(
            f"{path}, line {block.line(0)}: {_count(width, 'column')} where a file of this format has {least} or more"
        )
    return width


def _word(cells: Sequence[str], column: int, where: str) -> str:
    if not -len(cells) <= column < len(cells):
        raise LangnetError(f"{where}: there is no column {column + 1} with a word; there are {len(cells)}")
    if not cells[column].strip():
        raise LangnetError(f"{where}, column {column + 1}: the word is empty")
    return cells[column]


def _predicates(block: Block, layout: RoleLayout) -> list[int]:
    assert layout.predicate is not None
    return [row for row, cells in enumerate(block.cells) if cells[layout.predicate] not in (*NOTHING, _NONE)]


def _marked(read: Sequence[Sequence[Span]], block: Block, layout: RoleLayout, path: object) -> list[int]:
    """The predicate of each column, which is where its `V` begins."""
    found = []
    for k, spans in enumerate(read):
        verb = next((span for span in spans if span.type == VERB), None)
        if verb is None:
            raise LangnetError(
                f"{path}, line {block.line(0)}, column {layout.first + k + 1}: no predicate (V*) among these roles"
            )
        found.append(verb.start)
    return found


Place = tuple[Block, int, object]  # a block, a column of it, and the file


def _names(column: Sequence[str], place: Place) -> list[Span]:
    """Roles by their names, each at one word."""
    block, number, path = place
    found = []
    for row, cell in enumerate(column):
        if cell == "":
            raise LangnetError(
                f"{path}, line {block.line(row)}, column {number + 1}: an empty cell; write '_' where there is no role"
            )
        if cell != "_":
            found.append(Span(cell, row, row + 1))
    return found


def _brackets(column: Sequence[str], place: Place) -> list[Span]:
    """Roles by their brackets, by the words that they begin with, the outer ones first."""
    block, number, path = place
    found, opened = list[Span](), list[tuple[str, int]]()
    for row, cell in enumerate(column):
        where = f"{path}, line {block.line(row)}, column {number + 1}"
        read = _CELL.fullmatch(cell)
        if read is None:
            raise LangnetError(f"{where}: expected brackets such as (A0*, *) or (A0*), found '{cell[:40]}'")
        opened += [(name, row) for name in read[1].split("(")[1:]]
        for _ in range(read[2].count(")")):
            if not opened:
                raise LangnetError(f"{where}: a bracket is closed that was not opened")
            name, start = opened.pop()
            found.append(Span(name, start, row + 1))
    if opened:
        name, start = opened[-1]
        raise LangnetError(f"{path}, line {block.line(start)}, column {number + 1}: the bracket ({name} is not closed")
    return sorted(found, key=lambda span: (span.start, -span.end))


def write_columns_of_roles(sentence: FramedSentence, frames: Sequence[Frame]) -> str:
    """The lines of a sentence with other roles: in its columns, or, where it has none, in new ones."""
    layout = sentence.layout
    assert layout is not None
    lines = list(sentence.lines)
    cells = [_cells(frame, len(sentence.words), layout, sentence) for frame in frames]
    senses = {frame.predicate: frame.sense or predicate_name(sentence, frame.predicate) for frame in frames}
    width = len(cells_of(sentence, 0))
    missing = layout.added or (len(frames) > 0 and width - layout.first - layout.after < len(frames))
    for row, place in enumerate(sentence.rows):
        own = [column[row] for column in cells]
        if not missing:
            changed = {layout.first + k: cell for k, cell in enumerate(own)}
            lines[place] = with_cells(lines[place], layout.tabs, changed)
        else:
            new = [senses.get(row, _NONE), *own] if layout.added else own
            lines[place] = with_cells(lines[place], layout.tabs, {}, new, layout.after)
    return "".join(lines)


def cells_of(sentence: FramedSentence, word: int) -> list[str]:
    """The cells of a word's row in its file."""
    assert sentence.layout is not None
    return cut(sentence.lines[sentence.rows[word]], sentence.layout.tabs)


def predicate_name(sentence: FramedSentence, word: int) -> str:
    """What stands for a predicate whose sense is not known: its lemma, or the word itself."""
    layout = sentence.layout
    if layout is not None and layout.lemma is not None and sentence.rows:
        lemma = cells_of(sentence, word)[layout.lemma]
        if lemma not in (*NOTHING, _NONE):
            return lemma
    return sentence.words[word]


def _cells(frame: Frame, length: int, layout: RoleLayout, sentence: FramedSentence) -> list[str]:
    """The cells of a predicate's column."""
    roles = list(frame.roles or ())
    if layout.kind == "columns":
        out = ["_"] * length
        for role in roles:
            out[head_of(role, sentence)] = role.type
        if layout.marked:
            out[frame.predicate] = VERB
        return out
    if not any(role.type == VERB and role.start <= frame.predicate < role.end for role in roles):
        roles.append(Span(VERB, frame.predicate, frame.predicate + 1))
    return written_brackets(roles, length)


def written_brackets(roles: Sequence[Span], length: int) -> list[str]:
    """Roles as brackets, the outer ones first; those that cross are left out, the later ones."""
    before, behind = [""] * length, [""] * length
    kept: list[Span] = []
    for role in sorted(roles, key=lambda span: (span.start, -span.end)):
        if any(other.start < role.start < other.end < role.end for other in kept):
            continue
        kept.append(role)
        before[role.start] += f"({role.type}"
        behind[role.end - 1] += ")"
    return [f"{one}*{other}" for one, other in zip(before, behind, strict=True)]


def head_of(role: Span, sentence: FramedSentence) -> int:
    """The word of a role that depends on none of its others; the last one where nothing says so."""
    layout = sentence.layout
    if role.end - role.start > 1 and layout is not None and layout.head is not None:
        for word in range(role.start, role.end):
            head = cells_of(sentence, word)[layout.head]
            if head.isdigit() and not role.start <= int(head) - 1 < role.end:
                return word
    return role.end - 1


def _count(n: int, what: str) -> str:
    return f"1 {what}" if n == 1 else f"{n} {what}s"
