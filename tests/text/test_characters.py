"""Words as characters, against numbers worked out by hand from the published scheme."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from langnet.text.characters import join, mark, spell, spell_sentences, spell_specials, spell_unique
from langnet.text.tokenizer import SPECIAL_TOKENS


def test_known_values():
    assert spell(["One", "é", ""]).tolist() == [
        [259, 80, 111, 102, 260],
        [259, 196, 170, 260, 261],
        [259, 260, 261, 261, 261],
    ]
    assert spell([]).shape == (0, 2)
    assert mark(257).tolist() == [259, 257, 260]


def test_a_long_word_is_cut_between_its_marks():
    (word,) = spell(["x" * 60])
    assert word.tolist() == [259, *[121] * 48, 260]
    (word,) = spell(["日本"], longest=6)  # in the middle of a character, as the original program does
    assert word.tolist() == [259, 231, 152, 166, 231, 260]


def test_special_tokens():
    rows = spell_specials()
    assert len(rows) == len(SPECIAL_TOKENS)
    assert (rows[0] == 0).all()
    assert rows[2, :4].tolist() == [259, 257, 260, 261]
    assert rows[4, :4].tolist() == [259, 258, 260, 261]


def test_join():
    both = join([mark(257)[None], spell(["word"]), np.zeros((1, 3), np.uint16)])
    assert both.tolist() == [[259, 257, 260, 261, 261, 261], [259, 120, 112, 115, 101, 260], [0] * 6]


def test_sentences():
    ids, mask = spell_sentences([["a"], ["b", "cd"]])
    assert ids.shape == (2, 4, 4)
    assert mask.tolist() == [[True, True, True, False], [True] * 4]
    assert ids[0].tolist() == [[259, 257, 260, 261], [259, 98, 260, 261], [259, 258, 260, 261], [0] * 4]


@given(st.lists(st.text(max_size=8), max_size=6))
def test_every_word_can_be_read_back(words):
    for word, row in zip(words, spell_unique(words), strict=True):
        inside = row[1 : list(row).index(260)]
        assert bytes(int(n) - 1 for n in inside).decode("utf8", "surrogatepass") == word
