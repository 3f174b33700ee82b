"""Splits that part no group: questions on one article, sentences of one document."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def drawn_groups(groups: Sequence[str], fraction: float, seed: int) -> list[str]:
    """Groups drawn at random, so many that their items come nearest to a fraction of all; never all of the groups.

    Args:
        groups: of each item.
        fraction: from 0 to 1.
        seed: of the draw.
    """
    names, counts = np.unique(np.array(groups, dtype=object).astype(str), return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))[: max(0, len(names) - 1)]
    reached = np.concatenate([[0], np.cumsum(counts[order])])
    number = int(np.argmin(np.abs(reached - fraction * len(groups))))
    return [str(name) for name in names[order[:number]]]
