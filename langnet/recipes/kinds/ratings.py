"""What the kinds with numbers for labels share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from langnet.errors import LangnetError


def numbers(items: Sequence[Any]) -> list[float]:
    """The number of each item; 0 where it has none."""
    return [float(item.label) if isinstance(item.label, float | int) else 0.0 for item in items]


def number_scale(items: Sequence[Any]) -> tuple[float, float, float, float]:
    """The least and the greatest number, their mean and their standard deviation.

    Raises:
        LangnetError: they do not differ.
    """
    found = [float(item.label) for item in items if isinstance(item.label, float | int)]
    if len(set(found)) < 2:
        only = ", ".join(f"{value:g}" for value in sorted(set(found))) or "none"
        raise LangnetError(f"the numbers to learn from have to differ; found {only}")
    return min(found), max(found), float(np.mean(found)), float(np.std(found))
