"""Sequences as rows: nothing lost, everything found again."""

import numpy as np
import pytest
import torch

from langnet.tasks.rows import gather, overlapping, padded


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 15, 16, 40, 101])
def test_every_token_is_found_where_it_is_best_read(length):
    ids = np.arange(length)
    rows, places = overlapping(ids, 8)
    assert all(len(row) <= 8 and row[0] == 0 for row in rows)
    assert [rows[row][column] for row, column in places] == ids.tolist()
    if length > 8:
        assert all(len(row) == 8 for row in rows)
        inner = [column for row, column in places[1:] if 0 < row < len(rows) - 1]
        assert not inner or min(inner) >= 2  # a quarter of the window stands before it


def test_gathers_states_over_rows():
    rows, places = overlapping(np.arange(20), 8)
    ids, mask = padded(rows, 99)
    hidden = torch.stack([ids.float(), -ids.float()], dim=-1)  # (B, T, 2)
    flat = torch.from_numpy(places[:, 0] * ids.shape[1] + places[:, 1])
    found = gather(hidden, torch.stack([flat[:5], torch.tensor([3, 2, 1, -1, -1])]))
    assert found[0, :, 0].tolist() == [0, 1, 2, 3, 4]
    assert found[1, :, 1].tolist() == [-3, -2, -1, 0, 0]
    assert mask.all()
