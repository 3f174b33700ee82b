"""Text out of single ids is the text of all ids, whatever the script, and never shows half a character."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langnet.text.detokenizer import Detokenizer
from langnet.text.tokenizer import KINDS, Tokenizer

TEXTS = {
    "Chinese": "学而时习之，不亦说乎？有朋自远方来，不亦乐乎？",
    "Yoruba": "Ọmọ tí a kò kọ́, ni yóò gbé ilé tí a kọ́ tà. Ẹ̀kọ́ ni àṣírí ọ̀nà.",
    "Hindi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "emoji": "fine 👩‍👩‍👧 day 🇨🇭!",
    "English": "It's a fine day, isn't it?\n\n  Yes.",
}
BYTES = Tokenizer.train([], "bytes")
TOKENIZERS = {kind: Tokenizer.train(TEXTS.values(), kind) for kind in KINDS}


def pieces(tokenizer, ids, before=()):
    stream = Detokenizer(tokenizer, before)
    return [*(stream.add(token) for token in ids), stream.finish()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("n_before", [0, 1, 5])
def test_the_pieces_are_the_text(kind, language, n_before):
    tokenizer = TOKENIZERS[kind]
    ids = tokenizer.encode(TEXTS[language])
    # The stream begins at a whole character, as it does behind a prompt.
    while "\ufffd" in tokenizer.decode(ids[:n_before]):
        n_before += 1
    found = pieces(tokenizer, ids[n_before:], [tokenizer.start_id, *ids[:n_before]])
    assert tokenizer.decode(ids[:n_before]) + "".join(found) == tokenizer.decode(ids)
    assert not any("\ufffd" in piece for piece in found)


def test_a_character_comes_with_its_last_byte():
    assert pieces(BYTES, BYTES.encode("学a")) == ["", "", "学", "a", ""]


def test_an_unfinished_character_comes_at_the_end():
    assert pieces(BYTES, BYTES.encode("a学")[:-1]) == ["a", "", "", "\ufffd"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 260), max_size=40), st.lists(st.sampled_from(list(TEXTS.values())), max_size=1))
def test_any_bytes_at_all(ids, before):
    known = BYTES.encode("".join(before))
    found = pieces(BYTES, ids, known)
    assert BYTES.decode(known) + "".join(found) == BYTES.decode([*known, *ids])


def test_the_cost_does_not_grow_with_the_text():
    decoded = []

    class Counting:
        def decode(self, ids):
            decoded.append(len(list(ids)))
            return BYTES.decode(ids)

    text = "".join(np.random.default_rng(0).choice(list(TEXTS["Chinese"]), 300))
    pieces(Counting(), BYTES.encode(text))
    assert max(decoded) <= 6
