"""Which labelled texts a classifier learned from: a digest in its facts, and where their files were.

TF-IDF beside a model has to learn from the same texts as the model. A model folder holds no texts, so it says how to
know them again: their number, their labels' counts, a digest, and the paths of their files relative to the folder's
parent, as far as they lie below the working directory. No absolute path is ever kept: a folder may be shared.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langnet.errors import LangnetError
from langnet.text.clean import digest
from langnet.text.labelled import LabelledData, read_labelled
from langnet.text.paths import side_by_side


def digest_of(data: LabelledData) -> str:
    """A name for labelled texts, whatever their order."""
    rows = sorted(digest(f"{label}\0{text}") for text, label in zip(data.texts, data.labels, strict=True))
    return hashlib.blake2b(b"".join(rows), digest_size=16).hexdigest()


def describe_training_texts(
    data: LabelledData, files: Sequence[str] = (), beside: Path | None = None, columns: tuple[str, str] | None = None
) -> dict[str, Any]:
    """What a classifier's facts say of the texts it learned from.

    Args:
        data: the texts.
        files: where they were read from.
        beside: the model's folder, to which the paths of the files are made relative.
        columns: of text and label in the files.
    """
    facts: dict[str, Any] = {"n": len(data), "digest": digest_of(data), "labels": dict(Counter(data.labels))}
    places = relative_files(files, beside) if beside is not None and columns else []
    if places and columns:
        facts["files"] = places
        facts["text_column"], facts["label_column"] = columns
    return facts


def relative_files(files: Sequence[str], beside: Path) -> list[str]:
    """Paths relative to the parent of a model's folder; nothing where a file lies outside the working directory.

    Files that lie side by side, as `a.en+a.de`, stay joined.
    """
    parts = [side_by_side(file) for file in files]
    if not all(_is_below_here(part) for own in parts for part in own):
        return []
    parent = beside.absolute().parent
    return ["+".join(os.path.relpath(part.absolute(), parent) for part in own) for own in parts]


def _is_below_here(file: Path) -> bool:
    return file.absolute().resolve().is_relative_to(Path.cwd().resolve())


def find_training_texts(facts: dict[str, Any], folder: Path) -> LabelledData | None:
    """The texts that a classifier learned from, where their files still hold them unchanged; else None.

    Args:
        facts: what `describe_training_texts` wrote.
        folder: the model's.
    """
    files = [folder.absolute().parent / str(file) for file in facts.get("files") or []]
    if not files or not all(file.exists() for file in files):
        return None
    try:
        data = read_labelled(files, str(facts.get("text_column")), str(facts.get("label_column")))
    except LangnetError:
        return None
    return data if digest_of(data) == facts.get("digest") else None
