"""Word vectors as an encoder of one layer.

word2vec (Mikolov et al. 2013), fastText (Bojanowski et al. 2017), GloVe (Pennington et al. 2014). What differs here: a
word's states are its embedding and nothing more, so `forward` returns one layer and every transfer method works on it
as on a language model. It has no softmax: the context matrix that training leaves behind says which words stand near a
word, not which comes next, so it is thrown away, and text cannot be written. `langnet vectors train` trains it, not the
loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.encoders.family import Family, Recipe
from langnet.encoders.word_space import Subwords, WordSpace
from langnet.errors import LangnetError
from langnet.text.tokenizer import SPECIAL_TOKENS, Tokenizer

KINDS = ("word2vec-skipgram", "word2vec-cbow", "fasttext", "glove")


@dataclass(frozen=True)
class VectorsConfig:
    """What word vectors are rebuilt from.

    Attributes:
        vocabulary_size: V, the special tokens counted; their vectors are zero.
        dim: D.
        kind: how they were made: `word2vec-skipgram`, `word2vec-cbow`, `fasttext`, `glove`, or `imported`.
        buckets: of hashed n-grams, for the vectors of unseen words; 0 without.
        shortest, longest: the n-grams' lengths in characters.
        lowercase: whether words were read in small letters.
    """

    vocabulary_size: int
    dim: int
    kind: str = "imported"
    buckets: int = 0
    shortest: int = 3
    longest: int = 6
    lowercase: bool = False


class Vectors(Encoder):
    """An embedding a word.

    Args:
        config: sizes; the weights are drawn small and normal, to be loaded or trained.
    """

    predicts_next = False

    def __init__(self, config: VectorsConfig):
        super().__init__()
        self.config, self.dim = config, config.dim
        self.n_layers, self.context = 0, None
        self.embeddings = nn.Embedding(config.vocabulary_size, config.dim)
        nn.init.normal_(self.embeddings.weight, std=0.1)
        self.subwords: Tensor  # no parameter: no layer reads it, unseen words are looked up in it
        self.register_buffer("subwords", torch.zeros(config.buckets, config.dim))

    def forward(
        self, ids: Tensor, mask: Tensor | None = None, state: Any = None, causal: bool | None = None
    ) -> Encoding:
        self.require_own_way(causal)
        return Encoding([self.embeddings(ids)])  # (B, T, D)

    def logits(self, hidden: Tensor) -> Tensor:
        raise LangnetError(NO_LANGUAGE_MODEL)

    def output_weight(self) -> Tensor:
        raise LangnetError(NO_LANGUAGE_MODEL)

    @property
    def embedder(self) -> nn.Module:
        return self.embeddings

    def layer_groups(self) -> list[list[nn.Parameter]]:
        return [list(self.embeddings.parameters())]


def vectors_of(
    space: WordSpace, kind: str = "imported", tokenizer: Tokenizer | None = None
) -> tuple[Vectors, Tokenizer]:
    """An encoder of words and their vectors, and its tokenizer; special tokens and unknown words have the vector zero.

    Args:
        space: the words.
        kind: how the vectors were made.
        tokenizer: whose entries are the special tokens and the words, in their order; None makes one.
    """
    tokenizer = tokenizer or Tokenizer.of_words(space.words, space.lowercase)
    subwords = space.subwords
    grams = (len(subwords.vectors), subwords.shortest, subwords.longest) if subwords else (0, 0, 0)
    encoder = Vectors(VectorsConfig(tokenizer.vocabulary_size, space.dim, kind, *grams, lowercase=space.lowercase))
    with torch.no_grad():
        encoder.embeddings.weight.zero_()
        encoder.embeddings.weight[len(SPECIAL_TOKENS) :] = torch.from_numpy(np.array(space.vectors))
        if subwords:
            encoder.subwords = torch.from_numpy(np.array(subwords.vectors))  # a copy: what was read may be read-only
    return encoder.eval(), tokenizer


def space_of(encoder: Encoder, tokenizer: Tokenizer, source: str = "the vectors") -> WordSpace:
    """The words of an encoder of word vectors.

    Raises:
        LangnetError: it is an encoder of another kind.
    """
    if not isinstance(encoder, Vectors):
        raise LangnetError(f"{source} is no model of word vectors; train some with langnet vectors train")
    config = encoder.config
    vectors = encoder.embeddings.weight.detach()[len(SPECIAL_TOKENS) :].cpu().numpy()
    grams = Subwords(config.shortest, config.longest, encoder.subwords.cpu().numpy()) if config.buckets else None
    return WordSpace(tokenizer.words(), vectors, grams, config.lowercase, source)


NO_LANGUAGE_MODEL = (
    "word vectors give no probabilities of text: they say which words stand near each other, not which comes next; "
    "take a language model (langnet pretrain), or langnet vectors nearest"
)
SIZES = {"small": {"dim": 100}, "base": {"dim": 300}}


def vectors_config(size: str, vocabulary_size: int, context: int | None = None) -> VectorsConfig:
    """The configuration of a named size."""
    return VectorsConfig(vocabulary_size, SIZES[size]["dim"])


FAMILY = Family(
    "vectors", "word vectors: one layer, trained by langnet vectors train", Vectors, VectorsConfig, SIZES,
    vectors_config, Recipe(tokenizer="words"),
)  # fmt: skip
