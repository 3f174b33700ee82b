"""The scale of what a new head on documents reads, set once before it learns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from langnet.tasks.examples import Collate, Example, in_order
from langnet.transfer.features import mixed_encoding
from langnet.transfer.model import TaskModel

STANDARDISED = 512  # texts from which the scale of a new head is set
LEAST_DEVIATION = 0.1  # what hardly varies is not blown up: fine-tuning may make it vary
TOKENS_AT_ONCE = 8192


def standardise_head(network: TaskModel, examples: Sequence[Example], collate: Collate[Example], seed: int = 0) -> None:
    """Set the scale of what a new head reads from some of the texts, as the first batches of a batch norm would.

    Args:
        network: whose first task is a `DocumentHead`; on its device.
        examples: to draw the texts from.
        collate: makes batches of them.
        seed: of the draw.
    """
    some = np.random.default_rng(seed).permutation(len(examples))[:STANDARDISED]
    device = next(network.parameters()).device
    network.eval()
    parts = []
    with torch.no_grad():
        for _, batch in in_order([examples[i] for i in some], TOKENS_AT_ONCE, collate):
            batch = batch.to(device)
            encoding = mixed_encoding(network.mix, network.encoder(batch.ids, batch.mask))
            parts.append(network.task.inputs(encoding, batch))  # (n, width)
        seen = torch.cat(parts)  # (N, width)
        network.task.center.copy_(seen.mean(0))
        network.task.scale.copy_(1 / seen.std(0, correction=0).clamp_min(LEAST_DEVIATION))
