"""Drawings of trees: everything is there, nothing stands over anything else, and either way of reading."""

import re
import xml.etree.ElementTree as ET

import pytest

from langnet.study.structure_page import structure_page
from langnet.study.tree_picture import tree_picture
from langnet.text.trees import JudgedTree, Tree, bare, parse_trees, spans_of

TEXT = "(ROOT (S (NP-SBJ (NP (DT The) (NN <b>)) (PRN (-LRB- -LRB-) (NP (NN x)) (-RRB- -RRB-))) (VP (VBD ran)) (. .)))"
HEBREW = "(S (NP (NN הילד)) (VP (V אכל) (NP (NN תפוח))))"


def tree(text=TEXT):
    return next(parse_trees([text], "x"))[0]


def drawn(judged):
    return ET.fromstring(tree_picture(judged))


def texts(picture, kind):
    """Texts of a class with where they stand, from left to right."""
    found = [node for node in picture.iter() if node.tag.endswith("text") and kind in node.get("class").split()]
    told = [(float(node.get("x")), float(node.get("y")), "".join(node.itertext())) for node in found]
    return sorted(told)


def test_all_words_tags_and_labels_are_there():
    picture = drawn(JudgedTree(tree()))
    words = texts(picture, "word")
    assert [text for _, _, text in words] == ["The", "<b>", "(", "x", ")", "ran", "."]
    assert len({y for _, y, _ in words}) == 1, "all words stand at the bottom"
    labels = texts(picture, "label")
    assert len(labels) == len(tree().brackets) + len(tree().words)
    assert max(y for _, y, _ in labels) < words[0][1]
    width, height = map(float, picture.get("viewBox").split()[2:])
    assert all(0 < x < width and 10 < y < height for x, y, _ in [*words, *labels])


def test_labels_stand_over_what_they_hold_and_beside_each_other():
    labels = texts(drawn(JudgedTree(tree())), "label")
    for x, y, text in labels:
        for other_x, other_y, other in labels:
            if (x, y) < (other_x, other_y) and y == other_y:
                need = (len(text.split(":")[0]) + len(other.split(":")[0])) / 2 * 6
                assert other_x - x > need, f"{text} and {other} share a place"
    (root,) = [y for _, y, text in labels if text.startswith("ROOT")]
    assert root == min(y for _, y, _ in labels)


def test_lines_do_not_cross():
    """A part stands straight under the bar of what it is part of, so two lines never meet but at a bar."""
    paths = [node.get("d") for node in drawn(JudgedTree(tree())).iter() if "branch" in (node.get("class") or "")]
    assert len(paths) == len(tree().brackets) - 1 + len(tree().words)
    upright = [tuple(map(float, re.match(r"M([\d.]+) ([\d.]+)V([\d.]+)", path).groups())) for path in paths]
    for x, low, high in upright:
        assert low > high
        assert not [one for one in upright if one != (x, low, high) and one[0] == x and one[2] < low and high < one[1]]


def test_from_right_to_left():
    words = texts(drawn(JudgedTree(tree(HEBREW))), "word")
    assert [text for _, _, text in words] == ["תפוח", "אכל", "הילד"]


def test_probabilities_are_told_and_unsure_brackets_look_so():
    small = tree()
    spans = spans_of(bare(small))
    picture = tree_picture(JudgedTree(small, tuple(0.9 if i else 0.2 for i in range(len(spans)))))
    assert "S: The &lt;b&gt; ( x ) ran ., probability 0.20" in picture
    assert picture.count("label c3 unsure") == 1
    assert "unsure" not in tree_picture(JudgedTree(small))
    assert "ROOT: The &lt;b&gt; ( x ) ran .<" in picture, "what only holds a tree together has no probability"


@pytest.mark.parametrize("small", [Tree((), ()), Tree(("a",), ("A",)), Tree(("a", "b"), ("A", "B"))])
def test_trees_without_brackets(small):
    assert len(texts(drawn(JudgedTree(small)), "word")) == len(small.words)


def test_page():
    page = structure_page("my <model>", [JudgedTree(tree()), JudgedTree(tree(HEBREW))], ["a.txt:1"])
    assert page.count("<svg") == 2
    assert "<b>" not in page
    assert 'dir="rtl"' in page
    assert "a.txt:1" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in page
