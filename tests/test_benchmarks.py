"""The benchmarks run, at sizes that measure nothing, and count right."""

import gzip
import json
import sys

import numpy as np
import pytest

from benchmarks import (
    awd_lstm_speed,
    continuous_cache,
    decoder_speed,
    glove_settings,
    glove_speed,
    parse_speed,
    task_transfer,
    training_speed,
    word_alignment,
    word_vectors,
)
from benchmarks.aligned_words import translations
from benchmarks.lstm_variants import LSTMShape
from benchmarks.transfer_sets import TaskSet
from benchmarks.variants import Shape
from langnet.evaluate.cache import CacheOptions
from langnet.text.pairs import Pair
from tests.conftest import sentences
from tests.recipes.kind_items import TRAIN

TINY = ["--layers", "1", "--dim", "16", "--heads", "2", "--vocabulary", "50", "--context", "8", "--batch", "2"]
TINY += ["--steps", "1", "--warmup", "1", "--matrix", "32", "--rounds", "2"]


def test_operations_are_counted_by_hand():
    # One layer, 2 wide: 4 x 2 x 2 attention and 2 x 2 x 8 feed-forward weights, 3 x 2 of the softmax: 54.
    # Attention: scores and mixture of 4 / 2 earlier tokens, 2 wide, 2 operations, 3 times: 48 a token.
    shape = Shape(layers=1, dim=2, heads=1, vocabulary=3, context=4, batch=5)
    assert shape.operations() == 20 * (6 * 54 + 48)


@pytest.mark.slow
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


TINY_LSTM = ["--layers", "2", "--dim", "6", "--hidden", "10", "--vocabulary", "50", "--context", "8", "--batch", "2"]
TINY_LSTM += ["--steps", "1", "--warmup", "1", "--matrix", "32", "--rounds", "2", "--busy", "1"]


def test_operations_of_an_lstm_are_counted_by_hand():
    # Layers of 3 over 2 and 2 over 3: 4 x 3 x (2 + 3) + 4 x 2 x (3 + 2) = 100 weights; 5 x 2 of the softmax: 110.
    shape = LSTMShape(layers=2, dim=2, hidden=3, vocabulary=5, context=4, batch=5)
    assert shape.operations() == 20 * 6 * 110


@pytest.mark.slow
def test_awd_lstm_beside_a_plain_lstm(tmp_path):
    page = tmp_path / "lstm.md"
    awd_lstm_speed.main([*TINY_LSTM, "--output", str(page), "--only", "plain-tuned", "langnet", "peak"])
    text = page.read_text(encoding="utf8")
    assert "| langnet awd-lstm | " in text
    assert "2 layers, 6 wide and 10 within, vocabulary 50, 2 rows of 8 tokens" in text
    held = json.loads(page.with_suffix(".json").read_text(encoding="utf8"))
    assert set(held["rows"]) == {"plain-tuned", "langnet"}
    assert held["rows"]["langnet"]["share_of_peak"]["median"] > 0


def test_a_cache_is_chosen_on_validation_text(tmp_path, tiny_model):
    tiny_model.save(tmp_path / "lm")
    for name, seed in (("valid", 1), ("test", 2)):
        (tmp_path / f"{name}.txt").write_text(" ".join(sentences(20, seed).texts))
    files = ["--validation", str(tmp_path / "valid.txt"), "--test", str(tmp_path / "test.txt")]
    lambdas = ["--lambdas", "0.001", "0.9", "--thetas", "0", "--windows", "5", "50"]
    continuous_cache.main([str(tmp_path / "lm"), *files, *lambdas, "--output", str(tmp_path / "cache.md")])
    page = (tmp_path / "cache.md").read_text()
    assert "Of 4 settings" in page
    assert "lambda 0.001" in page  # nine parts of words alone would be worse
    text = (tmp_path / "valid.txt").read_text()
    nats = continuous_cache.grid(tiny_model, text, [50], [0.0], [0.2])
    (score,) = tiny_model.score_texts([text], CacheOptions(50, 0.0, 0.2))
    assert nats[50, 0.0, 0.2] == pytest.approx(-score.with_cache, rel=1e-5)


@pytest.mark.slow
def test_awd_lstm_beside_fastai(tmp_path):
    pytest.importorskip("fastai.text.models.core")
    awd_lstm_speed.main([*TINY_LSTM, "--output", str(tmp_path / "lstm.md")])
    held = json.loads((tmp_path / "lstm.json").read_text(encoding="utf8"))
    assert set(held["rows"]["langnet"]) >= {"times_fastai", "times_fastai-tuned"}


def write_reviews(folder):
    """Raw reviews as IMDB's lie."""
    (folder / "aclImdb" / "train" / "unsup").mkdir(parents=True)
    for number, text in enumerate(sentences(60, seed=1).texts):
        (folder / "aclImdb" / "train" / "unsup" / f"{number}_0.txt").write_text(text)


def test_word_vectors_beside_each_other(tmp_path):
    pytest.importorskip("numba")
    write_reviews(tmp_path)
    write_sets(tmp_path)
    arguments = ["--data", str(tmp_path / "aclImdb"), "--sets", str(tmp_path), "--dim", "8"]
    arguments += ["--kinds", "word2vec-cbow", "glove", "--epochs", "glove=1", "word2vec-cbow=1"]
    word_vectors.main([*arguments, "--output", str(tmp_path / "out")])
    page = (tmp_path / "out.md").read_text(encoding="utf8")
    assert "| glove | 15 | 1 |" in page
    assert "| random vectors |" in page
    assert "none known" in page  # the only question on grammar has an unknown word
    assert "Out of the vocabulary: 1 of the 2 questions, 0 of 3 pairs of WordSim353" in page


def write_sets(folder):
    """Of the four questions, the second and the fourth are reported."""
    first, second = "film story hero music", "film story hero nobody"
    (folder / "questions-words.txt").write_text(f": a\n{second}\n{first}\n: gram1\n{first}\n{second}\n")
    for name in ("wordsim353.tsv", "simlex999.txt"):
        (folder / name).write_text("film\tstory\t7\nfilm\tending\t2\nhero\tmusic\t5\n")


def test_settings_of_glove_on_the_other_half(tmp_path):
    pytest.importorskip("numba")
    write_sets(tmp_path)
    (tmp_path / "raw.txt").write_text("\n\n".join(sentences(60, seed=1).texts))
    arguments = ["--data", str(tmp_path / "raw.txt"), "--sets", str(tmp_path), "--dim", "8", "--share", "0.5"]
    arguments += ["--settings", "cap=10,epochs=1", "window=3,epochs=2"]
    glove_settings.main([*arguments, "--output", str(tmp_path / "out")])
    held = json.loads((tmp_path / "out.json").read_text())
    assert [(row["window"], row["cap"], row["epochs"]) for row in held["rows"]] == [(10, 10, 1), (3, 100, 2)]
    assert [section["n"] for section in held["rows"][0]["sections"]] == [0, 1, 1]


# What stands in for Stanford's programs: they read and write what those do, and train nothing.
COOCCUR = "import sys; sys.stdin.read(); sys.stdout.buffer.write(bytes(16 * 7))"
SHUFFLE = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
GLOVE = """import sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
print("alpha: 0.75", file=sys.stderr)
for number in range(int(given["-iter"])):
    print(f"07/01/26 - 10:00.00AM, iter: {number + 1:03d}, cost: {0.5 / (number + 1)}", file=sys.stderr)
with open("vectors.txt", "w") as out:
    for line in [*open(given["-vocab-file"]), "<unk> 1"]:
        print(line.split()[0], *[len(line) % 7 + k for k in range(int(given["-vector-size"]))], file=out)
"""


def test_glove_beside_another_program(tmp_path):
    pytest.importorskip("numba")
    (tmp_path / "build").mkdir()
    for name, body in {"cooccur": COOCCUR, "shuffle": SHUFFLE, "glove": GLOVE}.items():
        (tmp_path / "build" / name).write_text(f"#!{sys.executable}\n{body}\n")
        (tmp_path / "build" / name).chmod(0o755)
    write_reviews(tmp_path)
    write_sets(tmp_path)
    arguments = ["--data", str(tmp_path / "aclImdb"), "--sets", str(tmp_path), "--stanford", str(tmp_path / "build")]
    page = tmp_path / "out.md"
    glove_speed.main([*arguments, "--rounds", "1", "--passes", "2", "--dim", "8", "--output", str(page)])
    text = page.read_text(encoding="utf8")
    assert "Pairs: 7 by the C program, " in text
    assert "| Stanford's C program | 0.25000 |" in text
    held = json.loads(page.with_suffix(".json").read_text(encoding="utf8"))
    assert [turn["passes"] for turn in held["turns"]] == [1, 2]


def test_ratios_above_one_say_that_langnet_is_faster():
    turn = {"passes": 2, "pairs": 3e6}
    turn |= {f"{name}_{kind}": s for name, s in {"c_count": 8.0, "count": 2.0, "c_train": 6.0, "train": 3.0}.items()
             for kind in ("clock", "processor")}  # fmt: skip
    found = glove_speed.summarise([turn, turn])
    assert found["counting, s, clock"] == {"c": [8.0] * 3, "langnet": [2.0] * 3, "ratio": [4.0] * 3}
    assert found["training, M pairs/s, processor"] == {"c": [1.0] * 3, "langnet": [2.0] * 3, "ratio": [2.0] * 3}


ENGLISH = ["the", "dog", "cat", "man", "woman", "boy", "finds", "eats", "holds", "likes", "red", "blue", "old", "young"]
ENGLISH += ["ball", "book", "hat", "house"]


def test_a_dictionary_out_of_sentences():
    """Words of one language are those of the other spelled backwards, in another order; `of` has no counterpart."""
    generator = np.random.default_rng(0)
    source = [list(generator.choice(ENGLISH, 5)) for _ in range(300)]
    target = [[word[::-1] for word in generator.permutation(sentence)] for sentence in source]
    source = [[*sentence, "of"] for sentence in source]
    assert translations(source, target) == sorted((word, word[::-1]) for word in ENGLISH)
    rare = [["seldom", "of"]] * 9
    assert len(translations(source + rare, target + [["modles"]] * 9)) == len(ENGLISH)
    assert len(translations(source + rare * 2, target + [["modles"]] * 18)) == len(ENGLISH) + 1


def test_languages_from_captions_that_are_no_translations(tmp_path, monkeypatch):
    pytest.importorskip("numba")
    generator = np.random.default_rng(1)
    captions = [" ".join(generator.choice(ENGLISH, 6)) for _ in range(400)]
    for language, turn in (("en", str), ("de", lambda text: text[::-1])):
        lines = [turn(text) for text in captions]
        for part, held in (("train", lines[:380]), ("val", lines[380:])):
            with gzip.open(tmp_path / f"{part}.{language}.gz", "wt", encoding="utf8") as file:
                file.write("\n".join(held) + "\n")
    monkeypatch.setattr(word_alignment, "GIVEN", (3, 8))  # as many as reweighting asks for
    arguments = ["--data", str(tmp_path), "--languages", "de", "--dim", "3", "--epochs", "2"]
    word_alignment.main([*arguments, "--output", str(tmp_path / "out")])
    page = (tmp_path / "out.md").read_text(encoding="utf8")
    assert "18 and 18 words with vectors, 10 asked, 0 of them spelled alike." in page
    assert "| baseline: the same spelling | 0.000 [0.000, 0.000], n 10 |" in page
    assert "| self-learning from nothing, seed 0 (mean cosine " in page
    sample = json.loads((tmp_path / "out.json").read_text(encoding="utf8"))["languages"]["de"]["sample"]
    assert all(first == second[::-1] for first, second in sample)


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


def test_parsing_beside_its_encoder(tmp_path, capsys, tiny_model):
    tiny_model.save(tmp_path / "lm")
    parse_speed.main([str(tmp_path / "lm"), "--words", "3", "5", "--batch", "2", "--labels", "4", "--least", "0"])
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("| 3", "| 5"))]
    assert [row.count("|") for row in rows] == [8, 8]


def test_decoders_beside_their_encoder(tmp_path, monkeypatch, tiny_model, tiny_labelled):
    items = TRAIN["label_roles"](tiny_labelled)[:12]
    made = TaskSet("small", "label_roles", "english", 8, 4, lambda data: (items, items))
    monkeypatch.setattr(decoder_speed, "STRUCTURES", [made])
    monkeypatch.setattr(decoder_speed, "DECODERS", [decoder_speed.Decoder("roles", "small", {"hidden": "32"})])
    tiny_model.save(tmp_path / "lm")
    command = [str(tmp_path / "lm"), "--epochs", "1", "--rounds", "1", "--output", str(tmp_path / "page.md")]
    decoder_speed.main(command)
    (found,) = json.loads((tmp_path / "page.json").read_text())["decoders"]
    assert (found["decoder"], found["n_items"], found["unit"]) == ("roles", 4, "sentences")
    assert 0 < found["encoder_seconds"] < found["seconds"]
    assert "| roles | 4 sentences |" in (tmp_path / "page.md").read_text()
