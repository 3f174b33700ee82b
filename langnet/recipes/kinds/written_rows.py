"""Guesses beside the rows that they belong to, in the format that the rows came in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class HasRow(Protocol):
    """What an item has that was read from a file."""

    @property
    def source(self) -> str:
        """`file:line`."""
        ...

    @property
    def cells(self) -> Mapping[str, Any] | None:
        """The row's cells; None where there was none."""
        ...

    @property
    def format(self) -> str:
        """The file's, as `.csv`."""
        ...


def written_rows(items: Sequence[HasRow], added: Sequence[Mapping[str, Any]]) -> str:
    """Every item's row with new columns behind its own: a csv or tsv file where the first item's was one, else jsonl.

    A new column that the rows have already is called `predicted_` and its name.

    Args:
        items: N; one without a row is written with its source.
        added: N rows of new cells.
    """
    own = [dict(item.cells) if item.cells is not None else {"source": item.source} for item in items]
    taken = {name for row in own for name in row}
    rows = [
        {**row, **{f"predicted_{name}" if name in taken else name: value for name, value in new.items()}}
        for row, new in zip(own, added, strict=True)
    ]
    kind = items[0].format if items else ".jsonl"
    if kind not in (".csv", ".tsv"):
        return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
    stream = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(stream, names, restval="", delimiter="," if kind == ".csv" else "\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return stream.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
