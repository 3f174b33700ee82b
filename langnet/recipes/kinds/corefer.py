"""Coreference as a kind of task: chains of mentions in documents, or which name a pronoun stands for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate.chain_baselines import MentionRules
from langnet.evaluate.chain_scores import N_STATISTICS, chain_scores, chain_statistics
from langnet.evaluate.pronoun_baselines import PlaceRules, both_names, nearer_name
from langnet.evaluate.scoring import Neighbour
from langnet.recipes.kinds.kind import Columns, HeadOptions, Kind
from langnet.recipes.kinds.settings import SWITCH, Known, read_values
from langnet.tasks.corefer import Corefer, CoreferConfig, CoreferGuess
from langnet.text.chains import Chain, Document
from langnet.text.coreference_files import choose, read_documents, write_documents
from langnet.text.corpus import Source
from langnet.text.structures import Chained

LONGEST, COVERED = 20, 0.98  # words of the longest mention that is looked for, unless so many are shorter
SETTINGS: dict[str, Known] = {
    "longest": int, "share": float, "antecedents": int, "hidden": int, "width": int, "segment": int,
    "matches": SWITCH, "singletons": SWITCH,
}  # fmt: skip
# Of GAP: right and wrong TRUEs and missed ones, of masculine and of feminine pronouns (Webster et al. 2018).
N_CHOICES = 6


class Coreference(Kind[Document, CoreferGuess]):
    """Chains of mentions."""

    name = "corefer"
    summary = "coreference: which words mean the same thing"
    unit = "documents"
    labels_further = True

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[Document]:
        if columns.text or columns.second or columns.label:
            raise LangnetError(
                "the task 'corefer' reads CoNLL's columns, jsonl and GAP's tsv; it takes no columns' names"
            )
        return read_documents(sources, labelled)

    def head(self, items: Sequence[Document], encoder: Encoder, options: HeadOptions) -> Corefer:
        """A head for mentions as long as the training documents have; singletons where they mark them."""
        chains = [chain for item in items for chain in item.chains or ()]
        if not any(len(chain) > 1 for chain in chains):
            raise LangnetError("no two mentions of the training documents mean the same thing; nothing can be learned")
        lengths = np.array([b - a + 1 for chain in chains for a, b in chain])
        given: dict[str, Any] = {
            "longest": int(min(LONGEST, max(1, np.quantile(lengths, COVERED, method="higher")))),
            "singletons": any(len(chain) == 1 for item in items if not item.choice for chain in item.chains or ()),
        }
        given["pronouns"] = all(item.choice is not None for item in items)
        given |= read_values(self.name, options.settings, SETTINGS)
        if options.hidden is not None:
            given["hidden"] = options.hidden
        given.setdefault("share", min(CoreferConfig.share, float(given["longest"])))
        return Corefer(CoreferConfig(dropout=options.dropout, **given), encoder.mixed_dim)

    def statistics(self, items: Sequence[Document], methods: Sequence[Sequence[CoreferGuess]]) -> np.ndarray:
        return np.array([[_statistics(item, guess) for item, guess in zip(items, own, strict=True)] for own in methods])

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        """CoNLL's F1; of GAP's questions their F1, of all, masculine and feminine pronouns, and the ratio of these."""
        asked = sums[..., N_STATISTICS:]
        if not asked.any():
            return chain_scores(sums[..., :N_STATISTICS])
        masculine, feminine = _choice_f1(asked[..., :3]), _choice_f1(asked[..., 3:])
        both = _choice_f1(asked[..., :3] + asked[..., 3:])
        some = masculine > 0  # there is no ratio to none
        bias = np.where(some, feminine / np.where(some, masculine, 1.0), np.nan)
        return {"F1": both, "masculine_F1": masculine, "feminine_F1": feminine, "bias": bias}

    def neighbours(self, train: Sequence[Document], test: Sequence[Document]) -> list[Neighbour]:
        if test and all(item.choice for item in test):
            return _neighbours_of_questions([item for item in train if item.choice], test)
        rules = MentionRules(train)
        alone = any(len(chain) == 1 for item in train for chain in item.chains or ())
        learned = "mentions as in the training documents"
        return [
            Neighbour("no chains", [CoreferGuess(())] * len(test)),
            Neighbour("same words", [CoreferGuess(rules.same_words(item, alone)) for item in test], learned),
            Neighbour("nearest mention", [CoreferGuess(rules.nearest(item, alone)) for item in test], learned),
        ]

    def labelled(self, item: Document, guess: CoreferGuess) -> tuple[Document, float]:
        """As sure as what was decided of its mentions on average."""
        if item.choice is None:
            return replace(item, chains=guess.chains), guess.sure
        gold = choose(item.choice, guess.chains)
        named = [name for name, says in zip((item.choice.a, item.choice.b), gold, strict=True) if says]
        chains = (tuple(sorted({item.choice.pronoun, *named})),) if named else ()
        return replace(item, chains=chains, choice=replace(item.choice, gold=gold)), guess.sure

    def stratum(self, item: Document) -> Hashable:
        """Of a question its answer; of other documents whether anything is mentioned twice."""
        return item.choice.gold if item.choice else any(len(chain) > 1 for chain in item.chains or ())

    def written(self, items: Sequence[Document], guesses: Sequence[CoreferGuess]) -> str:
        return write_documents(items, [guess.chains for guess in guesses])

    def said(self, item: Document, guess: CoreferGuess) -> str:
        chains = [chain for chain in guess.chains if len(chain) > 1]
        return "; ".join(" = ".join(map(item.text, chain)) for chain in chains) or "no chains"

    def structures(self, items: Sequence[Document], guesses: Sequence[CoreferGuess]) -> list[Chained]:
        return [
            Chained(item.words, item.sentences, guess.chains, {span: (other, p) for span, other, p in guess.links})
            for item, guess in zip(items, guesses, strict=True)
        ]

    def details(self, items: Sequence[Document], guesses: Sequence[CoreferGuess]) -> list[str]:
        """Recall and precision of each measure."""
        statistics = sum(_statistics(item, guess) for item, guess in zip(items, guesses, strict=True))
        if not isinstance(statistics, np.ndarray) or statistics[N_STATISTICS:].any():
            return []
        lines = []
        for at, name in enumerate(("MUC", "B3", "CEAFe")):
            kept, key, right, response = statistics[4 * at : 4 * at + 4]
            lines.append(f"{name:5}  recall {kept / max(key, 1):.3f}  precision {right / max(response, 1):.3f}")
        return lines


def _neighbours_of_questions(train: Sequence[Document], test: Sequence[Document]) -> list[Neighbour]:
    """What needs no network to choose a name, the last only where there are questions to learn from."""

    def neighbour(name: str, rule: Callable[[Document], Chain], note: str = "") -> Neighbour:
        return Neighbour(name, [CoreferGuess((rule(item),)) for item in test], note)

    found = [neighbour("both names", both_names), neighbour("nearer name", nearer_name)]
    if train:
        found.append(neighbour("places of the names", PlaceRules(train).chain, "a logistic regression"))
    return found


def _statistics(item: Document, guess: CoreferGuess) -> np.ndarray:
    """Of chains, then of a question; the other part is nothing."""
    counts = np.zeros(N_STATISTICS + N_CHOICES)
    if item.choice is None:
        counts[:N_STATISTICS] = chain_statistics(item.chains or (), guess.chains)
        return counts
    at = N_STATISTICS + 3 * item.choice.feminine
    for said, true in zip(choose(item.choice, guess.chains), item.choice.gold or (False, False), strict=True):
        counts[at : at + 3] += (said and true, said and not true, true and not said)
    return counts


def _choice_f1(counts: np.ndarray) -> np.ndarray:
    """F1 of right, wrong and missed (..., 3)."""
    right, wrong, missed = np.moveaxis(counts, -1, 0)
    f1: np.ndarray = 2 * right / np.maximum(2 * right + wrong + missed, 1e-12)
    return f1
