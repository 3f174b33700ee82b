"""A constituency tree for every sentence, by a chart of all spans or as a sequence of brackets.

Words are read as for tags (`words`), a network of LSTMs in both directions goes over them, a decoder of trees stands on
it (`tree_decoders`), and beside that a linear layer that says each word's part of speech; or the tags are taken from
the file, and the network reads them. Chains of brackets over the same words are one label: S+VP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.errors import LangnetError, warn
from langnet.tasks.beam_search import BeamOptions
from langnet.tasks.task import SupervisedTask
from langnet.tasks.task_network import TaskNetwork, TaskNetworkConfig
from langnet.tasks.tree_decoders import ChartDecoder, Decoded, TreeDecoder, linear_decoder
from langnet.tasks.tree_tokens import LabelledSpan
from langnet.tasks.words import WordExample, WordState, collate_words, word_counts, word_examples, word_states
from langnet.tasks.writing import Writer
from langnet.text.batches import IGNORED, Batch
from langnet.text.tree_files import ParseItem
from langnet.text.trees import Chain, Span, Tree, bare, from_spans, said, spans_of

TAG_WIDTH = 32  # of the vector of a tag that is read


@dataclass(frozen=True)
class ParseConfig:
    """How the head is built.

    Attributes:
        labels: chains of labels, outer first.
        tags: of words.
        outer: the label of the bracket that holds a whole tree together; None for no such bracket.
        decoder: `chart` or `linear`.
        given_tags: whether tags are read from the file; else the head says them.
        words: which state of a word's tokens is the word's, see `word_examples`.
        hidden: units of each direction of the recurrent network; 0 for none.
        layers: of the recurrent network.
        mixed_layers: of the encoder, embeddings counted, that a second mix beside the network's output reads (Peters et
            al. 2018); 0 for none.
        span_hidden: units of the network that scores spans, or of the LSTM that writes.
        beam: of the linear decoder, trees that are kept.
        length_penalty: of the linear decoder, see `BeamOptions`.
        longest: words of a sentence that are parsed together; a longer one is in pieces side by side.
        dropout: before each layer.
    """

    labels: Sequence[Chain]
    tags: Sequence[str]
    outer: str | None = None
    decoder: Literal["chart", "linear"] = "chart"
    given_tags: bool = False
    words: WordState = "last"
    hidden: int = 128
    layers: int = 2
    mixed_layers: int = 0
    span_hidden: int = 256
    beam: int = 5
    length_penalty: float = 0.0
    longest: int = 256
    dropout: float = 0.2


@dataclass(frozen=True)
class ParseGuess:
    """The tree of a sentence.

    Attributes:
        tree: with the words of the file.
        log_probability: of its brackets among all trees; 0 where a method has none.
        probabilities: of each span of the tree, in the order of `spans_of`; empty where a method has none.
    """

    tree: Tree
    log_probability: float = 0.0
    probabilities: tuple[float, ...] = ()

    def __str__(self) -> str:
        return str(self.tree)


@dataclass(frozen=True)
class ParseExample(WordExample):
    """A sentence as an encoder reads it.

    Attributes:
        words: as the guess has them.
        given: tags of the file, where they are read; else empty.
        tags: (W,) ids of the tags; None where neither learned nor read.
        spans: start, end and label of each span; None where they are to be predicted.
    """

    words: tuple[str, ...]
    given: tuple[str, ...]
    tags: np.ndarray | None
    spans: list[LabelledSpan] | None


class Parse(SupervisedTask[ParseItem, ParseGuess]):
    """Words' states, a task network, tags, and a decoder of trees."""

    name = "parse"

    def __init__(self, config: ParseConfig, dim: int):
        super().__init__()
        self.settings = config
        network = TaskNetworkConfig(config.hidden, config.layers, config.mixed_layers, config.dropout)
        self.norm = nn.LayerNorm(dim)
        self.read_tags = nn.Embedding(len(config.tags) + 1, TAG_WIDTH) if config.given_tags else None
        self.network = TaskNetwork(network, dim + TAG_WIDTH * config.given_tags, dim)
        width = self.network.width
        self.say_tags = None if config.given_tags else nn.Linear(width, len(config.tags))
        parts = (width, len(config.labels), config.span_hidden, config.dropout)
        beam = BeamOptions(config.beam, config.length_penalty)
        self.decoder: TreeDecoder = ChartDecoder(*parts) if config.decoder == "chart" else linear_decoder(*parts, beam)
        self.label_ids = {tuple(chain): index for index, chain in enumerate(config.labels)}
        self.tag_ids = {tag: index for index, tag in enumerate(config.tags)}

    def examples(self, items: Sequence[ParseItem], writer: Writer, labelled: bool = True) -> list[ParseExample]:
        """Sentences as token ids; those that are too long to learn from are left out, which is said."""
        read = word_examples([said(item.words) for item in items], writer, self.settings.words)
        found = [self._example(item, one, labelled) for item, one in zip(items, read, strict=True)]
        if not labelled:
            return found
        short = [one for one in found if 0 < one.n_words <= self.settings.longest]
        if len(short) < len(found):
            warn(
                f"{len(found) - len(short):,} of {len(found):,} sentences have no words, or more than "
                f"{self.settings.longest}, and are not learned from"
            )
        if items and not short:
            raise LangnetError("no sentence is short enough to learn from")
        return short

    def _example(self, item: ParseItem, read: WordExample, labelled: bool) -> ParseExample:
        spans = None
        tags = item.tags
        if labelled:
            if item.tree is None:
                raise LangnetError(f"{item.source or 'a sentence'}: there is no tree to learn from")
            tree = bare(item.tree)
            spans, tags = [(s.start, s.end, self._label(s.chain, item)) for s in spans_of(tree)], tree.tags
        given = self.settings.given_tags
        if given and tags is None:
            raise LangnetError(
                f"{item.source or 'a sentence'}: this model reads tags, and the file has none; give trees, CoNLL-U "
                "with tags, or name their column by --label-column"
            )
        ids = None
        if tags is not None and (labelled or given):
            ids = np.array([self.tag_ids.get(tag, len(self.tag_ids)) for tag in tags], dtype=np.int64)
        return ParseExample(**vars(read), words=item.words, given=(tags or ()) if given else (), tags=ids, spans=spans)

    def _label(self, chain: Chain, item: ParseItem) -> int:
        if chain not in self.label_ids:
            known = ", ".join("+".join(one) for one in list(self.label_ids)[:10])
            raise LangnetError(f"{item.source or 'a tree'}: unknown label '{'+'.join(chain)}'; the model knows {known}")
        return self.label_ids[chain]

    def collate(self, examples: Sequence[ParseExample], context: int | None, pad_id: int) -> Batch:
        return collate_words(examples, context, pad_id, self.settings.words)

    def states(self, encoding: Encoding, batch: Batch) -> tuple[Tensor, Tensor]:
        """The states of words (N, W, width) that trees and tags are found by, and words of each sentence (N,)."""
        lengths = word_counts(batch)
        read = self.norm(word_states(encoding.top, batch))  # (N, W, D)
        if self.read_tags is not None:
            tags = _padded([e.tags for e in batch.examples], read.shape[1], len(self.tag_ids)).to(read.device)
            read = torch.cat([read, self.read_tags(tags).to(read.dtype)], dim=2)
        layers = [word_states(layer, batch) for layer in encoding.layers[: self.settings.mixed_layers]]
        return self.network(read, lengths, layers), lengths

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        """Of trees and of tags, a word."""
        states, lengths = self.states(encoding, batch)
        total = -self.decoder.log_probabilities(states, lengths, [e.spans for e in batch.examples]).sum()
        if self.say_tags is not None:
            gold = _padded([e.tags for e in batch.examples], states.shape[1], IGNORED).to(states.device)
            gold = gold.masked_fill(gold == len(self.tag_ids), IGNORED)  # a tag that no training item had
            scores = self.say_tags(states).float().flatten(0, 1)
            total = total + F.cross_entropy(scores, gold.flatten(), ignore_index=IGNORED, reduction="sum")
        return total / lengths.sum().clamp_min(1)

    def guesses(self, encoding: Encoding, batch: Batch) -> list[ParseGuess]:
        """The best tree of each sentence, and its tags."""
        states, lengths = self.states(encoding, batch)
        pieces = _Pieces.of(states, lengths, self.settings.longest)
        trees = pieces.together(self.decoder.decode(pieces.states, pieces.lengths))
        said_tags = None if self.say_tags is None else self.say_tags(states).argmax(2).tolist()
        found = []
        for row, (example, tree) in enumerate(zip(batch.examples, trees, strict=True)):
            tags = example.given
            if said_tags is not None:
                tags = [self.settings.tags[index] for index in said_tags[row][: example.n_words]]
            spans = [Span(tuple(self.settings.labels[label]), start, end) for start, end, label in tree.spans]
            whole = from_spans(example.words, tags, spans, self.settings.outer)
            found.append(ParseGuess(whole, tree.log_probability, tuple(tree.probabilities)))
        return found

    def guess_scores(self, encoding: Encoding, batch: Batch, guesses: Sequence[ParseGuess]) -> Tensor:
        """The log-probability of each guess's brackets."""
        states, lengths = self.states(encoding, batch)
        pieces = _Pieces.of(states, lengths, self.settings.longest)
        trees = [
            [(s.start, s.end, self.label_ids[s.chain]) for s in spans_of(bare(guess.tree)) if s.chain in self.label_ids]
            for guess in guesses
        ]
        own = self.decoder.log_probabilities(pieces.states, pieces.lengths, pieces.apart(trees))  # (M,)
        return own.new_zeros(len(guesses)).index_add(0, pieces.rows, own)

    def config(self) -> dict[str, Any]:
        labels = [list(chain) for chain in self.settings.labels]
        return {"name": self.name, **asdict(self.settings), "labels": labels, "tags": list(self.settings.tags)}


def _padded(rows: Sequence[np.ndarray], width: int, value: int) -> Tensor:
    out = np.full((len(rows), width), value, dtype=np.int64)
    for index, row in enumerate(rows):
        out[index, : len(row)] = row
    return torch.from_numpy(out)


@dataclass(frozen=True)
class _Pieces:
    """Sentences in pieces that are short enough.

    Attributes:
        states: (M, W, D) of the pieces.
        lengths: (M,).
        rows, starts: (M,) of which sentence each is, and from which word on.
    """

    states: Tensor
    lengths: Tensor
    rows: Tensor
    starts: Tensor

    @classmethod
    def of(cls, states: Tensor, lengths: Tensor, longest: int) -> _Pieces:
        counts = lengths.tolist()
        if max(counts, default=0) <= longest:
            rows = torch.arange(len(counts), device=states.device)
            return cls(states, lengths, rows, torch.zeros_like(rows))
        cut = [
            (row, start, min(longest, n - start)) for row, n in enumerate(counts) for start in range(0, n or 1, longest)
        ]
        rows, starts, sizes = torch.tensor(cut, device=states.device).unbind(1)
        places = starts[:, None] + torch.arange(longest, device=states.device)  # (M, longest)
        found = states[rows[:, None], places.clamp_max(states.shape[1] - 1)]  # (M, longest, D)
        return cls(found, sizes, rows, starts)

    def apart(self, trees: Sequence[Sequence[LabelledSpan]]) -> list[list[LabelledSpan]]:
        """The spans of sentences in pieces; those that reach over a border are left out."""
        found = []
        for row, start, size in zip(self.rows.tolist(), self.starts.tolist(), self.lengths.tolist(), strict=True):
            inside = [(a - start, b - start, c) for a, b, c in trees[row] if start <= a and b <= start + size]
            found.append(inside)
        return found

    def together(self, trees: Sequence[Decoded]) -> list[Decoded]:
        """The trees of pieces as those of sentences, side by side."""
        n = int(self.rows[-1]) + 1 if len(self.rows) else 0
        if len(trees) == n:
            return list(trees)
        found = [Decoded([], 0.0, []) for _ in range(n)]
        for row, start, tree in zip(self.rows.tolist(), self.starts.tolist(), trees, strict=True):
            before = found[row]
            spans = before.spans + [(a + start, b + start, c) for a, b, c in tree.spans]
            found[row] = Decoded(
                spans, before.log_probability + tree.log_probability, before.probabilities + tree.probabilities
            )
        return found
