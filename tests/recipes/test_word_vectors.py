"""Word vectors from raw text to a classifier, and every sub-command of `langnet vectors`, good and bad."""

import json
import sys

import numpy as np
import pytest
import torch

import langnet.text
from langnet.cli import main
from langnet.encoders.vectors import Vectors, VectorsConfig
from langnet.errors import LangnetError
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.model import load
from langnet.recipes.word_vectors import WordVectorOptions, load_word_space, train_word_vectors
from langnet.text.tokenizer import SPECIAL_TOKENS, Tokenizer
from tests.conftest import BAD, GOOD, sentences

KINDS = ["word2vec-skipgram", "word2vec-cbow", "fasttext", "glove"]


def options(kind, **changed):
    return WordVectorOptions(kind, dim=12, min_count=2, buckets=100, **changed)


@pytest.fixture(scope="module")
def texts():
    return sentences(120, seed=8).texts


@pytest.fixture(scope="module")
def trained(texts, tmp_path_factory):
    """A folder with a model of every kind."""
    pytest.importorskip("numba")
    folder = tmp_path_factory.mktemp("vectors")
    for kind in KINDS:
        train_word_vectors(texts, options(kind), texts=True).save(folder / kind)
    (folder / "raw.txt").write_text("\n\n".join(texts))
    (folder / "questions.txt").write_text(": a\nfilm story acting script\nfilm story hero nobody\n")
    (folder / "pairs.tsv").write_text("film\tstory\t9\nfilm\tawful\t1\nhero\tmusic\t5\nfilm\tnobody\t2\n")
    words = load_word_space(folder / "glove").words
    (folder / "dictionary.txt").write_text("".join(f"{word}\t{word}\n" for word in words))
    (folder / "same.txt").write_text("film film\nstory story\nhero hero\nmusic music\nnobody nobody\n")
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_folder_and_another_not(kind, texts, trained):
    again = train_word_vectors(texts, options(kind), texts=True)
    stored = load(trained / kind)
    torch.testing.assert_close(again.encoder.state_dict(), stored.encoder.state_dict(), rtol=0, atol=0)
    other = train_word_vectors(texts, options(kind, seed=1), texts=True)
    assert not torch.equal(again.encoder.embeddings.weight, other.encoder.embeddings.weight)


def test_glove_is_the_same_by_any_number_of_threads(texts, trained):
    again = train_word_vectors(texts, options("glove", threads=3), texts=True)
    stored = load(trained / "glove").encoder.embeddings.weight
    assert torch.equal(again.encoder.embeddings.weight, stored)


def test_words_of_one_meaning_come_together():
    """GloVe's own learning test is in tests/training: it never sees that good and bad words do not meet."""
    model = train_word_vectors(sentences(800, seed=8).texts, options("word2vec-skipgram", epochs=20), texts=True)
    encoder, tokenizer = model.encoder, model.tokenizer
    center = encoder.embeddings.weight[len(SPECIAL_TOKENS) :].mean(0).detach()
    good, bad = (
        [encoder.embeddings.weight[tokenizer.encode(word)[0]].detach() - center for word in words if " " not in word]
        for words in (GOOD, BAD)
    )

    def mean(first, second):
        return np.mean([torch.cosine_similarity(a, b, 0) for a in first for b in second if a is not b])

    assert (mean(good, good) + mean(bad, bad)) / 2 > mean(good, bad) + 0.1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["frozen", "finetune"])
def test_every_transfer_method_takes_them(kind, method, trained, tiny_labelled):
    before = load(trained / kind)
    train = tiny_labelled.subset(80, 0)
    made = finetune(before, train.texts, train.labels, FinetuneOptions(method, least_steps=5, learning_rate=1e-2))
    texts = tiny_labelled.texts[-50:]
    made.save(trained / f"{kind}-{method}", overwrite=True)
    again = load(trained / f"{kind}-{method}")
    np.testing.assert_allclose(made.predict_proba(texts), again.predict_proba(texts), atol=1e-6)
    moved = not torch.equal(made.encoder.embeddings.weight, before.encoder.embeddings.weight)
    assert moved == (method == "finetune")


def test_the_encoder_keeps_the_contract():
    encoder = Vectors(VectorsConfig(30, 8))
    ids = torch.randint(0, 30, (2, 7))
    encoding = encoder(ids)
    assert len(encoding.layers) == encoder.n_layers + 1 == 1
    assert encoding.top.shape == (2, 7, 8)
    assert [p for group in encoder.layer_groups() for p in group] == list(encoder.parameters())
    for call in (lambda: encoder.logits(encoding.top), encoder.output_weight):
        with pytest.raises(LangnetError, match="not which comes next"):
            call()


def test_special_tokens_and_unknown_words_are_zero(trained):
    weight = load(trained / "glove").encoder.embeddings.weight
    assert not weight[: len(SPECIAL_TOKENS)].any()
    assert weight[len(SPECIAL_TOKENS) :].any(dim=1).all()


def test_words_by_their_counts(texts):
    tokenizer = Tokenizer.train_words(["B a b", "a c A\na"], min_count=2, lowercase=True)
    assert tokenizer.words() == ["a", "b"]
    assert tokenizer.encode("A b C") == [5, 6, tokenizer.unknown_id]
    assert Tokenizer.from_json(tokenizer.to_json()).encode("A b") == [5, 6]
    assert Tokenizer.train_words(["B a b", "a c A\na"], min_count=1).words()[0] == "a"
    same = Tokenizer.of_words(["a", "b"], lowercase=True)
    assert same.encode("A b C") == [5, 6, same.unknown_id]


@pytest.fixture
def run(trained, monkeypatch, capsys):
    def run(*arguments, fails=False):
        monkeypatch.chdir(trained)
        monkeypatch.setattr(sys, "argv", ["langnet", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        assert stopped.value.code == (2 if fails else 0), said.err
        return said.err if fails else said.out

    return run


def test_train_and_ask(run, trained):
    out = run("vectors", "train", "raw.txt", "-o", "mine", "--documents", "paragraph", "--min-count", 2, "--dim", 12,
              "--kind", "fasttext", "--epochs", 1, "--buckets", 100)  # fmt: skip
    assert "words of 12 dimensions" in out
    assert load(trained / "mine").facts["vectors"]["options"]["epochs"] == 1
    found = json.loads(run("vectors", "nearest", "mine", "film", "filmz", "--count", 3, "--json"))
    assert [len(near) for near in found.values()] == [3, 3]
    assert "unseen; by its n-grams" in run("vectors", "nearest", "mine", "filmz")
    assert "film" not in [word for word, _ in found["film"]]
    assert "? " not in run("vectors", "analogy", "glove", "film", "story", "hero", "--count", 2)
    assert -1 <= float(run("vectors", "similarity", "glove", "film", "story")) <= 1


def test_judge(run, trained):
    out = run("vectors", "analogy", "glove", "--questions", "questions.txt", "--json", "a.json")
    assert "95 % interval" in out
    (score,) = json.loads((trained / "a.json").read_text())
    assert (score["n"], score["unknown"]) == (1, 1)
    out = run("vectors", "similarity", "glove", "--pairs", "pairs.tsv")
    assert "on 3 of 4 pairs (75.0% known; unknown: nobody)" in out


def test_files_in_and_out(run, trained):
    from gensim.models import KeyedVectors

    for flag, name in (("--binary", "v.bin"), (None, "v.txt")):
        run("vectors", "convert", "glove", name, *filter(None, [flag]))
        ours, theirs = (load_word_space(trained / n) for n in ("glove", name))
        np.testing.assert_array_equal(ours.vectors, theirs.vectors)
    assert "words of 12 dimensions" in run("models", "import", "v.bin", "-o", "imported")
    ours, theirs = (load_word_space(trained / name) for name in ("glove", "imported"))
    assert list(ours.words) == list(theirs.words)
    assert "Read from v.bin (word2vec binary)" in load(trained / "imported").card
    run("models", "export", "imported", "--format", "word2vec", "-o", "again.bin")
    assert (trained / "again.bin").read_bytes() == (trained / "v.bin").read_bytes()
    run("models", "export", "imported", "--format", "word2vec-text", "-o", "again.txt")
    for name in ("again.bin", "again.txt"):
        keyed = KeyedVectors.load_word2vec_format(trained / name, binary=name.endswith("bin"))
        assert list(keyed.index_to_key) == list(ours.words)
        np.testing.assert_array_equal(keyed.vectors, ours.vectors)
    assert "exists already" in run("models", "export", "imported", "--format", "word2vec", "-o", "v.bin", fails=True)
    assert len(load_word_space(trained / "v.txt", most=3)) == 3


def test_draw(run, trained):
    run("vectors", "map", "glove", "-o", "m.svg", "--top", 10, "--projection", "tsne")
    run("vectors", "map", "glove", "film", "story", "hero", "-o", "n.svg")
    picture = (trained / "n.svg").read_text()
    assert picture.count("<circle") == 3
    assert 'xmlns="http://www.w3.org/2000/svg"' in picture


@pytest.mark.parametrize(
    "way",
    [
        ["--dictionary", "dictionary.txt"],
        ["--dictionary", "dictionary.txt", "--reweight"],
        ["--dictionary", "dictionary.txt", "--self-learning"],
        ["--identical"],
        ["--identical", "--self-learning"],
        [],
    ],
)
def test_align(run, trained, way):
    out = run("vectors", "align", "glove", "glove", *way, "--test", "same.txt", "-o", "s.txt", "--target-output",
              "t.txt", "--json", "p.json", "--neighbours", 3)  # fmt: skip
    score = json.loads((trained / "p.json").read_text())
    assert (score["n"], score["unknown"]) == (4, 1)
    assert "precision@1 " in out
    if way:
        assert score["at"]["1"] == 1.0
        assert "4 of the test pairs are in the dictionary too" in out
        assert ("rounds of self-learning" in out) == ("--self-learning" in way)
    assert len(load_word_space(trained / "s.txt")) == len(load_word_space(trained / "t.txt"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "glove"], "they say which words stand near each other, not which comes next"),
        (["score", "glove", "raw.txt"], "not which comes next"),
        (["evaluate", "glove", "raw.txt"], "not which comes next"),
        (["adapt", "glove", "raw.txt", "-o", "x"], "word vectors cannot be adapted"),
        (["pretrain", "raw.txt", "-o", "x", "--encoder", "vectors"], "langnet vectors train"),
        (["vectors", "nearest", "glove", "nobody"], "glove has no word 'nobody'"),
        (["vectors", "nearest", "nowhere", "film"], "there is no model 'nowhere'"),
        (["vectors", "nearest", "raw.txt", "film"], "holds no word vectors"),
        (["vectors", "similarity", "glove", "film"], "two words or --pairs"),
        (["vectors", "analogy", "glove", "a", "b"], "three words, A B C, or --questions"),
        (["vectors", "map", "glove", "-o", "x.png"], "does not end in .svg"),
        (["vectors", "train", "raw.txt", "-o", "x", "--min-count", "999999"], "no word occurs 999999 times"),
        (["vectors", "train", "raw.txt", "-o", "x", "--dim", "0"], "dim must be above zero"),
        (["vectors", "align", "glove", "glove", "--dictionary", "pairs.tsv"], "a line is a word and its translation"),
        (["vectors", "align", "glove", "glove", "--dictionary", "same.txt", "--identical"], "either --dictionary or"),
    ],
)
def test_mistakes_are_one_line(run, trained, arguments, message):
    said = run(*arguments, fails=True)
    assert message in said
    assert len(said.strip().splitlines()) == 1
    assert not (trained / "x").exists()


def test_without_numba_one_line_says_what_to_install(texts, monkeypatch):
    monkeypatch.delattr(langnet.text, "cooccurrence_kernels", raising=False)
    monkeypatch.setitem(sys.modules, "langnet.text.cooccurrence_kernels", None)
    with pytest.raises(LangnetError, match=r"langnet\[vectors\]"):
        train_word_vectors(texts, options("glove"), texts=True)
