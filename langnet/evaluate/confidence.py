"""Calibration and abstention as a report shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langnet.evaluate.abstention import Abstention
from langnet.evaluate.calibration import Calibration

if TYPE_CHECKING:
    from rich.console import RenderableType


def confidence_parts(calibration: Calibration | None, abstention: Abstention | None) -> list[RenderableType]:
    """For a terminal of 80 columns; nothing of what there is not."""
    from rich.text import Text

    parts: list[RenderableType] = []
    if calibration:
        parts += [Text(f"\n{calibration}"), calibration.table()]
    if abstention:
        parts += [Text(f"\n{abstention}")]
    return parts
