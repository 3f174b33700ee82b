"""What a run writes down while it goes: history.jsonl, and TensorBoard events where TensorBoard is installed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, TextIO

import torch

SECONDS_BETWEEN_RECORDS = 2.0


class History:
    """A list of records, also written line by line to `history.jsonl` and to TensorBoard in `folder`.

    Training losses are averaged between records, which come at most every two seconds. A record has `step`, `tokens`,
    `minutes`, and either the losses, `learning_rate` and `tokens_per_second`, or values that start with `validation_`.
    """

    def __init__(self, folder: Path | None):
        self.folder = folder
        self.records: list[dict[str, Any]] = []
        self._sums: dict[str, float] = {}
        self._count = 0
        self._last_time, self._last_tokens = 0.0, 0
        self._file: TextIO | None = None
        self._board: Any = None

    def open(self) -> None:
        """Start writing; records that a checkpoint brought back replace what the file held."""
        self._last_time, self._last_tokens = time.monotonic(), self.records[-1]["tokens"] if self.records else 0
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file = (self.folder / "history.jsonl").open("w", encoding="utf8")
        for record in self.records:
            self._file.write(json.dumps(record) + "\n")
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        self._board = SummaryWriter(str(self.folder / "tensorboard"))

    def step(self, state: Any, losses: dict[str, float], optimizers: list[torch.optim.Optimizer]) -> None:
        """Count one step's losses; write a record when the last one is two seconds old."""
        self._count += 1
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        now = time.monotonic()
        if now - self._last_time < SECONDS_BETWEEN_RECORDS and self.records:
            return
        record: dict[str, Any] = {name: total / self._count for name, total in self._sums.items()}
        record["learning_rate"] = max(group["lr"] for optimizer in optimizers for group in optimizer.param_groups)
        record["tokens_per_second"] = (state.tokens - self._last_tokens) / max(now - self._last_time, 1e-9)
        self._write(state, record)
        self._sums, self._count, self._last_time, self._last_tokens = {}, 0, now, state.tokens

    def validation(self, state: Any, values: dict[str, float]) -> None:
        """Write the values of one validation."""
        self._write(state, {f"validation_{name}": value for name, value in values.items()})

    def _write(self, state: Any, values: dict[str, Any]) -> None:
        record = {"step": state.step, "tokens": state.tokens, "minutes": round(state.seconds / 60, 4), **values}
        self.records.append(record)
        if self._file is not None:
            self._file.write(json.dumps(record) + "\n")
            self._file.flush()
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, state.step)

    def close(self) -> None:
        """Close the files."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._board is not None:
            self._board.close()
            self._board = None
