"""Which mentions of a document mean the same thing: spans are found, and each is linked to an earlier one or to none.

End to end after Lee et al. 2017 and 2018: all short spans are scored as mentions, the best are kept, and each chooses
its antecedent; chains are what hangs together. Their higher-order inference is left out, which Xu & Choi 2020 found to
add little. Mentions are also learned as such, beside their links, since many sets mark those that are never mentioned
again, and few labels go further that way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.errors import LangnetError
from langnet.tasks.antecedents import AntecedentScorer, Links, SpanFacts, antecedent_loss
from langnet.tasks.mentions import MentionScorer, Spans, best_spans, possible_spans
from langnet.tasks.task import SupervisedTask
from langnet.tasks.task_network import TaskNetwork, TaskNetworkConfig
from langnet.tasks.words import WordExample, WordState, collate_words, word_counts, word_examples, word_states
from langnet.tasks.writing import Writer
from langnet.text.batches import Batch
from langnet.text.chains import Chain, Document, PronounChoice, Span, crosses


@dataclass(frozen=True)
class CoreferConfig:
    """How the head is built.

    Attributes:
        longest: the most words of a mention.
        share: mentions that are kept, a word of the document.
        antecedents: of each mention that are scored finely.
        hidden: units of each direction of the recurrent network; 0 for none.
        width: of the vectors of spans.
        matches: whether the head sees which spans have the same words.
        singletons: whether mentions that are linked with none are chains of one.
        pronouns: whether only pronouns were learned about, by GAP's questions: other links then mean nothing.
        segment: words of a training document that are read together; it is cut between sentences.
        words: which state of a word's tokens is the word's, see `tasks.words`.
        dropout: before each layer.
    """

    longest: int = 10
    share: float = 0.4
    antecedents: int = 50
    hidden: int = 128
    width: int = 128
    matches: bool = True
    singletons: bool = False
    pronouns: bool = False
    segment: int = 400
    words: WordState = "last"
    dropout: float = 0.2

    def __post_init__(self) -> None:
        for name, least in (("longest", 1), ("antecedents", 1), ("hidden", 0), ("width", 1), ("segment", 1)):
            if getattr(self, name) < least:
                raise LangnetError(f"{name} must be {least} or more, not {getattr(self, name)}")
        if not 0 < self.share <= self.longest:
            raise LangnetError(f"the share of mentions a word must be above 0, and at most {self.longest}")
        if not 0 <= self.dropout < 1:
            raise LangnetError(f"the dropout must be from 0 to below 1, not {self.dropout:g}")


@dataclass(frozen=True)
class CoreferGuess:
    """The chains of a document, and how sure they are.

    Attributes:
        chains: in the order of the text.
        links: of every mention that was linked, its antecedent and the probability of that, by mention.
        sure: the mean probability of what was decided of each mention: its antecedent, or that it has none; of a
            question, of what decides it alone. 0 where there are no mentions.
    """

    chains: tuple[Chain, ...]
    links: tuple[tuple[Span, Span, float], ...] = ()
    sure: float = 0.0


@dataclass(frozen=True)
class CoreferExample(WordExample):
    """A document, or a part of one, as an encoder reads it.

    Attributes:
        sentences: (S,) the first word of each.
        spelled: of every word, in small letters.
        chain: the number of each mention's chain; None where they are to be found.
        choice: the question that is asked of it, if there is one: its chains then say nothing of other mentions.
    """

    sentences: np.ndarray
    spelled: tuple[str, ...]
    chain: dict[Span, int] | None
    choice: PronounChoice | None


class Corefer(SupervisedTask[Document, CoreferGuess]):
    """Find mentions, and link each to an earlier one."""

    name = "corefer"

    def __init__(self, config: CoreferConfig, dim: int):
        super().__init__()
        self.settings = config
        self.norm = nn.LayerNorm(dim)
        self.network = TaskNetwork(TaskNetworkConfig(config.hidden, dropout=config.dropout), dim)
        self.mentions = MentionScorer(self.network.width, config.width, config.longest, config.dropout)
        self.antecedents = AntecedentScorer(config.width, config.antecedents, config.matches, config.dropout)

    def examples(self, items: Sequence[Document], writer: Writer, labelled: bool = True) -> list[CoreferExample]:
        """Documents as token ids; to learn from in parts, since their chains are long and memory is not."""
        if labelled:
            missing = next((item for item in items if item.chains is None), None)
            if missing is not None:
                raise LangnetError(f"{missing.source or 'a document'} has no chains to learn from; it can be predicted")
            items = [part for item in items for part in segments(item, self.settings.segment)]
        read = word_examples([item.words for item in items], writer, self.settings.words)
        return [
            CoreferExample(
                **vars(one), sentences=np.array(item.sentences, dtype=np.int64),
                spelled=tuple(word.casefold() for word in item.words),
                chain={span: n for n, chain in enumerate(item.chains or ()) for span in chain} if labelled else None,
                choice=item.choice,
            )
            for item, one in zip(items, read, strict=True)
        ]  # fmt: skip

    def collate(self, examples: Sequence[CoreferExample], context: int | None, pad_id: int) -> Batch:
        """Documents as rows that overlap where they are long, with the place of each word."""
        return collate_words(examples, context, pad_id, self.settings.words)

    def words(self, encoding: Encoding, batch: Batch) -> list[Tensor]:
        """The states of the words of each document, (W, width)."""
        lengths = word_counts(batch)
        states = self.network(self.norm(word_states(encoding.top, batch)), lengths)  # (N, W, width)
        return [own[:n] for own, n in zip(states, lengths.tolist(), strict=True)]

    def links(self, words: Tensor, example: CoreferExample) -> tuple[Spans, Links]:
        """The mentions of a document that are kept, and what each may refer to."""
        possible, wanted = self._allowed(words, example)
        spans = self.mentions.kept(words, possible, self._count(words), wanted)
        return spans, self.antecedents(spans, facts_of(spans, example))

    def _allowed(self, words: Tensor, example: CoreferExample) -> tuple[Tensor, Tensor]:
        """Which spans may be mentions, and which are looked at in any case, (W, L) each."""
        sentences = torch.from_numpy(example.sentences).to(words.device)
        possible = possible_spans(sentences, len(words), self.settings.longest)
        wanted = torch.zeros_like(possible)
        if example.choice is not None:
            for first, last in (example.choice.pronoun, example.choice.a, example.choice.b):
                wanted[first, min(last - first, self.settings.longest - 1)] = True
        return possible, wanted

    def _count(self, words: Tensor) -> int:
        return max(1, round(self.settings.share * len(words)))

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        """The loss of the links, a mean over documents, and that of all possible mentions, a word."""
        linked, found, n_words = [], [], 0
        for words, example in zip(self.words(encoding, batch), batch.examples, strict=True):
            assert example.chain is not None, "chains are learned from with labels"
            if not len(words):
                continue
            states, scores = self.mentions(words)
            allowed = self._allowed(words, example)
            spans = best_spans(states, scores, allowed, self._count(words))
            chain, counted = self._gold(spans, example)
            linked.append(antecedent_loss(self.antecedents(spans, facts_of(spans, example)), chain, counted))
            if example.choice is None:
                found.append(self._mention_loss(scores[..., 0], allowed[0], example))
                n_words += len(words)
        total = torch.stack(linked).mean() if linked else encoding.top.sum() * 0
        return total + torch.stack(found).sum() / n_words if found else total

    def _gold(self, spans: Spans, example: CoreferExample) -> tuple[Tensor, Tensor | None]:
        """The chain of each kept span, and which of them say anything: of a question only what it asks of."""
        assert example.chain is not None
        places = list(zip(spans.first.tolist(), spans.last.tolist(), strict=True))
        chain = torch.tensor([example.chain.get(span, -1) for span in places], device=spans.first.device)
        if example.choice is None:
            return chain, None
        asked = example.choice
        right = [name for name, is_it in zip((asked.a, asked.b), asked.gold or (), strict=False) if is_it]
        # A name's own antecedents are not known, but where the pronoun stands before it.
        later = [name for name in right if name > asked.pronoun]
        counted = {*later, *([] if right and len(later) == len(right) else [asked.pronoun])}
        return chain, torch.tensor([span in counted for span in places], device=chain.device)

    def _mention_loss(self, scores: Tensor, possible: Tensor, example: CoreferExample) -> Tensor:
        """The binary cross-entropy of all possible spans, a sum, of their log-odds (W, L)."""
        assert example.chain is not None
        gold = torch.zeros_like(scores)
        true = [(a, b - a) for a, b in example.chain if b - a < self.settings.longest]
        if true:
            gold[tuple(torch.tensor(true, device=gold.device).T)] = 1.0
        return F.binary_cross_entropy_with_logits(scores[possible], gold[possible], reduction="sum")

    def guesses(self, encoding: Encoding, batch: Batch) -> list[CoreferGuess]:
        return [
            self._guess(*self.links(words, example), example.choice) if len(words) else CoreferGuess(())
            for words, example in zip(self.words(encoding, batch), batch.examples, strict=True)
        ]

    def _guess(self, spans: Spans, links: Links, asked: PronounChoice | None) -> CoreferGuess:
        """Every mention with its most probable antecedent, unless none is more probable or their chain crosses it."""
        only = asked.pronoun if asked and self.settings.pronouns else None
        shares, chosen = links.scores.softmax(1).max(1)  # (M,)
        mention = (spans.mention > 0).tolist()
        places = list(zip(spans.first.tolist(), spans.last.tolist(), strict=True))
        chain_of: dict[int, int] = {}
        chains: list[list[Span]] = []
        found = []
        for index, (place, share) in enumerate(zip(chosen.tolist(), shares.tolist(), strict=True)):
            if place == 0:
                continue
            other = int(links.antecedents[index, place - 1])
            if only and only not in (places[index], places[other]):
                continue
            chain = chains[chain_of[other]] if other in chain_of else [places[other]]
            if any(crosses(before, places[index]) for before in chain):
                continue  # within one chain brackets that cross would be read as others
            if other not in chain_of:
                chain_of[other] = len(chains)
                chains.append(chain)
            chain_of[index] = chain_of[other]
            chains[chain_of[other]].append(places[index])
            found.append((places[index], places[other], share))
        if self.settings.singletons:
            chains += [[span] for index, span in enumerate(places) if mention[index] and index not in chain_of]
        deciding = [place in _deciding(asked) for place in places] if asked else (spans.mention > 0) | (chosen > 0)
        decided = shares[torch.as_tensor(deciding, device=shares.device)]
        sure = float(decided.mean()) if len(decided) else 0.0
        return CoreferGuess(tuple(sorted(tuple(sorted(chain)) for chain in chains)), tuple(found), sure)

    def guess_scores(self, encoding: Encoding, batch: Batch, guesses: Sequence[CoreferGuess]) -> Tensor:
        """The sum of the log-probabilities of each document's links, (N,)."""
        totals = []
        for words, example, guess in zip(self.words(encoding, batch), batch.examples, guesses, strict=True):
            if not guess.links:
                totals.append(encoding.top.sum() * 0)
                continue
            spans, links = self.links(words, example)
            place = {span: i for i, span in enumerate(zip(spans.first.tolist(), spans.last.tolist(), strict=True))}
            rows = links.scores.log_softmax(1)
            total = rows.new_zeros(())
            for mention, antecedent, _ in guess.links:
                if mention in place and antecedent in place:
                    own = (links.antecedents[place[mention]] == place[antecedent]).nonzero()
                    total = total + (rows[place[mention], 1 + own[0, 0]] if len(own) else 0.0)
            totals.append(total)
        return torch.stack(totals)

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings)}


def _deciding(asked: PronounChoice) -> set[Span]:
    """The mentions whose antecedents answer a question: the pronoun, and names behind it."""
    return {asked.pronoun, *(name for name in (asked.a, asked.b) if name > asked.pronoun)}


def facts_of(spans: Spans, example: CoreferExample) -> SpanFacts:
    """In which sentence each span stands, and which have the same words."""
    starts = example.sentences.tolist()
    firsts, lasts = spans.first.tolist(), spans.last.tolist()
    words, ends = dict[tuple[str, ...], int](), dict[str, int]()
    numbers = [
        (
            bisect_right(starts, a),
            words.setdefault(example.spelled[a : b + 1], len(words)),
            ends.setdefault(example.spelled[b], len(ends)),
        )
        for a, b in zip(firsts, lasts, strict=True)
    ]
    table = torch.tensor(numbers, dtype=torch.long, device=spans.first.device).reshape(-1, 3)
    return SpanFacts(*table.unbind(1))


def segments(document: Document, longest: int) -> list[Document]:
    """Consecutive parts of at most `longest` words, cut between sentences where they allow it."""
    n_words = len(document.words)
    if n_words <= longest or document.choice is not None:
        return [document]
    borders, start = [0], 0
    while n_words - start > longest:
        fitting = [s for s in document.sentences if start < s <= start + longest]
        start = fitting[-1] if fitting else start + longest
        borders.append(start)
    parts = []
    for a, b in zip(borders, [*borders[1:], n_words], strict=True):
        inside = (tuple((x - a, y - a) for x, y in chain if a <= x and y < b) for chain in document.chains or ())
        chains = None if document.chains is None else tuple(chain for chain in inside if chain)
        sentences = tuple(sorted({0, *(s - a for s in document.sentences if a <= s < b)}))
        parts.append(Document(document.words[a:b], sentences, chains, document.name, document.source))
    return parts
