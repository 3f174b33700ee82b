"""Rows written as tables: what is said of a row stands in columns behind its own."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PREDICTED = "predicted_"  # begins the name of a column that a reader could take for the truth
ROW_FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson")


def beside(own: Sequence[Mapping[str, Any]], added: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each row with its new cells behind its own.

    A new column that the rows have already is called `predicted_` and its name, or gets a number where they have that
    too: nothing of a row is lost.
    """
    names = free_names((name for new in added for name in new), {name for row in own for name in row})
    return [{**row, **{names[name]: value for name, value in new.items()}} for row, new in zip(own, added, strict=True)]


def table_text(rows: Sequence[Mapping[str, Any]], kind: str) -> str:
    """Rows as the text of a file of a kind, `.csv` or `.tsv`, else as JSON lines; a row's own columns may be fewer."""
    if kind not in (".csv", ".tsv"):
        return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
    stream = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(stream, names, restval="", delimiter="," if kind == ".csv" else "\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return stream.getvalue()


def free_names(new: Iterable[str], taken: set[str]) -> dict[str, str]:
    """What each new column is called, where these names are taken."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(new):
        longer = name if name.startswith(PREDICTED) else PREDICTED + name
        numbered = (f"{longer}_{number}" for number in range(2, len(taken) + 3))
        found[name] = next(one for one in (name, longer, *numbered) if one not in taken)
    return found


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
