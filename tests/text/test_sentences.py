"""Sentences: ends in many scripts, no token lost, neighbours, noise, and batches by seed and step alone."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.text.sentences import SentenceBatches, Sentences, denoising, neighbours, noisy, sentence_ends
from langnet.text.shards import ShardWriter, TokenShards
from langnet.text.tokenizer import Tokenizer


def split(text):
    ends = [0, *sentence_ends(text.encode())]
    ends += [len(text.encode())] * (ends[-1] < len(text.encode()))
    return [text.encode()[a:b].decode().strip() for a, b in pairwise(ends)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One here. Two there! Three?", ["One here.", "Two there!", "Three?"]),
        ("He said “no.” She left (at 3.5 km).", ["He said “no.”", "She left (at 3.5 km)."]),
        ("Wait... what?! Yes…", ["Wait...", "what?!", "Yes…"]),
        ("A title\nA line\n\nThe end", ["A title", "A line", "The end"]),
        ("今天下雨。你去吗？「不去。」好！", ["今天下雨。", "你去吗？", "「不去。」", "好！"]),
        ("هل جاء؟ نعم. یہ گھر ہے۔ وہ گیا۔", ["هل جاء؟", "نعم.", "یہ گھر ہے۔", "وہ گیا۔"]),
        ("वह आया। वह गया॥ ठीक", ["वह आया।", "वह गया॥", "ठीक"]),
        ("Նա եկավ։ Լավ։", ["Նա եկավ։", "Լավ։"]),
        ("ሰላም። ደህና፧", ["ሰላም።", "ደህና፧"]),
        ("no end at all", ["no end at all"]),
    ],
)
def test_ends_in_many_scripts(text, expected):
    assert split(text) == expected


TEXTS = [
    "One here. Two are there! Is it three? " + "word " * 40,
    "Just one sentence",
    "今天下雨了。你去不去吗？",
    "A first one. A second one.",
]


def shards_of(folder, tokenizer, texts=TEXTS):
    with ShardWriter(folder, tokenizer.vocabulary_size) as writer:
        for text in texts:
            writer.add_document([tokenizer.start_id, *tokenizer.encode(text), tokenizer.extract_id], len(text.encode()))
    return TokenShards.open(folder)


@pytest.fixture(params=["bpe", "unigram", "bytes", "characters", "words"])
def sentences(request, tmp_path):
    size = 280 if request.param == "bpe" else None  # a larger one makes one token of a sentence here
    tokenizer = Tokenizer.train(TEXTS, request.param, size)
    return Sentences(shards_of(tmp_path, tokenizer), tokenizer, longest=30)


@pytest.mark.parametrize("kind", ["bpe", "words"])
def test_sentences_of_a_backward_corpus_are_those_of_the_text(kind, tmp_path):
    found = []
    for direction in ("forward", "backward"):
        tokenizer = Tokenizer.train(TEXTS, kind, 280 if kind == "bpe" else None).turned(direction)
        sentences = Sentences(shards_of(tmp_path / direction, tokenizer, TEXTS[1:]), tokenizer, longest=30)
        found.append([tokenizer.decode(sentences.read(i)) for i in range(len(sentences))])
    forward, backward = found
    assert sorted(backward) == sorted(forward)
    assert backward != forward
    assert backward[-1] == forward[-2]  # the last document's, read from its end


def test_every_token_is_in_one_sentence(sentences):
    read = np.concatenate([sentences.read(i) for i in range(len(sentences))])
    tokenizer, shards = sentences.tokenizer, sentences.shards
    whole = np.concatenate([shards.document(i)[1:-1] for i in range(shards.n_documents)])
    assert np.array_equal(read, whole)
    assert max(len(sentences.read(i)) for i in range(len(sentences))) <= 30
    texts = [tokenizer.decode(sentences.read(i)).replace(" ", "") for i in range(len(sentences))]
    assert {"今天下雨了。", "你去不去吗？"} <= set(texts)
    if tokenizer.kind != "bytes":
        assert {"Onehere.", "Twoarethere!", "Isitthree?", "Afirstone."} <= set(texts)


def test_neighbours_are_of_one_document(sentences):
    texts = [sentences.tokenizer.decode(sentences.read(i)).replace(" ", "") for i in range(len(sentences))]
    first, last = texts.index("今天下雨了。"), texts.index("你去不去吗？")
    assert sentences.neighbour(first, -1) is None
    assert np.array_equal(sentences.neighbour(first, 1), sentences.read(last))
    assert np.array_equal(sentences.neighbour(last, -1), sentences.read(first))
    assert sentences.neighbour(last, 1) is None
    assert sentences.neighbour(0, -1) is None
    assert sentences.neighbour(len(sentences) - 1, 1) is None


def test_words_past_the_vocabulary_are_words(tmp_path):
    tokenizer = Tokenizer.train(["a b c . d"], "words")
    with ShardWriter(tmp_path, 10_000) as writer:
        dot = tokenizer.encode(".")[0]
        writer.add_document([2, 5000, 6, 7, dot, 5001, 6, 7, 4], 12)
    sentences = Sentences(TokenShards.open(tmp_path), tokenizer, 30)
    assert [list(sentences.read(i)) for i in range(2)] == [[5000, 6, 7, dot], [5001, 6, 7]]


def test_noise():
    ids = np.arange(100, 200)
    assert np.array_equal(noisy(ids, 0.0, 0.0, np.random.default_rng(0)), ids)
    assert np.array_equal(noisy(ids[:5], 0.0, 0.999, np.random.default_rng(0)), [101, 100, 103, 102, 104])
    kept = [noisy(ids, 0.1, 0.0, np.random.default_rng(seed)) for seed in range(100)]
    assert np.mean([len(part) for part in kept]) == pytest.approx(90, abs=1)
    assert all((np.diff(part) > 0).all() for part in kept)
    swapped = [noisy(ids, 0.0, 0.1, np.random.default_rng(seed)) for seed in range(100)]
    assert np.mean([(part != ids).sum() for part in swapped]) == pytest.approx(10, abs=1)
    assert all(set(part) == set(ids) for part in swapped)
    assert len(noisy(ids[:1], 0.99, 0.5, np.random.default_rng(1))) == 1


@pytest.mark.parametrize("layout", [denoising(0.2, 0.2), neighbours], ids=["denoising", "neighbours"])
def test_seed_and_step_decide(tmp_path, layout):
    tokenizer = Tokenizer.train(TEXTS, "bpe")
    sentences = Sentences(shards_of(tmp_path, tokenizer), tokenizer, 30)
    first, second = (SentenceBatches(sentences, layout, 3, seed=5) for _ in range(2))
    second.batch(9)
    for step in (4, 0, 3, 1):
        a, b = first.batch(step), second.batch(step)
        assert all(torch.equal(getattr(a, k), getattr(b, k)) for k in ("ids", "mask", "targets"))
        assert (a.ids[:, 0] == tokenizer.start_id).all()
        assert (a.ids.gather(1, a.mask.sum(1, keepdim=True) - 1) == tokenizer.extract_id).all()
    n = sum(len(batch.ids) for batch in first.in_order(10**9))
    assert n == len(sentences)


def test_what_is_to_be_written(tmp_path):
    tokenizer = Tokenizer.train(TEXTS, "bpe")
    sentences = Sentences(shards_of(tmp_path, tokenizer), tokenizer, 30)
    batch = neighbours(sentences, np.array([0, 1]), np.random.default_rng(0))
    assert (batch.previous[0] == -100).all()
    assert batch.previous[1][batch.previous[1] != -100].tolist() == [*sentences.read(0), tokenizer.extract_id]
    assert batch.targets[0][batch.targets[0] != -100].tolist() == [*sentences.read(1), tokenizer.extract_id]
    noisy_batch = denoising(0.5, 0.0)(sentences, np.array([0]), np.random.default_rng(0))
    assert noisy_batch.targets[0].tolist() == [*sentences.read(0), tokenizer.extract_id]
    assert noisy_batch.mask.sum() < len(sentences.read(0)) + 2


def test_a_corpus_without_neighbours_is_told(tmp_path):
    tokenizer = Tokenizer.train(TEXTS, "bpe")
    sentences = Sentences(shards_of(tmp_path, tokenizer, ["One alone.", "Another one."]), tokenizer, 30)
    with pytest.raises(LangnetError, match="no document has two sentences"):
        sentences.require_neighbours()
