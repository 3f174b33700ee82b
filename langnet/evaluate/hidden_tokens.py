"""How surprising an encoder finds tokens that are hidden from it: rows with a mask in them, batched and summed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from langnet.encoders.encoder import Encoder
from langnet.evaluate.language_model import nats_of_tokens
from langnet.tasks.masked import guessing_states
from langnet.text.batches import IGNORED, Batch
from langnet.text.masking import hidden_targets, mask_of
from langnet.text.spelling import Spelling
from langnet.text.tokenizer import Tokenizer

TOKENS_AT_ONCE = 8192  # that are held in memory, padding counted


@dataclass(frozen=True)
class HiddenRow:
    """A row that is read with some of its tokens behind the mask.

    Attributes:
        owner: number of what its surprise counts for, such as a document.
        ids: (T,) nothing hidden in them yet.
        hidden: (T,) which are.
        asked: (T,) of those, the ones whose surprise counts.
    """

    owner: int
    ids: np.ndarray
    hidden: np.ndarray
    asked: np.ndarray


@torch.no_grad()
def nats_of_hidden(
    encoder: Encoder,
    tokenizer: Tokenizer,
    rows: Iterable[HiddenRow],
    n_owners: int,
    shifted: bool = False,
    spelling: Spelling | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Surprise in nats and number of tokens that were asked for, (N,) of each owner, summed in float64.

    Args:
        encoder: on the device where it is to run.
        tokenizer: with a mask.
        rows: as they come; those of like length should be neighbours.
        n_owners: N.
        shifted: the token of a place is guessed one place to its left; see `text.masking`.
        spelling: where the encoder reads characters.

    Raises:
        LangnetError: the tokenizer has no mask.
    """
    was_training = encoder.training
    encoder.eval()
    device = next(encoder.parameters()).device
    nats, count = np.zeros(n_owners), np.zeros(n_owners, dtype=np.int64)
    for batch in _batches(rows, mask_of(tokenizer), shifted):
        batch = (spelling.spelled(batch) if spelling else batch).to(device)
        assert batch.targets is not None, "rows say what is asked for"
        assert batch.document is not None, "rows say whose they are"
        top = encoder(batch.ids, batch.mask, causal=False if shifted else None).top  # (B, T, D)
        asked = batch.targets != IGNORED  # (B, T)
        states = guessing_states(encoder, top[asked])[None]  # (1, N, D)
        losses = nats_of_tokens(encoder, states, batch.targets[asked][None])  # (N,)
        owner = batch.document[:, None].expand_as(asked)[asked].cpu().numpy()  # (N,)
        np.add.at(nats, owner, losses.cpu().double().numpy())
        np.add.at(count, owner, 1)
    encoder.train(was_training)
    return nats, count


def _batches(rows: Iterable[HiddenRow], mask_id: int, shifted: bool) -> Iterator[Batch]:
    held: list[HiddenRow] = []
    width = 0
    for row in rows:
        width = max(width, len(row.ids))
        if held and (len(held) + 1) * width > TOKENS_AT_ONCE:
            yield _batch(held, mask_id, shifted)
            held, width = [], len(row.ids)
        held.append(row)
    if held:
        yield _batch(held, mask_id, shifted)


def _batch(rows: Sequence[HiddenRow], mask_id: int, shifted: bool) -> Batch:
    width = max(len(row.ids) for row in rows)

    def stacked(parts: Iterable[np.ndarray], padding: int) -> torch.Tensor:
        return torch.stack([F.pad(torch.from_numpy(part), (0, width - len(part)), value=padding) for part in parts])

    ids = stacked((np.where(row.hidden, mask_id, row.ids) for row in rows), 0)  # (B, T)
    targets = stacked((hidden_targets(row.ids[None], row.asked[None], shifted)[0] for row in rows), IGNORED)  # (B, T)
    lengths = torch.tensor([len(row.ids) for row in rows])
    document = torch.tensor([row.owner for row in rows])  # (B,)
    return Batch(ids, torch.arange(width) < lengths[:, None], targets, document=document, n_examples=len(rows))
