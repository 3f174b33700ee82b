"""The benchmarks run, at sizes that measure nothing, and count right."""

import json

import pytest

from benchmarks import task_transfer, training_speed, word_vectors
from benchmarks.variants import Shape
from langnet.text.pairs import Pair
from tests.conftest import sentences

TINY = ["--layers", "1", "--dim", "16", "--heads", "2", "--vocabulary", "50", "--context", "8", "--batch", "2"]
TINY += ["--steps", "1", "--warmup", "1", "--matrix", "32", "--rounds", "2"]


def test_operations_are_counted_by_hand():
    # One layer, 2 wide: 4 x 2 x 2 attention and 2 x 2 x 8 feed-forward weights, 3 x 2 of the softmax: 54.
    # Attention: scores and mixture of 4 / 2 earlier tokens, 2 wide, 2 operations, 3 times: 48 a token.
    shape = Shape(layers=1, dim=2, heads=1, vocabulary=3, context=4, batch=5)
    assert shape.operations() == 20 * (6 * 54 + 48)


def test_langnet_beside_the_peak(tmp_path):
    page = tmp_path / "speed.md"
    training_speed.main([*TINY, "--output", str(page), "--only", "gpt-adamw", "peak", "--busy", "1"])
    text = page.read_text(encoding="utf8")
    assert "| langnet gpt, AdamW | " in text
    assert "One thread, processor time" in text
    assert "python -m benchmarks.training_speed --layers 1" in text
    held = json.loads(page.with_suffix(".json").read_text(encoding="utf8"))
    assert len(held["turns"]) == 2
    speed = held["rows"]["gpt-adamw"]["tokens_per_second"]
    assert 0 < speed["least"] <= speed["median"] <= speed["most"]


def test_ratios_are_taken_within_a_turn():
    turns = [{"gpt2-default": {"seconds": 4.0}, "gpt-adamw": {"seconds": s}} for s in (1.0, 2.0, 4.0)]
    row = training_speed.summarise(turns, Shape())["rows"]["gpt-adamw"]
    assert row["times_gpt2-default"] == {"median": 2.0, "least": 1.0, "most": 4.0}


def test_word_vectors_beside_each_other(tmp_path):
    pytest.importorskip("numba")
    for number, text in enumerate(sentences(60, seed=1).texts):
        (tmp_path / "aclImdb" / "train" / "unsup").mkdir(parents=True, exist_ok=True)
        (tmp_path / "aclImdb" / "train" / "unsup" / f"{number}_0.txt").write_text(text)
    (tmp_path / "questions-words.txt").write_text(": a\nfilm story hero music\n: gram1\nfilm story hero nobody\n")
    for name in ("wordsim353.tsv", "simlex999.txt"):
        (tmp_path / name).write_text("film\tstory\t7\nfilm\tending\t2\nhero\tmusic\t5\n")
    arguments = ["--data", str(tmp_path / "aclImdb"), "--sets", str(tmp_path), "--dim", "8", "--turns", "1"]
    arguments += ["--kinds", "word2vec-cbow", "glove", "--epochs", "glove=1", "word2vec-cbow=1", "--threads", "1"]
    word_vectors.main([*arguments, "--output", str(tmp_path / "out")])
    page = (tmp_path / "out.md").read_text(encoding="utf8")
    assert "| glove | 10 | 1 |" in page
    assert "none known" in page  # the only question on grammar has an unknown word
    assert "langnet, 1 thread |" in page


@pytest.mark.slow
def test_everything(tmp_path):
    pytest.importorskip("transformers")
    training_speed.main([*TINY, "--output", str(tmp_path / "speed.md")])
    assert "times GPT-2" in (tmp_path / "speed.md").read_text(encoding="utf8")


def test_items_that_share_their_first_text_are_kept_apart():
    pairs = [Pair(f"first {i // 3}", f"second {i}", "x") for i in range(30)]
    train, test = task_transfer.draw(pairs, 12, [], 12, seed=0)
    assert len(train) == len(test) == 12
    assert not {pair.first for pair in train} & {pair.first for pair in test}
    assert task_transfer.draw(pairs, 12, [], 12, seed=0)[0] == train
    assert [len(part) for part in task_transfer.draw(pairs[:10], 5, pairs[10:], 8, seed=1)] == [5, 8]
