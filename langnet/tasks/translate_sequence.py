"""Translation as one sequence: the sentence, a delimiter, its translation (Radford et al. 2018, section 3.3).

A language model goes on with what stands behind the delimiter; the head owns no weights, the vocabulary and the softmax
are the encoder's. Only the translation is learned from, unless the sentence is to be, too. While a translation is
searched for, the encoder's state is kept, so that a token costs one position.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from langnet.encoders.encoder import Encoder, Encoding, rows_of_state
from langnet.errors import LangnetError
from langnet.tasks.attention_decoder import Memory, Table
from langnet.tasks.beam_search import BeamOptions, Ends, beam_search
from langnet.tasks.cross_entropy import linear_cross_entropy
from langnet.tasks.rows import padded
from langnet.tasks.task import SupervisedTask
from langnet.tasks.translate import LONGER, MORE, TranslateGuess, learnable
from langnet.tasks.writing import Writer
from langnet.text.batches import IGNORED, Batch
from langnet.text.tokenizer import Tokenizer
from langnet.text.translations import Translation

FORBIDDEN = -1e9  # added to the score of what no translation has


@dataclass(frozen=True)
class SequenceConfig:
    """How translations are learned and found.

    Attributes:
        tokenizer: the encoder's, as `Tokenizer.to_json` gives it.
        source_loss: whether the sentence is learned from too, as in pretraining.
        beam: translations that are kept while one is searched for.
        length_penalty: see `BeamOptions`.
        longest: tokens of a sentence or of a translation; of a longer sentence the middle is left out.
    """

    tokenizer: str
    source_loss: bool = False
    beam: int = 5
    length_penalty: float = 1.0
    longest: int = 200

    def __post_init__(self) -> None:
        if self.longest < 3:
            raise LangnetError(f"longest must be 3 or more, not {self.longest}")
        BeamOptions(self.beam, self.length_penalty)


@dataclass(frozen=True)
class SequenceExample:
    """One sequence.

    Attributes:
        ids: (T,) start, sentence, delimiter, and where it is known the translation and its end.
        n_source: tokens before the delimiter.
        room: tokens that a translation may have.
    """

    ids: np.ndarray
    n_source: int
    room: int


class TranslateSequence(SupervisedTask[Translation, TranslateGuess]):
    """Read a sentence, and go on with its translation."""

    name = "translate"
    reads_top = True

    def __init__(self, config: SequenceConfig):
        super().__init__()
        self.settings = config

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The encoder's."""
        return Tokenizer.from_json(self.settings.tokenizer, "the vocabulary of the translations")

    def examples(self, items: Sequence[Translation], writer: Writer, labelled: bool = True) -> list[SequenceExample]:
        """Sentences with their translations, each shortened to half of what the encoder reads at once."""
        items = learnable(items) if labelled else items
        context = writer.context or sys.maxsize
        most = min(self.settings.longest, max(1, (context - 3) // 2))
        tokenizer, found = self.tokenizer, []
        targets = tokenizer.encode_batch([item.target or "" for item in items]) if labelled else [None] * len(items)
        for tokens, target in zip(writer.tokens([item.text for item in items]), targets, strict=True):
            read = [tokenizer.start_id, *tokenizer.in_order(tokens.shortened(most).ids.tolist())]
            ids = [*read, tokenizer.delimiter_id]
            room = min(LONGER * len(read) + MORE, context - len(ids))
            if target is not None:
                ids += [*target[:most], tokenizer.extract_id]
            found.append(SequenceExample(np.array(ids, dtype=np.int64), len(read), room))
        return found

    def collate(self, examples: Sequence[SequenceExample], context: int | None, pad_id: int) -> Batch:
        """One row an example, and which of its tokens are learned."""
        ids, mask = padded([example.ids for example in examples], pad_id)
        targets = torch.full_like(ids, IGNORED)
        targets[:, :-1] = ids[:, 1:].masked_fill(~mask[:, 1:], IGNORED)
        if not self.settings.source_loss:
            before = torch.tensor([example.n_source for example in examples])
            targets.masked_fill_(torch.arange(ids.shape[1]) < before[:, None], IGNORED)
        return Batch(ids, mask, targets, examples=examples, n_examples=len(examples), causal=True)

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.targets is not None, "collate says what is learned"
        read = encoder.softmax_input(encoding.top)  # (B, T, D)
        return linear_cross_entropy(read, encoder.output_weight(), batch.targets, encoder.output_bias())

    def guesses(self, encoding: Encoding, batch: Batch) -> list[TranslateGuess]:
        """Not by the states alone: see `guesses_by`.

        Raises:
            LangnetError: always.
        """
        raise LangnetError("a translation as one sequence is written by the encoder itself")

    @torch.no_grad()
    def guesses_by(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> list[TranslateGuess]:
        """The best translation of each sentence; those of one length are searched for together."""
        found: dict[int, TranslateGuess] = {}
        lengths = [example.n_source for example in batch.examples]
        for length in sorted(set(lengths)):
            index = [i for i, own in enumerate(lengths) if own == length]
            if length == 1:  # the token in front stands there alone
                found |= dict.fromkeys(index, TranslateGuess(""))
                continue
            ids = batch.ids[torch.tensor(index, device=batch.ids.device), :length]
            own = [batch.examples[i] for i in index]
            for place, guess in zip(index, self._searched(encoder, ids, [one.room for one in own]), strict=True):
                found[place] = guess
        return [found[i] for i in range(len(lengths))]

    def _searched(self, encoder: Encoder, ids: Tensor, rooms: list[int]) -> list[TranslateGuess]:
        """Translations of sentences (N, T) of one length."""
        writing = Writing(encoder, self.tokenizer)
        options = BeamOptions(self.settings.beam, self.settings.length_penalty)
        hypotheses = beam_search(writing, writing.begun(ids), writing.table(), options, limits=rooms)
        return [
            TranslateGuess(self.tokenizer.decode(best.tokens), tuple(best.tokens), best.log_probability)
            for best, *_ in hypotheses
        ]

    def config(self) -> dict[str, Any]:
        return {"name": self.name, "form": "sequence", **asdict(self.settings)}


@dataclass(frozen=True)
class KeptState:
    """An encoder's state between two tokens, for `beam_search`."""

    kept: Any

    def of_rows(self, rows: Tensor) -> KeptState:
        """The state of some of the rows."""
        return KeptState(rows_of_state(self.kept, rows))


class Writing:
    """A language model as a decoder for `beam_search`: it reads the delimiter first, and writes until the end."""

    def __init__(self, encoder: Encoder, tokenizer: Tokenizer):
        self.encoder, self.tokenizer = encoder, tokenizer
        self.settings = Ends(tokenizer.delimiter_id, tokenizer.extract_id)

    def begun(self, ids: Tensor) -> tuple[Memory, KeptState]:
        """What was read of sentences (N, T) without the delimiter; nothing is looked back at but by the state."""
        state = self.encoder(ids, causal=True).state
        nothing = torch.zeros(len(ids), 1, 1, device=ids.device)
        return Memory(nothing, nothing, torch.ones(len(ids), 1, dtype=torch.bool, device=ids.device)), KeptState(state)

    def table(self) -> Table:
        """The encoder's softmax, special tokens but the end left out."""
        weight, bias = self.encoder.output_weight(), self.encoder.output_bias()
        allowed = torch.zeros(len(weight), dtype=weight.dtype, device=weight.device) if bias is None else bias.clone()
        allowed[[index for index in self.tokenizer.special_ids if index != self.tokenizer.extract_id]] = FORBIDDEN
        return Table(weight, weight, allowed)

    def step(
        self, memory: Memory, state: KeptState, tokens: Tensor, table: Table, places: Tensor | None = None
    ) -> tuple[Tensor, Tensor, KeptState]:
        """One token (R,) further: the output (R, D), no attention (R, 1), and the state."""
        encoding = self.encoder(tokens[:, None], state=state.kept, causal=True)
        return encoding.top[:, -1], torch.zeros_like(memory.values[:, :, 0]), KeptState(encoding.state)
