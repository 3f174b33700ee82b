"""Cells: the finished runs of a study, kept in a file that survives a crash at any moment.

A cell is one method trained on one subset of labels with one seed, and what came out. Finished cells are appended to
`cells.jsonl`, one line each; the line is the commit point. The predictions of the cell, which are bulky, lie beside
it in `predictions/` and are written before the line, so that every cell in the file has its predictions.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from langnet.errors import LangnetError

CONSTANT = "constant"
AT_MAJORITY = "at or below majority"
LOSS_NAN = "loss not a number"

FLAG_MEANINGS = {
    CONSTANT: "predicted one single class for every test example",
    AT_MAJORITY: "was no more accurate than always answering the most common class",
    LOSS_NAN: "diverged: its loss or its probabilities stopped being numbers",
}


@dataclass(frozen=True)
class Cell:
    """One finished run.

    Attributes:
        method: the method's name.
        kind: the method's kind, see `sample_efficiency.Method`.
        n: how many labelled examples it was trained on.
        seed: the seed of the subset and of the training.
        accuracy: accuracy on the test set, 0 to 1.
        low: lower end of the 95 % bootstrap interval over the test set, inside this one run.
        high: upper end of it.
        macro_f1: macro F1 on the test set.
        n_test: how many test examples.
        seconds: wall-clock time of training and predicting.
        flags: why the run is degenerate, keys of `FLAG_MEANINGS`; empty for a sound run.
        subset: hash of the labelled examples; equal for all methods at the same `n` and `seed`.
    """

    method: str
    kind: str
    n: int
    seed: int
    accuracy: float
    low: float
    high: float
    macro_f1: float
    n_test: int
    seconds: float
    flags: tuple[str, ...] = ()
    subset: str = ""

    @property
    def key(self) -> CellKey:
        """What makes this cell the one it is."""
        return CellKey(self.method, self.n, self.seed)


@dataclass(frozen=True)
class CellKey:
    """Method, number of labels and seed: the coordinates of a cell in the grid."""

    method: str
    n: int
    seed: int


@dataclass(frozen=True)
class StoredPredictions:
    """What a cell predicted: class indices (N,) and the probability of each prediction (N,), or None."""

    labels: np.ndarray
    confidence: np.ndarray | None


class CellFile:
    """The cells of one study in one folder.

    Args:
        folder: the study's folder; made when the first cell is added.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "cells.jsonl"

    def read(self) -> list[Cell]:
        """All finished cells in the order in which they finished; an unfinished last line is left out.

        Raises:
            LangnetError: a line that is not the last does not hold a cell.
        """
        if not self.path.exists():
            return []
        complete, _, _ = self.path.read_bytes().rpartition(b"\n")
        cells: dict[CellKey, Cell] = {}
        for number, line in enumerate(complete.split(b"\n") if complete else [], start=1):
            cell = _parse_cell(line, self.path, number)
            cells.setdefault(cell.key, cell)
        return list(cells.values())

    def mend(self) -> None:
        """Cut off a last line that a crash left unfinished, so that the next cell starts on a line of its own."""
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            os.truncate(self.path, end)

    def add(self, cell: Cell, predictions: StoredPredictions) -> None:
        """Write the predictions, then append the cell's line and force both to the disk."""
        self._write_predictions(cell.key, predictions)
        line = json.dumps(asdict(cell), ensure_ascii=False).encode() + b"\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            written = os.write(descriptor, line)  # one call: the line arrives whole, or as a tail that `read` drops
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if written != len(line):
            raise LangnetError(f"{self.path}: the disk took only part of a line; free some space and run again.")

    def predictions(self, key: CellKey) -> StoredPredictions:
        """The predictions of a finished cell.

        Raises:
            LangnetError: the file is absent or damaged.
        """
        path = self._predictions_path(key)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                confidence = arrays.get("confidence")
                return StoredPredictions(arrays["labels"], confidence)
        except Exception as error:  # numpy, zipfile and zlib each raise their own kinds for a damaged file
            raise LangnetError(
                f"{path}: cannot read the predictions of {key.method} ({key.n} labels, seed {key.seed}); remove its "
                f"line from {self.path.name} and run the study again."
            ) from error

    def _write_predictions(self, key: CellKey, predictions: StoredPredictions) -> None:
        path = self._predictions_path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {"labels": predictions.labels.astype(np.int32)}
        if predictions.confidence is not None:
            arrays["confidence"] = predictions.confidence.astype(np.float32)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        with temporary.open("wb") as stream:
            np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)

    def _predictions_path(self, key: CellKey) -> Path:
        slug = "".join(c if c.isascii() and c.isalnum() else "-" for c in key.method.lower())[:40]
        return self.folder / "predictions" / f"{slug}-{text_hash(key.method)[:6]}-n{key.n}-seed{key.seed}.npz"


def _parse_cell(line: bytes, path: Path, number: int) -> Cell:
    try:
        record = json.loads(line)
        if not isinstance(record, dict):
            raise ValueError("not an object")
        names = {field.name for field in fields(Cell)}
        values = {name: value for name, value in record.items() if name in names}
        return Cell(**{**values, "flags": tuple(values.get("flags", ()))})
    except (ValueError, TypeError) as error:
        raise LangnetError(
            f"{path}, line {number}: not a finished cell; remove the line (its run will be repeated) and run again."
        ) from error


def write_json(path: Path, record: Mapping[str, object]) -> None:
    """Write a small JSON file atomically: it holds the old content or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as stream:
        json.dump(record, stream, ensure_ascii=False, indent=1)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)


def text_hash(*texts: str) -> str:
    """A hash of texts in this order, 32 hexadecimal digits; where one text ends matters."""
    import hashlib

    digest = hashlib.blake2b(digest_size=16)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()
