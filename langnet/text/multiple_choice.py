"""Multiple choice: a context, perhaps a question, and alternatives of which one is right; cloze tests among them.

Read from tables whose columns are named as in the published sets: COPA, Story Cloze (ROCStories), SWAG, HellaSwag,
WinoGrande, RACE, ARC, OpenBookQA, CommonsenseQA, PIQA, Social IQA, SciQ, Belebele, or in the plain way, `context`,
`question`, `choices` and `answer`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langnet.errors import LangnetError
from langnet.text.clean import clean_text
from langnet.text.corpus import Source
from langnet.text.formats import Row, column, format_of, text_column
from langnet.text.table_rows import table_rows

CONTEXT = (
    "context", "premise", "article", "passage", "startphrase", "ctx", "sentence", "text", "story", "goal", "support",
    "flores_passage",
)  # fmt: skip
LISTS = ("choices", "alternatives", "options", "endings")
ANSWER = (
    "answer", "answerKey", "label", "AnswerRightEnding", "correct_answer_num", "correct_answer", "gold", "correct",
)  # fmt: skip
FROM_ONE = ("answer", "answerKey", "AnswerRightEnding", "correct_answer_num")  # number the columns as these are named
STORY = tuple(f"InputSentence{number}" for number in range(1, 5))  # Story Cloze's context
RELATIONS = {"cause": "because", "effect": "so"}  # COPA's questions, as the word between premise and alternative
BLANK = re.compile(r"(?<!\w)_+(?!\w)|\[(?:blank|BLANK|MASK|mask)\]|<(?:blank|mask)>|@placeholder\b|\bXXXXX\b")
_NUMBERED = re.compile(
    r"(?:choice|option|ending|alternative|sol|mc_answer|RandomFifthSentenceQuiz)_?(\d+)", re.IGNORECASE
)
_LETTERED = re.compile(r"answer([A-J])")  # Social IQA's, whose label counts from 1
_DISTRACTOR = re.compile(r"distractor\d+")  # SciQ's, beside `correct_answer`
_LETTERS = "ABCDEFGHIJ"


@dataclass(frozen=True)
class MultipleChoice:
    """Alternatives of which one suits a context.

    Attributes:
        context: what is read first; where there is a blank in it or in the question, each alternative is put there.
        alternatives: one or more; two where they are learned from.
        question: what is asked of the context, or empty.
        answer: the number of the right alternative, from 0; None where it is to be predicted.
        source: `file:line`.
        cells: the row that this was read from; None: there was none.
        format: of the file, as `.csv`.
    """

    context: str
    alternatives: tuple[str, ...]
    question: str = ""
    answer: int | None = None
    source: str = ""
    cells: Mapping[str, Any] | None = field(default=None, compare=False)
    format: str = ".jsonl"

    @property
    def is_cloze(self) -> bool:
        """Whether there is a blank to be filled."""
        return bool(BLANK.search(self.context) or BLANK.search(self.question))

    def texts(self, number: int) -> tuple[str, str, str]:
        """Context, question and alternative as one alternative is written; a filled blank leaves the last one empty."""
        alternative = self.alternatives[number]
        if not self.is_cloze:
            return self.context, self.question, alternative
        context, question = (BLANK.sub(lambda _: alternative, text) for text in (self.context, self.question))
        return context, question, ""


@dataclass(frozen=True)
class ChoiceColumns:
    """Where in a table an item stands.

    Attributes:
        context, question, answer: names of columns; None finds those of the published sets.
        where: only rows with these values in these columns.
    """

    context: str | None = None
    question: str | None = None
    answer: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)


def read_multiple_choice(
    sources: Sequence[Source], columns: ChoiceColumns | None = None, labelled: bool = True
) -> list[MultipleChoice]:
    """Items of tables (csv, tsv, jsonl, json, parquet), also compressed or in archives.

    The alternatives are a list in a column `choices`, `alternatives`, `options` or `endings`, or columns with numbers,
    `choice1`, `ending0`, …, or the letters `A`, `B`, …, of which the last ones of a row may be empty. Lists of several
    questions with theirs, as RACE's files have of an article, become an item each.

    The answer is the alternative's own text, its letter, the name that a list of choices gives it, or its number.
    Numbers count from 0, but where `answer` (or Story Cloze's `AnswerRightEnding`) stands beside columns with numbers,
    it is the number of the column.

    Args:
        sources: files, folders, archives.
        columns: of the tables.
        labelled: whether every item needs its answer.

    Raises:
        LangnetError: no such file or column, or a row that cannot be understood, with file and line.
    """
    columns = columns or ChoiceColumns()
    items = []
    for row, name in table_rows(sources):
        if all(str(column(row, key, name)) == value for key, value in columns.where.items()):
            items += [_item(one, name, columns, labelled) for one in _questions(row, name)]
    if not items:
        chosen = ", ".join(f"{key}={value}" for key, value in columns.where.items())
        raise LangnetError(f"{', '.join(map(str, sources))}: no rows with {chosen or 'alternatives'} found")
    return items


def _item(row: Row, name: str, columns: ChoiceColumns, labelled: bool) -> MultipleChoice:
    where, written = f"{name}:{row.line}", row.cells
    row, names = _plain(row)
    alternatives, first = _alternatives(row, name)
    if labelled and len(alternatives) < 2:
        raise LangnetError(f"{name}, line {row.line}: one alternative is no choice; two or more are needed")
    context = _context(row, name, columns.context)
    wanted = columns.question or "question"
    question = text_column(row, wanted, name) if columns.question or wanted in row.cells else ""
    if "premise" in row.cells and question.strip() in RELATIONS:
        question = RELATIONS[question.strip()]
    answer = _answer(row, name, columns.answer, alternatives, (first, names)) if labelled else None
    kind = format_of(name)
    return MultipleChoice(context, alternatives, clean_text(question).text, answer, where, written, kind)


def _questions(row: Row, name: str) -> Iterator[Row]:
    """A row for each question, where one holds several, as RACE's files do of an article."""
    listed = [key for key in ("questions", "options", "answers") if isinstance(row.cells.get(key), list)]
    if "questions" not in listed or "options" not in listed:
        yield row
        return
    if len({len(row.cells[key]) for key in listed}) > 1:
        raise LangnetError(f"{name}, line {row.line}: the lists {', '.join(listed)} are not of one length")
    rest = {key: value for key, value in row.cells.items() if key not in listed}
    singular = {"questions": "question", "options": "options", "answers": "answer"}
    for number in range(len(row.cells["questions"])):
        yield Row(rest | {singular[key]: row.cells[key][number] for key in listed}, row.line)


def _plain(row: Row) -> tuple[Row, list[str]]:
    """A row with a question's parts in columns of their own, and the names that a list of choices gives to them."""
    cells = dict(row.cells)
    if isinstance(asked := cells.get("question"), dict):  # ARC, OpenBookQA, CommonsenseQA
        cells |= {"question": asked.get("stem", ""), "choices": asked.get("choices")}
    key = next((name for name in LISTS if isinstance(cells.get(name), list | dict)), None)
    names: list[str] = []
    if key is not None:
        held = cells[key]
        if isinstance(held, dict) and isinstance(held.get("text"), list):  # lists side by side, as the Hub has them
            cells[key], names = held["text"], [str(label) for label in held.get("label") or ()]
        elif held and all(isinstance(one, dict) and "text" in one for one in held):
            cells[key], names = [one["text"] for one in held], [str(one.get("label", "")) for one in held]
    elif "correct_answer" in cells and any(_DISTRACTOR.fullmatch(str(name)) for name in cells):
        # In an order that does not tell which is right.
        cells["choices"] = sorted(
            str(value) for name, value in cells.items() if name == "correct_answer" or _DISTRACTOR.fullmatch(str(name))
        )
    return Row(cells, row.line), names


def _context(row: Row, name: str, wanted: str | None) -> str:
    if wanted is None and STORY[0] in row.cells:
        return clean_text(" ".join(text_column(row, key, name) for key in STORY)).text
    known = next((key for key in CONTEXT if key in row.cells), None)
    if wanted is None and known is None and "question" in row.cells:  # a question that needs no context
        return ""
    return clean_text(text_column(row, wanted or known or CONTEXT[0], name)).text


def _alternatives(row: Row, name: str) -> tuple[tuple[str, ...], int | None]:
    """The alternatives, and the first number of the columns that they stand in; None where these have none."""
    listed = next((key for key in LISTS if key in row.cells), None)
    if listed is not None:
        values = row.cells[listed]
        if not isinstance(values, list | tuple) or not values or any(isinstance(v, list | dict) for v in values):
            raise LangnetError(f"{name}, line {row.line}: the column '{listed}' has to hold a list of texts")
        return tuple(clean_text(str(value)).text for value in values), None
    numbered = sorted((int(found[1]), key) for key in row.cells if (found := _NUMBERED.fullmatch(str(key))))
    lettered = [key for key in row.cells if _LETTERED.fullmatch(str(key))]
    keys = [key for _, key in numbered] or lettered or [letter for letter in _LETTERS if letter in row.cells]
    texts = [clean_text(text_column(row, key, name)).text for key in keys]
    while texts and not texts[-1]:
        texts.pop()
    if not texts:
        held = ", ".join(f"'{key}'" for key in list(row.cells)[:12])
        raise LangnetError(
            f"{name}, line {row.line}: no alternatives found; give a list 'choices', or columns 'choice1', 'choice2', "
            f"…; the columns are {held}"
        )
    return tuple(texts), numbered[0][0] if numbered else 1 if lettered else None


def _answer(
    row: Row, name: str, wanted: str | None, alternatives: Sequence[str], known: tuple[int | None, Sequence[str]]
) -> int:
    """The right alternative; `known` is the first number of the columns, and the names of the alternatives."""
    first, names = known
    key = wanted or next((name for name in ANSWER if name in row.cells), ANSWER[0])
    value, where = column(row, key, name), f"{name}, line {row.line}"
    word = clean_text(str("" if value is None else value)).text
    if isinstance(value, str) and word in alternatives:
        if alternatives.count(word) > 1:
            raise LangnetError(f"{where}: the answer '{word}' is two of the alternatives; give its number")
        return alternatives.index(word)
    if word in names:
        return list(names).index(word)
    lettered = any(_LETTERED.fullmatch(str(other)) for other in row.cells)
    lowest = first if first and (key in FROM_ONE or lettered) else 0
    letters = _LETTERS[: len(alternatives)]
    if len(word) == 1 and word.upper() in letters:
        return letters.index(word.upper())
    if word.isdecimal() and lowest <= int(word) < lowest + len(alternatives):
        return int(word) - lowest
    raise LangnetError(
        f"{where}: the column '{key}' holds '{word[:40]}'; it has to be one of the alternatives, its letter, or a "
        f"number from {lowest} to {lowest + len(alternatives) - 1}"
    )
