"""The arithmetic of the headline, recomputed by hand."""

import math

import pytest

from langnet.evaluate.intervals import Interval
from langnet.study.headline import best_curve, crossing, equivalence

TFIDF = [(50, 0.2), (100, 0.3), (200, 0.5), (800, 0.7)]


def at(score, n_labels=100, curves=None, half=0.05):
    given = {"TF-IDF": TFIDF} if curves is None else curves
    return equivalence(n_labels, score, Interval(score - half, score + half), given)


def test_between_two_sizes_it_is_a_line_over_the_logarithm():
    # Halfway from 0.5 to 0.7 is halfway from log 200 to log 800: 400.
    assert crossing(TFIDF, 0.6) == pytest.approx(400)
    assert crossing(TFIDF, 0.55) == pytest.approx(math.exp(math.log(200) + 0.25 * math.log(4)))
    assert crossing(TFIDF, 0.5) == pytest.approx(200)
    assert crossing(TFIDF, 0.1) == 50
    assert crossing(TFIDF, 0.71) is None
    assert crossing(TFIDF, float("nan")) is None


def test_a_curve_that_falls_is_crossed_where_it_first_gets_there():
    assert crossing([(50, 0.2), (100, 0.6), (200, 0.4), (400, 0.8)], 0.5) == pytest.approx(50 * 2**0.75)


def test_the_best_of_several_curves():
    assert best_curve({"a": [(50, 0.2), (100, 0.3)], "b": [(100, 0.4), (200, 0.1)], "c": []}) == [
        (50, 0.2), (100, 0.4), (200, 0.1),
    ]  # fmt: skip


def test_found_with_its_range():
    found = at(0.6)
    assert (found.outcome, round(found.equal_labels)) == ("found", 400)
    assert found.low == pytest.approx(200 * 4**0.25)
    assert found.high == pytest.approx(200 * 4**0.75)
    assert found.sentence() == "100 labels with pretraining = 400 without."
    assert found.details("langnet, frozen", Interval(0.55, 0.65)) == (
        "langnet, frozen reaches 0.600 [0.550, 0.650] with 100 labels; TF-IDF, best without pretraining, "
        "reaches that with 400 (280 to 570 at the ends of the interval)."
    )
    assert at(0.68).range == "490 or more"


def test_never_reached():
    found = at(0.75)
    assert (found.outcome, found.equal_labels) == ("beyond the curve", 800)
    assert found.sentence() == "100 labels with pretraining = more than 800 without."
    assert at(0.8).range == "more than 800"
    assert "never got there with up to 800" in found.details("x", Interval(0.7, 0.8))
    assert at(0.1).sentence() == "100 labels with pretraining = fewer than 50 without: pretraining bought nothing here."


@pytest.mark.parametrize("score", [0.3, 0.25, 0.1])
def test_nothing_gained(score):
    assert "bought nothing" in at(score).sentence()


def test_no_method_without_pretraining():
    assert at(0.5, curves={"TF-IDF": []}).outcome == "no curve"
    assert "cannot be compared" in at(0.5, curves={}).sentence()
    assert at(0.5, curves={}).labels == "–"


def test_only_those_are_named_that_the_best_curve_is_made_of():
    assert at(0.4, curves={"TF-IDF": TFIDF, "scratch": [(100, 0.1)]}).against == "TF-IDF"
    assert at(0.4, curves={"TF-IDF": TFIDF, "scratch": [(100, 0.9)]}).against == "TF-IDF or scratch"
