"""Cleaning keeps what is language and drops what is not; duplicates are found in bounded memory."""

import unicodedata

import pytest

from langnet.text import clean
from langnet.text.clean import DuplicateFilter, clean_text


@pytest.mark.parametrize(
    ("raw", "expected", "nulls", "controls"),
    [
        ("plain", "plain", 0, 0),
        ("a\x00b\x00", "ab", 2, 0),
        ("a\x07b\x1b", "ab", 0, 2),
        ("a\tb\nc", "a\tb\nc", 0, 0),
        ("a\r\nb\rc\x85d", "a\nb\nc\nd", 0, 0),
        ("one\x0cnew page\x0bnew line", "one\nnew page\nnew line", 0, 0),
        ("one\n\x0cnew\x0b page\x0c", "one\nnew page", 0, 3),
        (" \n a \t", "a", 0, 0),
        ("\ufeffa\ufeff", "a", 0, 0),
        ("cafe\ufeff\u0301", "café", 0, 0),
        ("lone \ud800 surrogate", "lone  surrogate", 0, 1),
        ("cafe\u0301", "café", 0, 0),
        ("\x00\x01 ", "", 1, 1),
        ("👩\u200d🔬 می\u200cخواهم", "👩\u200d🔬 می\u200cخواهم", 0, 0),  # joiners carry meaning
    ],
)
def test_clean_text(raw, expected, nulls, controls):
    cleaned = clean_text(raw)
    assert (cleaned.text, cleaned.nulls, cleaned.control_characters) == (expected, nulls, controls)
    assert clean_text(cleaned.text).text == cleaned.text


def test_normalisation_is_a_choice():
    spelt = unicodedata.normalize("NFD", "Ẹ káàárọ̀")
    assert clean_text(spelt).text == unicodedata.normalize("NFC", spelt)
    assert clean_text(spelt, normalise=False).text == spelt


def test_duplicates_are_found_beyond_the_memory_bound(monkeypatch):
    monkeypatch.setattr(clean, "_CACHE_KILOBYTES", 64)  # what follows needs some ten times that
    seen = DuplicateFilter()
    try:
        assert all(seen.is_new(str(n)) for n in range(20_000))
        assert not any(seen.is_new(str(n)) for n in range(0, 20_000, 7))
        assert seen.is_new("20000")
        assert (seen.has("5"), seen.has("other")) == (True, False)
        assert seen.is_new("other")  # asking remembered nothing
    finally:
        seen.close()
