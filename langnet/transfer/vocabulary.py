"""A language model under another vocabulary: entries that it knew keep their rows, new ones start as the mean row.

Howard & Ruder 2018, section 3.2, adapt a model to the target text with a vocabulary of that text; what both
vocabularies hold keeps its embedding and its row of the softmax. New entries begin at the average of all rows, as in
fastai's program: a word that could be any.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.text.shards import TokenShards
from langnet.text.tokenizer import SPECIAL_TOKENS, Tokenizer

_READ_AT_ONCE = 2**22  # tokens


@dataclass(frozen=True)
class VocabularyReport:
    """How two vocabularies overlap.

    Attributes:
        entries: of the new vocabulary, without special tokens.
        matched: those of them that the old one holds too.
        token_share: part of the text's tokens that are matched entries.
    """

    entries: int
    matched: int
    token_share: float

    def __str__(self) -> str:
        return (
            f"new vocabulary: {self.matched:,} of {self.entries:,} entries, {self.token_share:.1%} of the text's "
            "tokens, keep their rows; the others start as the mean row"
        )


def require_rows(encoder: Encoder, tokenizer: Tokenizer) -> None:
    """Nothing, where a new vocabulary can be put under the encoder.

    Raises:
        LangnetError: it reads characters or bytes, or has a second table of words.
    """
    if encoder.characters is not None:
        raise LangnetError(
            "this model reads words as characters and has no row a token, so it knows new words already; leave "
            "--new-vocabulary out"
        )
    if encoder.bidirectional:
        raise LangnetError("a model of both directions keeps its vocabulary; leave --new-vocabulary out")
    if tokenizer.kind == "bytes":
        raise LangnetError("this model reads bytes, of which there are no new ones; leave --new-vocabulary out")


def with_vocabulary(
    encoder: Encoder, old: Tokenizer, new: Tokenizer, text: TokenShards
) -> tuple[Encoder, VocabularyReport]:
    """A copy of an encoder whose rows follow a new vocabulary.

    Args:
        encoder: of the old vocabulary; it is left as it is.
        old: its tokenizer.
        new: the tokenizer of the copy.
        text: encoded by the new tokenizer, for the report.
    """
    known, entries = old.entries(), new.entries()
    source = np.full(new.vocabulary_size, -1, dtype=np.int64)  # (V',): the row of each entry in the old vocabulary
    for entry, index in entries.items():
        source[index] = known.get(entry, -1)
    remapped = _rebuilt(encoder, torch.from_numpy(source))
    special = np.zeros(len(source), dtype=bool)
    special[[entries[token] for token in SPECIAL_TOKENS]] = True
    matched = int(((source >= 0) & ~special).sum())
    return remapped, VocabularyReport(int((~special).sum()), matched, _share(text, source >= 0, special))


def _rebuilt(encoder: Encoder, source: Tensor) -> Encoder:
    """The encoder with one row for each entry of `source` (V',): a row's number, or -1 for the mean of all."""
    size = len(source)
    with torch.device("meta"):
        # What grows with the vocabulary is found by its growth, since no encoder says which tensors have a row a token.
        larger = type(encoder)(replace(encoder.config, vocabulary_size=encoder.config.vocabulary_size + 1))
        made = type(encoder)(replace(encoder.config, vocabulary_size=size))
    shapes = {name: tensor.shape for name, tensor in larger.state_dict().items()}
    state = {}
    for name, tensor in encoder.state_dict().items():
        if tensor.shape == shapes[name]:
            state[name] = tensor.detach().clone()
            continue
        mean = tensor.mean(0, keepdim=True)  # (1, ...)
        state[name] = torch.cat([tensor, mean])[torch.where(source < 0, len(tensor), source)]  # (V', ...)
    made.load_state_dict(state, assign=True)
    for name, parameter in made.named_parameters():
        parameter.requires_grad_(encoder.get_parameter(name).requires_grad)
    return made.train(encoder.training)


def _share(text: TokenShards, kept: np.ndarray, special: np.ndarray) -> float:
    """Part of the text's tokens, special ones left out, that are kept."""
    counts = np.zeros(len(kept), dtype=np.int64)
    for start in range(0, text.n_tokens, _READ_AT_ONCE):
        counts += np.bincount(text.read(start, start + _READ_AT_ONCE), minlength=len(kept))
    counts[special] = 0
    return float(counts[kept].sum() / max(counts.sum(), 1))
