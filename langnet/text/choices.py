"""Questions that a language model answers by likelihood: minimal pairs, alternatives in a context, judged sentences.

The formats are those of the published sets: BLiMP's pairs; multiple choice and cloze tests as `text.multiple_choice`
reads them; CoLA's table without a header.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from langnet.errors import LangnetError
from langnet.text.clean import clean_text
from langnet.text.corpus import Source
from langnet.text.formats import Row, known_column, text_column
from langnet.text.multiple_choice import BLANK, RELATIONS, MultipleChoice, read_multiple_choice
from langnet.text.table_rows import table_rows

GOOD = ("sentence_good", "good", "grammatical")
BAD = ("sentence_bad", "bad", "ungrammatical")
GROUPS = ("field", "linguistics_term", "phenomenon", "UID", "category", "type")  # scores are given for each of these
SENTENCE, JUDGEMENT = ("sentence", "text"), ("label", "gold")  # of sentences that were judged
_LETTER = re.compile(r"[^\W_]")


@dataclass(frozen=True)
class MinimalPair:
    """An acceptable sentence, and one that differs from it in little and is not.

    Attributes:
        good, bad: the sentences.
        groups: kinds that the pair belongs to, by the name of their column.
        source: `file:line`.
    """

    good: str
    bad: str
    groups: dict[str, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True)
class Choice:
    """Alternatives of which one belongs into a place in a text.

    Attributes:
        before: what stands before the place.
        alternatives: two or more, as they are to be written there.
        after: what stands behind it; empty where the alternatives end the text.
        gold: which of them it is; None where that is to be found.
        domain: what remains of `before` where its content is left out, for the alternatives' own probability: COPA's
            "because"; empty for most.
        groups: kinds that the question belongs to.
        source: `file:line`.
    """

    before: str
    alternatives: tuple[str, ...]
    after: str = ""
    gold: int | None = None
    domain: str = ""
    groups: dict[str, str] = field(default_factory=dict)
    source: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether words follow the place, by which an alternative can be judged."""
        return bool(_LETTER.search(self.after))


@dataclass(frozen=True)
class Judged:
    """A sentence, and whether people find it acceptable."""

    sentence: str
    acceptable: bool
    source: str = ""


def read_minimal_pairs(sources: Sequence[Source]) -> list[MinimalPair]:
    """Pairs from tables with a column of good and one of bad sentences; BLiMP's folder or archive among them.

    Raises:
        LangnetError: no such file or column, an empty sentence, or nothing to read.
    """
    pairs = []
    for row, name in table_rows(sources):
        good, bad = (_text(row, known_column(row, known), name) for known in (GOOD, BAD))
        pairs.append(MinimalPair(good, bad, _groups(row), f"{name}:{row.line}"))
    return pairs


def read_choices(sources: Sequence[Source], labelled: bool = True) -> list[Choice]:
    """Questions of multiple choice, each as one text with a place for its alternatives.

    A blank in the context or the question is that place; without one the alternatives end the text. COPA's context and
    choice become one sentence with "because" or "so".

    Args:
        sources: see `langnet.text.multiple_choice.read_multiple_choice`.
        labelled: whether every question needs its answer.

    Raises:
        LangnetError: a row that cannot be understood, with file and line.
    """
    return [_choice(item) for item in read_multiple_choice(sources, labelled=labelled)]


def read_judged(sources: Sequence[Source]) -> list[Judged]:
    """Sentences judged 1 or 0: columns `sentence` and `label`, or CoLA's four columns without a header.

    Raises:
        LangnetError: no such file or column, or another judgement than 0 or 1.
    """
    found: list[Judged] = []
    seen: str | None = None
    for row, name in table_rows(sources):
        header = list(row.cells)
        if _is_cola(header):
            if name != seen:  # what was taken for the header is the first sentence
                found.append(_judged(header[3], header[1], f"{name}:1"))
            cells = [str(cell) for cell in row.cells.values()]
            found.append(_judged(cells[3], cells[1], f"{name}:{row.line}"))
        else:
            sentence, label = (_text(row, known_column(row, known), name) for known in (SENTENCE, JUDGEMENT))
            found.append(_judged(sentence, label, f"{name}:{row.line}"))
        seen = name
    return found


def _is_cola(header: Sequence[str]) -> bool:
    return len(header) == 4 and header[1] in ("0", "1") and header[2] in ("", "*")


def _judged(sentence: str, label: str, where: str) -> Judged:
    if label.strip() not in ("0", "1"):
        raise LangnetError(f"{where}: the judgement is '{label}'; it has to be 1 (acceptable) or 0")
    return Judged(clean_text(sentence).text, label.strip() == "1", where)


def _choice(item: MultipleChoice) -> Choice:
    cells = item.cells or {}
    groups = {name: str(cells[name]) for name in GROUPS if cells.get(name) not in (None, "")}
    if item.question in RELATIONS.values() and cells.get("question") in RELATIONS:
        return _cause_or_effect(item, groups)
    text = " ".join(part for part in (item.context, item.question) if part)
    blank = BLANK.search(text)
    before, after = (text[: blank.start()], text[blank.end() :]) if blank else (f"{text} " if text else "", "")
    return Choice(before, item.alternatives, after, item.answer, groups=groups, source=item.source)


def _cause_or_effect(item: MultipleChoice, groups: dict[str, str]) -> Choice:
    """COPA's premise and choices as one sentence each (Roemmele et al. 2011)."""
    premise, word = item.context.rstrip(".!? "), item.question
    asked = {"question": next(name for name, relation in RELATIONS.items() if relation == word)}
    written = tuple(_lowered(text) for text in item.alternatives)
    return Choice(f"{premise} {word} ", written, "", item.answer, f"{word} ", groups | asked, item.source)


def _lowered(text: str) -> str:
    """The first letter small, unless the first word is I or has a second capital."""
    first = re.split(r"[\s']", text, maxsplit=1)[0]
    return text if first == "I" or (len(first) > 1 and not first[1:].islower()) else text[:1].lower() + text[1:]


def _text(row: Row, name: str, file: str) -> str:
    text = clean_text(unicodedata.normalize("NFC", text_column(row, name, file))).text.strip()
    if not text:
        raise LangnetError(f"{file}, line {row.line}: the column '{name}' is empty")
    return text


def _groups(row: Row) -> dict[str, str]:
    return {name: str(row.cells[name]) for name in GROUPS if row.cells.get(name) not in (None, "")}


def grouped(items: Sequence[MinimalPair | Choice]) -> Iterator[tuple[str, dict[str, list[int]]]]:
    """For every column of groups, the numbers of the items in each group, groups by name."""
    columns = dict.fromkeys(name for item in items for name in item.groups)
    for column in columns:
        places: dict[str, list[int]] = {}
        for index, item in enumerate(items):
            places.setdefault(item.groups.get(column, "(none)"), []).append(index)
        yield column, dict(sorted(places.items()))
