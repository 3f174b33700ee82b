"""The report of a study."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from langnet.recipes.model import Model
from langnet.study.result import SampleEfficiency


@dataclass(frozen=True)
class ReportFacts:
    """What a report says beside the study's results.

    Attributes:
        data: name of the data.
        commands: that made the report.
        seconds: that each stage took.
        notes: what a reader has to know about the data.
    """

    data: str
    commands: list[str]
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def write_report(path: Path, study: SampleEfficiency, model: Model, facts: ReportFacts) -> Path:
    """Write it."""
    path.write_text(study.headline)
    return path
