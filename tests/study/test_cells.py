"""Cells survive an interruption; points and differences are what a hand computation gives."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from langnet.errors import LangnetWarning
from langnet.study.cells import Cell, CellStore, difference, point, score_cell

GOLD = np.array([0, 0, 1, 1, 2, 2, 2, 2])


def cell(predicted, draw=0, method="tfidf", n_labels=10):
    return Cell(method, n_labels, draw, tuple(predicted), score_cell(GOLD, np.array(predicted), 3), 1.5, {}, "abc")


GOOD, BAD = cell([0, 0, 1, 1, 2, 2, 2, 0]), cell([0, 1, 1, 0, 2, 2, 0, 0], draw=1)


def test_a_cell_is_found_again_only_with_its_settings(tmp_path):
    store = CellStore(tmp_path / "deep" / "cells.jsonl")
    store.add(GOOD)
    again = CellStore(tmp_path / "deep" / "cells.jsonl")
    assert again.find("tfidf", 10, 0, "abc") == GOOD
    assert again.find("tfidf", 10, 0, "other") is None
    assert again.find("tfidf", 20, 0, "abc") is None
    store.add(replace(GOOD, settings="other"))
    assert CellStore(store.path).find("tfidf", 10, 0, "other") is not None
    assert len(CellStore(None)) == 0


def test_a_cut_off_line_is_computed_again_and_does_not_spoil_the_next(tmp_path):
    path = tmp_path / "cells.jsonl"
    store = CellStore(path)
    store.add(GOOD)
    store.add(BAD)
    path.write_text(path.read_text()[:-30])
    with pytest.warns(LangnetWarning, match="1 of its lines are damaged"):
        again = CellStore(path)
    assert len(again) == 1
    again.add(BAD)
    assert len(CellStore(path)) == 2


def test_scores():
    scores = score_cell(GOLD, np.array(GOOD.predicted), 3)
    assert scores["accuracy"] == 7 / 8
    assert scores["macro_f1"] == pytest.approx((2 * 2 / (2 + 3) + 1 + 2 * 3 / (4 + 3)) / 3)


def test_point_over_draws_is_student_t():
    found = point([GOOD, BAD], GOLD, 3)
    values = np.array([7 / 8, 4 / 8])
    assert found.accuracy == pytest.approx(values.mean())
    half = stats.t.ppf(0.975, 1) * values.std(ddof=1) / np.sqrt(2)
    assert found.interval.low == max(0.0, values.mean() - half)
    assert found.interval.high == min(1.0, values.mean() + half)
    assert (found.n_draws, found.n_test, found.interval_kind) == (2, 8, "t over draws")


def test_point_of_one_draw_is_a_bootstrap_over_test_texts():
    found = point([GOOD], GOLD, 3)
    assert 0.4 < found.interval.low < 7 / 8 < found.interval.high <= 1
    assert found.interval_kind == "bootstrap over test texts"


def test_differences_are_paired():
    better = [replace(GOOD, method="frozen"), replace(GOOD, method="frozen", draw=1), cell(GOLD, draw=7)]
    found = difference(better, [GOOD, BAD], GOLD)
    assert (found.first, found.second, found.n_draws) == ("frozen", "tfidf", 2)
    assert found.value == pytest.approx((0 + 3 / 8) / 2)
    assert found.beyond_doubt == 0
    assert difference(better[2:], [GOOD], GOLD) is None
    single = difference([cell(GOLD, draw=3)], [cell((GOLD + 1) % 3, draw=3)], GOLD)
    assert (single.value, single.interval.low, single.beyond_doubt) == (1.0, 1.0, 1)
