"""How probable a language model finds one ending or another of a text: labels, choices and fillings without a head.

Zero-shot by likelihood (Radford et al. 2018, section 5; Brown et al. 2020, section 2.4): every alternative is written
out, and the model says how probable it is given what stands before. What the alternatives of a question have in common
is read once where the encoder's state allows, and the softmax is computed where something is to be predicted, nowhere
else.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from langnet.encoders.encoder import Encoder, rows_of_state
from langnet.errors import LangnetError
from langnet.tasks.cross_entropy import token_losses
from langnet.tasks.rows import padded
from langnet.text.spelling import Spelling
from langnet.text.tokenizer import Tokenizer

UNLIMITED = 1024  # tokens that are read by an encoder without a limit
TOKENS_AT_ONCE = 8192
QUESTIONS_AT_ONCE = 2000  # whose tokens are held together
WORTH_SHARING = 8  # tokens; a shorter beginning is read again with each alternative, in fuller batches
TIE = 1e-6  # two scores that differ by less, relatively, are equal: the rest is rounding

Normalise = Literal["none", "tokens", "bytes"]


@dataclass(frozen=True)
class Continuation:
    """A text whose last part is to be judged.

    Attributes:
        prompt: what stands before.
        ending: what is judged, given the prompt; not empty.
        spare: characters of the prompt, in Unicode NFC, from which tokens are left out, the first ones first, where all
            is longer than the encoder's context; None: the whole prompt.
        ends: whether the end of the document is judged too, behind the ending.
    """

    prompt: str
    ending: str
    spare: tuple[int, int] | None = None
    ends: bool = False


@dataclass(frozen=True)
class Likelihood:
    """What the model says of an ending.

    Attributes:
        log_probability: of its tokens given the prompt, in nats.
        n_tokens: its tokens. A token that stands for the last of the prompt and the first of the ending is the
            ending's.
        n_bytes: of the ending in UTF-8.
        n_left_out: tokens of the prompt that were not read.
        n_unknown: words of the ending that the vocabulary lacks; what is given is the probability of any such word.
    """

    log_probability: float
    n_tokens: int
    n_bytes: int
    n_left_out: int = 0
    n_unknown: int = 0

    def score(self, normalise: Normalise = "none") -> float:
        """The log-probability, whole or a token or a byte."""
        return self.log_probability / {"none": 1, "tokens": self.n_tokens, "bytes": self.n_bytes}[normalise]


@dataclass(frozen=True)
class Row:
    """One continuation as tokens.

    Attributes:
        ids: (t,) with start, and with the end where it is read.
        first: the first that is judged.
        n_bytes: of the ending in UTF-8.
        n_left_out: tokens of the prompt that are not read.
        places: (t', 2) which characters of prompt and ending each of the text's own tokens stands for.
    """

    ids: np.ndarray
    first: int
    n_bytes: int
    n_left_out: int
    places: np.ndarray


@dataclass(frozen=True)
class _Job:
    """What is read together: a beginning that all rows share (maybe empty), and each row's rest with its number."""

    shared: np.ndarray
    rests: list[tuple[int, np.ndarray, int]]

    @property
    def size(self) -> int:
        """Tokens that its rows hold in memory."""
        return len(self.rests) * (len(self.shared) + max(len(rest) for _, rest, _ in self.rests))


def likelihoods(
    encoder: Encoder,
    tokenizer: Tokenizer,
    questions: Sequence[Sequence[Continuation]],
    on_question: Callable[[int], None] | None = None,
) -> list[list[Likelihood]]:
    """The likelihood of every alternative of every question.

    Of a model that reads both ways, the half that reads from the left is asked. All alternatives of a question lose as
    many tokens where they are too long.

    Args:
        encoder: of a language model, on the device where it is to run.
        tokenizer: the encoder's.
        questions: each with its alternatives.
        on_question: called with the number of questions done.

    Raises:
        LangnetError: an ending is empty, or longer than the encoder's context; or there is a prompt and the model reads
            from the end.
    """
    was_training = encoder.training
    encoder.eval()
    found: list[list[Likelihood]] = []
    for start in range(0, len(questions), QUESTIONS_AT_ONCE):
        found += _answer(encoder, tokenizer, questions[start : start + QUESTIONS_AT_ONCE])
        if on_question:
            on_question(len(found))
    encoder.train(was_training)
    return found


def _answer(
    encoder: Encoder, tokenizer: Tokenizer, questions: Sequence[Sequence[Continuation]]
) -> list[list[Likelihood]]:
    flat = [one for question in questions for one in question]
    backward = tokenizer.direction == "backward"
    if backward and any(one.prompt for one in flat):
        raise LangnetError(
            "a model that reads texts from their end gives no probability of an ending after its beginning, only of "
            "whole sentences; take one that reads forward"
        )
    tokens, spelling = located_tokens(encoder, tokenizer, [one.prompt + one.ending for one in flat])
    limit = (encoder.context or UNLIMITED) + 1  # the last token is only predicted
    rows: list[Row] = []
    jobs: list[_Job] = []
    for question in questions:
        part = slice(len(rows), len(rows) + len(question))
        fitted = fitted_rows(question, tokens[part], (tokenizer.start_id, tokenizer.extract_id), limit)
        if backward:
            fitted = [_turned(row) for row in fitted]
        jobs += _jobs(encoder, fitted, len(rows))
        rows += fitted
    nats = np.zeros(len(rows))
    for batch in _batches(jobs, encoder):
        _read(encoder, batch, spelling, nats, tokenizer.pad_id)
    known = spelling.vocabulary_size if spelling else None
    likely = [
        Likelihood(-float(n), len(row.ids) - row.first, row.n_bytes, row.n_left_out, n_unknown(row, tokenizer, known))
        for n, row in zip(nats, rows, strict=True)
    ]
    places = np.cumsum([0, *(len(question) for question in questions)])
    return [likely[a:b] for a, b in pairwise(places)]


def _turned(row: Row) -> Row:
    """A whole text from its end to its beginning, between the marks of start and end."""
    own = slice(1, 1 + len(row.places))
    return replace(row, ids=np.concatenate([row.ids[:1], row.ids[own][::-1], row.ids[own.stop :]]))


def n_unknown(row: Row, tokenizer: Tokenizer, known: int | None) -> int:
    """How many of the judged ids stand for words that the vocabulary of `known` entries lacks."""
    asked = row.ids[row.first :]
    return int((asked == tokenizer.unknown_id).sum() if known is None else (asked >= known).sum())


def located_tokens(
    encoder: Encoder, tokenizer: Tokenizer, texts: Sequence[str]
) -> tuple[list[tuple[np.ndarray, np.ndarray]], Spelling | None]:
    """Each text's ids (t,) and the characters (t, 2) that each stands for; and how ids are spelled, where they are."""
    composed = [unicodedata.normalize("NFC", text) for text in texts]
    encoded = tokenizer.encode_with_offsets(composed)
    places = [np.asarray(offsets, dtype=np.int64).reshape(-1, 2) for _, offsets in encoded]
    if not encoder.characters:
        return [(np.asarray(ids, dtype=np.int64), at) for (ids, _), at in zip(encoded, places, strict=True)], None
    documents, spelling = Spelling.of_texts(composed, tokenizer)
    return [(document[1:-1], at) for document, at in zip(documents, places, strict=True)], spelling


def fitted_rows(
    question: Sequence[Continuation],
    tokens: Sequence[tuple[np.ndarray, np.ndarray]],
    marks: tuple[int, int],
    limit: int,
    with_end: bool = False,
) -> list[Row]:
    """The alternatives of a question as rows of at most `limit` tokens; `marks` are the ids of start and end.

    The end is read where it is judged, or by all `with_end`, and then judged by none.

    Raises:
        LangnetError: an ending is empty, or longer than the limit.
    """
    ends = [with_end or one.ends for one in question]
    over = max((len(ids) + 1 + end - limit for end, (ids, _) in zip(ends, tokens, strict=True)), default=0)
    rows = []
    for one, end, (ids, places) in zip(question, ends, tokens, strict=True):
        prompt = len(unicodedata.normalize("NFC", one.prompt))
        first = int(np.searchsorted(places[:, 1], prompt, side="right"))  # that reaches beyond the prompt
        if first == len(ids) and (with_end or not end):
            raise LangnetError(
                f"there is nothing to predict in the ending '{one.ending[:40]}' after '{one.prompt[-40:]}'"
            )
        kept = np.ones(len(ids), dtype=bool)
        if over > 0:
            kept[_left_out(one, places[:first], over)] = False
        rows.append(
            Row(
                np.concatenate([marks[:1], ids[kept], marks[1:] if end else marks[:0]]).astype(np.int64),
                1 + int(kept[:first].sum()),
                max(1, len(one.ending.encode("utf8", "surrogatepass"))),
                int((~kept).sum()),
                places[kept],
            )
        )
        if len(rows[-1].ids) > limit:
            raise LangnetError(
                f"{len(rows[-1].ids)} tokens are to be kept of '{one.prompt[-30:]}{one.ending[:30]}', and the model "
                f"reads {limit}; make the answers or the template shorter"
            )
    return rows


def _left_out(one: Continuation, places: np.ndarray, over: int) -> np.ndarray:
    """Which of the prompt's tokens go: the first of those that may; places (t, 2) are the prompt's tokens'."""
    low, high = one.spare or (0, int(places[:, 1].max(initial=0)))
    return np.flatnonzero((places[:, 0] >= low) & (places[:, 1] <= high))[:over]


def _jobs(encoder: Encoder, rows: Sequence[Row], at: int) -> Iterator[_Job]:
    """One job where the beginning is worth sharing, else one a row."""
    first = rows[0].ids
    same = min(len(row.ids) for row in rows)
    unequal = np.zeros(same, dtype=bool)
    for row in rows[1:]:
        unequal |= row.ids[:same] != first[:same]
    common = int(np.argmax(unequal)) if unequal.any() else same
    # The last common token is read with the rests, since it predicts the first that differs.
    shared = min(common, *(row.first for row in rows)) - 1
    if len(rows) < 2 or encoder.bidirectional or shared < WORTH_SHARING:
        shared = 0
        for index, row in enumerate(rows):
            yield _Job(first[:0], [(at + index, row.ids, row.first)])
        return
    yield _Job(first[:shared], [(at + i, row.ids[shared:], row.first - shared) for i, row in enumerate(rows)])


def _batches(jobs: Sequence[_Job], encoder: Encoder) -> Iterator[list[_Job]]:
    """Jobs of like length; where keys and values are kept, which know no padding, of equally long beginnings."""
    held: list[_Job] = []
    widest = rows = 0
    for job in sorted(jobs, key=lambda job: (len(job.shared), max(len(rest) for _, rest, _ in job.rests))):
        n_rows = rows + len(job.rests)
        width = max(widest, job.size // len(job.rests))
        differs = bool(held) and len(held[0].shared) != len(job.shared)
        if held and (n_rows * width > TOKENS_AT_ONCE or (differs and not _any_length(encoder, held[0], job))):
            yield held
            held, n_rows, width = [], len(job.rests), job.size // len(job.rests)
        held.append(job)
        widest, rows = width, n_rows
    if held:
        yield held


def _any_length(encoder: Encoder, one: _Job, other: _Job) -> bool:
    """Whether both may stand in one batch though one beginning is longer."""
    return encoder.recurrent and len(one.shared) > 0 and len(other.shared) > 0


@torch.no_grad()
def _read(encoder: Encoder, jobs: Sequence[_Job], spelling: Spelling | None, nats: np.ndarray, pad_id: int) -> None:
    """Add the surprise of every row, in nats, to `nats`."""
    device = next(encoder.parameters()).device
    rests = [rest for job in jobs for rest in job.rests]
    owner = torch.tensor([index for index, job in enumerate(jobs) for _ in job.rests], device=device)  # (R,)
    state, causal = None, encoder.reading_of_probabilities
    if len(jobs[0].shared):
        ids, mask = padded([job.shared for job in jobs], pad_id)
        state = rows_of_state(encoder(ids.to(device), mask.to(device), causal=causal).state, owner)
    ids, mask = _spelled(*padded([rest[:-1] for _, rest, _ in rests], pad_id), spelling)
    hidden = encoder(ids.to(device), mask.to(device), state, causal).top  # (R, T, D)
    if encoder.bidirectional:
        hidden = hidden.chunk(2, dim=-1)[0]  # (R, T, D / 2)
    asked = np.concatenate([np.full(len(rest) - first, row) for row, (_, rest, first) in enumerate(rests)])
    column = np.concatenate([np.arange(first - 1, len(rest) - 1) for _, rest, first in rests])
    targets = torch.from_numpy(np.concatenate([rest[first:] for _, rest, first in rests]))  # (N,)
    if spelling:
        targets = spelling.predictable(targets)
    chosen = hidden[torch.from_numpy(asked).to(device), torch.from_numpy(column).to(device)]  # (N, D)
    weight, bias = encoder.output_weight().to(hidden.dtype), encoder.output_bias()
    losses = token_losses(chosen, weight, targets.to(device), None if bias is None else bias.to(hidden.dtype))
    number = np.array([index for index, _, _ in rests])[asked]
    np.add.at(nats, number, losses.cpu().double().numpy())


def _spelled(ids: Tensor, mask: Tensor, spelling: Spelling | None) -> tuple[Tensor, Tensor]:
    """The ids as they are, or as characters (B, T, C)."""
    if spelling is None:
        return ids, mask
    characters = torch.from_numpy(spelling.characters(ids.flatten().numpy()).astype(np.int64))
    characters[~mask.flatten()] = 0  # no word
    return characters.view(*ids.shape, -1), mask


def tied(scores: np.ndarray) -> np.ndarray:
    """Whether the highest of each row's scores (N, C) has an equal beside it, (N,); one that stands alone has none."""
    best = np.sort(np.column_stack([np.full(len(scores), -np.inf), scores]), axis=1)
    above = best[:, -1] - best[:, -2] > TIE * np.maximum(np.abs(best[:, -1]), 1.0)
    found: np.ndarray = ~above  # no number is above nothing, so it counts as a tie
    return found


def tie_warning(count: int, n: int) -> list[str]:
    """What is said of ties, if there are any."""
    if not count:
        return []
    return [f"{count:,} of {n:,} are ties: the best two are equally probable; they count as wrong"]


def hits(scores: Sequence[np.ndarray], gold: Sequence[int]) -> np.ndarray:
    """Whether the true alternative of each question alone has the highest score, (N,) 0 or 1; a tie is wrong.

    Otherwise a model that says the same of everything would be right each time that the first alternative is.
    """
    return np.array(
        [float(own.argmax() == true and not tied(own[None])[0]) for own, true in zip(scores, gold, strict=True)]
    )
