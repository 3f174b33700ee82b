"""NFC with its way back: every character of it knows where it came from."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langnet.text.composed import Composed

# What NFC joins, takes apart, reorders or leaves: accents, nuktas, Bengali and Tamil vowels, Hangul's parts, signs.
PIECES = ["a", "e\u0301", "e\u0323\u0301", "\u0301", "\u095c", "\u09c7\u09be", "\u0bc6\u0bbe", "\u1100\u1161\u11a8"]
PIECES += [
    "\uac00\u11a8",
    "\u212b",
    "\u0f73",
    "\u0344",
    "\u2126",
    "\U0001d15e",
    "\u4e00",
    " ",
    "\U0001f469\u200d\U0001f467",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=["Cs"]), max_size=12).map("".join))
def test_it_is_nfc_and_every_character_comes_from_somewhere(text):
    composed = Composed(text)
    assert composed.text == unicodedata.normalize("NFC", text)
    spans = [composed.to_original(i, i + 1) for i in range(len(composed.text))]
    covered = {place for a, b in spans for place in range(a, b)}
    assert covered == set(range(len(text)))
    assert spans == sorted(spans)
    for i, (a, b) in enumerate(spans):
        assert composed.text[i] in unicodedata.normalize("NFC", text[a:b])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8), st.data())
def test_there_and_back_covers_the_span(pieces, data):
    text = "".join(pieces)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    composed = Composed(text)
    a, b = composed.to_original(*composed.from_original(start, end))
    assert a <= start < end <= b


def test_hindi_letters_that_nfc_takes_apart():
    text = "\u0938\u0921\u093c\u0915 \u092a\u0930 \u0932\u095c\u0915\u093e"  # once with two characters, once with one
    composed = Composed(text)
    assert len(composed.text) == len(text) + 1
    place = composed.text.index("\u0932")
    assert composed.to_original(place, len(composed.text)) == (text.index("\u0932"), len(text))
    assert composed.from_original(text.index("\u095c"), text.index("\u095c") + 1) == (place + 1, place + 3)


@pytest.mark.parametrize("text", ["", "plain", "\u00e9t\u00e9"])
def test_what_is_nfc_already_stays(text):
    composed = Composed(text)
    assert composed.text is text
    assert composed.to_original(0, len(text)) == composed.from_original(0, len(text)) == (0, len(text))
    assert composed.to_original(2, 2) == (0, 0)
