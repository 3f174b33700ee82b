"""Chains drawn: nested, crossing and lone mentions as text and as a picture, lists, bounds, directions."""

import re
import xml.etree.ElementTree as ET
from xml.dom import minidom

import pytest

from langnet.errors import LangnetError
from langnet.recipes.kinds.registry import find_kind
from langnet.study import chain_picture as drawing
from langnet.study.chain_picture import chain_picture, levels_of, shortened
from langnet.study.chain_text import chain_text
from langnet.study.drawings import write_pictures
from langnet.study.html import tag
from langnet.study.structure_page import structure_page
from langnet.study.structures import from_right
from langnet.tasks.corefer import CoreferGuess
from langnet.text.chains import Document
from langnet.text.structures import Chained, Structure
from langnet.text.words import running_text

WORDS = ("Ann", "met", "her", "mother", "'s", "dog", ".", "She", '<b>&"', ".")
CHAINS = (((0, 0), (2, 2), (7, 7)), ((2, 5),), ((3, 4), (8, 8)))
ANN = Chained(WORDS, (0, 7), CHAINS, {(2, 2): ((0, 0), 0.875)})


def read(document, name="d1"):
    return minidom.parseString(str(tag("main", chain_text(document, name)))).documentElement


def mentions(page):
    return [node for node in page.getElementsByTagName("span") if "mention" in node.getAttribute("class")]


def said(node):
    """The text of an element without its brackets."""
    if node.nodeType == node.TEXT_NODE:
        return node.data
    return "" if node.tagName == "b" else "".join(map(said, node.childNodes))


def written(node):
    return node.data if node.nodeType == node.TEXT_NODE else "".join(map(written, node.childNodes))


def test_mentions_are_nested_and_numbered():
    page = read(ANN)
    paragraphs = [written(node) for node in page.getElementsByTagName("p")]
    assert paragraphs == ["[1Ann] met [[1her] [2mother's] dog].", '[1She] [2<b>&"].']
    found = {node.getAttribute("id"): node for node in mentions(page)}
    assert {name: said(node) for name, node in found.items()} == {
        "d1-0-0": "Ann", "d1-2-5": "her mother's dog", "d1-2-2": "her", "d1-3-4": "mother's", "d1-7-7": "She",
        "d1-8-8": '<b>&"',
    }  # fmt: skip
    assert found["d1-2-2"].parentNode is found["d1-2-5"]
    assert found["d1-2-5"].getAttribute("style") == "--d:1", "the line of what holds others is lower"
    assert "alone" in found["d1-2-5"].getAttribute("class")
    assert found["d1-2-2"].getAttribute("title") == "her → Ann, probability 0.88"


def test_every_chain_is_listed_and_links_lead_somewhere():
    page = read(ANN)
    assert [written(node) for node in page.getElementsByTagName("li")] == ["1 Ann, her, She", "2 mother's, <b>&\""]
    assert written(page.getElementsByTagName("summary")[0]) == "2 chains with 5 mentions, 1 mention alone"
    places = {node.getAttribute("id") for name in ("span", "li") for node in page.getElementsByTagName(name)}
    links = [node.getAttribute("href") for node in page.getElementsByTagName("a")]
    assert len(links) == 5 + 5
    assert {link.removeprefix("#") for link in links} <= places
    often = read(Chained(("a", "A", "b"), (0,), (((0, 0), (1, 1), (2, 2)),)))
    assert [written(node) for node in often.getElementsByTagName("li")] == ["1 a ×2, b"]


def test_mentions_that_cross_are_cut_and_say_so():
    page = read(Chained(("a", "b", "c", "d"), (0,), (((0, 2), (3, 3)), ((1, 3), (0, 0)))))
    assert [written(node) for node in page.getElementsByTagName("p")] == ["[1[2a] [2b c1] [1d]]"]
    parts = [node for node in mentions(page) if node.getAttribute("title") == "b c d"]
    assert [said(node) for node in parts] == ["b c", " d"]
    assert [bool(node.getAttribute("id")) for node in parts] == [True, False], "one place has one name"


def test_mentions_go_over_the_end_of_a_sentence():
    page = read(Chained(("a", "b", "c"), (0, 1), (((0, 1), (2, 2)),)))
    assert [written(node) for node in page.getElementsByTagName("p")] == ["[1a", "b] [1c]"]


def test_levels():
    assert dict(levels_of([(0, 5), (1, 2), (1, 1), (4, 6), (8, 8)])) == {
        (1, 1): 0, (8, 8): 0, (1, 2): 1, (4, 6): 0, (0, 5): 2,
    }  # fmt: skip


def test_the_picture_has_all_words_and_numbers():
    svg = ET.fromstring(chain_picture(ANN))
    texts = [node for node in svg.iter() if node.tag.endswith("text")]
    assert [node.text for node in texts if node.get("class") == "word"] == list(WORDS)
    labels = [(node.text or "", node.get("class")) for node in texts if node.get("class") == "label"]
    assert sorted(text for text, _ in labels) == ["", "1", "1", "1", "2", "2"]
    entries = [node for node in texts if "entry" in node.get("class")]
    assert [node.text for node in entries] == ["1: Ann, her, She", "2: mother's, <b>&\""]
    height = float(svg.get("viewBox").split()[3])
    assert max(float(node.get("y")) for node in texts) < height
    assert svg.get("aria-label") == (
        "2 chains with 5 mentions, 1 mention alone. chain 1: Ann, her, She. chain 2: mother's, <b>&\""
    )


def test_from_the_right():
    words = ("قال", "أحمد", "إنه", "هنا")
    document = Chained(words, (0,), (((1, 1), (2, 2)),))
    svg = ET.fromstring(chain_picture(document))
    texts = [node for node in svg.iter() if node.tag.endswith("text")]
    places = [float(node.get("x")) for node in texts if node.get("class") == "word"]
    assert places == sorted(places, reverse=True)
    (entry,) = [node for node in texts if "entry" in node.get("class")]
    assert entry.get("direction") == "rtl"
    assert float(entry.get("x")) > max(places)
    assert 'dir="rtl"' in structure_page("m", [document])
    assert from_right(words)


def test_running_text():
    assert running_text(["I", "do", "n't", ",", "(", "Ann", "'s", ")", "!"]) == "I don't, (Ann's)!"
    assert running_text(list("他的妈妈。")) == "他的妈妈。"
    assert running_text([]) == running_text([""]) == ""


def test_long_documents_are_cut(monkeypatch):
    monkeypatch.setattr(drawing, "MOST_WORDS", 50)
    long = Chained(("w",) * 80, tuple(range(0, 80, 20)), (((1, 2), (48, 49), (49, 50)), ((70, 71), (75, 75))))
    page = read(long)
    assert sum(len(said(node).split()) for node in page.getElementsByTagName("p")) == 50
    told = "1 chain with 2 mentions, in the first 50 of 80 words"
    assert written(page.getElementsByTagName("summary")[0]) == told
    svg = ET.fromstring(chain_picture(long))
    assert len([node for node in svg.iter() if node.get("class") == "word"]) == 50
    assert told in svg.get("aria-label")


def test_lists_are_cut(monkeypatch):
    monkeypatch.setattr("langnet.study.chain_text.MOST_CHAINS", 2)
    monkeypatch.setattr("langnet.study.chain_text.MOST_FORMS", 1)
    words = tuple(f"w{number}" for number in range(8))
    page = read(Chained(words, (0,), tuple(((at, at), (at + 1, at + 1)) for at in range(0, 8, 2))))
    entries = [written(node) for node in page.getElementsByTagName("li")]
    assert entries == ["1 w0, and 1 more", "2 w2, and 1 more", "and 2 further chains"]
    assert shortened("one two three four five", 15) == "one two … five"
    assert shortened("short", 5) == "short"


def test_a_page_has_a_bound(monkeypatch):
    monkeypatch.setattr("langnet.study.structure_page.LARGEST", 5000)
    page = structure_page("m", [ANN] * 100, counted=(3000, "documents"))
    drawn = page.count("<article")
    assert 1 < drawn < 20
    assert f"3,000 documents, of which the first {drawn} are drawn" in page
    assert len(set(re.findall(r'id="([^"]+)"', page))) == len(re.findall(r'id="([^"]+)"', page))


@pytest.mark.parametrize("document", [Chained(()), Chained((), (), ((),)), Chained(("",), (0,), (((0, 0),),))])
def test_nothing_to_draw(document):
    assert "no chains" in written(read(document))
    ET.fromstring(chain_picture(document))


def test_pictures_in_a_folder(tmp_path):
    assert write_pictures(tmp_path / "drawn", [ANN, Structure(("a",))]) == 2
    for name in ("0001.svg", "0002.svg"):
        text = (tmp_path / "drawn" / name).read_text(encoding="utf8")
        ET.fromstring(text)
        assert "prefers-color-scheme: dark" in text
    (tmp_path / "file").write_text("")
    with pytest.raises(LangnetError, match=r"cannot write into .*file"):
        write_pictures(tmp_path / "file", [ANN])


def test_what_the_task_says_is_drawn():
    guess = CoreferGuess((((0, 0), (2, 2)),), (((2, 2), (0, 0), 0.9),))
    (drawn,) = find_kind("corefer").structures([Document(WORDS, (0, 7))], [guess])
    assert drawn == Chained(WORDS, (0, 7), (((0, 0), (2, 2)),), {(2, 2): ((0, 0), 0.9)})
