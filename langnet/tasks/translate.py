"""Translation by an attention decoder on any encoder (Bahdanau et al. 2015).

The tokens of a sentence are read as they are, one longer than the encoder's context in windows that overlap; a network
of LSTMs in both directions goes over them, since an encoder from left to right has not seen what follows; the decoder
looks at all of them for each token that it writes. What it writes has a vocabulary of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.errors import LangnetError, warn
from langnet.tasks.attention_decoder import AttentionDecoder, DecoderConfig, Memory, State, sequence_loss, shifted
from langnet.tasks.beam_search import BeamOptions, beam_search
from langnet.tasks.task import SupervisedTask
from langnet.tasks.task_network import TaskNetwork, TaskNetworkConfig
from langnet.tasks.words import WordExample, collate_words, word_counts, word_states
from langnet.tasks.writing import Writer
from langnet.text.batches import IGNORED, Batch
from langnet.text.tokenizer import Tokenizer
from langnet.text.translations import Translation

LONGER, MORE = 2, 20  # a translation has at most so many times the tokens of its sentence, and so many more


@dataclass(frozen=True)
class TranslateConfig:
    """How the head is built.

    Attributes:
        tokenizer: of what is written, as `Tokenizer.to_json` gives it.
        hidden: units of each direction of the network over the sentence; 0 for none.
        layers: of that network.
        width: of the vectors of what is written.
        decoder_hidden: units of the decoder's LSTM.
        decoder_layers: of them.
        attention: see `DecoderConfig`.
        input_feeding: likewise.
        smoothing: of the labels.
        beam: translations that are kept while one is searched for.
        length_penalty: see `BeamOptions`.
        longest: tokens of a sentence or translation; of a longer sentence the middle is left out in learning.
        dropout: before each layer.
        lexical: whether the encoder's states also go to what is written past both networks, which makes a translator
            over words' vectors a word-by-word one to begin with.
    """

    tokenizer: str
    hidden: int = 128
    layers: int = 1
    width: int = 128
    decoder_hidden: int = 256
    decoder_layers: int = 1
    attention: Literal["dot", "additive"] = "dot"
    input_feeding: bool = True
    smoothing: float = 0.1
    beam: int = 5
    length_penalty: float = 1.0
    longest: int = 200
    dropout: float = 0.2
    lexical: bool = False

    def __post_init__(self) -> None:
        for name, least in (("hidden", 0), ("layers", 1), ("width", 1), ("decoder_hidden", 1), ("decoder_layers", 1),
                            ("longest", 3)):  # fmt: skip
            if getattr(self, name) < least:
                raise LangnetError(f"{name} must be {least} or more, not {getattr(self, name)}")
        for name in ("smoothing", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise LangnetError(f"{name} must be from 0 to below 1, not {getattr(self, name):g}")
        BeamOptions(self.beam, self.length_penalty)


@dataclass(frozen=True)
class TranslateGuess:
    """A translation.

    Attributes:
        text: as people read it.
        tokens: of the head's vocabulary.
        log_probability: of them and the end.
    """

    text: str
    tokens: tuple[int, ...] = ()
    log_probability: float = 0.0

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class TranslateExample(WordExample):
    """A sentence as an encoder reads it; every token is a unit.

    Attributes:
        target: the tokens of its translation; None where that is to be found.
    """

    target: list[int] | None


def learnable(items: Sequence[Translation]) -> list[Translation]:
    """The sentences that are learned from: pairs with an empty side are passed over, and said to be.

    Raises:
        LangnetError: one has no translation, or none is left.
    """
    missing = next((item for item in items if item.target is None), None)
    if missing is not None:
        raise LangnetError(f"{missing.source or 'a sentence'} has no translation to learn from")
    sound = [bool(item.text.strip() and (item.target or "").strip()) for item in items]
    whole = [item for item, both in zip(items, sound, strict=True) if both]
    if len(whole) < len(items):
        first = items[sound.index(False)]
        told = f"{len(items) - len(whole):,} of {len(items):,} pairs have an empty side"
        place = f", {first.source} first" if first.source else ""
        if not whole:
            raise LangnetError(f"{told}{place}; there is nothing to learn")
        warn(f"{told}{place}, and are not learned from")
    return whole


class Translate(SupervisedTask[Translation, TranslateGuess]):
    """Read a sentence, and write another."""

    name = "translate"

    def __init__(self, config: TranslateConfig, dim: int):
        super().__init__()
        self.settings = config
        self.norm = nn.LayerNorm(dim)
        self.network = TaskNetwork(TaskNetworkConfig(config.hidden, config.layers, dropout=config.dropout), dim)
        tokenizer = self.tokenizer
        decoder = DecoderConfig(
            tokenizer.start_id, tokenizer.extract_id, tokenizer.vocabulary_size, config.width, config.decoder_hidden,
            config.decoder_layers, config.attention, config.input_feeding, dropout=config.dropout,
            lexical=dim if config.lexical else 0,
        )  # fmt: skip
        self.decoder = AttentionDecoder(decoder, self.network.width + decoder.lexical)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Of what is written."""
        return Tokenizer.from_json(self.settings.tokenizer, "the vocabulary of the translations")

    def examples(self, items: Sequence[Translation], writer: Writer, labelled: bool = True) -> list[TranslateExample]:
        """Sentences as token ids, whole ones where they are to be translated."""
        items = learnable(items) if labelled else items
        whole = Writer(writer.tokenizer, writer.characters, sys.maxsize)
        targets = (
            self.tokenizer.encode_batch([item.target or "" for item in items]) if labelled else [None] * len(items)
        )
        found = []
        for tokens, target in zip(whole.tokens([item.text for item in items]), targets, strict=True):
            if labelled:
                tokens = tokens.shortened(self.settings.longest)
            ids = whole.join([tokens]).ids
            places = np.arange(1, len(ids))  # the token behind the sentence is one of them, so that there always is one
            held = None if target is None else target[: self.settings.longest]
            found.append(TranslateExample(ids, places, None, len(places), held))
        return found

    def collate(self, examples: Sequence[TranslateExample], context: int | None, pad_id: int) -> Batch:
        """Sentences as rows that overlap where they are long, with the place of each token."""
        return collate_words(examples, context, pad_id, "last")

    def begun(self, encoding: Encoding, batch: Batch) -> tuple[Memory, State]:
        """What the decoder looks at, and the state that it begins in."""
        lengths = word_counts(batch)
        read = self.norm(word_states(encoding.top, batch))  # (N, W, D)
        states = self.network(read, lengths)  # (N, W, width)
        if self.settings.lexical:
            states = torch.cat([states, read], dim=2)  # (N, W, width + D)
        return self.decoder.begun(states, lengths)

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        targets = [example.target for example in batch.examples]
        read, written = shifted(targets, self.decoder.settings, batch.ids.device)  # (N, S) each
        table = self.decoder.table()
        outputs, _ = self.decoder.teach(*self.begun(encoding, batch), read, table)
        return sequence_loss(outputs, written, table, self.settings.smoothing)

    def guesses(self, encoding: Encoding, batch: Batch) -> list[TranslateGuess]:
        options = BeamOptions(self.settings.beam, self.settings.length_penalty)
        limits = [LONGER * min(example.n_words, self.settings.longest) + MORE for example in batch.examples]
        found = beam_search(self.decoder, self.begun(encoding, batch), self.decoder.table(), options, limits=limits)
        return [
            TranslateGuess(self.tokenizer.decode(best.tokens), tuple(best.tokens), best.log_probability)
            if example.n_words > 1 else TranslateGuess("")  # the token behind a sentence stands there alone
            for (best, *_), example in zip(found, batch.examples, strict=True)
        ]  # fmt: skip

    def guess_scores(self, encoding: Encoding, batch: Batch, guesses: Sequence[TranslateGuess]) -> Tensor:
        """The log-probability of each translation, (N,)."""
        read, written = shifted([list(guess.tokens) for guess in guesses], self.decoder.settings, batch.ids.device)
        table = self.decoder.table()
        outputs, _ = self.decoder.teach(*self.begun(encoding, batch), read, table)  # (N, S, E)
        scores = outputs.float() @ table.scored.float().T
        logs = (scores if table.bias is None else scores + table.bias).log_softmax(2)  # (N, S, V)
        own = logs.gather(2, written.clamp_min(0)[..., None])[..., 0]  # (N, S)
        return own.masked_fill(written == IGNORED, 0.0).sum(1)

    @torch.no_grad()
    def alignment(self, encoding: Encoding, batch: Batch, guesses: Sequence[TranslateGuess]) -> list[np.ndarray]:
        """Where the decoder looked for each token it wrote, its end included: (S, W) a translation."""
        read, _ = shifted([list(guess.tokens) for guess in guesses], self.decoder.settings, batch.ids.device)
        _, weights = self.decoder.teach(*self.begun(encoding, batch), read, self.decoder.table())  # (N, S, W)
        return [
            own[: len(guess.tokens) + 1, : example.n_words].float().cpu().numpy()
            for own, guess, example in zip(weights, guesses, batch.examples, strict=True)
        ]

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings)}
