"""A tag for every word: entities, parts of speech, chunks.

Words are read in their context, a sentence longer than the encoder's in windows that overlap; each word is the state of
one of its tokens, or their mean; a network of LSTMs in both directions, a linear layer and a conditional random field
(Lample et al. 2016), each a switch, say its tag. The encoder needs no network of its own for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.errors import LangnetError
from langnet.tasks.crf import ConstraintUse, TagChain
from langnet.tasks.task import SupervisedTask
from langnet.tasks.task_network import TaskNetwork, TaskNetworkConfig
from langnet.tasks.words import WordExample, WordState, collate_words, word_counts, word_examples, word_states
from langnet.tasks.writing import Writer
from langnet.text.batches import IGNORED, Batch
from langnet.text.tag_schemes import Scheme, converted
from langnet.text.tagged_sentences import Sentence


@dataclass(frozen=True)
class TagConfig:
    """How the head is built.

    Attributes:
        labels: the tags, in the scheme in which the head learns them.
        scheme: that scheme.
        written: the scheme of the guesses.
        words: which state of a word's tokens is the word's: of the `last`, which has read the word in an encoder from
            left to right, of the `first`, or the `mean` of all.
        hidden: units of each direction of the recurrent network; 0 for none.
        layers: of the recurrent network.
        mixed_layers: of the encoder, embeddings counted, that a second mix beside the network's output reads (Peters et
            al. 2018); 0 for none.
        crf: whether tags are chosen as a whole by a conditional random field, or each by itself.
        constraints: whether what the scheme does not have is ruled out: in `decoding`, `always`, in learning too, or
            `never`.
        dropout: before each layer.
    """

    labels: Sequence[str]
    scheme: Scheme = "plain"
    written: Scheme = "plain"
    words: WordState = "last"
    hidden: int = 128
    layers: int = 1
    mixed_layers: int = 0
    crf: bool = True
    constraints: ConstraintUse = "decoding"
    dropout: float = 0.1


@dataclass(frozen=True)
class TagGuess:
    """The tags of a sentence's words.

    Attributes:
        tags: one a word.
        probabilities: of these tags, each by itself; empty where a method has none.
        marginals: (W, C) of every tag of the head, in the order of its labels; None where a method has none.
        scheme: of the tags, as the model knows it from its training; None where a method does not.
    """

    tags: tuple[str, ...]
    probabilities: tuple[float, ...] = ()
    marginals: np.ndarray | None = field(default=None, repr=False, compare=False)
    scheme: Scheme | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class TagExample(WordExample):
    """A sentence as an encoder reads it, and its tags.

    Attributes:
        tags: (W,) ids of the tags; None where they are to be predicted.
    """

    tags: np.ndarray | None


class Tag(SupervisedTask[Sentence, TagGuess]):
    """Words' states, a task network, a linear layer, and a chain over the tags."""

    name = "tag"

    def __init__(self, config: TagConfig, dim: int):
        super().__init__()
        self.settings = config
        network = TaskNetworkConfig(config.hidden, config.layers, config.mixed_layers, config.dropout)
        self.norm = nn.LayerNorm(dim)
        self.network = TaskNetwork(network, dim, dim)
        self.output = nn.Linear(self.network.width, len(config.labels))
        self.chain = TagChain(config.labels, config.scheme, config.crf, config.constraints)

    def examples(self, items: Sequence[Sentence], writer: Writer, labelled: bool = True) -> list[TagExample]:
        place = {label: index for index, label in enumerate(self.settings.labels)}
        read = word_examples([item.words for item in items], writer, self.settings.words)
        return [
            TagExample(**vars(one), tags=self._tag_ids(item, place) if labelled else None)
            for item, one in zip(items, read, strict=True)
        ]

    def _tag_ids(self, item: Sentence, place: dict[str, int]) -> np.ndarray:
        if item.tags is None or len(item.tags) != len(item.words):
            count = "none" if item.tags is None else str(len(item.tags))
            raise LangnetError(f"{item.source or 'a sentence'}: {len(item.words)} words and {count} of their tags")
        tags = converted(item.tags, self.settings.scheme)
        unknown = next((tag for tag in tags if tag not in place), None)
        if unknown is not None:
            known = ", ".join(self.settings.labels[:10])
            raise LangnetError(f"{item.source or 'a sentence'}: unknown tag '{unknown}'; the model knows {known}")
        return np.array([place[tag] for tag in tags], dtype=np.int64)

    def collate(self, examples: Sequence[TagExample], context: int | None, pad_id: int) -> Batch:
        """Sentences as rows that overlap where they are long, with the place of each word."""
        batch = collate_words(examples, context, pad_id, self.settings.words)
        labels = np.full((len(examples), max(1, *(example.n_words for example in examples))), IGNORED, dtype=np.int64)
        for index, example in enumerate(examples):
            if example.tags is not None:
                labels[index, : example.n_words] = example.tags
        whole = all(example.tags is not None for example in examples)
        return replace(batch, labels=torch.from_numpy(labels)) if whole else batch

    def scores(self, encoding: Encoding, batch: Batch) -> tuple[Tensor, Tensor]:
        """Unnormalised log-probabilities of each word's tags (N, W, C), and the words of each sentence (N,)."""
        lengths = word_counts(batch)
        states = self.norm(word_states(encoding.top, batch))  # (N, W, D)
        layers = [word_states(layer, batch) for layer in encoding.layers[: self.settings.mixed_layers]]
        return self.output(self.network(states, lengths, layers)).float(), lengths

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.labels is not None, "tags are learned from with labels"
        scores, lengths = self.scores(encoding, batch)
        return self.chain.loss(scores, batch.labels, lengths) / lengths.sum().clamp_min(1)

    def guesses(self, encoding: Encoding, batch: Batch) -> list[TagGuess]:
        scores, lengths = self.scores(encoding, batch)
        chain = self.chain.deciding(scores)
        paths, _ = chain.best_paths(scores, lengths)  # (N, W)
        marginals = chain.marginals(scores, lengths)  # (N, W, C)
        chosen = marginals.gather(2, paths[..., None])[..., 0]  # (N, W)
        tables = zip(paths.tolist(), chosen.tolist(), marginals.cpu().numpy(), lengths.tolist(), strict=True)
        return [self._guess(path[:n], shares[:n], table[:n]) for path, shares, table, n in tables]

    def guess_scores(self, encoding: Encoding, batch: Batch, guesses: Sequence[TagGuess]) -> Tensor:
        """The log-probability of all tags of a sentence together, (N,)."""
        scores, lengths = self.scores(encoding, batch)
        labels = torch.zeros(scores.shape[:2], dtype=torch.long)
        for row, guess in zip(labels, guesses, strict=True):
            row[: len(guess.tags)] = torch.tensor(self._chosen(guess), dtype=torch.long)
        return self.chain.log_probabilities(scores, labels.to(scores.device), lengths)

    def _chosen(self, guess: TagGuess) -> list[int]:
        """The numbers of a guess's tags; of one that the head's own scheme has not, the most probable tag there."""
        place = {label: index for index, label in enumerate(self.settings.labels)}
        own = converted(guess.tags, self.settings.scheme)
        likely = [0] * len(own) if guess.marginals is None else guess.marginals.argmax(1).tolist()
        return [place.get(tag, other) for tag, other in zip(own, likely, strict=True)]

    def _guess(self, path: list[int], shares: list[float], table: np.ndarray) -> TagGuess:
        tags = [self.settings.labels[index] for index in path]
        if self.settings.written != self.settings.scheme:
            tags = converted(tags, self.settings.written)
        return TagGuess(tuple(tags), tuple(shares), table, self.settings.written)

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings), "labels": list(self.settings.labels)}
