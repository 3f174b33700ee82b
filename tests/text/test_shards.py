"""Shards: what is read is what was written, and an unfinished or damaged folder is refused."""

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.text.shards import ShardWriter, TokenShards


def shards_of(folder, documents, vocabulary_size=1000, shard_tokens=50):
    with ShardWriter(folder, vocabulary_size, shard_tokens) as writer:
        for document in documents:
            writer.add_document(document, 3 * len(document))
    return TokenShards.open(folder)


@pytest.mark.parametrize(("vocabulary_size", "item"), [(1000, 2), (2**16, 2), (2**16 + 1, 4), (100_000, 4)])
def test_shards_give_back_what_was_written(tmp_path, vocabulary_size, item):
    generator = np.random.default_rng(0)
    documents = [generator.integers(0, vocabulary_size, size) for size in (1, 49, 3, 170, 7)]
    documents[1][:] = vocabulary_size - 1
    shards = shards_of(tmp_path, documents, vocabulary_size)
    files = sorted(tmp_path.glob("tokens-*.bin"))
    assert [file.stat().st_size for file in files] == [50 * item] * 4 + [30 * item]
    assert (shards.n_documents, shards.n_tokens, shards.n_bytes) == (5, 230, 690)
    assert shards.read(40, 205).tolist() == np.concatenate(documents)[40:205].tolist()
    for index, document in enumerate(documents):
        assert shards.document(index).tolist() == document.tolist()
    assert shards.document_offsets.tolist() == [0, 1, 50, 53, 223, 230]
    assert np.load(tmp_path / "document_bytes.npy").tolist() == [3, 147, 9, 510, 21]


def test_an_empty_stream_opens(tmp_path):
    shards = shards_of(tmp_path, [])
    assert (shards.n_tokens, shards.n_documents, shards.document_bytes.tolist()) == (0, 0, [])


@pytest.mark.parametrize("name", ["tokens-00000.bin", "document_offsets.npy", "document_bytes.npy"])
def test_damaged_shards_are_refused(tmp_path, name):
    shards_of(tmp_path, [range(100), range(3)])
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(LangnetError, match=name):
        TokenShards.open(tmp_path)
    path.unlink()
    with pytest.raises(LangnetError, match=name):
        TokenShards.open(tmp_path)


@pytest.mark.parametrize("index", [None, "{", "{}", "[]"])
def test_a_folder_without_a_whole_index_is_unfinished(tmp_path, index):
    shards_of(tmp_path, [range(100)])
    (tmp_path / "index.json").unlink()
    if index is not None:
        (tmp_path / "index.json").write_text(index)
    with pytest.raises(LangnetError, match="no finished"):
        TokenShards.open(tmp_path)


def test_an_exception_leaves_the_folder_unfinished(tmp_path):
    shards_of(tmp_path, [range(100)])
    with pytest.raises(ValueError, match="vocabulary"), ShardWriter(tmp_path, 1000) as writer:
        writer.add_document([1, 2, 1000], 2)
    with pytest.raises(LangnetError, match="no finished"):
        TokenShards.open(tmp_path)


def test_nothing_of_an_earlier_stream_stays(tmp_path):
    shards_of(tmp_path, [np.arange(300)])
    shards = shards_of(tmp_path, [np.arange(60)])
    assert len(list(tmp_path.glob("tokens-*.bin"))) == 2
    assert shards.document(0).tolist() == list(range(60))


@pytest.mark.parametrize("ids", [[1000], [-1], np.array([70_000])])
def test_ids_outside_the_vocabulary_are_not_written(tmp_path, ids):
    with ShardWriter(tmp_path, 1000) as writer, pytest.raises(ValueError, match="vocabulary of 1000"):
        writer.add_document(ids, 1)
