"""Which labelled items a model for a task learned from: known again by their content, wherever their files have moved.

As `langnet.recipes.training_texts` does for classifiers; a folder holds no items, and no absolute path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from langnet.errors import LangnetError
from langnet.recipes.calibrate import digest_of_items
from langnet.recipes.kinds.kind import Columns, Kind
from langnet.recipes.training_texts import relative_files
from langnet.text.clean import digest
from langnet.text.paths import side_by_side

# Of an item, where it stood and how it was written there, which does not make it another.
_PLACE = frozenset({"source", "lines", "rows", "layout", "cells", "format", "name"})


def describe_training_items(items: Sequence[Any], files: Sequence[str], beside: Path) -> dict[str, Any]:
    """What a model's facts say of the items that it learned from.

    Args:
        items: as they were read.
        files: from where; two that lie side by side may be joined by `+`.
        beside: the model's folder, to whose parent the paths are made relative.
    """
    facts: dict[str, Any] = {"n": len(items), "digest": digest_of_items(items)}
    places = relative_files(files, beside)
    return {**facts, "files": places} if places else facts


def find_training_items(
    facts: Mapping[str, Any], folder: Path, kind: Kind[Any, Any], columns: Columns
) -> list[Any] | None:
    """The items that a model learned from, where their files still hold them unchanged; else None.

    Args:
        facts: of the model's transfer.
        folder: the model's.
        kind: its task.
        columns: of the files.
    """
    held = facts.get("training_items") or {}
    parent = folder.absolute().parent
    places = [side_by_side(str(file), parent) for file in held.get("files") or []]
    if not places or not all(part.exists() for own in places for part in own):
        return None
    try:
        items = kind.read(["+".join(map(str, own)) for own in places], columns)
    except LangnetError:
        return None
    return items if digest_of_items(items) == held.get("digest") else None


def count_known(items: Sequence[Any], learned: Sequence[Any]) -> int:
    """How many of the items, or texts, are among those that were learned from, whatever files they stand in."""
    seen = {_content(item) for item in learned}
    return sum(_content(item) in seen for item in items)


def overlap_warning(test: Sequence[Any], train: Sequence[Any], unit: str) -> list[str]:
    """A warning where test items, or texts, are among the training ones."""
    both = count_known(test, train)
    found = f"{both:,} of {len(test):,} test {unit} are among the training {unit}; the scores flatter the model"
    return [found] if both else []


def _content(item: Any) -> bytes:
    if isinstance(item, str):
        return digest(item)
    return digest(repr({name: value for name, value in asdict(item).items() if name not in _PLACE}))
