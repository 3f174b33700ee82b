"""Semantic roles: who does what to whom, for each predicate of a sentence.

After He et al. 2017 and the model of Peters et al. 2018 (section 4): a word's state and the embedding of a mark that
says whether it is the predicate are read by LSTMs in both directions, and each word gets a tag in IOB2. The mark stands
beside the states and not in the encoder, so a sentence is encoded once for all its predicates, by any encoder and under
any transfer method. Tags that IOB2 does not have are ruled out, by a conditional random field or each word by itself
(`tasks.crf`), and on request what breaks PropBank's rules (`tasks.role_rules`). A second network, learned along, finds
the predicates where nobody gives them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.errors import LangnetError
from langnet.tasks.crf import ConstraintUse, TagChain
from langnet.tasks.role_rules import RoleRules
from langnet.tasks.task import SupervisedTask
from langnet.tasks.task_network import TaskNetwork, TaskNetworkConfig
from langnet.tasks.words import WordExample, WordState, collate_words, word_counts, word_examples, word_states
from langnet.tasks.writing import Writer
from langnet.text.batches import IGNORED, Batch
from langnet.text.frames import Frame, FramedSentence, role_tags
from langnet.text.tag_schemes import spans

REACH = 128  # words on either side of a predicate that are looked at, which bounds what a long text costs
WORDS_AT_ONCE = 16384  # of all predicates together, which bounds the memory
AT_FIRST = -2.0  # what speaks for a word being a predicate before anything is learned: one in eight is
FOUND = 0.5  # probability from which on a word is a predicate


@dataclass(frozen=True)
class RoleConfig:
    """How the head is built.

    Attributes:
        labels: the roles as tags in IOB2.
        words: which state of a word's tokens is the word's: of the `last`, of the `first`, or the `mean` of all.
        mark: width of the embedding that says which word is the predicate.
        predicate: whether every word's input has the predicate's state beside its own.
        hidden: units of each direction of the recurrent network; 0 for none.
        layers: of the recurrent network.
        mixed_layers: of the encoder, embeddings counted, that a second mix beside the network's output reads; 0 for
            none.
        crf: whether tags are chosen as a whole by a conditional random field, or each by itself.
        constraints: whether what IOB2 does not have is ruled out: in `decoding`, `always`, in learning too, or `never`.
        rules: whether numbered roles occur once, and continuations and references only with what they belong to.
        finder: whether predicates are learned to be found.
        dropout: before each layer.
    """

    labels: Sequence[str]
    words: WordState = "last"
    mark: int = 32
    predicate: bool = False
    hidden: int = 128
    layers: int = 2
    mixed_layers: int = 0
    crf: bool = False
    constraints: ConstraintUse = "decoding"
    rules: bool = False
    finder: bool = True
    dropout: float = 0.1


@dataclass(frozen=True)
class RoleGuess:
    """The roles of a sentence's predicates.

    Attributes:
        frames: of the predicates that were given, or, where none were, of those that were found.
        probabilities: of each role of each of these frames: that of the least probable of its words' tags.
        found: the frames of the predicates that were found, where others were given; None where none were looked for.
        predicates: the probability that each word is a predicate; empty where none were looked for.
        least: of each of the frames the probability of the least probable tag of all its words, also of those that
            have no role.
    """

    frames: tuple[Frame, ...]
    probabilities: tuple[tuple[float, ...], ...] = ()
    found: tuple[Frame, ...] | None = None
    predicates: tuple[float, ...] = ()
    least: tuple[float, ...] = ()

    def __str__(self) -> str:
        """Words counted from 1."""
        told = []
        for frame in self.frames:
            places = [(role.type, role.start + 1, role.end) for role in frame.roles or ()]
            roles = [f"{name} {start}" if start == end else f"{name} {start}-{end}" for name, start, end in places]
            told.append(f"predicate {frame.predicate + 1}: {', '.join(roles) or 'no roles'}")
        return "; ".join(told) or "no predicates"


@dataclass(frozen=True)
class RoleExample(WordExample):
    """A sentence as an encoder reads it, and its predicates.

    Attributes:
        frames: as they were given; None where predicates are to be found.
        tags: (W,) ids of the tags for each of the frames; None where they are to be predicted.
    """

    frames: tuple[Frame, ...] | None
    tags: tuple[np.ndarray, ...] | None


@dataclass(frozen=True)
class _Rows:
    """Predicates of a batch's sentences, P of them, and the words around each, L at most.

    Attributes:
        owner: (P,) the sentence of each.
        start: (P,) the first of the words around it.
        place: (P,) the predicate among these.
        lengths: (P,) how many they are.
    """

    owner: Tensor
    start: Tensor
    place: Tensor
    lengths: Tensor

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, int]], n_words: Sequence[int], device: torch.device) -> _Rows:
        """The rows of pairs of a sentence and a predicate in it."""
        owner, predicate = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        start = np.maximum(predicate - REACH, 0)
        lengths = np.minimum(predicate + REACH + 1, np.asarray(n_words, dtype=np.int64)[owner]) - start
        return cls(*(torch.from_numpy(part).to(device) for part in (owner, start, predicate - start, lengths)))

    def __len__(self) -> int:
        return len(self.owner)

    def part(self, index: slice) -> _Rows:
        """Some of them."""
        return _Rows(self.owner[index], self.start[index], self.place[index], self.lengths[index])

    @property
    def words(self) -> Tensor:
        """(P, L) the number of each word in its sentence; of what stands behind a row's end, its last one."""
        steps = torch.arange(int(self.lengths.max()), device=self.owner.device)
        return self.start[:, None] + torch.minimum(steps, self.lengths[:, None] - 1)

    def taken(self, states: Tensor) -> Tensor:
        """The states (P, L, D) of these words, of (N, W, D)."""
        flat = self.owner[:, None] * states.shape[1] + self.words  # (P, L)
        return states.flatten(0, 1)[flat]


class LabelRoles(SupervisedTask[FramedSentence, RoleGuess]):
    """Words' states and a mark at the predicate, a task network, a linear layer, and a chain over the tags."""

    name = "label_roles"

    def __init__(self, config: RoleConfig, dim: int):
        super().__init__()
        self.settings = config
        self.norm = nn.LayerNorm(dim)
        self.mark = nn.Embedding(2, config.mark)
        network = TaskNetworkConfig(config.hidden, config.layers, config.mixed_layers, config.dropout)
        self.network = TaskNetwork(network, dim * (2 if config.predicate else 1) + config.mark, dim)
        self.output = nn.Linear(self.network.width, len(config.labels))
        self.chain = TagChain(config.labels, "iob2", config.crf, config.constraints)
        self.rules = RoleRules(config.labels)
        finding = TaskNetworkConfig(config.hidden // 2, 1, 0, config.dropout)
        self.finder = TaskNetwork(finding, dim) if config.finder else None
        self.finds = nn.Linear(self.finder.width, 1) if self.finder is not None else None
        if self.finds is not None:
            nn.init.constant_(self.finds.bias, AT_FIRST)

    def examples(self, items: Sequence[FramedSentence], writer: Writer, labelled: bool = True) -> list[RoleExample]:
        read = word_examples([item.words for item in items], writer, self.settings.words)
        place = {label: index for index, label in enumerate(self.settings.labels)}
        out = []
        for item, one in zip(items, read, strict=True):
            if item.frames is None and (labelled or self.finder is None):
                why = "its roles are to be learned" if labelled else "this model was trained without finding them"
                raise LangnetError(f"{item.source or 'a sentence'}: nothing says which words are predicates, and {why}")
            tags = tuple(self._tags(item, frame, place) for frame in item.frames or ()) if labelled else None
            out.append(RoleExample(**vars(one), frames=item.frames, tags=tags))
        return out

    def _tags(self, item: FramedSentence, frame: Frame, place: dict[str, int]) -> np.ndarray:
        where = item.source or "a sentence"
        if frame.roles is None:
            raise LangnetError(f"{where}: the roles of '{item.words[frame.predicate]}' are missing")
        tags = role_tags(frame, len(item.words))
        unknown = next((tag for tag in tags if tag not in place), None)
        if unknown is not None:
            known = ", ".join(sorted({label[2:] for label in place if label[2:]})[:10])
            raise LangnetError(f"{where}: unknown role '{unknown[2:]}'; the model knows {known}")
        return np.array([place[tag] for tag in tags], dtype=np.int64)

    def collate(self, examples: Sequence[RoleExample], context: int | None, pad_id: int) -> Batch:
        """Sentences as rows that overlap where they are long; labels (P, L) of the words around each predicate."""
        batch = collate_words(examples, context, pad_id, self.settings.words)
        if any(example.tags is None for example in examples):
            return batch
        rows = self._given(batch)
        if not len(rows):
            return batch
        words, lengths = rows.words.numpy(), rows.lengths.numpy()  # (P, L), (P,)
        labels = np.full(words.shape, IGNORED, dtype=np.int64)
        tags = [own for example in examples for own in example.tags or ()]
        for index, own in enumerate(tags):
            labels[index, : lengths[index]] = own[words[index, : lengths[index]]]
        return replace(batch, labels=torch.from_numpy(labels))

    @staticmethod
    def _given(batch: Batch) -> _Rows:
        pairs = [(n, frame.predicate) for n, example in enumerate(batch.examples) for frame in example.frames or ()]
        return _Rows.of(pairs, [example.n_words for example in batch.examples], batch.ids.device)

    def scores(self, encoding: Encoding, batch: Batch, rows: _Rows) -> Tensor:
        """Unnormalised log-probabilities of the tags of the words around each predicate, (P, L, C)."""
        return self._scores(self._states(encoding, batch), self._layers(encoding, batch), rows)

    def _states(self, encoding: Encoding, batch: Batch) -> Tensor:
        states: Tensor = self.norm(word_states(encoding.top, batch))  # (N, W, D)
        return states

    def _layers(self, encoding: Encoding, batch: Batch) -> list[Tensor]:
        return [word_states(layer, batch) for layer in encoding.layers[: self.settings.mixed_layers]]

    def _scores(self, states: Tensor, layers: list[Tensor], rows: _Rows) -> Tensor:
        own = rows.taken(states)  # (P, L, D)
        marked = (torch.arange(own.shape[1], device=own.device) == rows.place[:, None]).long()  # (P, L)
        parts = [own, self.mark(marked).to(own.dtype)]
        if self.settings.predicate:
            there = own.gather(1, rows.place[:, None, None].expand(-1, 1, own.shape[2]))  # (P, 1, D)
            parts.append(there.expand_as(own))
        taken = [rows.taken(layer) for layer in layers]
        return self.output(self.network(torch.cat(parts, dim=2), rows.lengths, taken)).float()

    def _finding(self, states: Tensor, lengths: Tensor) -> Tensor:
        """How much speaks for each word being a predicate, (N, W)."""
        assert self.finder is not None
        assert self.finds is not None
        return self.finds(self.finder(states, lengths)).float()[..., 0]

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        """The mean loss of the words around each predicate, and that of finding predicates, summed."""
        states, rows, lengths = self._states(encoding, batch), self._given(batch), word_counts(batch)
        total = states.sum() * 0.0
        if len(rows):
            assert batch.labels is not None, "roles are learned from with labels"
            scores = self._scores(states, self._layers(encoding, batch), rows)
            total = total + self.chain.loss(scores, batch.labels, rows.lengths) / rows.lengths.sum()
        if self.finder is not None:
            real = torch.arange(states.shape[1], device=states.device) < lengths[:, None]  # (N, W)
            truth = torch.zeros_like(real, dtype=torch.float)
            truth[rows.owner, rows.start + rows.place] = 1.0
            guessed = self._finding(states, lengths)
            total = total + F.binary_cross_entropy_with_logits(guessed[real], truth[real])
        return total

    def guesses(self, encoding: Encoding, batch: Batch) -> list[RoleGuess]:
        """The roles of the given predicates, and, where they are looked for, of those that were found."""
        states, layers = self._states(encoding, batch), self._layers(encoding, batch)
        examples: Sequence[RoleExample] = batch.examples
        chances = self._chances(states, word_counts(batch))
        found = [[word for word, chance in enumerate(own) if chance >= FOUND] for own in chances]
        given = [None if e.frames is None else [frame.predicate for frame in e.frames] for e in examples]
        wanted = [sorted({*(mine or ()), *own}) for mine, own in zip(given, found, strict=True)]
        pairs = [(n, word) for n, own in enumerate(wanted) for word in own]
        decoded = dict(zip(pairs, self._decoded(states, layers, pairs, examples), strict=True))
        out = []
        for n, example in enumerate(examples):
            frames = [Frame(word) for word in found[n]] if example.frames is None else list(example.frames)
            both = [decoded[n, frame.predicate] for frame in frames]
            made = tuple(replace(frame, roles=own.roles) for frame, (own, *_) in zip(frames, both, strict=True))
            other = None
            if self.finder is not None and example.frames is not None:
                other = tuple(decoded[n, word][0] for word in found[n])
            shares, least = tuple(sure for _, sure, _ in both), tuple(one for *_, one in both)
            out.append(RoleGuess(made, shares, other, tuple(chances[n]), least))
        return out

    def _chances(self, states: Tensor, lengths: Tensor) -> list[list[float]]:
        """The probability of each word to be a predicate; none where they are not looked for."""
        if self.finder is None:
            return [[] for _ in lengths]
        table = self._finding(states, lengths).sigmoid().tolist()
        return [own[:n] for own, n in zip(table, lengths.tolist(), strict=True)]

    def _decoded(
        self, states: Tensor, layers: list[Tensor], pairs: Sequence[tuple[int, int]], examples: Sequence[RoleExample]
    ) -> list[tuple[Frame, tuple[float, ...], float]]:
        """The roles of each pair of a sentence and a predicate, their probabilities, and the least of all tags."""
        if not pairs:
            return []
        out: list[tuple[Frame, tuple[float, ...], float]] = []
        rows = _Rows.of(pairs, [example.n_words for example in examples], states.device)
        step = max(1, WORDS_AT_ONCE // int(rows.lengths.max()))
        for first in range(0, len(pairs), step):
            part = rows.part(slice(first, first + step))
            scores = self._scores(states, layers, part)
            paths = self._paths(scores, part.lengths)  # (P, L)
            shares = self.chain.deciding(scores).marginals(scores, part.lengths).gather(2, paths[..., None])[..., 0]
            places = zip(part.lengths.tolist(), part.start.tolist(), part.place.tolist(), strict=True)
            table = zip(paths.tolist(), shares.tolist(), places, strict=True)
            out += [self._frame(path[:n], sure[:n], start, place) for path, sure, (n, start, place) in table]
        return out

    def _paths(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """The best tags (P, L) of scores (P, L, C)."""
        chain = self.chain.deciding(scores)
        paths, _ = chain.best_paths(scores, lengths)
        if not self.settings.rules:
            return paths
        broken = self.rules.broken(paths.cpu().numpy(), lengths.cpu().numpy()).any(1)
        ends = chain.start.cpu().double().numpy(), chain.end.cpu().double().numpy()
        between = chain.transitions.cpu().double().numpy()
        for row in np.flatnonzero(broken):
            own = scores[row, : lengths[row]].cpu().double().numpy()
            paths[row, : lengths[row]] = torch.from_numpy(self.rules.best_path(own, between, ends)).to(paths)
        return paths

    def _frame(
        self, path: Sequence[int], shares: Sequence[float], start: int, place: int
    ) -> tuple[Frame, tuple[float, ...], float]:
        found = spans([self.settings.labels[tag] for tag in path])
        roles = tuple(span._replace(start=span.start + start, end=span.end + start) for span in found)
        sure = tuple(min(shares[span.start : span.end]) for span in found)
        return Frame(start + place, roles), sure, min(shares)

    def guess_scores(self, encoding: Encoding, batch: Batch, guesses: Sequence[RoleGuess]) -> Tensor:
        """The log-probability of the tags of all of a sentence's predicates together, (N,); 0 where there are none."""
        place = {label: index for index, label in enumerate(self.settings.labels)}
        total = encoding.top.new_zeros(len(guesses)).float()
        frames = [(n, frame) for n, guess in enumerate(guesses) for frame in guess.frames]
        if not frames:
            return total + encoding.top.sum() * 0.0
        n_words = [example.n_words for example in batch.examples]
        rows = _Rows.of([(n, frame.predicate) for n, frame in frames], n_words, encoding.top.device)
        scores = self.scores(encoding, batch, rows)
        tags = np.zeros(scores.shape[:2], dtype=np.int64)
        for index, (n, frame) in enumerate(frames):
            own = np.array([place[tag] for tag in role_tags(frame, n_words[n])])
            tags[index, : int(rows.lengths[index])] = own[int(rows.start[index]) :][: int(rows.lengths[index])]
        labels = torch.from_numpy(tags).to(scores.device)
        return total.index_add(0, rows.owner, self.chain.log_probabilities(scores, labels, rows.lengths))

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings), "labels": list(self.settings.labels)}
