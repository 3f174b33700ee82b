"""Pooling keeps the precision of the states under autocast."""

import pytest
import torch

from langnet.tasks.pooling import WIDTHS, pool
from langnet.text.batches import Batch


@pytest.mark.parametrize("kind", list(WIDTHS))
def test_autocast_changes_no_pooled_state(kind):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(3, 5, 8, generator=generator)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0]]).bool()
    batch = Batch(ids=torch.zeros(3, 5).long(), mask=mask, document=torch.tensor([0, 1, 1]), n_examples=2)
    expected = pool(hidden, batch, kind)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = pool(hidden, batch, kind)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected)
