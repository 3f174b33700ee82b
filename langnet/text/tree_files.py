"""Files of sentences to parse: trees in brackets, and, where trees are to be predicted, words of any other kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, Any

from langnet.errors import LangnetError
from langnet.text.compression import COMPRESSIONS
from langnet.text.corpus import Source
from langnet.text.formats import damage_errors, format_of, looks_binary, open_bytes, text_stream
from langnet.text.tagged import LISTS, read_tagged
from langnet.text.treebank_words import treebank_sentences
from langnet.text.trees import EMPTY, Tree, parse_trees, without_words

BRACKETS = (".ptb", ".mrg", ".parse", ".bracket", ".brackets", ".tree", ".trees", ".psd", ".gld")
UNIVERSAL = ".conllu"
COLUMNS = (UNIVERSAL, ".conllup", ".conll", ".tsv", ".tab")
_HEAD = 4096  # bytes in which a file shows what it holds
_TREE = re.compile(r"\s*\(\s*[^\s()]*\s*\(", re.ASCII)  # two brackets, the first perhaps with a label
_LEAF = re.compile(r"\s*\([^\s()]+ [^\s()]+\)\s*(?:\(|$)", re.ASCII)  # a tree of one word
_NO_TAG = "_"


@dataclass(frozen=True)
class ParseItem:
    """A sentence to parse, or one that people have parsed.

    Attributes:
        words: as they stand in the file, without empty elements.
        tags: one a word, where the file has them; else None.
        tree: as it stands in the file, with everything; None where it is to be predicted.
        source: `file:line`.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None
    tree: Tree | None = None
    source: str = ""


def item_of(tree: Tree, source: str = "", labelled: bool = True) -> ParseItem:
    """A tree as an item; without `labelled`, only its words and tags."""
    read = without_words(tree, [tag == EMPTY for tag in tree.tags])
    return ParseItem(read.words, read.tags, tree if labelled else None, source)


def read_parsed(
    sources: Sequence[Source], words: str | None = None, tags: str | None = None, labelled: bool = True
) -> list[ParseItem]:
    """Read files of trees; where trees are to be predicted, also files of sentences.

    Those are CoNLL-U and other columns, lists of words (jsonl, json, parquet), and plain text with a sentence or more a
    line, tokenised or not. CoNLL-U's tags are those of XPOS, where treebanks keep them.

    Args:
        sources: files.
        words, tags: columns, as `read_tagged` has them.
        labelled: whether the trees are read.

    Raises:
        LangnetError: no such file, one that cannot be read (with file and line), or no sentence at all.
    """
    items: list[ParseItem] = []
    for source in sources:
        path = Path(source).expanduser()
        if not path.exists():
            raise LangnetError(f"there is no file '{source}'; check the path (here: {Path.cwd()})")
        if path.is_dir():
            raise LangnetError(f"{path} is a folder; name the files in it that hold trees")
        suffix = _suffix(path)
        if suffix in COLUMNS or format_of(path.name) in LISTS:
            _refuse_without_trees(path, labelled)
            items += _tagged(path, words, tags, suffix == UNIVERSAL)
        else:
            items += _of_text(path, labelled, suffix in BRACKETS)
    if not items:
        raise LangnetError(f"{', '.join(map(str, sources))}: no {'trees' if labelled else 'sentences'} found")
    return items


def _suffix(path: Path) -> str:
    """The suffix that says what a file holds, its compression left aside."""
    suffixes = [suffix.lower() for suffix in PurePath(path.name).suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _refuse_without_trees(path: Path, labelled: bool) -> None:
    if labelled:
        raise LangnetError(
            f"{path} holds no trees; trees are read from brackets, as (S (NP (PRP it)) (VP (VBZ works)))"
        )


def _tagged(path: Path, words: str | None, tags: str | None, universal: bool) -> list[ParseItem]:
    """Sentences of columns or lists, with tags where a column of them is named, or where the format has one."""
    column = tags or ("XPOS" if universal else None)
    found = []
    for sentence in read_tagged([path], words, column, labelled=column is not None):
        known = sentence.tags is not None and _NO_TAG not in sentence.tags
        found.append(ParseItem(sentence.words, sentence.tags if known else None, None, sentence.source))
    return found


def _of_text(path: Path, labelled: bool, brackets: bool) -> list[ParseItem]:
    try:
        with open_bytes(path) as stream:
            buffered: Any = stream
            head: bytes = buffered.peek(_HEAD)[:_HEAD]
            if looks_binary(head):
                raise LangnetError(f"{path} is no plain text; trees are read from files of brackets, (S (NP ...))")
            shown = head.decode("utf-8-sig", "replace")
            if brackets or labelled or _TREE.match(shown) or _LEAF.match(shown):
                _refuse_unless_brackets(path, shown)
                return [
                    item_of(tree, f"{path}:{line}", labelled)
                    for tree, line in parse_trees(text_stream(stream, name=str(path)), str(path))
                ]
            return list(_sentences(stream, path))
    except damage_errors() as error:
        raise LangnetError(f"cannot read {path}: {str(error) or 'the file is cut off'}") from error


def _refuse_unless_brackets(path: Path, head: str) -> None:
    if head.strip() and not head.lstrip("\ufeff \t\r\n").startswith("("):
        _refuse_without_trees(path, True)


def _sentences(stream: IO[bytes], path: Path) -> Iterator[ParseItem]:
    for number, line in enumerate(text_stream(stream, name=str(path)), 1):
        for own in treebank_sentences(line):
            yield ParseItem(tuple(own), source=f"{path}:{number}")
