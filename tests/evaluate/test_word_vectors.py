"""Scores of word vectors against a recount and against gensim; unknown words are counted."""

import numpy as np
import pytest
from scipy import stats

from langnet.encoders.word_space import Subwords, WordSpace
from langnet.errors import LangnetError
from langnet.evaluate.word_vectors import (
    read_analogies,
    read_similarities,
    score_analogies,
    score_similarities,
)

WORDS = [f"w{i}" for i in range(30)]


@pytest.fixture(scope="module")
def space():
    return WordSpace(WORDS, np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32))


def questions_file(path):
    generator = np.random.default_rng(1)
    lines = []
    for section in ("family", "gram1"):
        lines.append(f": {section}")
        lines += [" ".join(f"W{i}" for i in generator.choice(34, 4, replace=False)) for _ in range(60)]
    path.write_text("\n".join(lines))
    return path


def test_analogies_are_gensim_s(space, tmp_path):
    from gensim.models import KeyedVectors

    path = questions_file(tmp_path / "questions.txt")
    keyed = KeyedVectors(5)
    keyed.add_vectors(WORDS, space.vectors)
    _, expected = keyed.evaluate_word_analogies(path)
    scores = score_analogies(space, read_analogies(path))
    assert [score.name for score in scores] == ["family", "gram1", "total"]
    for score, section in zip(scores[:2], expected, strict=False):
        assert score.right == len(section["correct"])
        assert score.n == len(section["correct"]) + len(section["incorrect"])
        assert score.n + score.unknown == 60
    total = scores[-1]
    assert total.unknown > 0
    assert total.n == scores[0].n + scores[1].n
    assert total.interval.low <= total.accuracy <= total.interval.high
    assert total.of_all == pytest.approx(total.right / 120)


def test_a_smaller_vocabulary_knows_fewer_questions(space, tmp_path):
    asked = read_analogies(questions_file(tmp_path / "q"))
    every, some = (score_analogies(space, asked, most)[-1] for most in (0, 15))
    assert 0 < some.n < every.n


def test_one_analogy_leaves_the_given_words_out():
    rows = np.float32([[1, 0, 0.1], [0, 1, 0.1], [1, 0, 1], [0, 1, 1], [1, 1, 0]])
    royal = WordSpace(["man", "woman", "king", "queen", "film"], rows)
    (best, _), *rest = royal.analogy("man", "king", "woman")
    assert best == "queen"
    assert {"man", "king", "woman"}.isdisjoint([best, *(word for word, _ in rest)])
    with pytest.raises(LangnetError, match="no word 'nobody' among its 5"):
        royal.analogy("man", "king", "nobody")


def test_similarities_are_spearman_s(space):
    generator = np.random.default_rng(2)
    every = [(a, b) for a in range(33) for b in range(a)]  # no pair twice: ties would hang on the last bit
    words, gold = generator.permutation(every)[:80], generator.normal(size=80)
    pairs = [(f"w{a}", f"w{b}", float(score)) for (a, b), score in zip(words, gold, strict=True)]
    score = score_similarities(space, pairs)
    known = [p for p in pairs if p[0] in WORDS and p[1] in WORDS]
    rows = space.vectors.astype(np.float64) / np.linalg.norm(space.vectors.astype(np.float64), axis=1, keepdims=True)
    cosines = [rows[WORDS.index(a)] @ rows[WORDS.index(b)] for a, b, _ in known]
    assert score.spearman == pytest.approx(stats.spearmanr(cosines, [p[2] for p in known]).statistic, abs=1e-6)
    assert (score.n, score.unknown) == (len(known), 80 - len(known))
    assert set(score.unknown_words) <= {"w30", "w31", "w32"}
    assert score.interval.low < score.spearman < score.interval.high


def test_unseen_words_are_known_by_their_n_grams():
    grams = Subwords(2, 3, np.random.default_rng(3).normal(size=(20, 4)).astype(np.float32))
    space = WordSpace(["film"], np.ones((1, 4), np.float32), grams)
    assert (
        score_similarities(space, [("films", "filmed", 1.0), ("film", "films", 2.0), ("cinema", "film", 3.0)]).unknown
        == 0
    )
    np.testing.assert_allclose(space.vector("films"), grams.vectors[grams.buckets_of("films")].mean(axis=0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# a note\n# Word 1\tWord 2\tHuman (mean)\nlove\tsex\t6.77\n", [("love", "sex", 6.77)]),
        ("Word 1,Word 2,Human (mean)\nlove,sex,6.77\n", [("love", "sex", 6.77)]),
        ("word1\tword2\tPOS\tSimLex999\tconc\nold\tnew\tA\t1.58\t2.7\n", [("old", "new", 1.58)]),
        ("love\tsex\t6.77\ntiger\tcat\t7.35\n", [("love", "sex", 6.77), ("tiger", "cat", 7.35)]),
    ],
)
def test_formats_of_similarities(text, expected, tmp_path):
    (tmp_path / "pairs").write_text(text)
    assert read_similarities(tmp_path / "pairs") == expected


@pytest.mark.parametrize(
    ("reader", "text", "message"),
    [
        (read_similarities, "love\tsex\t6\nlove\tsex\n", "line 2: no score"),
        (read_similarities, "", "holds no pairs"),
        (read_analogies, ": a\nAthens Greece Oslo\n", "line 2: a question has four words, this line has 3"),
        (read_analogies, ": a\n", "holds no questions"),
    ],
)
def test_files_that_are_wrong(reader, text, message, tmp_path):
    (tmp_path / "file").write_text(text)
    with pytest.raises(LangnetError, match=message):
        reader(tmp_path / "file")
    with pytest.raises(LangnetError, match="cannot read"):
        reader(tmp_path / "nowhere")
