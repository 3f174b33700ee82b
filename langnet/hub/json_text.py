"""JSON and UTF-8 for the small files of a model folder, with one clear line where something does not fit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from langnet.errors import LangnetError


def to_json(value: object, what: str, indent: int | None = None) -> bytes:
    """One JSON document and a line end; `what` names it in the error."""
    try:
        text = json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise LangnetError(f"the {what} cannot be written as JSON: {error}; use plain numbers and texts") from None
    return to_utf8(text + "\n", what)


def _plain(value: Any) -> Any:
    """The value with numpy scalars, paths and tuples as JSON knows them, and what is not finite as None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def to_utf8(text: str, what: str) -> bytes:
    """UTF-8 bytes of a text; `what` names it in the error."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise LangnetError(f"the {what} holds a character that UTF-8 cannot write: {error.reason}; remove it") from None


def from_utf8(path: Path, content: bytes) -> str:
    """The text in the bytes of a file."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LangnetError(f"{path} is not UTF-8 at byte {error.start:,}; copy the folder again") from None


def from_json(path: Path, content: bytes | str) -> Any:
    """The JSON document in the bytes or the text of a file."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise LangnetError(f"{path} is not valid JSON; copy the folder again") from None
