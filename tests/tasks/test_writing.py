"""Text as tokens: every token knows its characters, every word finds its tokens."""

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.tasks.words import word_examples
from langnet.tasks.writing import SPECIAL, Writer
from langnet.text.characters import BEGIN_SENTENCE, END_SENTENCE
from langnet.text.tokenizer import Tokenizer

TEXTS = [
    "The ending was a joy, wasn't it?",
    "Ẹ káàbọ̀ sí ilé wa",
    "电影很好看。",
    "👩‍👩‍👧 🎬 ok",
    "   spaced   out  ",
    "",
]


@pytest.fixture(scope="module", params=["bpe", "unigram", "words", "characters", "bytes"])
def tokenizer(request):
    return Tokenizer.train(TEXTS * 3, request.param, None)


def test_tokens_stand_for_the_characters_they_cover(tokenizer):
    for text, tokens in zip(TEXTS, Writer(tokenizer).tokens(TEXTS), strict=True):
        assert (np.diff(tokens.start) >= 0).all()
        assert (tokens.end >= tokens.start).all()
        covered = {i for a, b in zip(tokens.start, tokens.end, strict=True) for i in range(a, b)}
        assert all(i in covered for i, sign in enumerate(text) if not sign.isspace())


def test_the_first_token_of_every_word(tokenizer):
    words = ["The", "end", "ing", "wasn't", "电影", "🎬"]
    text = " ".join(words)
    start = np.cumsum([0, *(len(word) + 1 for word in words[:-1])])
    end = start + [len(word) for word in words]
    tokens = Writer(tokenizer).tokens([text])[0]
    for a, b, first in zip(start, end, tokens.first_in(start, end), strict=True):
        assert tokens.start[first] < b
        assert tokens.end[first] > a
        assert first == 0 or tokens.end[first - 1] <= a


def test_a_word_that_no_token_covers_gets_the_one_before():
    tokens = Writer(Tokenizer.train(["a b"], "words")).tokens(["a   b"])[0]
    assert tokens.first_in(np.array([0, 2, 4]), np.array([1, 3, 5])).tolist() == [0, 0, 1]


def test_segments_between_their_marks():
    tokenizer = Tokenizer.train(TEXTS, "words")
    writer = Writer(tokenizer)
    written = writer.join(writer.tokens(["The ending", "a joy"]))
    a, b, c, d = (tokenizer.encode(word)[0] for word in ("The", "ending", "a", "joy"))
    assert written.ids.tolist() == [tokenizer.start_id, a, b, tokenizer.delimiter_id, c, d, tokenizer.extract_id]
    assert written.segment.tolist() == [SPECIAL, 0, 0, SPECIAL, 1, 1, SPECIAL]
    assert written.places(1).tolist() == [4, 5]


def test_characters_are_written_too():
    writer = Writer(Tokenizer.train(["good film"], "words"), characters=50)
    written = writer.join(writer.tokens(["good unheard", "film"]))
    assert written.ids.ndim == 2
    assert len(written) == 6
    assert written.ids[0, 1] == BEGIN_SENTENCE
    assert written.ids[-1, 1] == END_SENTENCE
    assert bytes((written.ids[2, 1:8] - 1).astype("uint8")) == b"unheard"


def test_the_longest_segment_is_shortened():
    writer = Writer(Tokenizer.train(["w"], "words"), max_tokens=12)
    parts = writer.fitted(writer.tokens(["w " * 3, "w " * 50]))
    assert [len(part) for part in parts] == [3, 6]
    assert parts[1].start.tolist() == [0, 2, 4, 94, 96, 98]
    assert len(writer.join(parts)) == 12
    with pytest.raises(LangnetError, match="longer than the 12"):
        writer.join(writer.tokens(["w " * 30]))


@pytest.mark.parametrize(
    ("lengths", "kept"),
    [((100, 101), (4, 4)), ((100, 2), (7, 2)), ((9, 5), (4, 4)), ((3, 40), (3, 6)), ((4, 5), (4, 5))],
)
def test_as_much_as_fits_is_kept(lengths, kept):
    writer = Writer(Tokenizer.train(["w"], "words"), max_tokens=12)
    parts = writer.fitted(writer.tokens(["w " * length for length in lengths]))
    assert [len(part) for part in parts] == list(kept)


def test_no_room_at_all_leaves_the_marks():
    writer = Writer(Tokenizer.train(["w"], "words"), max_tokens=3)
    assert [len(one) for one in writer.write([["w w", "w"], ["", ""]])] == [3, 3]


def turned(tokenizer):
    return Writer(tokenizer), Writer(tokenizer.turned("backward"))


def test_segments_of_a_model_that_reads_backward_stand_from_their_ends(tokenizer):
    forward, backward = turned(tokenizer)
    for one, other in zip(forward.write([TEXTS[:2], TEXTS[2:4]]), backward.write([TEXTS[:2], TEXTS[2:4]]), strict=True):
        assert one.segment[one.segment == SPECIAL].tolist() == other.segment[other.segment == SPECIAL].tolist()
        for segment in (0, 1):
            expected, found = one.places(segment), other.places(segment)
            assert one.ids[expected].tolist() == other.ids[found][::-1].tolist()
            assert one.start[expected].tolist() == other.start[found][::-1].tolist()
    (alone,) = backward.write([TEXTS[:1]])
    assert alone.ids[1:-1].tolist() == backward.tokenizer.encode(TEXTS[0])


@pytest.mark.parametrize("state", ["last", "first", "mean"])
def test_words_of_a_model_that_reads_backward_are_at_the_tokens_that_it_reads_last(tokenizer, state):
    sentences = [["The", "ending", "wasn't", "电影"], ["joy"], []]
    other = {"last": "first", "first": "last", "mean": "mean"}[state]
    forward, backward = turned(tokenizer)
    for one, back in zip(
        word_examples(sentences, forward, other), word_examples(sentences, backward, state), strict=True
    ):
        assert one.ids[one.places].tolist() == back.ids[back.places].tolist()
        assert (one.places + back.places).tolist() == [len(one.ids) - 1] * len(one.places)
