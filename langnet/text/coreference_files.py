"""Documents with chains of mentions: columns of CoNLL 2012 and GUM, lists in jsonl, plain text, questions of GAP."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from langnet.errors import LangnetError
from langnet.text.chains import NOTHING, Document, Layout, PronounChoice, Span, as_chains, read_brackets, write_brackets
from langnet.text.corpus import Source
from langnet.text.formats import (
    Row,
    begins_binary,
    column,
    damage_errors,
    format_of,
    open_bytes,
    read_rows,
    text_column,
    text_stream,
)
from langnet.text.words import word_spans

_BEGIN = re.compile(r"#\s*begin document\s*(?P<name>.*)", re.IGNORECASE)
_END = re.compile(r"#\s*end document", re.IGNORECASE)
_BLANKS = re.compile(" +")  # a word may hold a no-break space, or be one
_ENDS_SENTENCE = (".", "!", "?", "。", "！", "？", "؟", "।")
LISTS, TABLES, TEXT = (".jsonl", ".ndjson", ".json"), (".tsv", ".csv"), (".txt", ".text", ".md")
GAP = ("Text", "Pronoun", "Pronoun-offset", "A", "A-offset", "A-coref", "B", "B-offset", "B-coref")
_ONTONOTES = 12  # columns of CoNLL 2012 where a sentence has no predicate
FEMININE = ("she", "her", "hers", "herself")


def read_documents(sources: Sequence[Source], labelled: bool = True) -> list[Document]:
    """Read documents, also compressed ones.

    Args:
        sources: files: columns of CoNLL (the word in the fourth column, or the second where there are three, the
            brackets in the last), jsonl with `sentences` and `clusters`, GAP's tsv; plain text where no chains are
            needed.
        labelled: whether chains are read; what stands in their place is else not looked at.

    Raises:
        LangnetError: no such file, a row that cannot be read (with its line), or no document at all.
    """
    found: list[Document] = []
    for source in sources:
        path = Path(source).expanduser()
        if not path.exists():
            raise LangnetError(f"there is no file '{source}'; check the path (here: {Path.cwd()})")
        if path.is_dir():
            raise LangnetError(f"{path} is a folder; name the files in it that hold documents, {path}/*")
        try:
            with open_bytes(path) as stream:
                found += _documents(stream, path, labelled)
        except damage_errors() as error:
            raise LangnetError(f"cannot read {path}: {str(error) or 'the file is cut off'}") from error
    if not found:
        raise LangnetError(f"{', '.join(map(str, sources))}: no documents found")
    return found


def _documents(stream: IO[bytes], path: Path, labelled: bool) -> Iterator[Document]:
    format = format_of(path.name)
    if format in LISTS:
        yield from (_from_lists(row, path, labelled) for row in read_rows(stream, str(path)))
    elif format in TABLES:
        yield from (_from_gap(row, path, labelled) for row in read_rows(stream, str(path)))
    elif format in TEXT:
        if labelled:
            raise LangnetError(f"{path} is plain text and has no chains to learn from; it can be predicted")
        yield _from_text("".join(text_stream(stream, name=str(path))), path)
    else:
        if begins_binary(stream):
            raise LangnetError(f"{path} is no plain text; chains are read from columns of text, jsonl or GAP's tsv")
        yield from _from_columns(text_stream(stream, name=str(path)), path, labelled)


@dataclass
class _Held:
    """What was read of a document in columns."""

    name: str = ""
    line: int = 0
    lines: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)


def _from_columns(lines: Iterable[str], path: Path, labelled: bool) -> Iterator[Document]:
    """A document from every `#begin document` to the next, also one without words; sentences end at empty lines."""
    held, fresh, empty = _Held(), True, True
    for number, line in enumerate(lines, 1):
        begins = _BEGIN.match(line)
        if begins and (held.cells or held.line):
            yield _whole(held, path, labelled)
            held = _Held()
        held.lines.append(line)
        if begins:
            held.name, held.line, fresh = begins["name"].strip(), number, True
            continue
        if _END.match(line) or not line.strip() or (line.startswith("#") and len(line.split("\t")) < 3):
            fresh = True
            continue
        cells = _cut(line)
        if len(cells) < 3:
            raise LangnetError(f"{path}, line {number}: {len(cells)} columns; a word, and in the last its brackets")
        if not held.cells:
            _refuse_other_columns(cells, f"{path}, line {number}")
        else:
            like = 0 if fresh else held.starts[-1]
            width = len(held.cells[like])  # CoNLL 2012 has a column a predicate, so that sentences differ
            if len(cells) < (min(width, _ONTONOTES) if fresh else width) - 1:
                raise LangnetError(
                    f"{path}, line {number}: {len(cells)} columns, and {width} in line {held.numbers[like]}"
                )
        if fresh:
            held.starts.append(len(held.cells))
            fresh = False
        empty = False
        held.rows.append(len(held.lines) - 1)
        held.cells.append(cells)
        held.numbers.append(number)
    if held.line and empty:
        raise LangnetError(f"{path}, line {held.line}: the document has no words")
    if held.cells or held.line:
        yield _whole(held, path, labelled)


def _cut(line: str) -> list[str]:
    """The cells of a line, without the empty one of a tab behind the last column."""
    cells = line.rstrip("\r\n").split("\t") if "\t" in line else _BLANKS.split(line.strip(" \r\n"))
    return cells[:-1] if cells[-1] == "" and len(cells) > 3 else cells


def _whole(held: _Held, path: Path, labelled: bool) -> Document:
    if not held.cells:
        lines, layout = tuple(held.lines), Layout("columns")
        return Document((), (0,), () if labelled else None, held.name, f"{path}:{held.line}", lines, (), layout)
    width = len(held.cells[0])
    word = _word_column(width)
    words = tuple(cells[word] for cells in held.cells)
    brackets = [cells[-1] for cells in held.cells]
    where = [
        f"{path}, line {number}, column {len(cells)}" for number, cells in zip(held.numbers, held.cells, strict=True)
    ]
    empty = next((cell for cell in brackets if cell in NOTHING), "-")
    chains = as_chains(read_brackets(brackets, where))[0] if labelled else None
    starts = held.starts if len(held.starts) > 1 else _guessed_sentences(words)
    layout = Layout("columns", empty or "-")
    source = f"{path}:{held.numbers[0]}"
    return Document(words, tuple(starts), chains, held.name, source, tuple(held.lines), tuple(held.rows), layout)


def _word_column(width: int) -> int:
    return 1 if width == 3 else min(3, width - 2)


def _refuse_other_columns(cells: Sequence[str], where: str) -> None:
    """Nothing, where words stand behind their numbers; in CoNLL-U and CoNLL 2003 tags would be taken for words."""
    word = _word_column(len(cells))
    before, behind = cells[word - 1 : word + 1]
    if not before.isdecimal():
        raise LangnetError(
            f"{where}: '{before[:40]}' stands before '{behind[:40]}', where columns of coreference number each word; "
            "other columns, such as CoNLL-U's, are to be made three: number, word, _; plain text is .txt"
        )


def _guessed_sentences(words: Sequence[str]) -> list[int]:
    """Behind every full stop, where a file does not say."""
    starts = [0, *(i + 1 for i, word in enumerate(words) if word in _ENDS_SENTENCE)]
    return [start for start in starts if start < len(words)]


def _from_lists(row: Row, path: Path, labelled: bool) -> Document:
    where = f"{path}, line {row.line}"
    sentences = column(row, "sentences", str(path))
    if not isinstance(sentences, list) or not all(
        isinstance(one, list) and all(isinstance(word, str) for word in one) for one in sentences
    ):
        raise LangnetError(f"{where}: 'sentences' has to be a list of lists of words")
    words = tuple(word for one in sentences for word in one)
    starts, at = [], 0
    for one in sentences:
        if one:
            starts.append(at)
        at += len(one)
    chains = None
    if labelled:
        said = column(row, "clusters", str(path)) or []
        if not isinstance(said, list) or not all(isinstance(spans, list) for spans in said):
            raise LangnetError(
                f"{where}: 'clusters' has to be a list of chains, each a list of [first word, last word]"
            )
        named = {str(number): [_span(span, len(words), where) for span in spans] for number, spans in enumerate(said)}
        chains = as_chains(named)[0]
    name = str(row.cells.get("doc_key", ""))
    lines = (json.dumps(row.cells, ensure_ascii=False) + "\n",)
    return Document(words, tuple(starts) or (0,), chains, name, where, lines, (), Layout("json"))


def _span(value: Any, n_words: int, where: str) -> Span:
    if not (isinstance(value, list) and len(value) == 2 and all(isinstance(end, int) for end in value)):
        raise LangnetError(f"{where}: a mention is [first word, last word], not {json.dumps(value)[:40]}")
    first, last = value
    if not 0 <= first <= last < n_words:
        raise LangnetError(f"{where}: there is no mention [{first}, {last}] in {n_words} words")
    return first, last


def _from_text(text: str, path: Path) -> Document:
    spans = word_spans(text)
    words = tuple(text[a:b] for a, b in spans)
    return Document(words, tuple(_guessed_sentences(words)) or (0,), None, path.stem, str(path), (), (), Layout("text"))


def _from_gap(row: Row, path: Path, labelled: bool) -> Document:
    """One of GAP's questions; its offsets count characters of the text."""
    where = f"{path}, line {row.line}"
    text = text_column(row, "Text", str(path))
    spans = word_spans(text)
    begins = [a for a, _ in spans]

    def placed(name: str) -> Span:
        said, offset = text_column(row, name, str(path)), text_column(row, f"{name}-offset", str(path))
        if not offset.isdecimal() or text[int(offset) : int(offset) + len(said)] != said:
            raise LangnetError(f"{where}: '{said}' does not stand at character {offset} of the text")
        first = max(0, bisect_right(begins, int(offset)) - 1)
        return first, max(first, bisect_right(begins, int(offset) + len(said) - 1) - 1)

    gold = None
    if labelled:
        said = [text_column(row, f"{name}-coref", str(path)).upper() for name in "AB"]
        if not set(said) <= {"TRUE", "FALSE"}:
            raise LangnetError(f"{where}: A-coref and B-coref are TRUE or FALSE, not {' and '.join(said)}")
        gold = (said[0] == "TRUE", said[1] == "TRUE")
    pronoun, a, b = placed("Pronoun"), placed("A"), placed("B")
    words = tuple(text[x:y] for x, y in spans)
    choice = PronounChoice(pronoun, a, b, gold, words[pronoun[0]].lower() in FEMININE)
    chains = None
    if gold is not None:
        mine = [span for span, says in ((a, gold[0]), (b, gold[1])) if says]
        chains = as_chains({"0": [pronoun, *mine]})[0] if mine else ()
    name = str(row.cells.get("ID", row.line))
    return Document(words, tuple(_guessed_sentences(words)), chains, name, where, choice=choice)


def write_documents(documents: Sequence[Document], chains: Sequence[Sequence[tuple[Span, ...]]]) -> str:
    """The documents in the format that they came in, with these chains; GAP's as its scorer reads them."""
    parts = []
    for document, own in zip(documents, chains, strict=True):
        if document.choice is not None:
            said = choose(document.choice, own)
            parts.append("\t".join([document.name, *(str(one).upper() for one in said)]) + "\n")
        elif document.layout is not None and document.layout.kind == "json":
            values = json.loads(document.lines[0])
            values["predicted_clusters"] = [[list(s) for s in c] for c in own]
            parts.append(json.dumps(values, ensure_ascii=False) + "\n")
        elif document.lines and document.layout is not None:
            parts.append(_in_columns(document, own, document.layout))
        else:
            parts.append(_plain(document, own))
    return "".join(parts)


def choose(choice: PronounChoice, chains: Sequence[tuple[Span, ...]]) -> tuple[bool, bool]:
    """Whether the pronoun is in a chain with a mention that ends or begins as A does, or B."""

    def same(one: Span, other: Span) -> bool:
        return one[0] == other[0] or one[1] == other[1] or (one[0] <= other[0] and other[1] <= one[1])

    own = next((chain for chain in chains if choice.pronoun in chain), ())
    others = [span for span in own if span != choice.pronoun]
    first, second = (any(same(span, name) for span in others) for name in (choice.a, choice.b))
    return first, second


def _in_columns(document: Document, chains: Sequence[tuple[Span, ...]], layout: Layout) -> str:
    lines = list(document.lines)
    for place, cell in zip(document.rows, write_brackets(len(document.words), chains, layout.nothing), strict=True):
        line = lines[place]
        ending = line[len(line.rstrip("\r\n")) :]
        body = line.rstrip("\r\n")
        if "\t" in body:
            cells = body.split("\t")
            cells[len(_cut(line)) - 1] = cell
            lines[place] = "\t".join(cells) + ending
        else:
            body = body.rstrip(" ")
            lines[place] = body[: len(body) - len(_cut(line)[-1])] + cell + ending
    return "".join(lines)


def _plain(document: Document, chains: Sequence[tuple[Span, ...]]) -> str:
    """CoNLL 2012's columns, as few as it can do with: document, part, number of the word, word, brackets."""
    name = document.name or "text"
    cells = write_brackets(len(document.words), chains, "-")
    lines, number = [f"#begin document ({name}); part 000\n"], 0
    for index, (word, cell) in enumerate(zip(document.words, cells, strict=True)):
        if index in document.sentences and index:
            lines.append("\n")
            number = 0
        lines.append(f"{name}\t0\t{number}\t{word}\t{cell}\n")
        number += 1
    return "".join([*lines, "\n#end document\n"])


def without_chains(document: Document) -> Document:
    """The document as one whose chains are to be found."""
    choice = replace(document.choice, gold=None) if document.choice else None
    return replace(document, chains=None, choice=choice)
