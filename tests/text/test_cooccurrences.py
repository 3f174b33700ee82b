"""Co-occurrence counts against a plain recount, in one part and in many, by one thread and by several."""

import numpy as np
import pytest

pytest.importorskip("numba")

from langnet.errors import LangnetError
from langnet.text.cooccurrences import GRID, UNKNOWN, CountOptions, count_cooccurrences
from langnet.text.shards import ShardWriter, TokenShards
from langnet.text.tokenizer import SPECIAL_TOKENS

V, WINDOW = 37, 4
FIRST = len(SPECIAL_TOKENS)
START, EXTRACT = SPECIAL_TOKENS.index("<start>"), SPECIAL_TOKENS.index("<extract>")


@pytest.fixture(scope="module")
def documents():
    generator = np.random.default_rng(0)
    ids = [generator.zipf(1.3, size=n) % (V + 1) for n in (0, 1, 2, 300, 50, 7, 400)]
    return [np.where(part == V, UNKNOWN, part + FIRST) for part in ids]  # the last id stands for unknown


@pytest.fixture(scope="module")
def shards(documents, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    with ShardWriter(folder, V + FIRST) as writer:
        for document in documents:
            writer.add_document([START, *document, EXTRACT], 1)
    return TokenShards.open(folder)


def recount(documents):
    """(V, V) float64, as Pennington et al. 2014 describe it."""
    counts = np.zeros((V, V))
    for document in documents:
        words = [int(i) - FIRST for i in document if i != UNKNOWN]
        for place, word in enumerate(words):
            for distance in range(1, WINDOW + 1):
                if place - distance >= 0:
                    counts[word, words[place - distance]] += 1 / distance
                    counts[words[place - distance], word] += 1 / distance
    return counts


def dense(pairs):
    counts = np.zeros((V, V))
    np.add.at(counts, (pairs.words, pairs.contexts), pairs.counts)
    return counts


def test_counts_are_those_of_a_recount(shards, documents, tmp_path):
    pairs = count_cooccurrences(shards, V, tmp_path, CountOptions(WINDOW))
    expected = recount(documents)
    np.testing.assert_allclose(dense(pairs), expected, rtol=1e-6)
    assert len(pairs.words) == (expected > 0).sum()  # every pair once
    np.testing.assert_array_equal(expected, expected.T)


@pytest.mark.parametrize("size", [16, 17, 100])
def test_parts_on_disk_change_nothing(shards, documents, tmp_path, size, monkeypatch):
    """A part may end anywhere, also within a document: no pair across the cut is lost or counted twice."""
    monkeypatch.setattr("langnet.text.cooccurrences._BYTES_A_TOKEN", 2**20 // (2 * size))
    pairs = count_cooccurrences(shards, V, tmp_path, CountOptions(WINDOW, memory_megabytes=1))
    np.testing.assert_allclose(dense(pairs), recount(documents), rtol=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs.contexts", "pairs.counts", "pairs.words"]


def test_threads_and_small_batches_change_nothing(shards, tmp_path, monkeypatch):
    one = count_cooccurrences(shards, V, tmp_path / "a", CountOptions(WINDOW, seed=3))
    monkeypatch.setattr("langnet.text.cooccurrences._PAIRS_AT_ONCE", 50)
    two = count_cooccurrences(shards, V, tmp_path / "b", CountOptions(WINDOW, seed=3, threads=3))
    for name in ("words", "contexts", "counts", "bounds"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_cells_share_no_word(shards, tmp_path):
    pairs = count_cooccurrences(shards, V, tmp_path, CountOptions(WINDOW))
    for row in range(GRID):
        for column in range(GRID):
            inside = pairs.cell(row, column)
            assert (pairs.words[inside] % GRID == row).all()
            assert (pairs.contexts[inside] % GRID == column).all()
    assert pairs.bounds[-1] == len(pairs.words)


def test_cells_are_shuffled_by_the_seed(shards, tmp_path):
    orders = [count_cooccurrences(shards, V, tmp_path / str(s), CountOptions(WINDOW, seed=s)) for s in (0, 1)]
    assert not np.array_equal(orders[0].contexts, orders[1].contexts)
    np.testing.assert_array_equal(dense(orders[0]), dense(orders[1]))


def test_nothing_to_count(tmp_path):
    with ShardWriter(tmp_path / "shards", V + FIRST) as writer:
        for word in range(3):
            writer.add_document([START, word + FIRST, EXTRACT], 1)
    with pytest.raises(LangnetError, match="no two words"):
        count_cooccurrences(TokenShards.open(tmp_path / "shards"), V, tmp_path / "pairs")


def test_a_senseless_window():
    with pytest.raises(LangnetError, match="window must be 1 or more, not 0"):
        CountOptions(window=0)
