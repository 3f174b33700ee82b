"""A tag for every word: entities, parts of speech, chunks.

Words are read in their context, a sentence longer than the encoder's in windows that overlap; each word is the state of
one of its tokens, or their mean; a network of LSTMs in both directions, a linear layer and a conditional random field
(Lample et al. 2016), each a switch, say its tag. The encoder needs no network of its own for it.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.errors import LangnetError
from langnet.tasks.crf import Chain, ChainWeights, Constraints, free_chain
from langnet.tasks.rows import gather_units, overlapping, padded
from langnet.tasks.task import SupervisedTask
from langnet.tasks.task_network import TaskNetwork, TaskNetworkConfig
from langnet.tasks.writing import Tokens, Writer
from langnet.text.batches import IGNORED, Batch
from langnet.text.tag_schemes import Scheme, converted, may_follow
from langnet.text.tagged_sentences import Sentence

WordState = Literal["last", "first", "mean"]
LONGEST_ROW = 4096  # tokens that are read at once by an encoder without a limit, which bounds the memory


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
    constraints: Literal["decoding", "always", "never"] = "decoding"
    dropout: float = 0.1


@dataclass(frozen=True)
class TagGuess:
    """The tags of a sentence's words.

    Attributes:
        tags: one a word.
        probabilities: of these tags, each by itself; empty where a method has none.
        marginals: (W, C) of every tag of the head, in the order of its labels; None where a method has none.
    """

    tags: tuple[str, ...]
    probabilities: tuple[float, ...] = ()
    marginals: np.ndarray | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class TagExample:
    """A sentence as an encoder reads it.

    Attributes:
        ids: (T,) or (T, C), start and extract counted.
        places: (P,) where the tokens stand that words are read at.
        units: (P,) the word of each place; None where place i is word i.
        n_words: W.
        tags: (W,) ids of the tags; None where they are to be predicted.
    """

    ids: np.ndarray
    places: np.ndarray
    units: np.ndarray | None
    n_words: int
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
        self.chain = ChainWeights(len(config.labels)) if config.crf else None
        self.constraints = Constraints(*may_follow(config.labels, config.scheme))

    def examples(self, items: Sequence[Sentence], writer: Writer, labelled: bool = True) -> list[TagExample]:
        place = {label: index for index, label in enumerate(self.settings.labels)}
        # Every word gets a tag, so nothing is left out of the middle of what is long.
        whole = Writer(writer.tokenizer, writer.characters, sys.maxsize)
        words = [[unicodedata.normalize("NFC", word) for word in item.words] for item in items]
        written = whole.tokens([" ".join(own) for own in words])
        found = []
        for item, own, tokens in zip(items, words, written, strict=True):
            tags = self._tag_ids(item, place) if labelled else None
            places, units = word_places(tokens, own, self.settings.words)
            found.append(TagExample(whole.join([tokens]).ids, places + 1, units, len(own), tags))
        return found

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
        cut = [overlapping(example.ids, context or LONGEST_ROW) for example in examples]
        ids, mask = padded([row for rows, _ in cut for row in rows], pad_id)
        n_places = max(1, *(len(example.places) for example in examples))
        n_words = max(1, *(example.n_words for example in examples))
        places = np.full((len(examples), n_places), -1, dtype=np.int64)
        units = np.zeros((len(examples), n_places), dtype=np.int64)
        labels = np.full((len(examples), n_words), IGNORED, dtype=np.int64)
        row = 0
        for index, (example, (rows, where)) in enumerate(zip(examples, cut, strict=True)):
            own = where[example.places]  # (P, 2): row and column
            places[index, : len(own)] = (row + own[:, 0]) * ids.shape[1] + own[:, 1]
            if example.units is not None:
                units[index, : len(own)] = example.units
            if example.tags is not None:
                labels[index, : example.n_words] = example.tags
            row += len(rows)
        return Batch(
            ids,
            mask,
            labels=torch.from_numpy(labels) if all(e.tags is not None for e in examples) else None,
            places=torch.from_numpy(places),
            units=torch.from_numpy(units) if self.settings.words == "mean" else None,
            examples=examples,
            n_examples=len(examples),
        )

    def scores(self, encoding: Encoding, batch: Batch) -> tuple[Tensor, Tensor]:
        """Unnormalised log-probabilities of each word's tags (N, W, C), and the words of each sentence (N,)."""
        assert batch.places is not None, "collate says where words stand"
        lengths = torch.tensor([example.n_words for example in batch.examples], device=batch.ids.device)
        n_words = max(1, *(example.n_words for example in batch.examples))

        def words_of(hidden: Tensor) -> Tensor:
            return gather_units(hidden, batch.places, batch.units, n_words)  # type: ignore[arg-type]

        states = self.norm(words_of(encoding.top))  # (N, W, D)
        layers = [words_of(layer) for layer in encoding.layers[: self.settings.mixed_layers]]
        return self.output(self.network(states, lengths, layers)).float(), lengths

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.labels is not None, "tags are learned from with labels"
        scores, lengths = self.scores(encoding, batch)
        if self.chain is None and self.settings.constraints != "always":
            total = F.cross_entropy(scores.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED, reduction="sum")
        else:
            chain = self._chain(scores, self.settings.constraints == "always")
            paths = chain.path_scores(scores, batch.labels, lengths)  # (N,)
            total = (chain.log_partition(scores, lengths) - paths).sum()
        return total / lengths.sum().clamp_min(1)

    def guesses(self, encoding: Encoding, batch: Batch) -> list[TagGuess]:
        scores, lengths = self.scores(encoding, batch)
        chain = self._chain(scores, self.settings.constraints != "never")
        paths, _ = chain.best_paths(scores, lengths)  # (N, W)
        marginals = chain.marginals(scores, lengths)  # (N, W, C)
        chosen = marginals.gather(2, paths[..., None])[..., 0]  # (N, W)
        tables = zip(paths.tolist(), chosen.tolist(), marginals.cpu().numpy(), lengths.tolist(), strict=True)
        return [self._guess(path[:n], shares[:n], table[:n]) for path, shares, table, n in tables]

    def _guess(self, path: list[int], shares: list[float], table: np.ndarray) -> TagGuess:
        tags = [self.settings.labels[index] for index in path]
        if self.settings.written != self.settings.scheme:
            tags = converted(tags, self.settings.written)
        return TagGuess(tuple(tags), tuple(shares), table)

    def _chain(self, scores: Tensor, constrained: bool) -> Chain:
        chain = self.chain.chain() if self.chain is not None else free_chain(scores)
        return self.constraints.added_to(chain) if constrained else chain

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings), "labels": list(self.settings.labels)}


def word_places(tokens: Tokens, words: Sequence[str], state: WordState) -> tuple[np.ndarray, np.ndarray | None]:
    """Which tokens words are read at.

    Args:
        tokens: of the words joined by blanks.
        words: in Unicode NFC.
        state: see `TagConfig.words`.

    Returns:
        (P,) numbers of tokens, and (P,) the word of each; None where P is the number of words. A word that no token
        covers is read at the token before it.
    """
    lengths = np.array([len(word) for word in words], dtype=np.int64)
    start = np.cumsum(lengths + 1) - lengths - 1  # (W,) characters
    first = tokens.first_in(start, start + lengths)  # (W,)
    if state == "first" or not len(words):
        return first, None if state != "mean" else np.zeros(0, dtype=np.int64)
    # The last token that begins before the word's end; where no token covers the word, the one before it again.
    last = np.maximum(np.searchsorted(tokens.start, start + lengths, side="left") - 1, first)  # (W,)
    if state == "last":
        return last, None
    count = last - first + 1
    units = np.repeat(np.arange(len(words)), count)
    return np.arange(len(units)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count), units
