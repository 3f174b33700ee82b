"""`langnet evaluate`: a classifier or a language model, with intervals and beside its neighbours."""

from __future__ import annotations

import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from langnet.errors import LangnetError
from langnet.evaluate.baselines import MajorityBaseline, TfidfBaseline
from langnet.evaluate.cache import CacheOptions
from langnet.evaluate.language_model import LanguageModelScores, TextScore, sum_up, unigram_bits_per_byte
from langnet.evaluate.predictions import Predictions
from langnet.evaluate.report import EvaluationReport, NeighbourPredictions, report_classifier
from langnet.recipes.calibrate import fitted_warning
from langnet.recipes.ensemble import Ensemble
from langnet.recipes.model import Model
from langnet.recipes.score import score_stream
from langnet.recipes.training_items import overlap_warning
from langnet.recipes.training_texts import digest_of, find_training_texts
from langnet.recipes.unknown_labels import shortened
from langnet.text.corpus import CorpusOptions, CorpusReport, Source, read_documents
from langnet.text.labelled import LabelledData
from langnet.text.prepare import encode_documents

MOST_CROSS_VALIDATED = 1000
_XZ = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 2**26}]


def evaluate_classifier(
    model: Model | Ensemble,
    test: LabelledData,
    train: LabelledData | None = None,
    folder: Path | None = None,
    abstain_below: float | None = None,
) -> tuple[EvaluationReport, Predictions]:
    """Score a classifier on labelled texts beside the majority class and TF-IDF with a logistic regression.

    TF-IDF learns from `train`; without it from the texts that the model was fine-tuned on, where their files are still
    there unchanged; failing that it is cross-validated inside the test texts, which is said in its row.

    Args:
        model: a classifier, or several averaged.
        test: labelled texts that it has not seen.
        train: the labelled texts that it was fine-tuned on.
        folder: of the model, from where the files of its training texts are looked for.
        abstain_below: probability from which on the classifier is to answer; None: always.

    Raises:
        LangnetError: the model is no classifier, or the test texts have labels that it does not know.
    """
    names = model.labels
    if names is None:
        raise LangnetError("this model is a language model without labels; fine-tune it first: langnet finetune")
    unknown = list(dict.fromkeys(label for label in test.labels if label not in names))
    if unknown:
        first = next(item for item in test.items if item.label in unknown)
        where = f"{first.source}: " if first.source else ""
        raise LangnetError(
            f"{where}the test texts have labels that the model does not know: {', '.join(unknown[:5])}; "
            f"it knows {shortened(names)}"
        )
    remembered: dict[str, Any] = (model.facts.get("finetune") or {}).get("training_texts") or {}
    warnings = []
    if train is None and folder is not None:
        train = find_training_texts(remembered, folder)
    elif train is not None and remembered and digest_of(train) != remembered.get("digest"):
        warnings.append("the given training texts are not those that the model was fine-tuned on")
    predictions = Predictions.from_probabilities(model.predict_proba(test.texts), names)
    report = report_classifier(test.labels, predictions, _neighbours(test, train, remembered), abstain_below)
    warnings += fitted_warning(model.facts, digest_of(test))
    overlap = overlap_warning(test.texts, train.texts, "texts") if train else []
    report.warnings = [*warnings, *overlap, *report.warnings]
    return report, predictions


def _neighbours(
    test: LabelledData, train: LabelledData | None, remembered: dict[str, Any]
) -> list[NeighbourPredictions]:
    if train is not None:
        note = f"learned from {len(train):,} training texts"
        return [
            NeighbourPredictions(b.name, b.fit_predict(train.texts, train.labels, test.texts).labels, note)
            for b in (MajorityBaseline(), TfidfBaseline())
        ]
    counts = remembered.get("labels")
    labels = [name for name, count in counts.items() for _ in range(count)] if counts else test.labels
    found = MajorityBaseline().fit_predict(labels, labels, test.texts)
    where = "training" if counts else "test"
    majority = NeighbourPredictions(
        MajorityBaseline.name, found.labels, f"the most frequent label of the {where} texts"
    )
    inside = _cross_validated(test)
    return [majority] if inside is None else [majority, inside]


def _cross_validated(test: LabelledData) -> NeighbourPredictions | None:
    """TF-IDF inside the test texts, where the training texts are not to be had; None for too few texts."""
    from sklearn.model_selection import KFold, StratifiedKFold

    if len(test) < 10 or len(test.label_names) < 2:
        return None
    chosen = np.arange(len(test))
    if len(test) > MOST_CROSS_VALIDATED:
        chosen = np.sort(np.random.default_rng(0).choice(len(test), MOST_CROSS_VALIDATED, replace=False))
    part = test.rows(chosen)
    labels = np.array(part.labels)
    smallest = min(part.labels.count(name) for name in part.label_names)
    kind = StratifiedKFold if smallest >= 5 else KFold
    predicted = np.empty(len(part), dtype=object)
    for seen, held_out in kind(5, shuffle=True, random_state=0).split(labels, labels):
        known, asked = part.rows(seen), part.rows(held_out)
        predicted[held_out] = TfidfBaseline().fit_predict(known.texts, known.labels, asked.texts).labels
    note = (
        f"cross-validated inside the test texts: each fold learned from {len(part) * 4 // 5:,} of them, not from the "
    )
    note += "model's training texts; --train compares like with like"
    return NeighbourPredictions(TfidfBaseline.name, predicted.tolist(), note, chosen)


@dataclass(frozen=True)
class LanguageModelReport:
    """A language model on held-out text, beside what needs no model.

    Attributes:
        model: its scores.
        neighbours: bits per byte by name.
        warnings: one line each.
    """

    model: LanguageModelScores
    neighbours: dict[str, float]
    warnings: list[str]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"model": self.model.to_dict(), "neighbours": self.neighbours, "warnings": self.warnings}


def evaluate_language_model(
    model: Model, sources: Sequence[Source], options: CorpusOptions | None = None, cache: CacheOptions | None = None
) -> LanguageModelReport:
    """Bits per byte of held-out text, beside a unigram model and a compressor, which learn from that text alone.

    Args:
        model: a language model.
        sources: held-out text; see `langnet.text.corpus.read_documents`.
        options: how it is read.
        cache: also score with a continuous cache.

    Raises:
        LangnetError: the model is a classifier, or there is no text.
    """
    options = options or CorpusOptions()
    scores: list[TextScore] = []
    counts = np.zeros(model.tokenizer.vocabulary_size, dtype=np.int64)
    compressor = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=_XZ)
    packed = 0
    for document, score in score_stream(model, read_documents(sources, options, CorpusReport()), cache):
        if not score.n_bytes:
            continue
        scores.append(score)
        (ids,) = encode_documents([document.text], model.tokenizer)
        counts += np.bincount(ids[1:], minlength=len(counts))
        packed += len(compressor.compress(document.text.encode("utf8") + b"\n"))
    if not scores:
        raise LangnetError(f"there is no text in {', '.join(map(str, sources))}; every document is empty")
    packed += len(compressor.flush())
    found = sum_up(scores)
    neighbours = {
        "unigram of the model's tokens": unigram_bits_per_byte(counts, found.n_bytes),
        "xz -9": 8 * packed / found.n_bytes,
    }
    highest = max(found.bits_per_byte, float(np.nan_to_num(found.interval.high)))
    warnings = [
        f"the model does not beat {name} beyond the interval: {found.bits_per_byte:.3f} against {bits:.3f} bits/byte"
        for name, bits in neighbours.items()
        if highest >= bits
    ]
    if found.note:
        warnings.append(found.note)
    if found.n_documents == 1:
        warnings.append("a single document has no interval; --documents paragraph makes more of a file")
    return LanguageModelReport(found, neighbours, warnings)
