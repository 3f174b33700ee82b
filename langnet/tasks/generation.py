"""Decoding of the language model: text drawn token by token, each token at the cost of one position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.text.detokenizer import Detokenizer
from langnet.text.tokenizer import SPECIAL_TOKENS, Tokenizer

_SHARED_FROM = 20_000_000  # weights times positions from which a second thread helps


@dataclass(frozen=True)
class GenerationOptions:
    """How text is drawn.

    Attributes:
        tokens: at most so many; fewer where the model ends the document.
        temperature: the logits are divided by it; 0 always takes the most probable token.
        top_k: draw from the k most probable tokens only; None from all.
        top_p: draw from the fewest tokens whose probabilities reach p (Holtzman et al. 2020); 1 from all.
        seed: of the draws; the same seed gives the same text.
    """

    tokens: int = 200
    temperature: float = 0.8
    top_k: int | None = None
    top_p: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise LangnetError(f"{self.tokens} tokens cannot be generated; ask for one or more")
        if self.temperature < 0:
            raise LangnetError(f"the temperature must be 0 or more, not {self.temperature:g}; usual are 0.5 to 1")
        if self.top_k is not None and self.top_k < 1:
            raise LangnetError(f"top-k must be 1 or more, not {self.top_k}; leave it out to draw from all tokens")
        if not 0 < self.top_p <= 1:
            raise LangnetError(f"top-p must be above 0 and at most 1, not {self.top_p:g}")


def generate_text(
    encoder: Encoder, tokenizer: Tokenizer, prompt: str = "", options: GenerationOptions | None = None
) -> Iterator[str]:
    """Pieces of the text that follows `prompt`, as soon as their characters are whole.

    A model that reads backward writes what stands before `prompt`, in one piece, since its beginning is known last.

    Args:
        encoder: of a language model.
        tokenizer: the encoder's.
        prompt: how the document begins, or ends for a model that reads backward; it is not repeated.
        options: how many tokens, and how they are drawn.
    """
    options = options or GenerationOptions()
    ids = [tokenizer.start_id, *tokenizer.encode(prompt)]
    if tokenizer.direction == "backward":
        drawn = generate_ids(encoder, ids, options, tokenizer.extract_id, tokenizer.special_ids)
        whole, known = tokenizer.decode([*ids, *drawn]), tokenizer.decode(ids)
        yield whole[: len(whole) - len(known)]
        return
    text = Detokenizer(tokenizer, ids)
    for token in generate_ids(encoder, ids, options, tokenizer.extract_id, tokenizer.special_ids):
        piece = text.add(token)
        if piece:
            yield piece
    rest = text.finish()
    if rest:
        yield rest


def generate_ids(
    encoder: Encoder,
    ids: Sequence[int],
    options: GenerationOptions,
    end_id: int,
    special_ids: Sequence[int] = range(len(SPECIAL_TOKENS)),
) -> Iterator[int]:
    """The ids that follow `ids`, until the document ends or enough are drawn.

    The encoder's state holds the keys and values of what it has read, so a token costs one position. Where the context
    is full the window slides: the last half of it is read anew as one sequence, and what lies further back is
    forgotten. Over a long text this costs two positions a token.

    Args:
        encoder: of a language model.
        ids: what stands before, at least one token; of more than fits, the last half of the context is read.
        options: how.
        end_id: ends the document; it is not returned.
        special_ids: are never drawn, but for `end_id`.
    """
    encoder.eval()
    device = next(encoder.parameters()).device
    generator = torch.Generator().manual_seed(options.seed)
    read, held, state = list(ids), 0, None  # `held` of the tokens in `read` are in the state
    for _ in range(options.tokens):
        if encoder.context is not None and len(read) > encoder.context:
            read, held, state = read[-max(1, encoder.context // 2) :], 0, None
        with torch.no_grad(), _threads_for(encoder, len(read) - held):
            encoding = encoder(torch.tensor([read[held:]], device=device), state=state, causal=True)
            logits = encoder.logits(encoding.top[0, -1]).float().cpu()  # (V,)
        held, state = len(read), encoding.state
        token = draw(logits, options, generator, end_id, special_ids)
        if token == end_id:
            return
        yield token
        read.append(token)
        if state is None:
            held = 0  # an encoder without a state reads everything again


@contextmanager
def _threads_for(encoder: Encoder, positions: int) -> Iterator[None]:
    """One thread where the work is too small to share: waiting for a second costs more than it saves."""
    before = torch.get_num_threads()
    small = before > 1 and encoder.n_parameters * positions < _SHARED_FROM
    if small:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if small:
            torch.set_num_threads(before)


def draw(
    logits: Tensor,
    options: GenerationOptions,
    generator: torch.Generator,
    end_id: int,
    special_ids: Sequence[int] = range(len(SPECIAL_TOKENS)),
) -> int:
    """One token from the logits (V,); of the special tokens only the document's end can be drawn."""
    logits = logits.clone()
    logits[[index for index in special_ids if index != end_id]] = -torch.inf
    if options.temperature == 0:
        return int(logits.argmax())
    probabilities = kept(((logits - logits.max()) / options.temperature).softmax(0), options)  # (V,)
    return int(torch.multinomial(probabilities, 1, generator=generator))


def kept(probabilities: Tensor, options: GenerationOptions) -> Tensor:
    """The probabilities (V,) of the tokens that may be drawn, zero for all others; they need not sum to one."""
    values, order = probabilities.sort(descending=True, stable=True)
    before = values.cumsum(0) - values  # what the more probable tokens have together
    allowed = before < options.top_p
    if options.top_k is not None:
        allowed[options.top_k :] = False
    allowed[0] = True
    return torch.zeros_like(probabilities).index_copy(0, order, values * allowed)
