"""Questions on passages whose answers stand in them: SQuAD 1.1 and 2.0 as published, or flat, a question a row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langnet.errors import LangnetError
from langnet.text.clean import clean_text
from langnet.text.composed import Composed
from langnet.text.corpus import Source
from langnet.text.formats import TABLES, Row, column, damage_errors, format_of, open_bytes, read_rows, text_column
from langnet.text.splits import drawn_groups

QUESTION, PASSAGE, ANSWERS = "question", "context", "answers"  # the columns of flat files, as SQuAD names them
_SHOWN = 40  # characters of a text in a message


@dataclass(frozen=True)
class Answer:
    """A span of a passage: its text, and the character at which it starts."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """The character after it."""
        return self.start + len(self.text)


@dataclass(frozen=True)
class Question:
    """A question on a passage.

    Attributes:
        question: cleaned.
        passage: exactly as it was read, since answers are places in it.
        answers: one or more, none where the passage does not answer the question, None where that is to be predicted.
        name: the question's id; the place in the file where there is none.
        article: whose paragraphs a split must not part; empty where the file has none.
        source: `file` or `file:line`.
        mended: answers that did not stand where the file says and were found in the one place where they do.
    """

    question: str
    passage: str
    answers: tuple[Answer, ...] | None = None
    name: str = ""
    article: str = ""
    source: str = ""
    mended: int = 0


def read_questions(
    sources: Sequence[Source],
    question: str | None = None,
    passage: str | None = None,
    answers: str | None = None,
    labelled: bool = True,
) -> list[Question]:
    """Read SQuAD's json, MRQA's jsonl, or tables with a question a row (jsonl, json, csv, tsv, parquet).

    Args:
        sources: files, also compressed.
        question, passage, answers: columns of tables; None takes SQuAD's names. Answers are `{"text": [...],
            "answer_start": [...]}`, a list of objects with both, or a text with its place in the column `answer_start`.
        labelled: whether the answers are needed; otherwise they are not looked at.

    Raises:
        LangnetError: no such file or column, a name that stands for two questions of a file, an answer that is not
            where the file says and in no or several other places, or nothing to read.
    """
    found: list[Question] = []
    for source in sources:
        path = Path(source).expanduser()
        if not path.exists():
            raise LangnetError(f"there is no file '{source}'; check the path (here: {Path.cwd()})")
        if format_of(path.name) not in TABLES:
            raise LangnetError(f"{path} is no table; questions are read from SQuAD's json or from {', '.join(TABLES)}")
        reader = _Reader(str(path), (question or QUESTION, passage or PASSAGE, answers or ANSWERS), labelled)
        try:
            with open_bytes(path) as stream:
                found += reader.questions(read_rows(stream, str(path)))
        except damage_errors() as error:
            raise LangnetError(f"cannot read {path}: {str(error) or 'the file is cut off'}") from error
    if not found:
        raise LangnetError(f"{', '.join(map(str, sources))}: no questions found")
    return found


def write_questions(questions: Sequence[Question], path: str | Path) -> None:
    """Write SQuAD 2.0's json; paragraphs of an article stay together.

    Raises:
        LangnetError: the file cannot be written.
    """
    articles: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for item in questions:
        entry: dict[str, Any] = {"id": item.name, "question": item.question}
        if item.answers is not None:
            entry["answers"] = [{"text": answer.text, "answer_start": answer.start} for answer in item.answers]
            entry["is_impossible"] = not item.answers
        articles.setdefault(item.article, {}).setdefault(item.passage, []).append(entry)
    data = [
        {"title": title, "paragraphs": [{"context": passage, "qas": qas} for passage, qas in passages.items()]}
        for title, passages in articles.items()
    ]
    try:
        Path(path).write_text(json.dumps({"version": "v2.0", "data": data}, ensure_ascii=False), encoding="utf8")
    except OSError as error:
        raise LangnetError(f"cannot write {path}: {error.strerror or error}; choose another file") from None


def split_by_article(
    questions: Sequence[Question], fraction: float, seed: int = 0
) -> tuple[list[Question], list[Question]]:
    """Two parts of which no article, nor a passage where there are no articles, is in both.

    Args:
        questions: to be split, both parts in their order.
        fraction: of the questions, about, that are in the second part.
        seed: of the choice of articles.
    """
    groups = [group_of(item) for item in questions]
    held = set(drawn_groups(groups, fraction, seed))
    first = [item for item, group in zip(questions, groups, strict=True) if group not in held]
    return first, [item for item, group in zip(questions, groups, strict=True) if group in held]


def group_of(question: Question) -> str:
    """What a split must not part: the article, or the passage where it is in none."""
    return question.article or question.passage


@dataclass
class _Reader:
    """Reads one file."""

    path: str
    columns: tuple[str, str, str]
    labelled: bool
    mistakes: list[str] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)  # of each name

    def questions(self, rows: Iterator[Row]) -> list[Question]:
        """All of the file's questions.

        Raises:
            LangnetError: one of them is wrong; the first is told, and how many there are.
        """
        found = []
        for row in rows:
            if isinstance(row.cells.get("data"), list) and self.columns[1] not in row.cells:
                found += list(self._nested(row.cells["data"]))
            elif isinstance(row.cells.get("qas"), list):  # MRQA: a passage a line, with its questions
                found += list(self._nested([{"title": "", "paragraphs": [_as_squad(row.cells)]}]))
            elif [*row.cells] != ["header"]:  # MRQA's first line
                found.append(self._flat(row))
        if self.mistakes:
            more = f" ({len(self.mistakes):,} such answers in the file)" if len(self.mistakes) > 1 else ""
            raise LangnetError(f"{self.mistakes[0]}; mend the place, or leave the question out{more}")
        return found

    def _nested(self, data: list[Any]) -> Iterator[Question]:
        for number, article in enumerate(data, 1):
            title = str(article.get("title") or "") if isinstance(article, dict) else ""
            above = f"{self.path}, article '{title}'" if title else f"{self.path}, article {number}"
            for index, paragraph in enumerate(self._list(article, "paragraphs", above), 1):
                where = f"{above}, paragraph {index}"
                passage = self._text(paragraph, "context", where)
                for place, entry in enumerate(self._list(paragraph, "qas", where), 1):
                    given = entry.get("id") if isinstance(entry, dict) else None
                    name = f"{number}.{index}.{place}" if given is None else str(given)
                    at = f"{where}, question {name}"
                    question = clean_text(self._text(entry, "question", at)).text
                    self._once(name, at)
                    answers, mended = self._answers(entry, passage, at) if self.labelled else (None, 0)
                    yield Question(question, passage, answers, name, title, self.path, mended)

    def _flat(self, row: Row) -> Question:
        ask, read, answer = self.columns
        at = f"{self.path}, line {row.line}"
        question, passage = clean_text(text_column(row, ask, self.path)).text, text_column(row, read, self.path)
        given = row.cells.get("id")
        name = f"{self.path}:{row.line}" if given is None else str(given)
        where = f"{at}, question {name}" if given is not None else at
        self._once(name, where)
        answers, mended = None, 0
        if self.labelled:
            if answer not in row.cells and "answer" in row.cells:
                answer = "answer"
            cell = _unpacked(column(row, answer, self.path))
            entry = {"answers": _listed(cell, row.cells.get("answer_start"), where)}
            # Flat files say with an empty list that there is no answer; an empty cell may have been forgotten.
            entry["is_impossible"] = row.cells.get(
                "is_impossible", isinstance(cell, list | dict) and not entry["answers"]
            )
            answers, mended = self._answers(entry, passage, where)
        title = str(row.cells.get("title") or "")
        return Question(question, passage, answers, name, title, f"{self.path}:{row.line}", mended)

    def _once(self, name: str, where: str) -> None:
        if name in self.places:
            raise LangnetError(f"{where}: this id stood at {self.places[name]} already; give every question its own")
        self.places[name] = where

    def _answers(self, entry: dict[str, Any], passage: str, where: str) -> tuple[tuple[Answer, ...], int]:
        """The distinct answers to a question, and how many were mended."""
        if _truth(entry.get("is_impossible")):
            return (), 0  # what stands there are plausible answers that are wrong
        found: list[Answer] = []
        mended = 0
        given = self._list(entry, "answers", where)
        if not given:
            raise LangnetError(f'{where}: it has no answer, and no "is_impossible": true that says so')
        for one in given:
            text, start = self._text(one, "text", where), one.get("answer_start")
            if not text.strip():
                raise LangnetError(f'{where}: an answer is empty; a question without one is "is_impossible": true')
            if start is not None and (isinstance(start, bool) or not isinstance(start, int)):
                raise LangnetError(f"{where}: answer_start is {start!r}, and no whole number")
            answer = _found(text, start, passage)
            if isinstance(answer, str):
                self.mistakes.append(f"{where}: {answer}")
                continue
            mended += answer.start != start and start is not None
            found.append(answer)
        return tuple(dict.fromkeys(found)), mended

    def _list(self, value: Any, name: str, where: str) -> list[Any]:
        items = value.get(name) if isinstance(value, dict) else None
        if not isinstance(items, list):
            raise LangnetError(f"{where}: there is no list '{name}'; SQuAD's files have one there")
        return items

    def _text(self, value: Any, name: str, where: str) -> str:
        text = value.get(name) if isinstance(value, dict) else None
        if not isinstance(text, str):
            raise LangnetError(f"{where}: there is no text '{name}'; SQuAD's files have one there")
        return text


def _as_squad(cells: dict[str, Any]) -> dict[str, Any]:
    """MRQA's passage: of each question the places that were detected, whose ends are inclusive."""
    passage, asked = cells.get("context"), []
    for one in cells["qas"]:
        entry = dict(one) if isinstance(one, dict) else {}
        entry.setdefault("id", entry.get("qid"))
        places = [
            span
            for found in entry.get("detected_answers") or ()
            if isinstance(found, dict)
            for span in found.get("char_spans") or ()
        ]
        if isinstance(passage, str) and places:
            entry["answers"] = [
                {"text": passage[start : end + 1], "answer_start": start} for start, end in map(tuple, places)
            ]
        asked.append(entry)
    return {"context": passage, "qas": asked}


def _unpacked(cell: Any) -> Any:
    """A cell, and what it holds where it is JSON, as in csv."""
    if isinstance(cell, str) and cell.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(cell)
        except ValueError:
            return cell
    return cell


def _listed(value: Any, start: Any, where: str) -> list[dict[str, Any]]:
    """The answers of a flat file's row as SQuAD lists them."""
    if isinstance(value, dict):
        texts, starts = value.get("text"), value.get("answer_start")
        if isinstance(texts, str):
            texts, starts = [texts], [starts]
        if not isinstance(texts, list) or (starts is not None and len(starts) != len(texts)):
            raise LangnetError(f"{where}: 'text' and 'answer_start' of the answers are not lists of one length")
        return [
            {"text": text, "answer_start": at} for text, at in zip(texts, starts or [None] * len(texts), strict=True)
        ]
    if isinstance(value, list):
        return [one if isinstance(one, dict) else {"text": one} for one in value]
    if value is None or value == "":
        return []
    if isinstance(start, str):
        start = int(start) if start.strip().isdecimal() else start or None
    return [{"text": str(value), "answer_start": start}]


def _truth(value: Any) -> bool:
    """A flag, also as csv spells it."""
    return value.strip().lower() in ("true", "1", "yes") if isinstance(value, str) else bool(value)


def _found(text: str, start: int | None, passage: str) -> Answer | str:
    """The answer where it stands; otherwise what is wrong."""
    if start is not None and start >= 0 and passage.startswith(text, start):
        return Answer(text, start)
    places = occurrences(text, passage)
    if len(places) == 1:
        return Answer(passage[places[0][0] : places[0][1]], places[0][0])
    number = f"{len(places)} other places" if places else "no place"
    shown = repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
    if start is None:
        return f"the answer {shown} has no answer_start and stands in {number.replace('other ', '')} of its passage"
    there = repr(passage[max(start, 0) : max(start, 0) + min(len(text), _SHOWN)])
    return f"the answer {shown} is not at character {start:,} of its passage, where {there} stands; it is in {number}"


def occurrences(text: str, passage: str) -> list[tuple[int, int]]:
    """Where a text stands in a passage, overlapping or not, whichever way its accents are written."""
    found = _places(text, passage)
    if found:
        return [(place, place + len(text)) for place in found]
    composed, wanted = Composed(passage), Composed(text).text
    return [composed.to_original(place, place + len(wanted)) for place in _places(wanted, composed.text)]


def _places(text: str, passage: str) -> list[int]:
    found, at = [], passage.find(text) if text else -1
    while at >= 0:
        found.append(at)
        at = passage.find(text, at + 1)
    return found
