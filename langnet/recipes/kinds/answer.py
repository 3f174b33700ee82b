"""Reading comprehension as a kind of task: SQuAD's files in, spans of passages out."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from dataclasses import asdict, replace

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate.answer_neighbours import PlacedSpan, SlidingWindow, first_words, random_spans
from langnet.evaluate.answers import answer_scores, answer_statistics, best_threshold, f1, is_unspaced
from langnet.evaluate.scoring import Neighbour
from langnet.recipes.kinds.kind import Columns, HeadOptions, Kind
from langnet.recipes.kinds.settings import SWITCH, Known, read_values
from langnet.tasks.answer import Answer, AnswerConfig, AnswerGuess
from langnet.tasks.task import SupervisedTask
from langnet.text.corpus import Source
from langnet.text.questions import Answer as Place
from langnet.text.questions import Question, group_of, read_questions

LONGEST = 400  # characters of the longest training answer that new answers may have; beyond, they are exceptions
# Of `HeadOptions.settings`: what each may be.
SETTINGS: dict[str, Known] = {
    "longest": int,
    "threshold": float,
    "matches": SWITCH,
    "window": int,
    "count": int,
    "input_dropout": float,
}


class Answers(Kind[Question, AnswerGuess]):
    """The span of a passage that answers a question."""

    name = "answer"
    summary = "questions on passages: SQuAD 1.1 and 2.0"
    unit = "questions"
    labels_further = True

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[Question]:
        return read_questions(sources, columns.text, columns.second, columns.label, labelled)

    def head(self, items: Sequence[Question], encoder: Encoder, options: HeadOptions) -> Answer:
        lengths = [len(answer.text) for item in items for answer in item.answers or ()]
        if not lengths:
            raise LangnetError("no question has an answer in its passage; there is nothing to learn from")
        given = {"longest": min(max(lengths), LONGEST), **read_values(self.name, options.settings, SETTINGS)}
        if options.hidden is not None:
            given["hidden"] = options.hidden
        unanswerable = any(item.answers == () for item in items)
        return Answer(AnswerConfig(unanswerable=unanswerable, dropout=options.dropout, **given), encoder.mixed_dim)

    def statistics(self, items: Sequence[Question], methods: Sequence[Sequence[AnswerGuess]]) -> np.ndarray:
        characters = [is_unspaced(item.passage) for item in items]
        return np.array(
            [
                [
                    answer_statistics(guess.text, _references(item), alone)
                    for item, guess, alone in zip(items, guesses, characters, strict=True)
                ]
                for guesses in methods
            ]
        )

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return answer_scores(sums)

    def simplest(self, train: Sequence[Question], test: Sequence[Question]) -> Neighbour:
        if any(item.answers == () for item in train):
            return Neighbour("no answer", [AnswerGuess("", 0, 0, 1.0, 1.0)] * len(test), "to any question")
        return Neighbour("random span", _guesses(test, random_spans(train, test)), "as long as the training answers")

    def neighbours(self, train: Sequence[Question], test: Sequence[Question]) -> list[Neighbour]:
        window = SlidingWindow(train)
        found = [
            Neighbour("random span", _guesses(test, random_spans(train, test)), "as long as the training answers"),
            Neighbour("first words", _guesses(test, first_words(train, test)), "of the passage"),
            Neighbour("sliding window", _guesses(test, window.spans(test))),
            Neighbour("sliding window and type", _guesses(test, window.spans(test, typed=True)), "of the question"),
        ]
        if any(item.answers == () for item in train):
            found.insert(0, self.simplest(train, test))
        return found

    def labelled(self, item: Question, guess: AnswerGuess) -> tuple[Question, float]:
        """As sure as its span, or as there being none."""
        answers = (Place(guess.text, guess.start),) if guess.text else ()
        return replace(item, answers=answers), guess.probability

    def stratum(self, item: Question) -> Hashable:
        """Whether it has an answer."""
        return bool(item.answers)

    def said(self, item: Question, guess: AnswerGuess) -> str:
        return guess.text or "(no answer)"

    def written(self, items: Sequence[Question], guesses: Sequence[AnswerGuess]) -> str:
        """SQuAD's predictions: one object, the answer by the question's id."""
        self.check_output(items)
        answers = {item.name: guess.text for item, guess in zip(items, guesses, strict=True)}
        return json.dumps(answers, ensure_ascii=False, indent=1) + "\n"

    def written_as(self, suffix: str, items: Sequence[Question], guesses: Sequence[AnswerGuess]) -> str:
        if suffix != ".jsonl":
            return self.written(items, guesses)
        rows = [
            {"id": item.name, "source": item.source, "question": item.question, **_rounded(guess)}
            for item, guess in zip(items, guesses, strict=True)
        ]
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    def check_output(self, items: Sequence[Question], suffix: str = "") -> None:
        """SQuAD's format is one object by ids, so that none may occur twice; full records bear everything."""
        if suffix not in ("", ".json", ".jsonl"):
            raise LangnetError(f"answers are written into .json, in SQuAD's format, or .jsonl; not into {suffix}")
        if suffix == ".jsonl":
            return
        seen: dict[str, str] = {}
        for item in items:
            if item.name in seen:
                raise LangnetError(
                    f"the id {item.name} stands in {seen[item.name]} and in {item.source}; SQuAD's predictions go "
                    "by ids, so take one file at a time, or write full records: --output answers.jsonl"
                )
            seen[item.name] = item.source

    def group(self, item: Question) -> str:
        return group_of(item)

    def settle(
        self, task: SupervisedTask[Question, AnswerGuess], items: Sequence[Question], guesses: Sequence[AnswerGuess]
    ) -> None:
        """Choose the probability of no answer above which none is given, by F1 on held-out questions."""
        assert isinstance(task, Answer)
        if task.settings.unanswerable:
            task.settings = replace(task.settings, threshold=_threshold(items, guesses)[0])

    def remarks(self, items: Sequence[Question]) -> list[str]:
        mended = sum(item.mended for item in items)
        if not mended:
            return []
        where = next(item for item in items if item.mended)
        return [
            f"{mended:,} of the answers did not stand where the file says; each was found in the one place where its "
            f"text stands (the first: {where.source}, question {where.name})"
        ]

    def details(self, items: Sequence[Question], guesses: Sequence[AnswerGuess]) -> list[str]:
        """By which units F1 counts, and where the threshold would be best."""
        lines = []
        alone = sum(is_unspaced(item.passage) for item in items)
        if alone:
            official = np.mean(
                [max(f1(g.text, r) for r in _references(i) or [""]) for i, g in zip(items, guesses, strict=True)]
            )
            lines.append(
                f"{alone:,} questions on passages written without spaces are scored by characters, as MLQA does; by "
                f"SQuAD's own program, which counts words, F1 would be {official:.3f}"
            )
        if any(item.answers == () for item in items):
            threshold, score = _threshold(items, guesses)
            lines.append(
                f"best threshold of the probability of no answer, on these very questions: {threshold:.3f}, with an "
                f"F1 of {score:.3f}; hold out training questions to choose one honestly"
            )
        return lines


def _references(item: Question) -> list[str]:
    if item.answers is None:
        raise LangnetError(f"{item.source}: question {item.name} has no answers to compare with")
    return [answer.text for answer in item.answers]


def _threshold(items: Sequence[Question], guesses: Sequence[AnswerGuess]) -> tuple[float, float]:
    """See `best_threshold`."""
    answered = np.array([bool(item.answers) for item in items])
    with_answer = np.array(
        [
            max((f1(guess.best[0].text if guess.best else "", text) for text in _references(item)), default=0.0)
            for item, guess in zip(items, guesses, strict=True)
        ]
    )
    return best_threshold(np.array([guess.no_answer for guess in guesses]), with_answer, answered)


def _guesses(items: Sequence[Question], spans: Sequence[PlacedSpan]) -> list[AnswerGuess]:
    return [
        AnswerGuess(item.passage[a:b], a, b, 1.0, 0.0) if b > a else AnswerGuess("", 0, 0, 1.0, 1.0)
        for item, (a, b) in zip(items, spans, strict=True)
    ]


def _rounded(guess: AnswerGuess) -> dict[str, object]:
    """A guess for jsonl."""
    row = asdict(guess)
    for part in (row, *row["best"]):
        part.update({name: round(value, 6) for name, value in part.items() if isinstance(value, float)})
    return row
