"""Predictions as rows of a csv, tsv or jsonl file, or on standard output."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from langnet.cli.app import write_bytes
from langnet.errors import LangnetError
from langnet.text.written_tables import PREDICTED, table_text

Format = Literal["jsonl", "csv", "tsv"]


def format_for(path: Path | None, wanted: Format | None) -> Format:
    """The format that is asked for, or that the file's name says; jsonl on standard output."""
    if wanted is not None:
        return wanted
    suffix = ".jsonl" if path is None else path.suffix.lower()
    known: dict[str, Format] = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
    if suffix not in known:
        raise LangnetError(f"{path} ends neither in .csv nor in .tsv or .jsonl; name the file so")
    return known[suffix]


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path | None, format: Format) -> None:
    """Rows into a file or onto standard output; where their columns differ, a table has those of all."""
    text = table_text(rows, f".{format}")
    if path is None:
        sys.stdout.write(text)
    else:
        write_bytes(path, text.encode("utf8"))


def prediction_row(
    names: Sequence[str], probabilities: Sequence[float], every: bool, abstain_below: float | None = None
) -> dict[str, Any]:
    """The predicted label with its probability, and those of all labels where they are wanted.

    Below a threshold the label is empty; where there is one, a column says whether the model abstains.
    """
    best = max(range(len(names)), key=lambda index: probabilities[index])
    silent = abstain_below is not None and float(probabilities[best]) < abstain_below
    row: dict[str, Any] = {
        f"{PREDICTED}label": "" if silent else names[best],
        "probability": round(float(probabilities[best]), 4),
    }
    if abstain_below is not None:
        row["abstained"] = silent
    if every:
        row |= {f"p({name})": round(float(p), 6) for name, p in zip(names, probabilities, strict=True)}
    return row
