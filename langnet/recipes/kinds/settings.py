"""A head's own settings, checked against what the task knows: values come from Python or as words of a command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langnet.errors import LangnetError

SWITCH = ("on", "off")
Known = Sequence[str] | type[int] | type[float]  # the words that a setting may have, or a number


def read_settings(task: str, settings: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The settings as words.

    Args:
        task: its name.
        settings: by name; True and False mean `on` and `off`.
        known: the words that each setting may have.

    Raises:
        LangnetError: a setting or a value that the task does not know.
    """
    _refuse_unknown(task, settings, known)
    return {name: _word(task, name, value, known[name]) for name, value in settings.items()}


def read_values(task: str, settings: Mapping[str, Any], known: Mapping[str, Known]) -> dict[str, Any]:
    """The settings as numbers, words, and, where they are switched `on` and `off`, True and False; else likewise."""
    _refuse_unknown(task, settings, known)
    found: dict[str, Any] = {}
    for name, value in settings.items():
        wanted = known[name]
        if isinstance(wanted, type):
            found[name] = _number(task, name, value, wanted)
        else:
            word = _word(task, name, value, wanted)
            found[name] = word == SWITCH[0] if wanted is SWITCH else word
    return found


def _refuse_unknown(task: str, settings: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for name in settings:
        if name not in known:
            allowed = ", ".join(known) if known else "none"
            raise LangnetError(f"the task '{task}' has no setting '{name}'; its settings: {allowed}")


def _word(task: str, name: str, value: Any, words: Sequence[str]) -> str:
    word = SWITCH[0 if value else 1] if isinstance(value, bool) else str(value)
    if word not in words:
        raise LangnetError(f"{name} is '{word}'; the task '{task}' knows {', '.join(words)}")
    return word


def _number(task: str, name: str, value: Any, kind: type[int] | type[float]) -> float:
    try:
        number = kind(value)
        if isinstance(value, str) or number == value:
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    what = "a whole number" if kind is int else "a number"
    raise LangnetError(f"{name} is '{value}'; the task '{task}' takes {what} there")
