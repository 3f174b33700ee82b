"""Universal Propositions 2: all roles of a predicate in one cell of its row, in columns of CoNLL-U Plus.

`UP:PRED` has the predicate's sense, `UP:ARGHEADS` its roles by one word each, `A0:1|A1:3`, and `UP:ARGSPANS` by their
first and last, `A0:1-1|A1:3-6`; the numbers are those of column `ID` (Jindal et al. 2022).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from langnet.errors import LangnetError
from langnet.text.frames import VERB, Frame, FramedSentence, RoleLayout
from langnet.text.role_blocks import Block, Blocks, with_cells
from langnet.text.role_columns import cells_of, head_of, predicate_name
from langnet.text.tag_schemes import Span

PREDICATE, HEADS, SPANS = "UP:PRED", "UP:ARGHEADS", "UP:ARGSPANS"
_NOTHING = ("_", "")
_ENTRY = re.compile(r"(?P<role>[^|]+):(?P<start>\d+)(?:-(?P<end>\d+))?")
_NO_WORD = re.compile(r"\d+[-.]\d+\t")  # a range of words or an empty node, whose row has all columns too
CONLLU = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")


def list_layout(blocks: Blocks, path: object) -> tuple[RoleLayout, int]:
    """Where roles are listed in a file of CoNLL-U Plus, or would be, and the column of words.

    Raises:
        LangnetError: the file has no column of words, or predicates without their roles.
    """
    plain = CONLLU[: len(blocks.sentences[0].cells[0])]
    names = [name.upper().replace("UP:PREDS", PREDICATE) for name in blocks.names or plain]
    if "FORM" not in names:
        raise LangnetError(
            f"{path}: there is no column FORM, so the words are missing; its columns are {', '.join(names)}. "
            "Universal Propositions leaves them to the treebank: merge the two files first"
        )

    def place(name: str) -> int | None:
        return names.index(name) if name in names else None

    known = {name: place(name) for name in (PREDICATE, HEADS, SPANS)}
    if known[PREDICATE] is not None and known[HEADS] is None and known[SPANS] is None:
        raise LangnetError(f"{path}: there is a column {PREDICATE}, but neither {SPANS} nor {HEADS}")
    added = known[PREDICATE] is None
    width = len(names)
    predicate, heads, spans = (width, width + 1, width + 2) if added else tuple(known.values())
    layout = RoleLayout(
        "lists", True, width, 0, predicate, heads, spans, lemma=place("LEMMA"), head=place("HEAD"), added=added
    )
    return layout, names.index("FORM")


def read_lists_of_roles(
    block: Block, layout: RoleLayout, columns: tuple[int, int | None], path: object
) -> FramedSentence:
    """One sentence.

    Args:
        block: its lines.
        layout: of the file.
        columns: of the words, and of the roles; None where only predicates are read.
        path: of the file.

    Raises:
        LangnetError: a cell that cannot be read, with line and column.
    """
    word, listed = columns
    for row, cells in enumerate(block.cells):
        if len(cells) < layout.first:
            raise LangnetError(
                f"{path}, line {block.line(row)}: {len(cells)} columns, cut at tabs, where the format has "
                f"{layout.first}"
            )
        if not cells[word].strip():
            raise LangnetError(f"{path}, line {block.line(row)}, column {word + 1}: the word is empty")
    words = tuple(cells[word] for cells in block.cells)
    frames: tuple[Frame, ...] | None = None
    if not layout.added:
        numbers = {cells[0]: row for row, cells in enumerate(block.cells)}
        found = []
        for row, cells in enumerate(block.cells):
            sense = cells[layout.predicate or 0]
            if sense not in _NOTHING:
                roles = None if listed is None else _roles(block, row, listed, numbers, path)
                found.append(Frame(row, roles, sense))
        frames = tuple(found)
    return FramedSentence(words, frames, f"{path}:{block.line(0)}", tuple(block.lines), tuple(block.rows), layout)


def _roles(block: Block, row: int, column: int, numbers: Mapping[str, int], path: object) -> tuple[Span, ...]:
    cell, where = block.cells[row][column], f"{path}, line {block.line(row)}, column {column + 1}"
    if cell in _NOTHING:
        return ()
    found = []
    for entry in cell.split("|"):
        read = _ENTRY.fullmatch(entry)
        if read is None:
            raise LangnetError(f"{where}: expected roles as A0:1-2 or A0:1, parted by '|', found '{entry[:40]}'")
        ends = [read["start"], read["end"] or read["start"]]
        missing = next((number for number in ends if number not in numbers), None)
        if missing is not None:
            raise LangnetError(f"{where}: '{entry[:40]}' names the word {missing}, which the sentence does not have")
        start, last = (numbers[number] for number in ends)
        if last < start:
            raise LangnetError(f"{where}: '{entry[:40]}' ends before it begins")
        found.append(Span(read["role"], start, last + 1))
    return tuple(sorted((s for s in found if s != Span(VERB, row, row + 1)), key=lambda span: (span.start, span.end)))


def write_lists_of_roles(sentence: FramedSentence, frames: Sequence[Frame], title: bool) -> str:
    """The lines of a sentence with other predicates and roles.

    Args:
        sentence: as it was read.
        frames: of it.
        title: whether it is the first of its file, which says the names of columns that the file had not.
    """
    layout = sentence.layout
    assert layout is not None
    lines = list(sentence.lines)
    by_word = {frame.predicate: frame for frame in frames}
    for row, place in enumerate(sentence.rows):
        new = _cells(by_word.get(row), sentence, row)
        changed, added = ({}, list(new.values())) if layout.added else (new, [])
        lines[place] = with_cells(lines[place], True, changed, added)
    if layout.added:
        for place in set(range(len(lines))).difference(sentence.rows):
            if _NO_WORD.match(lines[place]):
                lines[place] = with_cells(lines[place], True, {}, ("_", "_", "_"))
        _name_columns(lines, CONLLU[: layout.predicate] if title else ())
    return "".join(lines)


def _name_columns(lines: list[str], names: Sequence[str]) -> None:
    added = f"{PREDICATE} {HEADS} {SPANS}"
    for index, line in enumerate(lines):
        if re.match(r"#\s*global\.columns\s*=", line):
            text = line.rstrip("\r\n")
            lines[index] = f"{text} {added}{line[len(text) :]}"
            return
    if names:
        lines.insert(0, f"# global.columns = {' '.join(names)} {added}\n")


def _cells(frame: Frame | None, sentence: FramedSentence, row: int) -> dict[int, str]:
    """The new cells of a row, by their columns."""
    layout = sentence.layout
    assert layout is not None
    assert layout.predicate is not None
    heads = spans = sense = "_"
    if frame is not None:
        ids = [cells_of(sentence, word)[0] for word in range(len(sentence.words))]
        sense = re.sub(r"\s+", "\u00a0", frame.sense or predicate_name(sentence, row)) or "_"
        roles = frame.roles or ()
        spans = "|".join(f"{role.type}:{ids[role.start]}-{ids[role.end - 1]}" for role in roles) or "_"
        if layout.head is not None or all(role.end - role.start == 1 for role in roles):
            heads = "|".join(f"{role.type}:{ids[head_of(role, sentence)]}" for role in roles) or "_"
    out = {layout.predicate: sense}
    if layout.heads is not None:
        out[layout.heads] = heads
    if layout.spans is not None:
        out[layout.spans] = spans
    return out
