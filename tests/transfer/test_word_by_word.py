"""Translation word by word: the best sequence is the best of all, pairs of words have probabilities, spelling."""

import itertools

import numpy as np
import pytest

from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError
from langnet.transfer.word_by_word import WordByWord, WordByWordOptions, WordPairs


class TestPairs:
    def test_probabilities_sum_to_one(self):
        pairs = WordPairs([[0, 1, 2], [0, None, 1], [], [2]], 4)
        every = np.arange(6)
        for before in range(6):
            assert np.exp(pairs.logs(np.array([before]), every)).sum() == pytest.approx(1)

    def test_discounted_counts(self):
        pairs = WordPairs([[0, 1], [0, 1], [0, 2]], 3)
        # After 0: 1 twice, 2 once; 0.75 taken off both counts goes to the words' own frequencies.
        alone = np.array([3, 2, 1, 0, 3]) + 1.0
        left = 2 * 0.75 / 3
        expected = np.log(1.25 / 3 + left * alone[1] / alone.sum())
        assert pairs.logs(np.array([0]), np.array([1]))[0] == pytest.approx(expected)
        assert pairs.logs(np.array([3]), np.array([1]))[0] == pytest.approx(np.log(alone[1] / alone.sum()))

    def test_nothing(self):
        assert np.isfinite(WordPairs([], 2).logs(np.array([0]), np.array([1]))).all()


def spaces(seed, size=8, dim=5):
    generator = np.random.default_rng(seed)
    one, other = (generator.normal(size=(size, dim)).astype(np.float32) for _ in range(2))
    return (
        WordSpace([f"a{i}" for i in range(size)], one, lowercase=True),
        WordSpace([f"b{i}" for i in range(size)], other, lowercase=True),
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_best_of_all_sequences(seed):
    source, target = spaces(seed)
    generator = np.random.default_rng(seed)
    texts = [" ".join(f"b{i}" for i in generator.integers(8, size=5)) for _ in range(30)]
    made = WordByWord(source, target, texts, WordByWordOptions(3, 3, 0.5, 0.7))
    rows = generator.integers(8, size=4)
    best, found = -np.inf, ()
    for ways in itertools.product(range(3), repeat=4):
        words = [made.found[row, k] for row, k in zip(rows, ways, strict=True)]
        path = np.array([made.pairs.edge, *words, made.pairs.edge])
        score = sum(made.scores[row, k] for row, k in zip(rows, ways, strict=True))
        score += 0.7 * made.pairs.logs(path[:-1], path[1:]).sum()
        if score > best:
            best, found = score, tuple(words)
    assert made.translate(" ".join(f"a{row}" for row in rows)).split() == [target.words[i] for i in found]


def test_signs_spelling_and_strangers():
    rows = np.eye(4, dtype=np.float32)
    source = WordSpace(["dog", ".", "sees", "3"], rows, lowercase=True)
    target = WordSpace(["hund", "3", "sieht", "."], rows, lowercase=True)  # the signs lie in each other's place
    texts = ["Ein Hund sieht den Hund .", "Der Hund sieht 3 ."]
    made = WordByWord(source, target, texts, WordByWordOptions(1, 2))
    assert made.translate("the DOG sees Rex 3 .") == "The Hund sieht Rex 3 ."
    assert made.translate("sees") == "Sieht"
    assert made.translate("") == ""
    plain = WordByWord(source, target, [text.lower() for text in texts], WordByWordOptions(1, 2))
    assert plain.translate("sees dog") == "sieht hund"


def test_refused():
    for wrong in ({"candidates": 0}, {"temperature": 0.0}, {"pair_weight": -1.0}):
        with pytest.raises(LangnetError):
            WordByWordOptions(**wrong)
