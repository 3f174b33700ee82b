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

import torch
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.encoders.family import Family, Recipe
from langnet.errors import LangnetError

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

    def forward(self, ids: Tensor, mask: Tensor | None = None, state: Any = None) -> Encoding:
        return Encoding([self.embeddings(ids)])  # (B, T, D)

    def logits(self, hidden: Tensor) -> Tensor:
        raise LangnetError(NO_LANGUAGE_MODEL)

    def output_weight(self) -> Tensor:
        raise LangnetError(NO_LANGUAGE_MODEL)

    def layer_groups(self) -> list[list[nn.Parameter]]:
        return [list(self.embeddings.parameters())]


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
