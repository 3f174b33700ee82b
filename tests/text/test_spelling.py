"""Words beyond the vocabulary keep their characters; windows predict every word from both sides."""

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.text.batches import Batch, LanguageModelBatches
from langnet.text.both_ways import windows_both_ways
from langnet.text.characters import NO_CHARACTER, spell
from langnet.text.prepare import PrepareOptions, prepare_corpus
from langnet.text.spelling import SpelledBatches, Spelling, spelled_texts
from langnet.text.tokenizer import Tokenizer

TEXTS = ["the cat saw the dog", "the rhinoceros saw the cat", "a gnu saw the rhinoceros", "the dog saw a gnu"] * 6


def words_of(characters):
    """The words behind rows of characters; marks as numbers."""
    found = []
    for row in characters.tolist():
        inside = [n for n in row if n not in (0, 259, 260, NO_CHARACTER)]
        found.append(bytes(n - 1 for n in inside).decode() if max(inside, default=0) < 257 else inside[0])
    return found


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    options = PrepareOptions("words", 9, 0.1, spell=True)  # room for four words
    return prepare_corpus(
        [f"{text} {i}" for i, text in enumerate(TEXTS)], tmp_path_factory.mktemp("corpus"), options, texts=True
    )


def test_unknown_words_are_spelled(corpus):
    assert len(corpus.tokenizer.words()) == 4
    assert "rhinoceros" not in corpus.tokenizer.words()
    document = corpus.train.document(0)
    assert document.max() >= corpus.tokenizer.vocabulary_size
    words = words_of(corpus.spelling.characters(document))
    assert [words[0], words[-1]] == [257, 258]
    assert " ".join(words[1:-1]) == f"{TEXTS[0]} 0"


def test_a_word_is_written_once(corpus):
    written = corpus.spelling.characters(np.arange(9, 9 + len(corpus.spelling._offsets) - 1))
    assert len(set(words_of(written))) == len(written)


def test_a_prepared_corpus_is_used_again(corpus, tmp_path):
    options = PrepareOptions("words", 9, 0.1, spell=True)
    first = prepare_corpus(TEXTS, tmp_path, options, texts=True)
    before = (tmp_path / "unknown_words.bin").stat().st_mtime_ns
    again = prepare_corpus(TEXTS, tmp_path, options, texts=True)
    assert (tmp_path / "unknown_words.bin").stat().st_mtime_ns == before
    ids = first.train.document(2)
    assert np.array_equal(first.spelling.characters(ids), again.spelling.characters(ids))
    (tmp_path / "unknown_words.bin").write_bytes(b"short")
    with pytest.raises(LangnetError, match="prepare the corpus again"):
        Spelling.open(tmp_path, first.tokenizer)


def test_only_words_are_spelled(tmp_path):
    with pytest.raises(LangnetError, match="its tokenizer is 'words', not 'bpe'"):
        prepare_corpus(TEXTS, tmp_path, PrepareOptions("bpe", spell=True), texts=True)


def test_texts_in_memory_are_spelled_as_those_on_disk(corpus):
    documents, spelling = Spelling.of_texts([f"{TEXTS[0]} 0"], corpus.tokenizer)
    on_disk = corpus.spelling.characters(corpus.train.document(0))
    assert np.array_equal(spelling.characters(documents[0]), on_disk)
    ids, characters = spelled_texts([f"{TEXTS[0]} 0"], corpus.tokenizer, 100, 50)
    assert np.array_equal(characters[0], on_disk)
    assert ids[0].max() < corpus.tokenizer.vocabulary_size


def test_long_texts_keep_both_ends():
    tokenizer = Tokenizer.of_words(["a"])
    (ids,), (characters,) = spelled_texts(["a b c d e f g"], tokenizer, 6, 50)
    assert words_of(characters) == [257, "a", "b", "f", "g", 258]
    assert ids.tolist() == [2, 5, 1, 1, 1, 4]


def test_words_are_in_nfc():
    tokenizer = Tokenizer.of_words([])
    ((_, words),) = tokenizer.encode_words(["cafe\u0301 \ud83d\ude00x"])
    assert words[0] == "café"
    assert words[-1] == "x"


def test_batches_are_spelled_with_both_neighbours(corpus):
    plain = LanguageModelBatches(corpus.train, 6, 3, seed=0)
    batch, ids = SpelledBatches(plain, corpus.spelling).batch(0), plain.batch(0)
    assert batch.ids.shape[:2] == ids.ids.shape
    known = torch.where(ids.ids < 9, ids.ids, 1)
    assert torch.equal(batch.previous[:, 1:], known[:, :-1])
    assert (batch.previous[:, 0] == -100).all()
    assert torch.equal(batch.targets[:, :-1], known[:, 1:])


def test_padding_is_no_word(corpus):
    ids = torch.tensor([[2, 5, 0], [2, 9, 4]])
    mask = torch.tensor([[True, True, False], [True] * 3])
    batch = corpus.spelling.spelled(Batch(ids, mask, targets=torch.full_like(ids, -100)))
    assert (batch.ids[0, 2] == 0).all()
    assert batch.previous.tolist() == [[-100, 2, -100], [-100, 2, 1]]


@pytest.mark.parametrize("length", [2, 3, 5, 50])
def test_every_word_is_predicted_once_from_each_side(length):
    documents = [np.arange(10 * n, 10 * n + size) for n, size in enumerate([1, 2, 5, 9, 3])]
    overlap = length // 3
    found = {document: ([], []) for document in range(5)}
    for batch in windows_both_ways(documents, length, 2, overlap):
        for row, document in enumerate(batch.document.tolist()):
            for place in range(batch.ids.shape[1]):
                here, after, before = (int(x[row, place]) for x in (batch.ids, batch.targets, batch.previous))
                if after != -100:
                    assert after == here + 1
                    found[document][0].append(after)
                if before != -100:
                    assert before == here - 1
                    found[document][1].append(before)
    for document, (after, before) in found.items():
        assert sorted(after) == documents[document][1:].tolist()
        assert sorted(before) == documents[document][:-1].tolist()


def test_windows_show_context_on_the_side_they_predict_from():
    (batch,) = windows_both_ways([np.arange(100, 116)], 8, 100, 2)
    assert batch.targets[1, :2].tolist() == [-100, -100]
    assert batch.previous[0, -2:].tolist() == [-100, -100]


def test_spell_knows_the_vocabulary_as_it_is_written(corpus):
    got = corpus.spelling.characters(np.array([5]))
    assert np.array_equal(got, spell([corpus.tokenizer.words()[0]]))
