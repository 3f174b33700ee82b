"""What needs no network: spans as long as answers are, windows that find the sentence, sorts that questions ask for."""

import numpy as np

from langnet.evaluate.answer_neighbours import (
    SlidingWindow,
    _distance,
    _highest_sum,
    first_words,
    random_spans,
    sort_of,
)
from langnet.text.questions import Answer, Question


def item(question, passage, answer):
    return Question(question, passage, (Answer(answer, passage.index(answer)),))


PASSAGE = "Ann painted the house in 1990. Later the old barn burned down in Leeds. Ben sold the boat to Carla in June."
TRAIN = [
    item("When was it built?", "It was built in 1850 by Dora Hill.", "1850"),
    item("When did it close?", "It closed in 1912, said Eve.", "1912"),
    item("Who built it?", "It was built in 1850 by Dora Hill.", "Dora Hill"),
    item("Who said so?", "It closed in 1912, said Eve.", "Eve"),
] * 6


def test_random_spans_and_first_words_lie_in_their_passages():
    test = [item("Who?", PASSAGE, "Ann"), Question("Who?", "", ()), Question("Who?", "one", ())]
    for spans in (random_spans(TRAIN, test, seed=1), first_words(TRAIN, test)):
        assert 0 <= spans[0][0] < spans[0][1] <= len(PASSAGE)
        assert spans[1:] == [(0, 0), (0, 3)]
    assert random_spans(TRAIN, test * 20, seed=1) == random_spans(TRAIN, test * 20, seed=1)
    assert first_words(TRAIN, test)[0] == (0, 3)


def test_the_window_finds_what_stands_beside_the_questions_words():
    window = SlidingWindow(TRAIN)
    (a, b), (c, d) = window.spans(
        [
            item("Where did the barn burn?", PASSAGE, "Leeds"),
            item("Whom did Ben sell the boat to in June?", PASSAGE, "Carla"),
        ]
    )
    assert "barn" in PASSAGE[max(0, a - 15) : b + 15]
    assert "boat" in PASSAGE[max(0, c - 15) : d + 15]


def test_the_questions_words_say_of_which_sort_the_answer_is():
    window = SlidingWindow(TRAIN)
    asked = [item("When was the house painted?", PASSAGE, "1990"), item("Who painted the house?", PASSAGE, "Ann")]
    found = [PASSAGE[a:b] for a, b in window.spans(asked, typed=True)]
    assert [sort_of(text) for text in found] == ["number", "name"]


def test_nothing_to_choose_from():
    window = SlidingWindow(TRAIN)
    passages = ["", ". ,", "電影"]
    assert len(window.spans([Question("Who?", passage, ()) for passage in passages], typed=True)) == 3
    assert window.spans([Question("Who?", "", ())]) == [(0, 0)]


def test_the_highest_sum_of_a_window_that_holds_the_candidate():
    values = np.random.default_rng(0).random(20)
    for width in (3, 7, 19, 20, 50):
        for first, after in ((0, 2), (9, 12), (18, 20)):
            n = min(width, 20)
            sums = [values[i : i + n].sum() for i in range(21 - n) if i <= first and after <= i + n]
            assert np.isclose(_highest_sum(values, first, after, width), max(sums))
    assert _distance(np.array([2, 30]), 5, 7, 41) == 0.1
    assert _distance(np.array([], dtype=int), 5, 7, 41) == 1
