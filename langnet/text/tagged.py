"""Sentences whose words have tags: from CoNLL's columns, CoNLL-U, and tables with a list of words and one of tags."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Any

from langnet.errors import LangnetError
from langnet.text.columns import read_columns, with_tags
from langnet.text.corpus import Source
from langnet.text.formats import (
    Row,
    begins_binary,
    column,
    damage_errors,
    format_of,
    known_column,
    open_bytes,
    read_rows,
)
from langnet.text.tag_schemes import Scheme, faults, fits, odd_tags
from langnet.text.tagged_sentences import Layout, LearnedColumn, Sentence, TagColumns, place_of

# Names that published sets give their columns.
WORDS = ("tokens", "words", "form")
TAGS = ("tags", "ner_tags", "pos_tags", "chunk_tags", "upos", "labels")
LISTS = (".jsonl", ".ndjson", ".json", ".parquet")
PREDICTED = "predicted_"  # before the name of a list of tags that stands beside the true one


def read_tagged(
    sources: Sequence[Source],
    words: str | None = None,
    tags: str | None = None,
    labelled: bool = True,
    names: Sequence[str] | None = None,
) -> list[Sentence]:
    """Read sentences from files of columns (CoNLL, CoNLL-U) or of lists (jsonl, json, parquet), also compressed.

    In columns the words are the first and the tags the last, in CoNLL-U `FORM` and `UPOS`, in lists `tokens` and
    `tags`. A feature of CoNLL-U is named with its column: `FEATS.Number`, `MISC.Entity`.

    Args:
        sources: files.
        words, tags: names of columns or their numbers from 1, -1 being the last.
        labelled: whether tags are read; without, a column that `tags` names is where guesses are written to.
        names: what whole numbers in a list of tags stand for.

    Raises:
        LangnetError: no such file, a row that cannot be read (with its line and column), or no sentence at all.
    """
    wanted = TagColumns(words, tags, labelled, names)
    sentences: list[Sentence] = []
    for source in sources:
        path = Path(source).expanduser()
        if not path.exists():
            raise LangnetError(f"there is no file '{source}'; check the path (here: {Path.cwd()})")
        if path.is_dir():
            raise LangnetError(f"{path} is a folder; name the files in it that hold words and tags")
        try:
            with open_bytes(path) as stream:
                if format_of(path.name) in LISTS:
                    sentences += (_sentence(row, path, wanted) for row in read_rows(stream, str(path)))
                    continue
                if begins_binary(stream):
                    raise LangnetError(f"{path} is no plain text; words and tags are read from columns of text, jsonl")
                sentences += read_columns(stream, path, wanted)
        except damage_errors() as error:
            raise LangnetError(f"cannot read {path}: {str(error) or 'the file is cut off'}") from error
    if not sentences:
        raise LangnetError(f"{', '.join(map(str, sources))}: no sentences found")
    return sentences


def _sentence(row: Row, path: Path, wanted: TagColumns) -> Sentence:
    where = f"{path}, line {row.line}"
    word_column = wanted.words or known_column(row, WORDS)
    asked = None if LearnedColumn.of(wanted.tags) else wanted.tags
    tag_column = asked or known_column(row, TAGS)
    words = [_text(v, f"{where}, word {i + 1}") for i, v in enumerate(_list(row, word_column, path))]
    tags = None
    if wanted.labelled:
        values = _list(row, tag_column, path)
        if len(values) != len(words):
            raise LangnetError(f"{where}: {len(values)} tags in '{tag_column}' for {len(words)} words; one a word")
        tags = tuple(_tag(v, f"{where}, tag {i + 1}", wanted.names) for i, v in enumerate(values))
    text = json.dumps(row.cells, ensure_ascii=False, default=str) + "\n"
    layout = Layout("json", PREDICTED + tag_column)
    return Sentence(tuple(words), tags, f"{path}:{row.line}", (text,), (0,) * len(words), layout)


def _list(row: Row, name: str, path: Path) -> list[Any]:
    value = column(row, name, str(path))
    if not isinstance(value, list):
        kind = "text" if isinstance(value, str) else type(value).__name__
        raise LangnetError(f"{path}, line {row.line}: the column '{name}' holds {kind} where a list is expected")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise LangnetError(f"{where}: expected text, found {json.dumps(value, default=str)[:40]}")
    return value


def _tag(value: Any, where: str, names: Sequence[str] | None) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        if names is None:
            raise LangnetError(
                f"{where}: the tag {value} is a number, and nothing says what it stands for; write the tags' names "
                "into the file, or give them to read_tagged as names"
            )
        if not 0 <= value < len(names):
            raise LangnetError(f"{where}: the tag {value} has no name; there are {len(names)} names, from 0")
        return names[value]
    tag = _text(value, where)
    if not tag.strip():
        raise LangnetError(f"{where}: the tag is empty; every word needs one")
    return tag


def write_tagged(sentences: Sequence[Sentence], tags: Sequence[Sequence[str]]) -> str:
    """The files that the sentences were read from, with other tags, and nothing else changed.

    Where CoNLL-U's own column is written over, a comment in its first sentence says so.

    Args:
        sentences: in the order of their files; those that came from none are written as words and tags.
        tags: one a word.
    """
    pieces: list[str] = []
    file = None
    for sentence, own in zip(sentences, tags, strict=True):
        if sentence.layout is None:
            rows = zip(sentence.words, own, strict=True)
            pieces.append("".join(f"{word}\t{tag}\n" for word, tag in rows) + "\n")
        elif sentence.layout.kind == "json":
            cells = json.loads(sentence.lines[0])
            cells[sentence.layout.column] = list(own)
            pieces.append(json.dumps(cells, ensure_ascii=False) + "\n")
        else:
            name = sentence.source.rpartition(":")[0]
            if pieces and name != file and not pieces[-1].endswith("\n\n"):
                pieces.append("\n" if pieces[-1].endswith("\n") else "\n\n")
            pieces.append(with_tags(sentence, sentence.layout, own, mark=name != file))
            file = name
    return "".join(pieces)


def refuse_odd_tags(sentences: Sequence[Sentence]) -> None:
    """Nothing, where the tags are all of a scheme, or plain.

    Raises:
        LangnetError: a few fit no scheme among many that do; they would make all tags plain, and no span be scored.
    """
    odd = odd_tags(sentence.tags or () for sentence in sentences)
    if odd:
        where, word, tag = next(_places(sentences, odd))
        n = sum(len(sentence.words) for sentence in sentences)
        n_odd = sum(1 for _ in _places(sentences, odd))
        raise LangnetError(
            f"{where}: the tag '{tag}' of '{word}' does not fit the scheme of spans that all but {n_odd:,} of {n:,} "
            "tags have; correct it, or learn all tags as they stand by --head scheme=plain"
        )


def refuse_misfits(sentences: Sequence[Sentence], scheme: Scheme, known: Sequence[str]) -> None:
    """Nothing, where all tags have the form of those that a model was trained on.

    Raises:
        LangnetError: one has not.
    """
    misfits = {tag for sentence in sentences for tag in sentence.tags or () if not fits(tag, scheme)}
    if misfits:
        where, word, tag = next(_places(sentences, misfits))
        raise LangnetError(
            f"{where}: the tag '{tag}' of '{word}' marks no span, but the model was trained on tags of "
            f"{scheme.upper()} ({', '.join(known[:5])}{', …' if len(known) > 5 else ''}); correct it, or name the "
            "column of the tags by --label-column"
        )


def _places(sentences: Sequence[Sentence], tags: Set[str]) -> Iterator[tuple[str, str, str]]:
    """Where some tags stand, the words, and the tags."""
    for number, sentence in enumerate(sentences, 1):
        for word, tag in enumerate(sentence.tags or ()):
            if tag in tags:
                yield place_of(sentence, word) or f"sentence {number}", sentence.words[word], tag


def describe_faults(sentences: Sequence[Sentence], scheme: Scheme) -> str | None:
    """A line on tags that break their scheme, with the first place; None where none do."""
    found = [(one, fault) for one in sentences for fault in faults(one.tags or (), scheme)]
    if not found:
        return None
    sentence, fault = found[0]
    where = sentence.source or "a sentence"
    return (
        f"{len(found):,} tags break the scheme {scheme.upper()} and are read as conlleval does; the first, in the "
        f"sentence of {where}: {fault.reason}, word {fault.place + 1}, '{sentence.words[fault.place]}'"
    )
