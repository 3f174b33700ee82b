"""Drawings of sentences: what is escaped, where things stand, lines and directions, and the page."""

import re
from xml.dom import minidom

import pytest

from langnet.recipes.kinds.registry import find_kind
from langnet.study.structure_page import structure_page
from langnet.study.structures import STYLE, from_right, picture, picture_file, width_of
from langnet.tasks.label_roles import RoleGuess
from langnet.tasks.tag import TagGuess
from langnet.text.frames import Frame, FramedSentence
from langnet.text.structures import Arc, Bracket, Structure
from langnet.text.tag_schemes import Span
from langnet.text.tagged_sentences import Sentence

WORDS = ("The", "dog", "gave", "<b>&\"'", "a", "bone")
ROLES = [Bracket(0, 2, "A0", 0, "A0 <x>"), Bracket(2, 3, "give.01", 0, "", True), Bracket(4, 6, "A1", 1)]


def read(markup):
    return minidom.parseString(str(markup)).documentElement


def texts(svg, name):
    return [node for node in svg.getElementsByTagName("text") if name in node.getAttribute("class")]


def places(svg, name):
    return [float(node.getAttribute("x")) for node in texts(svg, name)]


def test_every_word_and_label_is_there_and_escaped():
    svg = read(picture(Structure(WORDS, [ROLES])))
    assert [node.firstChild.data for node in texts(svg, "word")] == list(WORDS)
    assert [node.firstChild.data for node in texts(svg, "label")] == ["A0", "give.01", "A1"]
    assert places(svg, "word") == sorted(places(svg, "word"))
    assert "script" not in str(picture(Structure(("<script>",), [])))[:9]
    assert "<script>" not in picture(Structure(("<script>",), [[Bracket(0, 1, "<script>", 0, "<script>")]]))


def test_brackets_stand_over_their_words():
    svg = read(picture(Structure(WORDS, [ROLES])))
    words = places(svg, "word")
    ends = [
        list(map(float, re.findall(r"(?:M|H)(\d+\.\d+)", p.getAttribute("d"))))
        for p in svg.getElementsByTagName("path")
    ]
    assert ends[0][0] < words[0] < words[1] < ends[0][1] < words[2]
    assert words[3] < ends[1][0] < words[4] < words[5] < ends[1][1]
    (box,) = svg.getElementsByTagName("rect")
    left, width = (float(box.getAttribute(name)) for name in ("x", "width"))
    assert words[1] < left < words[2] < left + width < words[3]


def test_a_long_label_makes_room():
    narrow = read(picture(Structure(("a", "b"), [[Bracket(0, 1, "x"), Bracket(1, 2, "y")]])))
    wide = read(picture(Structure(("a", "b"), [[Bracket(0, 1, "ARGM-TMP"), Bracket(1, 2, "ARGM-LOC")]])))
    gap = [places(svg, "word")[1] - places(svg, "word")[0] for svg in (narrow, wide)]
    assert gap[1] > 8 * 5 > gap[0]


def test_long_sentences_break_into_lines_and_brackets_with_them():
    words = tuple(f"word{n}" for n in range(40))
    svg = read(picture(Structure(words, [[Bracket(3, 30, "A1")], [Bracket(39, 40, "A0")]]), 400))
    heights = sorted({float(node.getAttribute("y")) for node in texts(svg, "word")})
    assert len(heights) > 4
    labels = [node.firstChild.data for node in texts(svg, "label")]
    assert labels.count("A1") > 2  # in each line that has words of it
    assert labels.count("A0") == 1
    opened = [path.getAttribute("d").count("V") for path in svg.getElementsByTagName("path")]
    assert opened[0] == 1  # it goes on in the next line
    assert 0 in opened
    width = float(svg.getAttribute("viewBox").split()[2])
    assert width <= 400
    assert all(0 < x < width for x in places(svg, "word"))


def test_from_the_right():
    words = ("أعطى", "أحمد", "الكتاب")
    assert from_right(words)
    assert not from_right(("«", "12", "abc", "أحمد"))
    assert from_right(("12", "ספר", "abc"))
    svg = read(picture(Structure(words, [[Bracket(1, 2, "A0")]])))
    assert places(svg, "word") == sorted(places(svg, "word"), reverse=True)
    assert {node.getAttribute("direction") for node in texts(svg, "word")} == {"rtl"}
    assert places(svg, "label")[0] == pytest.approx(places(svg, "word")[1], abs=0.1)


def test_arcs_over_arcs_stand_higher():
    svg = read(picture(Structure(("a", "b", "c", "d"), (), (Arc(0, 3, "x"), Arc(1, 2, "y"), Arc(3, 2, "z")))))
    heights = {node.firstChild.data: float(node.getAttribute("y")) for node in texts(svg, "label")}
    assert heights["x"] < heights["y"] == heights["z"]
    assert len([p for p in svg.getElementsByTagName("path") if p.getAttribute("class") == "head"]) == 3


def test_widths_of_signs():
    assert width_of("ab", 10) == 20
    assert width_of("中", 10) == 20
    assert width_of("e\u0301", 10) == 10
    assert width_of("", 10) > 0


def test_nothing_to_draw():
    for structure in (Structure(()), Structure(("a",)), Structure((), [[]])):
        assert picture(structure).startswith("<svg")
    assert picture_file(picture(Structure(WORDS, [ROLES]))).startswith('<svg viewBox="0 0')
    read(picture_file(picture(Structure(WORDS, [ROLES]))))


def test_the_page_loads_nothing_and_runs_nothing():
    page = structure_page("<m>", [Structure(WORDS, [ROLES], told="told & said")] * 2, ["a.txt:1", ""])
    assert page.count("<svg") == 2
    assert "&lt;m&gt;" in page
    assert "told &amp; said" in page
    assert not re.search(r"<script|https?://(?!www\.w3\.org/2000/svg)|@import|url\(", page)
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    assert "prefers-color-scheme: dark" in STYLE.read_text(encoding="utf8")


def test_only_so_many_are_drawn(monkeypatch):
    monkeypatch.setattr("langnet.study.structure_page.MOST", 2)
    page = structure_page("m", [Structure(("a",))] * 5)
    assert page.count("<svg") == 2
    assert "5 sentences, of which the first 2 are drawn" in page


def test_roles_and_tags_are_structures():
    item = FramedSentence(("Ann", "sees", "him"), None)
    guess = RoleGuess((Frame(1, (Span("A0", 0, 1), Span("AM-LOC", 2, 3))),), ((0.9, 0.5),))
    (drawn,) = find_kind("label_roles").structures([item], [guess])
    assert [bracket.label for bracket in drawn.rows[0]] == ["predicate", "A0", "AM-LOC"]
    assert drawn.rows[0][1].told == "A0: Ann, probability 0.90"
    assert drawn.told == "sees: A0: Ann; AM-LOC: him"
    spans = TagGuess(("B-PER", "O", "B-PER"))
    plain = TagGuess(("NOUN", "VERB", "PRON"))
    sentence = Sentence(item.words)
    assert [b.label for b in find_kind("tag").structures([sentence], [spans])[0].rows[0]] == ["PER", "PER"]
    assert len(find_kind("tag").structures([sentence], [plain])[0].rows[0]) == 3
