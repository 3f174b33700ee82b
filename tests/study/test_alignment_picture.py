"""Where a translator looked, drawn: cells and lines where the weights are, words of tokens, both directions, bounds."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from langnet.study.alignment_picture import lines_picture, matrix_picture, told_of
from langnet.study.structure_page import structure_page
from langnet.text.structures import Aligned, Side

SOURCE = Side(("a", " do", "g", " <&\"'", ""), ((0, 1), (1, 3), (3, 4), (4, 5)))
TARGET = Side(("ein", " Hund", ""), ((0, 1), (1, 2), (2, 3)))
WEIGHTS = np.array([[0.7, 0.1, 0.1, 0.06, 0.04], [0.0, 0.4, 0.5, 0.1, 0.0], [0.01, 0.0, 0.0, 0.09, 0.9]])
ALIGNED = Aligned(SOURCE, TARGET, WEIGHTS)


def nodes(svg, name, kind=""):
    return [node for node in ET.fromstring(svg).iter() if node.tag.endswith(name) and kind in (node.get("class") or "")]


def whole(node):
    return "".join(node.itertext())


def test_words_of_tokens():
    table = ALIGNED.by_word()
    np.testing.assert_allclose(table[1], [0, 0.9, 0.1, 0])
    np.testing.assert_allclose(table.sum(1), 1)
    joined = Aligned(SOURCE, Side(("ein", "e", ""), ((0, 2), (2, 3))), WEIGHTS)
    np.testing.assert_allclose(joined.by_word()[0], (WEIGHTS[0] + WEIGHTS[1]) @ np.eye(5)[:, [0, 1, 3, 4]] / 2
                               + [0, (0.1 + 0.5) / 2, 0, 0])  # fmt: skip
    assert ALIGNED.source.spelled == ["a", "dog", "<&\"'", ""]


def test_a_cell_for_each_weight_that_shows():
    svg = matrix_picture(ALIGNED)
    titles = [whole(node) for node in nodes(svg, "title")][1:]
    assert len(titles) == len(nodes(svg, "rect")) == int((WEIGHTS >= 0.05).sum())
    assert "ein ← a: 0.70" in titles
    assert "Hund ← -g: 0.50" in titles
    assert "(end) ← <&\"': 0.09" in titles
    assert sorted(whole(node) for node in nodes(svg, "text", "share")) == sorted(
        f"{100 * weight:.0f}" for weight in WEIGHTS.ravel() if weight >= 0.095
    )
    labels = [node.text for node in nodes(svg, "text", "label")]
    assert labels == ["a", "do", "-g", "<&\"'", "(end)", "ein", "Hund", "(end)"]
    opaque = [float(node.get("style").split(":")[1]) for node in nodes(svg, "rect")]
    assert max(opaque) == pytest.approx(0.08 + 0.92 * 0.9, abs=0.01)


def test_lines_go_where_words_looked():
    svg = lines_picture(ALIGNED)
    places = {node.text: float(node.get("x")) for node in nodes(svg, "text")}
    told = {whole(node): node.get("d") for node in nodes(svg, "path", "link")}
    assert set(told) == {
        "ein ← a: 0.70", "ein ← dog: 0.20", "Hund ← dog: 0.90", "Hund ← <&\"': 0.10", "(end) ← (end): 0.90",
    }  # fmt: skip
    path = told["Hund ← dog: 0.90"]
    assert float(path[1:].split()[0]) == pytest.approx(places["dog"], abs=0.01)
    assert float(path.split()[-2]) == pytest.approx(places["Hund"], abs=0.01)
    assert told_of(ALIGNED) == "Words and where each looked most. ein: a 0.70; Hund: dog 0.90; (end): (end) 0.90"


@pytest.mark.parametrize("turned", ["source", "target"])
def test_each_side_has_its_direction(turned):
    arabic = Side(("رأى", " أحمد", ""), ((0, 1), (1, 2), (2, 3)))
    latin = Side(("Ahmad", " saw", ""), ((0, 1), (1, 2), (2, 3)))
    sides = (arabic, latin) if turned == "source" else (latin, arabic)
    aligned = Aligned(*sides, np.eye(3))
    rows = {}
    for node in nodes(lines_picture(aligned), "text"):
        rows.setdefault(float(node.get("y")), []).append(float(node.get("x")))
    first, second = (rows[y] for y in sorted(rows))
    right, left = (first, second) if turned == "source" else (second, first)
    assert right == sorted(right, reverse=True)
    assert left == sorted(left)
    cells = [float(node.get("x")) for node in nodes(matrix_picture(aligned), "rect")]
    assert cells == sorted(cells, reverse=turned == "source")


def test_everything_is_inside():
    for svg in (matrix_picture(ALIGNED), lines_picture(ALIGNED)):
        width, height = map(float, ET.fromstring(svg).get("viewBox").split()[2:])
        for node in nodes(svg, "text"):
            if node.get("x"):
                assert 0 < float(node.get("x")) < width
                assert 0 < float(node.get("y")) < height


def test_long_sentences_are_cut():
    n = 300
    side = Side(tuple(" longword" * 5 for _ in range(n)), tuple((i, i + 1) for i in range(n)))
    aligned = Aligned(side, side, np.full((n, n), 1 / n))
    for svg in (matrix_picture(aligned), lines_picture(aligned)):
        assert len(nodes(svg, "text", "label")) + len(nodes(svg, "text", "word")) == 161
        assert "The first 80 of 300 and 300" in svg
        assert len(svg) < 100_000


def test_empty_and_odd():
    nothing = Side(("",), ((0, 1),))
    for aligned in (
        Aligned(nothing, nothing, np.ones((1, 1))),
        Aligned(Side((" ", ""), ((0, 1), (1, 2))), nothing, np.array([[0.2, 0.8]])),
        Aligned(Side((), ()), Side((), ()), np.zeros((0, 0))),
    ):
        page = structure_page("m", [aligned])
        assert page.count("<svg") == 2
        matrix_picture(aligned)
