"""How well chains of mentions are found: MUC, B-cubed and CEAF-e, and their mean, as the CoNLL scorer counts them.

Every score is a function of sums over documents, so that one bootstrap serves them as it does all tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_matrix

from langnet.text.chains import Chain, Span

# Of each measure what it counts of the key, of how much, and what of the response, of how much; then the mentions
# that are right, those of the key, those of the response.
N_STATISTICS = 3 * 4 + 3


def chain_statistics(key: Sequence[Chain], response: Sequence[Chain]) -> np.ndarray:
    """What one document adds to the scores, (15,).

    A mention counts by its words alone; chains of one mention count as any other, so that where a key leaves them out
    the response should too.

    Args:
        key: true chains, no mention in two of them.
        response: those that were found, likewise.
    """
    mention = {span: index for index, chain in enumerate(key) for span in chain}
    found = {span: index for index, chain in enumerate(response) for span in chain}
    shared = _overlap(mention, found, (len(key), len(response)))
    sizes = np.array([len(chain) for chain in key]), np.array([len(chain) for chain in response])
    ceaf = _ceaf(shared, *sizes)
    return np.array(
        [
            *_muc(shared, sizes[0]), *_muc(shared.T.tocsr(), sizes[1]),
            *_b_cubed(shared, sizes[0]), *_b_cubed(shared.T.tocsr(), sizes[1]),
            ceaf, len(key), ceaf, len(response),
            len(mention.keys() & found.keys()), len(mention), len(found),
        ],
        dtype=np.float64,
    )  # fmt: skip


def chain_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """F1 of sums (..., 15) of statistics: the mean that CoNLL 2012 ranks by first, then each, and that of mentions."""
    f1 = [_f1(*np.moveaxis(sums[..., at : at + 4], -1, 0)) for at in (0, 4, 8)]
    right, true, found = np.moveaxis(sums[..., 12:15], -1, 0)
    mentions = _f1(right, true, right, found)
    names = ("CoNLL_F1", "MUC", "B3", "CEAFe", "mentions")
    return dict(zip(names, [np.mean(f1, axis=0), *f1, mentions], strict=True))


def _overlap(key: dict[Span, int], response: dict[Span, int], shape: tuple[int, int]) -> coo_matrix:
    """How many mentions each two chains share, (K, R)."""
    both = [(index, response[span]) for span, index in key.items() if span in response]
    rows, columns = np.array(both, dtype=np.int64).reshape(-1, 2).T
    counts = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr()
    counts.sum_duplicates()
    return counts


def _muc(shared: coo_matrix, sizes: np.ndarray) -> tuple[float, float]:
    """Links kept, of links (Vilain et al. 1995): a chain falls apart into parts that the other side holds together."""
    links = sizes - 1
    held = np.asarray(shared.sum(1)).ravel()
    parts = np.diff(shared.indptr) + (sizes - held)  # those in one chain each, and every mention that nobody has
    return float((sizes - parts).sum()), float(links.sum())


def _b_cubed(shared: coo_matrix, sizes: np.ndarray) -> tuple[float, float]:
    """Of every mention the share of its chain that it is together with, and the mentions (Bagga & Baldwin 1998)."""
    squares = np.asarray(shared.multiply(shared).sum(1)).ravel()  # each of c mentions finds c of its chain
    return float((squares / np.maximum(sizes, 1)).sum()), float(sizes.sum())


def _ceaf(shared: coo_matrix, key: np.ndarray, response: np.ndarray) -> float:
    """The similarity of chains under the best one-to-one alignment (Luo 2005, phi 4)."""
    from scipy.optimize import linear_sum_assignment

    if not shared.nnz:
        return 0.0
    pairs = shared.tocoo()
    # Chains that share nothing with any other can be aligned with anything, for nothing.
    rows, row = np.unique(pairs.row, return_inverse=True)
    columns, column = np.unique(pairs.col, return_inverse=True)
    similarity = np.zeros((len(rows), len(columns)))
    similarity[row, column] = 2 * pairs.data / (key[pairs.row] + response[pairs.col])
    return float(similarity[linear_sum_assignment(-similarity)].sum())


def _f1(kept: np.ndarray, key: np.ndarray, right: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Of recall kept / key and precision right / response; 0 where there is nothing to divide by."""
    recall, precision = kept / np.maximum(key, 1e-12), right / np.maximum(response, 1e-12)
    f1: np.ndarray = 2 * recall * precision / np.maximum(recall + precision, 1e-12)
    return f1
