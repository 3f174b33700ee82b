"""Streams: every token once an epoch, rows that go on, and a batch that depends on its step alone."""

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.text.streams import StreamBatches
from tests.text.test_batches import shards_of


def test_rows_go_on_and_an_epoch_reads_every_token_once(tmp_path):
    batches = StreamBatches(shards_of(tmp_path, [np.arange(997)]), length=28, batch_size=4, seed=0)
    seen, before, lengths = [], None, set()
    for step in range(1000):
        batch = batches.batch(step)
        if step and batch.continues is False:
            break
        assert batch.continues is (step > 0)
        assert batch.targets[:, :-1].equal(batch.ids[:, 1:])
        assert ((batch.ids + 1) % 997).equal(batch.targets)
        assert batch.rate == batch.ids.shape[1] / 28
        if before is not None:
            assert batch.ids[:, 0].equal(before.targets[:, -1])
        seen += batch.ids.flatten().tolist()
        lengths.add(batch.ids.shape[1])
        before = batch
    assert len(seen) == len(set(seen)) == 996
    assert len(lengths) > 3
    assert batches.batch(step).ids[0, 0] != batches.batch(0).ids[0, 0]  # another phase


def test_a_batch_is_a_function_of_its_step(tmp_path):
    shards = shards_of(tmp_path, [np.arange(997) % 900])
    forward, backward = (StreamBatches(shards, 14, 4, seed=1) for _ in range(2))
    first = [forward.batch(step).ids.tolist() for step in range(60)]
    assert [backward.batch(step).ids.tolist() for step in reversed(range(60))] == first[::-1]
    assert StreamBatches(shards, 14, 4, seed=2).batch(0).ids.tolist() != first[0]


def test_lengths_are_those_of_the_paper(tmp_path):
    batches = StreamBatches(shards_of(tmp_path, [np.arange(70_000) % 900]), 70, 1, seed=0)
    lengths = np.array([batches.batch(step).ids.shape[1] for step in range(900)])
    assert 0.02 < (lengths < 52).mean() < 0.09
    assert 68 < lengths[lengths > 52].mean() < 71
    assert 4 < lengths[lengths > 52].std() < 6


def test_small_streams(tmp_path):
    assert StreamBatches(shards_of(tmp_path, [[5, 6, 7]]), 70, 8, seed=0).batch(9).ids.shape == (1, 2)
    with pytest.raises(LangnetError, match="fewer than two tokens"):
        StreamBatches(shards_of(tmp_path / "none", [[5]]), 70, 8, seed=0)
