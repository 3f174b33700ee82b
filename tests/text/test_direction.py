"""Texts for models that read backward: ids turned round in one place, start and extract where they always stand."""

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.tasks.examples import encode_documents as cut_documents
from langnet.text import prepare
from langnet.text.prepare import PrepareOptions, encode_documents, prepare_corpus
from langnet.text.tokenizer import Tokenizer

TEXTS = ["The film was a joy.", "A dull story, badly told", "", "é 猫 the end"]


@pytest.fixture(scope="module", params=["bpe", "unigram", "words", "characters", "bytes"])
def tokenizer(request):
    return Tokenizer.train(TEXTS * 5, request.param)


def test_ids_come_out_last_first(tokenizer):
    backward = tokenizer.turned("backward")
    assert (tokenizer.direction, backward.direction) == ("forward", "backward")
    for text in TEXTS:
        assert backward.encode(text) == tokenizer.encode(text)[::-1]
        assert backward.decode(backward.encode(text)) == tokenizer.decode(tokenizer.encode(text))
    assert backward.encode_batch(TEXTS) == [backward.encode(text) for text in TEXTS]
    (ids, words), (_, forward) = backward.encode_words(TEXTS[:1])[0], tokenizer.encode_words(TEXTS[:1])[0]
    assert (ids, words) == (backward.encode(TEXTS[0]), forward[::-1])


def test_the_file_keeps_the_direction(tokenizer):
    again = Tokenizer.from_json(tokenizer.turned("backward").to_json())
    assert again.direction == "backward"
    assert again.encode(TEXTS[0]) == tokenizer.encode(TEXTS[0])[::-1]
    assert "direction" not in tokenizer.to_json()
    with pytest.raises(LangnetError, match="no direction 'sideways'; a text is read forward or backward"):
        tokenizer.turned("sideways")


def test_start_and_extract_stay_in_place(tokenizer):
    backward = tokenizer.turned("backward")
    for documents in (encode_documents(TEXTS, backward), cut_documents(TEXTS, backward, 100)):
        for text, ids in zip(TEXTS, documents, strict=True):
            assert ids.tolist() == [backward.start_id, *tokenizer.encode(text)[::-1], backward.extract_id]


def test_large_texts_are_turned_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "PIECE_CHARACTERS", 10)
    text = "one two three four five six seven eight"
    backward = Tokenizer.train([text], "words").turned("backward")
    expected = [backward.start_id, *backward.encode(text), backward.extract_id]
    assert encode_documents([text], backward)[0].tolist() == expected
    options = PrepareOptions("words", validation_fraction=0.0, direction="backward")
    corpus = prepare_corpus([text], tmp_path, options, texts=True)
    assert corpus.tokenizer.direction == "backward"
    assert corpus.tokenizer.decode(corpus.train.document(0)) == text
    assert corpus.train.document(0)[1:-1].tolist() == corpus.tokenizer.turned("forward").encode(text)[::-1]


def test_of_a_long_text_both_ends_are_kept():
    words = [f"w{i}" for i in range(20)]
    backward = Tokenizer.of_words(words).turned("backward")
    (ids,) = cut_documents([" ".join(words)], backward, 8)
    assert backward.decode(ids) == "w0 w1 w2 w17 w18 w19"


class TestLearnedAnew:
    def test_text_is_cut_and_spelled_as_before(self, tokenizer):
        if tokenizer.kind == "bytes":
            with pytest.raises(LangnetError, match="all bytes"):
                tokenizer.retrained(TEXTS)
            return
        new = tokenizer.turned("backward").retrained(["The cat was a joy of a cat."] * 9)
        assert (new.kind, new.direction) == (tokenizer.kind, "backward")
        assert [new.pad_id, new.unknown_id, new.start_id, new.delimiter_id, new.extract_id] == list(range(5))
        assert new.decode(new.encode("The cat was")) == "The cat was"
        if tokenizer.kind in ("bpe", "unigram"):
            assert new.decode(new.encode("猫 ünknown")) == "猫 ünknown"
        if tokenizer.kind in ("bpe", "words"):
            assert len(new.encode("cat")) < len(tokenizer.encode("cat")) or new.unknown_id not in new.encode("cat")
        again = Tokenizer.from_json(new.to_json())
        assert again.encode("The cat was") == new.encode("The cat was")

    def test_the_same_texts_give_the_same(self, tokenizer):
        if tokenizer.kind != "bytes":
            assert tokenizer.retrained(TEXTS).to_json() == tokenizer.retrained(TEXTS).to_json()

    def test_its_size(self):
        new = Tokenizer.train(TEXTS, "bpe").retrained(["abc abd abe " * 9], vocabulary_size=264)
        assert new.vocabulary_size == 264
        assert np.unique(list(new.entries().values())).tolist() == list(range(264))
