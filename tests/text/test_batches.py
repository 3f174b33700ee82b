"""Batches and shards: what is read is what was written, and a step's batch depends on the step alone."""

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.text.batches import LanguageModelBatches, document_windows
from langnet.text.shards import ShardWriter, TokenShards


def shards_of(folder, documents, vocabulary_size=1000, shard_tokens=50):
    writer = ShardWriter(folder, vocabulary_size, shard_tokens)
    for document in documents:
        writer.add_document(document, 3 * len(document))
    writer.close()
    return TokenShards.open(folder)


@pytest.mark.parametrize("vocabulary_size", [1000, 100_000])
def test_shards_give_back_what_was_written(tmp_path, vocabulary_size):
    generator = np.random.default_rng(0)
    documents = [generator.integers(0, vocabulary_size, size) for size in (1, 49, 3, 170, 7)]
    shards = shards_of(tmp_path, documents, vocabulary_size)
    assert len(list(tmp_path.glob("tokens-*.bin"))) == 5
    assert (shards.n_documents, shards.n_tokens, shards.n_bytes) == (5, 230, 690)
    assert shards.read(40, 205).tolist() == np.concatenate(documents)[40:205].tolist()
    for index, document in enumerate(documents):
        assert shards.document(index).tolist() == document.tolist()


def test_an_empty_stream_opens(tmp_path):
    shards = shards_of(tmp_path, [])
    assert (shards.n_tokens, shards.n_documents) == (0, 0)
    with pytest.raises(LangnetError):
        LanguageModelBatches(shards, 8, 2, 0)


def test_damaged_shards_are_refused(tmp_path):
    shards_of(tmp_path, [range(100)])
    path = tmp_path / "tokens-00000.bin"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(LangnetError, match="tokens-00000"):
        TokenShards.open(tmp_path)
    (tmp_path / "index.json").unlink()
    with pytest.raises(LangnetError, match="no finished"):
        TokenShards.open(tmp_path)


def test_a_batch_is_a_function_of_its_step(tmp_path):
    shards = shards_of(tmp_path, [np.arange(997) % 900])
    forward = LanguageModelBatches(shards, 10, 4, seed=1)
    steps = list(range(60))
    first = {step: forward.batch(step).ids.tolist() for step in steps}
    backward = LanguageModelBatches(shards, 10, 4, seed=1)
    assert all(backward.batch(step).ids.tolist() == first[step] for step in reversed(steps))
    other = LanguageModelBatches(shards, 10, 4, seed=2)
    assert other.batch(0).ids.tolist() != first[0]


def test_targets_follow_ids_and_epochs_differ(tmp_path):
    stream = np.arange(1000) % 999
    batches = LanguageModelBatches(shards_of(tmp_path, [stream]), 16, 4, seed=0)
    phases, orders = set(), []
    for epoch in range(5):
        seen = []
        for index in range(batches.batches_per_epoch):
            batch = batches.batch(epoch * batches.batches_per_epoch + index)
            assert batch.ids.shape == batch.targets.shape == batch.mask.shape == (4, 16)
            assert batch.mask.all()
            seen += batch.ids[:, 0].tolist()
        assert len(set(seen)) == len(seen), "a window twice in an epoch"
        phases.add(min(seen))
        orders.append(seen)
    assert batch.targets[:, :-1].equal(batch.ids[:, 1:])
    assert len(phases) > 1
    assert orders[0] != sorted(orders[0])


def test_a_stream_shorter_than_a_window_is_padded(tmp_path):
    batch = LanguageModelBatches(shards_of(tmp_path, [[5, 6, 7]]), 8, 2, seed=0).batch(3)
    assert batch.ids[0, :2].tolist() == [5, 6]
    assert batch.targets[0].tolist() == [6, 7] + [-100] * 6
    assert batch.mask[0].tolist() == [True, True] + [False] * 6


@pytest.mark.parametrize(("context", "stride"), [(8, 8), (8, 4), (8, 1), (100, 50), (3, 2)])
def test_document_windows_score_every_token_once(context, stride):
    documents = [np.arange(size) + 1000 * size for size in (2, 8, 9, 10, 17, 41)]
    scored = []
    for batch in document_windows(documents, context, 4, stride):
        assert batch.ids.shape[1] <= context
        scored += batch.targets[batch.targets != -100].tolist()
    assert sorted(scored) == sorted(token for document in documents for token in document[1:].tolist())
