"""Batches: a step's batch depends on the step alone, and an evaluation scores every token once."""

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.text.batches import Batch, EpochOrder, LanguageModelBatches, document_windows
from langnet.text.shards import ShardWriter, TokenShards


def shards_of(folder, documents, vocabulary_size=1000, shard_tokens=50):
    writer = ShardWriter(folder, vocabulary_size, shard_tokens)
    for document in documents:
        writer.add_document(document, 3 * len(document))
    writer.close()
    return TokenShards.open(folder)


def test_an_empty_stream_is_refused(tmp_path):
    with pytest.raises(LangnetError, match="fewer than two tokens"):
        LanguageModelBatches(shards_of(tmp_path, []), 8, 2, 0)


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


def test_document_windows_give_each_stride_its_tokens():
    rows = list(document_windows([np.arange(30)], context=8, batch_size=1, stride=3))
    new = [int((batch.targets != -100).sum()) for batch in rows]
    assert new[0] == 8
    assert set(new[1:-1]) == {3}
    assert all(batch.targets[batch.targets != -100].tolist()[0] == sum(new[:i]) + 1 for i, batch in enumerate(rows))


def test_document_windows_read_shards_as_they_read_a_list(tmp_path):
    documents = [np.arange(size) for size in (40, 3, 17, 3, 90)]
    shards = shards_of(tmp_path, documents)
    both = zip(document_windows(documents, 8, 4, 4), document_windows(shards, 8, 4, 4), strict=True)
    assert all(one.ids.equal(two.ids) and one.targets.equal(two.targets) for one, two in both)


@pytest.mark.parametrize("stride", [0, 9, -1])
def test_a_stride_that_leaves_tokens_out_is_refused(stride):
    with pytest.raises(LangnetError, match="stride"):
        document_windows([np.arange(30)], 8, 2, stride)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 255, 256, 257, 5000])
def test_a_computed_order_is_a_permutation(n):
    order = EpochOrder(n, np.random.default_rng(3), held=0)
    parts = [order.slice(start, start + 7) for start in range(0, n, 7)]
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))


def test_a_computed_order_is_mixed_and_seeded():
    first, again, other = (EpochOrder(4000, np.random.default_rng(s), held=0).slice(0, 4000) for s in (0, 0, 1))
    assert (first == again).all()
    assert (first == other).sum() < 20
    assert abs(np.corrcoef(first, np.arange(4000))[0, 1]) < 0.06
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.06


def test_a_batch_moves_with_all_its_tensors():
    ids = torch.zeros(2, 3, dtype=torch.int64)  # (B, T)
    batch = Batch(ids, ids == 0, labels=torch.zeros(2), n_examples=2).to("meta")
    assert {batch.ids.device.type, batch.mask.device.type, batch.labels.device.type} == {"meta"}
    assert (batch.targets, batch.n_examples) == (None, 2)
