"""Document vectors: latent semantic analysis of a document's words and word pairs.

Deerwester et al. 1990: a truncated singular value decomposition of the matrix of documents by terms. It is the cheapest
pretraining there is, a minute for a hundred megabytes, and strong with few labels, since what most divides the
documents of a domain (their topic, their sentiment) comes first in it. Here terms are token ids and pairs of
neighbouring ids, counted as 1 + log(count) and weighted by a power of the inverse document frequency.

These are not states of positions, so this is no `Encoder`: the vectors stand beside an encoder's states as features of
the whole document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from langnet.encoders.word_classes import DOCUMENTS_AT_ONCE, WordClasses, document_parts

BUCKETS = 2**22  # pairs are hashed; at a hundred thousand kept terms, collisions touch some two in a hundred
_MIX = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: Fibonacci hashing


@dataclass(frozen=True)
class DocumentVectorOptions:
    """How document vectors are made.

    Attributes:
        dim: K, the length of a vector.
        n_terms: how many tokens and pairs are kept, the most frequent ones.
        idf_power: exponent of log(documents / documents with the term).
        spectrum_power: each dimension is scaled by this power of its singular value, beyond the value itself, so that
            a regularised head trusts the dimensions in the order of their importance.
        min_documents: terms in fewer documents are dropped.
        max_documents: the decomposition sees at most so many, spread evenly over the corpus.
        seed: of the randomised decomposition (Halko et al. 2011).
    """

    dim: int = 128
    n_terms: int = 100_000
    idf_power: float = 2.0
    spectrum_power: float = 0.75
    min_documents: int = 3
    max_documents: int = 200_000
    seed: int = 0


class DocumentVectors:
    """A fitted space of document vectors.

    Attributes:
        buckets: (F,) int64, the kept terms, ascending.
        weights: (F,) float32, each term's weight.
        vectors: (F, K) float32, each term's vector; dimensions fall in importance.
        bias: (S,) where the last S dimensions are a classifier's scores, which keep their size; else None.
        views: the same documents word class by word class, or None.
    """

    def __init__(
        self,
        buckets: np.ndarray,
        weights: np.ndarray,
        vectors: np.ndarray,
        bias: np.ndarray | None = None,
        views: WordClasses | None = None,
    ):
        self.buckets, self.weights, self.vectors, self.bias, self.views = buckets, weights, vectors, bias, views

    @property
    def dim(self) -> int:
        """K, the length of a vector."""
        return int(self.vectors.shape[1])

    @classmethod
    def fit(cls, documents: Sequence[np.ndarray], options: DocumentVectorOptions) -> DocumentVectors:
        """Decompose a corpus.

        Args:
            documents: token ids of each document; read twice.
            options: how.
        """
        from sklearn.utils.extmath import randomized_svd

        step = max(1, len(documents) // options.max_documents)
        chosen = range(0, len(documents), step)
        counts = np.zeros(BUCKETS, dtype=np.int64)
        for part in document_parts(documents, chosen):
            counts += np.bincount(_terms(part)[0], minlength=BUCKETS)
        kept = np.argsort(-counts, kind="stable")[: options.n_terms]
        kept = np.sort(kept[counts[kept] >= options.min_documents])
        matrix = sparse.vstack([_count(part, kept) for part in document_parts(documents, chosen)], format="csr")
        frequency = np.bincount(matrix.indices, minlength=len(kept))
        weights = np.log((matrix.shape[0] + 1) / (frequency + 1)) ** options.idf_power
        weights = np.where(frequency >= options.min_documents, weights, 0).astype(np.float32)
        weighted = _weigh(matrix, weights)
        dim = max(1, min(options.dim, min(weighted.shape) - 1))
        _, values, rows = randomized_svd(weighted, dim, n_iter=4, random_state=options.seed)
        # Lengths are made one by `transform`, so only the proportions of the scales matter.
        scales = (values / values[0]) ** options.spectrum_power
        return cls(kept, weights, np.ascontiguousarray(rows.T * scales, dtype=np.float32))

    def terms(self, documents: Sequence[np.ndarray]) -> sparse.csr_matrix:
        """The weighted terms of each document, (N, F) float32, rows of unit length."""
        starts = range(0, len(documents), DOCUMENTS_AT_ONCE)
        parts = [_count(documents[start : start + DOCUMENTS_AT_ONCE], self.buckets) for start in starts]
        return _weigh(sparse.vstack(parts or [_count([], self.buckets)], format="csr"), self.weights)

    def occurrences(self, document: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which kept term each token of a document is, (T,), and each pair of neighbours, (T - 1,); -1 for none."""
        buckets, _ = _terms([document])
        index, known = _find(buckets, self.buckets)
        found = np.where(known, index, -1)
        return found[: len(document)], found[len(document) :]

    def with_scores(self, weights: np.ndarray, bias: np.ndarray) -> DocumentVectors:
        """The same space and behind it the scores of a linear classifier of terms: weights (F, S) and bias (S,)."""
        vectors = np.concatenate([self.vectors[:, : self.unit_dim], weights.astype(np.float32)], axis=1)
        return DocumentVectors(self.buckets, self.weights, vectors, bias.astype(np.float32))

    def without_scores(self) -> DocumentVectors:
        """The same space without the scores of a classifier behind it."""
        return DocumentVectors(self.buckets, self.weights, self.vectors[:, : self.unit_dim], None, self.views)

    @property
    def unit_dim(self) -> int:
        """How many dimensions are the vector of unit length; scores come behind them."""
        return self.dim - (0 if self.bias is None else len(self.bias))

    def transform(self, documents: Sequence[np.ndarray]) -> np.ndarray:
        """Vectors of unit length, (N, K) float32, zero where a document has no known term; behind them any scores."""
        out = np.zeros((len(documents), self.dim), dtype=np.float32)
        for start in range(0, len(documents), DOCUMENTS_AT_ONCE):
            part = documents[start : start + DOCUMENTS_AT_ONCE]
            out[start : start + len(part)] = self.project(self.terms(part))
        return out

    def project(self, terms: sparse.csr_matrix) -> np.ndarray:
        """What `transform` gives documents whose `terms` are known."""
        out: np.ndarray = terms @ self.vectors  # (N, K)
        unit = out[:, : self.unit_dim]
        unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
        if self.bias is not None:
            out[:, self.unit_dim :] += self.bias
        return out

    def token_vectors(self, vocabulary_size: int) -> np.ndarray:
        """The vector of each single token, (V, K); zero for tokens that were not kept."""
        index, known = _find(np.arange(vocabulary_size, dtype=np.int64), self.buckets)
        out = np.zeros((vocabulary_size, self.dim), dtype=np.float32)
        out[known] = self.vectors[index[known]]
        return out

    def tensors(self) -> dict[str, Tensor]:
        """What is written into a model's folder; vectors in half precision."""
        found = {
            "buckets": torch.from_numpy(self.buckets.astype(np.int32)),
            "weights": torch.from_numpy(self.weights),
            "vectors": torch.from_numpy(self.vectors.astype(np.float16)),
        }
        if self.bias is not None:
            found["bias"] = torch.from_numpy(self.bias)
        if self.views is not None:
            found |= {f"views.{name}": tensor for name, tensor in self.views.tensors().items()}
        return found

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> DocumentVectors:
        """The inverse of `tensors`."""
        buckets = tensors["buckets"].numpy().astype(np.int64)
        bias = tensors["bias"].numpy() if "bias" in tensors else None
        views = {name.removeprefix("views."): tensor for name, tensor in tensors.items() if name.startswith("views.")}
        return cls(
            buckets,
            tensors["weights"].numpy(),
            tensors["vectors"].float().numpy(),
            bias,
            WordClasses.from_tensors(views) if views else None,
        )


def _terms(documents: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The bucket of every token and of every pair, and the document of each."""
    lengths = [len(document) for document in documents]
    flat = np.concatenate(documents).astype(np.int64) if documents else np.zeros(0, np.int64)
    owner = np.repeat(np.arange(len(documents)), lengths)
    inside = owner[:-1] == owner[1:]
    pairs = ((flat[:-1] + 1).astype(np.uint64) * np.uint64(_MIX)) ^ flat[1:].astype(np.uint64)
    pairs = (pairs * np.uint64(_MIX)) >> np.uint64(42)  # the upper 22 bits
    # Single tokens keep the lowest buckets to themselves unless a pair falls there, which a hash does evenly.
    buckets = np.concatenate([flat % BUCKETS, pairs[inside].astype(np.int64)])
    return buckets, np.concatenate([owner, owner[:-1][inside]])


def _find(buckets: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The place of each bucket among the kept ones, and whether it is there."""
    index = np.searchsorted(kept, buckets)
    index[index == len(kept)] = 0
    return index, kept[index] == buckets if len(kept) else np.zeros(len(buckets), dtype=bool)


def _count(documents: Sequence[np.ndarray], kept: np.ndarray) -> sparse.csr_matrix:
    """Counts of the kept terms, (N, F) float32."""
    buckets, owner = _terms(documents)
    index, known = _find(buckets, kept)
    ones = np.ones(int(known.sum()), dtype=np.float32)
    return sparse.csr_matrix((ones, (owner[known], index[known])), shape=(len(documents), len(kept)))


def _weigh(counts: sparse.csr_matrix, weights: np.ndarray) -> sparse.csr_matrix:
    """(1 + log count) times weight, rows of unit length."""
    weighted = counts.copy()
    weighted.data = (1 + np.log(weighted.data)) * weights[weighted.indices]
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    scale = sparse.diags((1 / np.maximum(lengths, 1e-12)).astype(np.float32))
    return sparse.csr_matrix(scale @ weighted)
