"""What an encoder that does not learn says of each row, read once and kept.

Without dropout and without new weights a row's states are the same in every epoch, so the epochs of a head's training
cost the head alone. Rows are known by their tokens: one that stands in several examples, as a premise of SNLI
does in three, is read once.
"""

from __future__ import annotations

import hashlib

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from langnet.encoders.encoder import Encoder, Encoding
from langnet.text.batches import Batch

_KEY_BYTES = 16


class StateCache:
    """Every layer's states of rows of tokens, as the encoder gave them, in main memory up to a limit.

    `fill` reads rows before the head learns, and `read` gives them, or reads anew what did not fit. What is kept hangs
    on the rows alone and not on what was read since, so that a resumed run goes on as the whole one does. It serves one
    encoder, as long as its weights stay as they are.

    Args:
        megabytes: the most that is kept, 2^20 bytes each.

    Attributes:
        held: bytes that are kept.
        full: whether some rows did not fit.
    """

    def __init__(self, megabytes: int):
        self.limit = megabytes * 2**20
        self.held, self.full = 0, False
        self._rows: dict[bytes, list[Tensor]] = {}

    def __len__(self) -> int:
        """Rows that are kept."""
        return len(self._rows)

    def fill(self, encoder: Encoder, batch: Batch) -> bool:
        """Keep a batch's rows; False where they do not fit any more.

        Args:
            encoder: in evaluation mode.
            batch: on the encoder's device.
        """
        found = self._missing(encoder, batch, _names(batch))
        size = sum(layer.numel() * layer.element_size() for row in found.values() for layer in row)
        self.full = self.full or self.held + size > self.limit
        if not self.full:
            self._rows |= found
            self.held += size
        return not self.full

    def read(self, encoder: Encoder, batch: Batch) -> Encoding:
        """What the encoder says of a batch that begins anew; states are zero at padding, and none is handed on.

        Args:
            encoder: in evaluation mode.
            batch: on the encoder's device.
        """
        names = _names(batch)
        fresh = self._missing(encoder, batch, names)
        rows = [fresh[name] if name in fresh else self._rows[name] for name in names]
        width, device = batch.ids.shape[1], batch.ids.device
        return Encoding([_stacked(list(layer), width).to(device) for layer in zip(*rows, strict=True)])

    def _missing(self, encoder: Encoder, batch: Batch, names: list[bytes]) -> dict[bytes, list[Tensor]]:
        """The layers (t, D) of those rows of a batch that are not kept, each once."""
        places = {name: row for row, name in enumerate(names) if name not in self._rows}
        if not places:
            return {}
        index = torch.tensor(list(places.values()), device=batch.ids.device)  # (R,)
        own = batch.mask[index].sum(1).tolist()
        ids, mask = batch.ids[index, : max(own)], batch.mask[index, : max(own)]
        with torch.no_grad():
            layers = encoder(ids, mask, None, batch.causal).layers
        # Without the padding, in one piece a layer, of which the rows are views.
        rows = zip(*(layer[mask].cpu().split(own) for layer in layers), strict=True)
        return {name: list(row) for name, row in zip(places, rows, strict=True)}


def _names(batch: Batch) -> list[bytes]:
    """What tells each row's tokens, and the way in which they are read, from all others."""
    way = repr(batch.causal).encode()
    rows = zip(batch.ids.cpu().numpy(), batch.mask.sum(1).tolist(), strict=True)
    return [hashlib.blake2b(row[:n].tobytes(), digest_size=_KEY_BYTES, key=way).digest() for row, n in rows]


def _stacked(rows: list[Tensor], width: int) -> Tensor:
    """Rows (t, D) as (B, width, D), zeros behind each."""
    stacked = pad_sequence(rows, batch_first=True)  # (B, t, D)
    return F.pad(stacked, (0, 0, 0, width - stacked.shape[1]))  # (B, width, D)
