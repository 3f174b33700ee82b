"""Beam search over an attention decoder, or a language model: batched over sentences.

States are kept, finished sentences left out. Of every sentence the most probable beginnings are kept and lengthened
together. What is finished is ranked as in Wu et al. 2016, equation 14: log-probability divided by
((5 + length) / 6)^alpha, plus beta times how far every state of the encoder has been looked at. Rules may forbid
tokens, so that only what is well formed is ever written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from langnet.encoders.precision import exact, widest
from langnet.errors import LangnetError
from langnet.tasks.attention_decoder import Memory, Table, scores_of

IMPOSSIBLE = -1e30  # the log-probability of what is forbidden; finite, so that differences of it are numbers
_LEAST_ATTENTION = 1e-6


@dataclass(frozen=True)
class BeamOptions:
    """How a search goes.

    Attributes:
        size: how many beginnings of a sentence are kept; 1 takes the most probable token each time.
        length_penalty: alpha; 0 ranks by probability, which prefers what is short.
        coverage_penalty: beta; 0 does not ask what was looked at.
        longest: tokens that a sentence may have, `end` not counted, where no rules end it.
    """

    size: int = 5
    length_penalty: float = 0.0
    coverage_penalty: float = 0.0
    longest: int = 200

    def __post_init__(self) -> None:
        for name in ("size", "longest"):
            if getattr(self, name) < 1:
                raise LangnetError(f"the {name} of a beam search must be 1 or more, not {getattr(self, name)}")
        for name in ("length_penalty", "coverage_penalty"):
            if getattr(self, name) < 0:
                raise LangnetError(f"the {name.replace('_', ' ')} must be 0 or more, not {getattr(self, name):g}")


@dataclass(frozen=True)
class Hypothesis:
    """A sequence that was found.

    Attributes:
        tokens: without start and end.
        score: that it is ranked by.
        log_probability: of the whole with its end, among what the rules allow.
    """

    tokens: tuple[int, ...]
    score: float
    log_probability: float


@dataclass(frozen=True)
class Ends:
    """What a search has to know of a decoder.

    Attributes:
        start, end: the tokens before the first one, and behind the last.
        guided: whether a step reads one of the encoder's states, which the rules name.
    """

    start: int
    end: int
    guided: bool = False


class Decoder(Protocol):
    """What is searched over: an `AttentionDecoder`, or whatever else writes a token at a time."""

    @property
    def settings(self) -> Any:
        """`start`, `end` and `guided`, as of `Ends`."""
        ...

    def step(
        self, memory: Memory, state: Any, tokens: Tensor, table: Table, places: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Any]:
        """As `AttentionDecoder.step`; the state has `of_rows`."""
        ...


class Rules(Protocol):
    """What may be written next of R sequences, and which of the encoder's states a guided decoder reads."""

    def allowed(self) -> Tensor:
        """(R, V) bool; at least one a row."""
        ...

    def places(self) -> Tensor:
        """(R,) int64, -1 for none."""
        ...

    def taken(self, rows: Tensor, tokens: Tensor) -> Self:
        """The rules of some of the rows (R',) after one more token of each (R',)."""
        ...


def length_factor(length: int, alpha: float) -> float:
    """What the log-probability of so many tokens is divided by."""
    return float(((5 + length) / 6) ** alpha)


@torch.no_grad()
def beam_search(
    decoder: Decoder,
    begun: tuple[Memory, Any],
    table: Table,
    options: BeamOptions,
    rules: Rules | None = None,
    limits: Sequence[int] | None = None,
) -> list[list[Hypothesis]]:
    """The best sequences of each sentence, the first first; at most `options.size`.

    Args:
        decoder: in evaluation mode.
        begun: what `decoder.begun` gives of N sentences.
        table: the tokens.
        options: how.
        rules: of the N sentences, before their first token; None allows everything but `start`.
        limits: the tokens that each of the N may have where no rules end it; None: `options.longest`.
    """
    return _Search(decoder, begun, table, options, rules, limits).run()


class _Search:
    """The beams of those of N sentences that are not done: A of them, K beginnings each, so A K rows."""

    def __init__(
        self,
        decoder: Decoder,
        begun: tuple[Memory, Any],
        table: Table,
        options: BeamOptions,
        rules: Rules | None,
        limits: Sequence[int] | None,
    ):
        self.decoder, self.table, self.options = decoder, table, options
        memory, state = begun
        n, k = len(memory.values), options.size
        device = memory.values.device
        rows = torch.arange(n, device=device).repeat_interleave(k)  # (N K,)
        self.memory, self.state = memory.of_rows(rows), state.of_rows(rows)
        self.tokens = torch.full((n * k, 1), decoder.settings.start, device=device)  # (A K, S)
        self.seen = memory.values.new_zeros(n * k, memory.values.shape[1])  # (A K, W) attention so far
        self.totals = memory.values.new_full((n, k), IMPOSSIBLE, dtype=widest(device))  # (A, K) log-probabilities
        self.totals[:, 0] = 0.0  # at first all beginnings of a sentence are the same one
        self.rules: Rules | None = rules
        self.fresh = True  # the rules have a row a sentence still
        self.sentences = list(range(n))  # which sentence each of the A is
        self.found: list[list[Hypothesis]] = [[] for _ in range(n)]
        self.limits = list(limits) if limits is not None else [options.longest] * n

    def run(self) -> list[list[Hypothesis]]:
        while self.sentences:
            self._lengthen()
        return self.found

    def _lengthen(self) -> None:
        """One token more of every beginning, and what ends so put aside."""
        k, end = self.options.size, self.decoder.settings.end
        chances, attention = self._next()  # (A K, V), (A K, W)
        vocabulary = chances.shape[1]
        sums = (self.totals.view(-1, 1) + chances).view(len(self.sentences), -1)  # (A, K V)
        # As many can end as there are beginnings, so among twice as many there are enough that go on.
        values, index = sums.topk(min(2 * k, sums.shape[1]), dim=1)  # (A, 2 K)
        tokens, parents = index % vocabulary, index.div(vocabulary, rounding_mode="floor")
        first = torch.arange(len(self.sentences), device=index.device)[:, None] * k  # (A, 1)
        rows, possible = first + parents, values > IMPOSSIBLE / 2
        ends = (tokens == end) & possible
        self._finish(ends, values, rows, attention)
        # Those that go on, the best first; where there are too few, impossible ones fill the room, and nothing comes
        # of them.
        rank = torch.where(possible & ~ends, values, torch.full_like(values, IMPOSSIBLE))
        self.totals, chosen = rank.topk(k, dim=1)  # (A, K)
        chosen = torch.where(self.totals > IMPOSSIBLE / 2, chosen, chosen[:, :1])  # those are the best one once more
        going = [a for a in range(len(self.sentences)) if not self._is_done(a)]
        self._keep(going, rows.gather(1, chosen), tokens.gather(1, chosen), attention)

    def _next(self) -> tuple[Tensor, Tensor]:
        """The log-probability of every token that may come next, (A K, V), and the attention (A K, W)."""
        settings = self.decoder.settings
        places = None
        if self.rules is not None:
            if self.fresh:
                rows = torch.arange(len(self.sentences), device=self.tokens.device)
                allowed = self.rules.allowed().index_select(0, rows.repeat_interleave(self.options.size))
                places = self.rules.places().index_select(0, rows.repeat_interleave(self.options.size))
            else:
                allowed, places = self.rules.allowed(), self.rules.places()
        output, attention, self.state = self.decoder.step(
            self.memory, self.state, self.tokens[:, -1], self.table, places if settings.guided else None
        )
        scores = exact(scores_of(output, self.table))  # (A K, V)
        if self.rules is None:
            allowed = torch.ones_like(scores, dtype=torch.bool)
            allowed[:, settings.start] = False
            limits = torch.tensor([self.limits[own] for own in self.sentences], device=self.tokens.device)
            over = (self.tokens.shape[1] > limits).repeat_interleave(self.options.size)  # (A K,)
            allowed[over] = False
            allowed[over, settings.end] = True
        chances = scores.masked_fill(~allowed, IMPOSSIBLE).log_softmax(1)
        return chances.masked_fill(~allowed, IMPOSSIBLE), attention

    def _finish(self, ends: Tensor, values: Tensor, rows: Tensor, attention: Tensor) -> None:
        """Put aside the sequences that end, as they are ranked."""
        length = self.tokens.shape[1]  # with the end, without the start
        factor = length_factor(length, self.options.length_penalty)
        for a, place in ends.nonzero().tolist():
            row, total = int(rows[a, place]), float(values[a, place])
            score = total / factor
            if self.options.coverage_penalty:
                seen = (self.seen[row] + attention[row])[self.memory.there[row]].clamp(_LEAST_ATTENTION, 1.0)
                score += self.options.coverage_penalty * float(seen.log().sum())
            own = self.found[self.sentences[a]]
            own.append(Hypothesis(tuple(self.tokens[row, 1:].tolist()), score, total))
            own.sort(key=lambda one: -one.score)
            del own[self.options.size :]

    def _is_done(self, a: int) -> bool:
        """Whether no beginning of a sentence can come before what was found, at the length that it has by now."""
        best, own = float(self.totals[a, 0]), self.found[self.sentences[a]]
        if best <= IMPOSSIBLE / 2:
            return True
        reachable = best / length_factor(self.tokens.shape[1] + 1, self.options.length_penalty)
        return len(own) == self.options.size and reachable <= own[-1].score

    def _keep(self, going: list[int], rows: Tensor, tokens: Tensor, attention: Tensor) -> None:
        """Go on with the chosen beginnings (A, K) of the sentences that are not done."""
        chosen = torch.tensor(going, dtype=torch.long, device=rows.device)
        rows, tokens = rows.index_select(0, chosen).flatten(), tokens.index_select(0, chosen).flatten()
        self.totals = self.totals.index_select(0, chosen)
        if self.rules is not None:
            held = rows.div(self.options.size, rounding_mode="floor") if self.fresh else rows
            self.rules, self.fresh = self.rules.taken(held, tokens), False
        if len(going) < len(self.sentences):
            self.memory = self.memory.of_rows(rows)  # within a sentence all rows have the same
        self.state = self.state.of_rows(rows)
        self.seen = (self.seen + attention).index_select(0, rows)
        self.tokens = torch.cat([self.tokens.index_select(0, rows), tokens[:, None]], dim=1)
        self.sentences = [self.sentences[a] for a in going]
