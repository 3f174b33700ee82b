"""BLEU and chrF from sums over sentences, counted and combined as sacreBLEU does, for the bootstrap of all tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from langnet.errors import LangnetError

ORDER, CHARACTERS = 4, 6  # n-grams of words for BLEU, of characters for chrF
N_BLEU, N_CHRF = 2 + 2 * ORDER, 3 * CHARACTERS
BETA = 2.0


def translation_statistics(texts: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """What each translation adds to the scores, (N, 28): BLEU's lengths and counts, then chrF's counts.

    Args:
        texts: N translations, as they would be read by people.
        references: N true ones.

    Raises:
        LangnetError: sacreBLEU is not installed.
    """
    if not texts:
        return np.zeros((0, N_BLEU + N_CHRF))
    bleu = _metrics().BLEU(
        effective_order=True
    )  # of sentences it is asked for counts alone, which that does not change
    rows = []
    for text, reference in zip(texts, references, strict=True):
        found = bleu.sentence_score(text, [reference])
        rows.append([found.sys_len, found.ref_len, *found.counts, *found.totals, *_character_counts(text, reference)])
    return np.array(rows, dtype=np.float64)


def _character_counts(text: str, reference: str) -> list[int]:
    """Of each order up to six the n-grams of the text, of the reference, and those in both; blanks are left out."""
    own, other, found = "".join(text.split()), "".join(reference.split()), list[int]()
    for order in range(1, CHARACTERS + 1):
        one, two = (Counter(side[i : i + order] for i in range(len(side) - order + 1)) for side in (own, other))
        # A reference too short for an order says nothing of it, as sacreBLEU has it.
        found += [one.total() if two else 0, two.total(), (one & two).total()]
    return found


def translation_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """BLEU and chrF, from 0 to 100, of sums (..., 28)."""
    return {"BLEU": _bleu(sums[..., :N_BLEU]), "chrF": _chrf(sums[..., N_BLEU:])}


def _bleu(sums: np.ndarray) -> np.ndarray:
    """Papineni et al. 2002; n-grams without a match count as half of one, a quarter, ... (Chen & Cherry 2014, 3)."""
    own, reference = sums[..., 0], sums[..., 1]
    right, total = sums[..., 2 : 2 + ORDER], sums[..., 2 + ORDER :]
    missed = np.cumsum((right == 0) & (total > 0), axis=-1)
    smoothed = np.where(right == 0, 0.5**missed, right)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(total > 0, np.log(smoothed / np.maximum(total, 1)), -np.inf).mean(-1)
        brevity = np.where(own < reference, np.exp(1 - reference / np.maximum(own, 1e-12)), 1.0)
    bleu: np.ndarray = np.where((right.sum(-1) > 0) & (own > 0), 100 * brevity * np.exp(logs), 0.0)
    return bleu


def _chrf(sums: np.ndarray) -> np.ndarray:
    """Popović 2015: precision and recall are means over the orders that both sides have."""
    own, reference, right = (sums[..., at::3] for at in range(3))  # (..., 6) each
    both = (own > 0) & (reference > 0)
    count = np.maximum(both.sum(-1), 1)
    precision = np.where(both, right / np.maximum(own, 1), 0.0).sum(-1) / count
    recall = np.where(both, right / np.maximum(reference, 1), 0.0).sum(-1) / count
    below = BETA**2 * precision + recall
    chrf: np.ndarray = 100 * (1 + BETA**2) * precision * recall / np.where(below > 0, below, 1.0)
    return chrf


def signatures() -> list[str]:
    """What sacreBLEU says of how each score is counted."""
    found = []
    for metric in (_metrics().BLEU(), _metrics().CHRF()):
        score = metric.corpus_score(["a"], [["a"]])  # the signature knows the number of references after a score
        found.append(f"{score.name}: {metric.get_signature()}")
    return found


def _metrics() -> Any:
    """sacreBLEU, which not everybody needs."""
    try:
        from sacrebleu import metrics
    except ImportError:
        raise LangnetError('translations are scored by sacreBLEU: pip install "langnet[translation]"') from None
    return metrics
