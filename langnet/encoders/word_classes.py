"""Word classes: tokens that stand among the same neighbours, and a document vector of each class by itself.

What most divides documents is what they are about, and latent semantic analysis of all terms puts that first. What
else divides them (an opinion, a register, a tense) lives in words of one kind: "dull", "superb" and "predictable" are
adjectives whatever the film. Which words are of a kind the raw text tells, since they fill the same slots (Schütze
1995, "Distributional part-of-speech tagging"; it is what every language model lives on). Decomposed by themselves, the
words of a class show the few dimensions along which documents differ in them.

Each class at each level of fineness is a view of a document; from few labels `langnet.transfer.co_training` finds
which views tell the classes of a task apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

OFFSETS = (-2, -1, 1, 2)  # of the neighbours that are counted, each place by itself
DOCUMENTS_AT_ONCE = 4096
TOKENS_AT_ONCE = 2**21  # a token takes some hundred bytes while it is counted


@dataclass(frozen=True)
class WordClassOptions:
    """How word classes are found and decomposed.

    Attributes:
        levels: numbers of classes, from coarse to fine; every level classes all tokens.
        n_neighbours: the most frequent tokens, whose presence beside a token describes it.
        embedding_dim: dimensions of the tokens' descriptions in which they are clustered.
        view_dim: K, the length of a view.
        idf_power: exponent of a token's inverse document frequency.
        least_count: rarer tokens are left out of the views.
        smallest_class: a class with fewer tokens gives no view.
        max_documents: the decomposition sees at most so many, spread evenly over the corpus.
        seed: of clustering and decomposition.
    """

    levels: tuple[int, ...] = (8, 16, 32)
    n_neighbours: int = 500
    embedding_dim: int = 50
    view_dim: int = 4
    idf_power: float = 2.0
    least_count: int = 20
    smallest_class: int = 50
    max_documents: int = 75_000
    seed: int = 0


class WordClasses:
    """The views of a vocabulary.

    Attributes:
        member: (n_levels, V) int16, the view that a token belongs to at each level; -1 for none.
        vectors: (n_levels, V, K) float32, each token's vector in its view, the weight of the token included.
        n_views: number of views over all levels; `member` counts through them.
    """

    def __init__(self, member: np.ndarray, vectors: np.ndarray):
        self.member, self.vectors = member, vectors
        self.n_views = int(member.max(initial=-1)) + 1

    @classmethod
    def fit(cls, documents: Sequence[np.ndarray], vocabulary_size: int, options: WordClassOptions) -> WordClasses:
        """Class the tokens of a corpus, and decompose its documents class by class.

        Args:
            documents: token ids of each document; read twice.
            vocabulary_size: V.
            options: how.
        """
        from sklearn.cluster import KMeans

        step = max(1, -(-len(documents) // options.max_documents))
        chosen = range(0, len(documents), step)
        matrix = sparse.vstack(
            [_count(part, vocabulary_size) for part in document_parts(documents, chosen)], format="csc"
        )
        count = np.asarray(matrix.sum(axis=0, dtype=np.float64)).ravel()  # (V,)
        known = np.flatnonzero(count >= options.least_count)
        described = _describe(documents, chosen, count, options)  # (V, E)
        n_documents = matrix.shape[0]
        idf = np.log((n_documents + 1) / (np.diff(matrix.indptr) + 1)) ** options.idf_power  # (V,)
        member = np.full((len(options.levels), vocabulary_size), -1, dtype=np.int16)
        vectors = np.zeros((len(options.levels), vocabulary_size, options.view_dim), dtype=np.float32)
        view = 0
        for level, n_classes in enumerate(options.levels):
            if len(known) < n_classes * options.smallest_class:
                continue
            clusters = KMeans(n_classes, n_init=2, random_state=options.seed).fit_predict(described[known])
            for cluster in range(n_classes):
                tokens = known[clusters == cluster]
                if len(tokens) < options.smallest_class:
                    continue
                found = _decompose(matrix[:, tokens].tocsr(), idf[tokens].astype(np.float32), options)
                member[level, tokens] = view
                vectors[level, tokens, : found.shape[1]] = found
                view += 1
        return cls(member, vectors)

    def transform(self, documents: Sequence[np.ndarray]) -> np.ndarray:
        """Views of each document, (N, n_views, K) float32, of unit length; zero where it has no word of the class."""
        width = self.vectors.shape[2]
        out = np.zeros((len(documents), self.n_views * width), dtype=np.float32)
        placed = self._placed()
        for start in range(0, len(documents) if self.n_views else 0, DOCUMENTS_AT_ONCE):
            part = documents[start : start + DOCUMENTS_AT_ONCE]
            counts = _count(part, self.member.shape[1])
            counts.data = 1 + np.log(counts.data)
            out[start : start + len(part)] = (counts @ placed).toarray()
        views = out.reshape(len(documents), self.n_views, width)
        return views / np.maximum(np.linalg.norm(views, axis=2, keepdims=True), 1e-12)

    def _placed(self) -> sparse.csr_matrix:
        """Each token's vectors in the columns of its views, (V, n_views K): one product computes all views."""
        width = self.vectors.shape[2]
        level, token = np.nonzero(self.member >= 0)
        columns = self.member[level, token].astype(np.int64)[:, None] * width + np.arange(width)  # (E, K)
        cells = (np.repeat(token, width), columns.ravel())
        shape = (self.member.shape[1], self.n_views * width)
        return sparse.csr_matrix((self.vectors[level, token].ravel(), cells), shape=shape)

    def tensors(self) -> dict[str, Tensor]:
        """What is written into a model's folder; vectors in half precision."""
        return {
            "member": torch.from_numpy(self.member),
            "vectors": torch.from_numpy(self.vectors.astype(np.float16)),
        }

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> WordClasses:
        """The inverse of `tensors`."""
        return cls(tensors["member"].numpy(), tensors["vectors"].float().numpy())


def document_parts(documents: Sequence[np.ndarray], chosen: range) -> Iterator[list[np.ndarray]]:
    """The chosen documents, some thousand or some million tokens at a time."""
    part: list[np.ndarray] = []
    size = 0
    for i in chosen:
        part.append(documents[i])
        size += len(part[-1])
        if len(part) == DOCUMENTS_AT_ONCE or size >= TOKENS_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


def _describe(
    documents: Sequence[np.ndarray], chosen: range, count: np.ndarray, options: WordClassOptions
) -> np.ndarray:
    """Each token by the frequent tokens around it: (V, E) of unit length, from positive pointwise mutual information.

    Levy & Goldberg 2014: what word2vec factorises implicitly, here with a column for each place beside the token.
    """
    from sklearn.utils.extmath import randomized_svd

    n_tokens = len(count)
    frequent = np.argsort(-count, kind="stable")[: options.n_neighbours]
    place = np.full(n_tokens, -1, dtype=np.int64)
    place[frequent] = np.arange(len(frequent))
    width = len(OFFSETS) * options.n_neighbours
    beside = sparse.csr_matrix((n_tokens, width), dtype=np.float32)
    for part in document_parts(documents, chosen):
        flat = _joined(part)
        owner = np.repeat(np.arange(len(part)), [len(document) for document in part])
        for index, offset in enumerate(OFFSETS):
            reach = abs(offset)
            left, right = flat[:-reach], flat[reach:]
            token, neighbour = (left, right) if offset > 0 else (right, left)
            column = place[neighbour]
            seen = (column >= 0) & (owner[:-reach] == owner[reach:])
            ones = np.ones(int(seen.sum()), dtype=np.float32)
            at = (token[seen], column[seen] + index * options.n_neighbours)
            beside = beside + sparse.csr_matrix((ones, at), shape=(n_tokens, width))
    information = _positive_information(beside)
    dim = max(1, min(options.embedding_dim, min(information.shape) - 1))
    left_vectors, values, _ = randomized_svd(information, dim, random_state=options.seed)
    described = left_vectors * np.sqrt(values)  # (V, E)
    return described / np.maximum(np.linalg.norm(described, axis=1, keepdims=True), 1e-12)


def _positive_information(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """max(0, log p(row, column) / (p(row) p(column))) of each cell that was seen."""
    cells = counts.tocoo()
    rows, columns = np.asarray(counts.sum(1)).ravel(), np.asarray(counts.sum(0)).ravel()
    expected = rows[cells.row] * columns[cells.col] / max(float(rows.sum()), 1.0)
    values = np.maximum(np.log(cells.data / expected), 0.0).astype(np.float32)
    return sparse.csr_matrix((values, (cells.row, cells.col)), shape=counts.shape)


def _joined(documents: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=np.int64), *documents]).astype(np.int64)


def _count(documents: Sequence[np.ndarray], vocabulary_size: int) -> sparse.csr_matrix:
    """How often each token is in each document, (N, V) float32."""
    lengths = [len(document) for document in documents]
    flat = _joined(documents)
    owner = np.repeat(np.arange(len(documents)), lengths)
    ones = np.ones(len(flat), dtype=np.float32)
    return sparse.csr_matrix((ones, (owner, flat)), shape=(len(documents), vocabulary_size))


def _decompose(counts: sparse.csr_matrix, weights: np.ndarray, options: WordClassOptions) -> np.ndarray:
    """Each token's vector times its weight, (tokens, K): latent semantic analysis by these tokens alone."""
    from sklearn.utils.extmath import randomized_svd

    counts.data = (1 + np.log(counts.data)) * weights[counts.indices]
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    scaled = sparse.csr_matrix(sparse.diags((1 / np.maximum(lengths, 1e-12)).astype(np.float32)) @ counts)
    dim = max(1, min(options.view_dim, min(scaled.shape) - 1))
    _, _, rows = randomized_svd(scaled, dim, n_iter=3, random_state=options.seed)
    found: np.ndarray = rows.T * weights[:, None]
    return found
