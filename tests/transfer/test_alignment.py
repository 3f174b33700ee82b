"""Spaces brought together: a known rotation is found, with and without a dictionary; CSLS against its definition."""

import numpy as np
import pytest

from langnet.encoders.word_space import WordSpace, unit_rows
from langnet.errors import LangnetError
from langnet.evaluate.translation_pairs import precision, read_dictionary
from langnet.transfer.alignment import (
    AlignOptions,
    align_supervised,
    align_unsupervised,
    nearest_targets,
    procrustes,
)

D = 12


def rotation(generator, dim=D):
    return np.linalg.qr(generator.normal(size=(dim, dim)))[0]


def clustered(generator, n):
    """Words in groups of different sizes and shapes: similarities that tell one word from another."""
    centers = generator.normal(size=(12, D)) * np.linspace(0.5, 2.5, 12)[:, None]
    return centers[generator.integers(12, size=n)] + generator.normal(size=(n, D)) * np.linspace(0.2, 1.0, D)


def test_procrustes_finds_a_known_rotation():
    generator = np.random.default_rng(0)
    source, turned = generator.normal(size=(50, D)), rotation(generator)
    found = procrustes(source, source @ turned)
    np.testing.assert_allclose(found, turned, atol=1e-10)
    noisy = procrustes(source, source @ turned + 0.1 * generator.normal(size=source.shape))
    np.testing.assert_allclose(noisy @ noisy.T, np.eye(D), atol=1e-10)
    np.testing.assert_allclose(noisy, turned, atol=0.1)


@pytest.mark.parametrize("reweight", [False, True])
def test_a_dictionary_brings_spaces_together(reweight):
    generator = np.random.default_rng(1)
    source = generator.normal(size=(200, D)) + 0.5
    target = source @ rotation(generator) + 0.02 * generator.normal(size=(200, D))
    found = align_supervised(source, target, [(i, i) for i in range(60)], AlignOptions(reweight=reweight))
    nearest = nearest_targets(found.map_source(source), found.map_target(target), 1)[:, 0]
    assert (nearest[60:] == np.arange(60, 200)).mean() > 0.95
    assert found.similarity > 0.9


def test_self_learning_finds_a_rotation_without_a_dictionary():
    generator = np.random.default_rng(2)
    source = clustered(generator, 200)
    order = np.concatenate([generator.permutation(40) + 40 * block for block in range(5)])
    target = (source @ rotation(generator))[order] + 0.1 * generator.normal(size=source.shape)
    rounds = []
    found = align_unsupervised(
        source, target, AlignOptions(patience=2), lambda number, similarity, keep: rounds.append((similarity, keep))
    )
    nearest = nearest_targets(found.map_source(source), found.map_target(target), 1)[:, 0]
    assert (order[nearest] == np.arange(200)).mean() > 0.95
    assert rounds[-1][0] > rounds[0][0]
    assert rounds[-1][1] == 1.0
    assert found.rounds == len(rounds)


def test_self_learning_goes_on_from_a_few_pairs():
    """Spaces that are too unlike to begin from nothing; half of the pairs that are given are wrong."""
    generator = np.random.default_rng(5)
    source = generator.normal(size=(300, D))
    order = generator.permutation(300)
    target = (source @ rotation(generator))[order] + 0.2 * generator.normal(size=source.shape)
    place = np.argsort(order)
    pairs = [(i, int(place[i])) for i in range(12)] + [(i, int(place[i + 1])) for i in range(12, 24)]
    options = AlignOptions(patience=3)

    def right(found):
        return (order[nearest_targets(found.map_source(source), found.map_target(target), 1)[:, 0]]
                == np.arange(300)).mean()  # fmt: skip

    learned = align_unsupervised(source, target, options, pairs=pairs)
    assert right(learned) > 0.9
    assert right(align_supervised(source, target, pairs)) < right(learned) - 0.2
    assert learned.rounds > 0
    few = AlignOptions(most_frequent=20)
    with pytest.raises(LangnetError, match="no pair of the dictionary is known"):
        align_unsupervised(source, target, few, pairs=[(5, 20), (299, 0)])


@pytest.mark.parametrize("k", [0, 3])
def test_csls_is_what_equation_4_says(k):
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(30, D)), generator.normal(size=(40, D))
    a, b = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, y))
    scores = np.zeros((30, 40))
    for i in range(30):
        for j in range(40):
            mean_x = np.mean(sorted(a[i] @ b.T)[-k:]) if k else 0
            mean_y = np.mean(sorted(b[j] @ a.T)[-k:]) if k else 0
            scores[i, j] = 2 * a[i] @ b[j] - mean_x - mean_y
    np.testing.assert_array_equal(nearest_targets(x, y, 5, k), np.argsort(-scores, axis=1)[:, :5])
    part = nearest_targets(x[:4], y, 5, k, crowd=x)
    np.testing.assert_array_equal(part, np.argsort(-scores, axis=1)[:4, :5])


def test_precision_counts_any_translation_and_what_is_unknown():
    words = ["a", "b", "c", "d"]
    space = WordSpace(words, np.eye(4, D, dtype=np.float32) + 0.01)
    other = WordSpace(["A1", "B1", "C1", "D1"], np.eye(4, D, dtype=np.float32) + 0.01)
    found = align_supervised(space.vectors, other.vectors, [(i, i) for i in range(4)])
    pairs = [("a", "D1"), ("a", "A1"), ("b", "B1"), ("c", "A1"), ("zz", "A1"), ("d", "unknown")]
    score = precision(space, other, found, pairs, neighbours=0)
    assert (score.n, score.unknown) == (3, 2)
    assert score.at[1] == pytest.approx(2 / 3)
    assert score.at[5] == 1.0


def test_mistakes(tmp_path):
    with pytest.raises(LangnetError, match="no pair of the dictionary"):
        align_supervised(np.eye(3), np.eye(3), [])
    with pytest.raises(LangnetError, match="too few"):
        align_supervised(np.eye(3), np.eye(3), [(0, 0)] * 5, AlignOptions(reweight=True))
    with pytest.raises(LangnetError, match="3 dimensions and the target 4"):
        align_supervised(np.eye(3), np.eye(4), [(0, 0)])
    (tmp_path / "pairs.txt").write_text("one uno\ntwo\n")
    with pytest.raises(LangnetError, match=r"pairs\.txt, line 2"):
        read_dictionary(tmp_path / "pairs.txt")
    (tmp_path / "pairs.txt").write_text("one uno\n\nice cream\tgelato\n")
    assert read_dictionary(tmp_path / "pairs.txt") == [("one", "uno"), ("ice cream", "gelato")]


def test_unit_rows_leave_zero_alone():
    np.testing.assert_allclose(unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])), [[0.6, 0.8], [0, 0]])
