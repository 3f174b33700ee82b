"""A head's own settings, checked against what the task knows: values come from Python or as words of a command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langnet.errors import LangnetError

SWITCH = ("on", "off")


def read_settings(task: str, settings: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The settings as words.

    Args:
        task: its name.
        settings: by name; True and False mean `on` and `off`.
        known: the words that each setting may have.

    Raises:
        LangnetError: a setting or a value that the task does not know.
    """
    out = {}
    for name, value in settings.items():
        if name not in known:
            allowed = ", ".join(known) if known else "none"
            raise LangnetError(f"the task '{task}' has no setting '{name}'; its settings: {allowed}")
        word = SWITCH[0 if value else 1] if isinstance(value, bool) else str(value)
        if word not in known[name]:
            raise LangnetError(f"{name} is '{word}'; the task '{task}' knows {', '.join(known[name])}")
        out[name] = word
    return out
