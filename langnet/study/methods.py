"""The methods that a study compares, behind one face: prepared once, then run on any number of draws."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np

from langnet.errors import LangnetError
from langnet.evaluate.baselines import MajorityBaseline, Neighbour, SvdBaseline, TfidfBaseline, WordVectorsBaseline
from langnet.evaluate.predictions import Predictions
from langnet.recipes.finetune import COURSES, finetune
from langnet.recipes.finetune_options import FinetuneOptions, Method
from langnet.recipes.frozen_draws import FrozenDraws
from langnet.recipes.model import Model
from langnet.tasks.examples import Example
from langnet.transfer.pseudo_labels import PseudoLabelOptions

Family = Literal["floor", "labels only", "raw text", "langnet"]
Told = Callable[[float], None]
# For first estimates of time: how many times faster texts are read than trained on, and the length of a document.
READING_PER_TRAINING = 2.5
USUAL_TOKENS = 300
CO_TRAINED_A_SECOND = 1000  # texts, of twenty classes; two classes are quicker


@dataclass(frozen=True)
class MethodKind:
    """What a method is called, and what it learns from.

    Attributes:
        name: for people.
        family: `floor` learns nothing of texts; `labels only` sees no raw text; `raw text` is a neighbour that does;
            `langnet` is the pretrained model under study.
        slow: whether a run trains a network.
        explained: one sentence for the report.
    """

    name: str
    family: Family
    slow: bool
    explained: str


KINDS: dict[str, MethodKind] = {
    "majority": MethodKind("majority", "floor", False, "The most frequent class of the labelled texts, always."),
    "tfidf": MethodKind(
        "TF-IDF",
        "labels only",
        False,
        "Logistic regression on TF-IDF of words and word pairs, from the labelled texts alone.",
    ),
    "svd": MethodKind(
        "SVD of TF-IDF",
        "raw text",
        False,
        "Latent semantic analysis: logistic regression on a truncated SVD of the raw text's TF-IDF.",
    ),
    "word2vec": MethodKind(
        "averaged word2vec",
        "raw text",
        False,
        "Logistic regression on idf-weighted averages of word vectors trained on the raw text.",
    ),
    "scratch": MethodKind(
        "langnet, from scratch", "labels only", True, "The same network, trained from random weights: the control."
    ),
    "frozen": MethodKind(
        "langnet, frozen",
        "langnet",
        False,
        "Linear head on a learned mix of the pretrained model's layers and on its document vectors; no more learns.",
    ),
    "unlabelled": MethodKind(
        "langnet, frozen + unlabelled",
        "langnet",
        False,
        "Co-training on raw texts without labels: the words of one class teach a classifier of all words.",
    ),
    "finetune": MethodKind(
        "langnet, fine-tuned", "langnet", True, "From the frozen head on, all weights of the pretrained model learn."
    ),
}


@dataclass(frozen=True)
class MethodOptions:
    """Settings of the methods.

    Attributes:
        finetune: of the fine-tuned and the from-scratch runs; its method and seed are set by the study.
        frozen_max_tokens: the most tokens of a document that the frozen model reads.
        unlabelled: how raw texts are used by the method of that name.
        word_vector_dim: of word2vec.
        word_vector_epochs: of word2vec.
        workers: threads of word2vec.
    """

    finetune: FinetuneOptions = field(default_factory=FinetuneOptions)
    frozen_max_tokens: int = 2048
    unlabelled: PseudoLabelOptions = field(default_factory=PseudoLabelOptions)
    word_vector_dim: int = 200
    word_vector_epochs: int = 5
    workers: int = 2


class StudyMethod(Protocol):
    """What every method can do."""

    def prepare(self, told: Told) -> None:
        """Learn from raw text, once; `told` hears the part that is done."""

    def run(
        self, texts: Sequence[str], labels: Sequence[str], test_texts: Sequence[str], seed: int
    ) -> tuple[Predictions, dict[str, Any]]:
        """Learn from labelled texts and predict the test texts; facts come beside the predictions."""

    def settings(self) -> object:
        """What the results depend on beside the data, for the fingerprint."""

    def estimates(self, n_labels: int, n_test: int) -> tuple[float, float]:
        """Seconds that preparing and a run may take, before they have been measured; 0 where unknown."""


class NeighbourMethod:
    """A neighbour of `langnet.evaluate.baselines`."""

    def __init__(self, neighbour: Neighbour, raw_texts: Sequence[str], settings: object, pace: float = 0.0):
        self.neighbour, self.raw_texts, self._settings = neighbour, raw_texts, settings
        self.pace = pace  # seconds of preparing a million characters

    def prepare(self, told: Told) -> None:
        self.neighbour.fit(self.raw_texts)

    def run(
        self, texts: Sequence[str], labels: Sequence[str], test_texts: Sequence[str], seed: int
    ) -> tuple[Predictions, dict[str, Any]]:
        return self.neighbour.fit_predict(texts, labels, test_texts), {}

    def settings(self) -> object:
        return self._settings

    def estimates(self, n_labels: int, n_test: int) -> tuple[float, float]:
        return self.pace * sum(map(len, self.raw_texts)) / 1e6 if self.pace else 0.0, 1.0


class FrozenMethod:
    """langnet with frozen features; test texts are read once."""

    def __init__(
        self,
        draws: FrozenDraws,
        test_texts: Sequence[str],
        options: MethodOptions,
        unlabelled: Sequence[str] | None = None,
    ):
        self.draws, self.test_texts, self.options = draws, test_texts, options
        self.unlabelled = unlabelled

    def prepare(self, told: Told) -> None:
        if self.unlabelled is None or self.draws.model.document_vectors is None:
            self.draws.read(self.test_texts, told)  # co-training reads no states

    def run(
        self, texts: Sequence[str], labels: Sequence[str], test_texts: Sequence[str], seed: int
    ) -> tuple[Predictions, dict[str, Any]]:
        if self.unlabelled is None:
            return self.draws.fit_predict(texts, labels, test_texts, seed)
        return self.draws.fit_predict(texts, labels, test_texts, seed, (self.unlabelled, self.options.unlabelled))

    def settings(self) -> object:
        unlabelled = None if self.unlabelled is None else asdict(self.options.unlabelled)
        return {"max_tokens": self.options.frozen_max_tokens, "unlabelled": unlabelled}

    def estimates(self, n_labels: int, n_test: int) -> tuple[float, float]:
        speed = READING_PER_TRAINING * _last(self.draws.model.history, "tokens_per_second")
        if self.unlabelled is None:
            return (n_test * USUAL_TOKENS / speed if speed else 0.0), 2.0
        if self.draws.model.document_vectors is not None:
            return 0.0, min(len(self.unlabelled), self.options.unlabelled.max_texts) / CO_TRAINED_A_SECOND
        n_texts = min(len(self.unlabelled), self.options.unlabelled.max_encoded)
        return (n_texts * USUAL_TOKENS / speed if speed else 0.0), n_texts / 400


class NetworkMethod:
    """langnet fine-tuned or from scratch; the test texts are tokenised once."""

    def __init__(self, model: Model, method: Method, options: MethodOptions):
        self.model, self.options = model, replace(options.finetune, method=method)
        self._test: tuple[Sequence[str], list[Example]] | None = None

    def prepare(self, told: Told) -> None:
        pass

    def run(
        self, texts: Sequence[str], labels: Sequence[str], test_texts: Sequence[str], seed: int
    ) -> tuple[Predictions, dict[str, Any]]:
        names = sorted(set(labels))
        if len(names) == 1:
            return Predictions(names * len(test_texts), None, names), {}
        classifier = finetune(self.model, texts, labels, replace(self.options, seed=seed, seeds=1))
        if self._test is None or self._test[0] is not test_texts:
            self._test = (test_texts, classifier.examples(test_texts))
        probabilities = classifier.probabilities_of(self._test[1])
        facts = {"layer_weights": classifier.network.layer_weights(), "tokens": _last(classifier.history, "tokens")}
        return Predictions.from_probabilities(probabilities, classifier.labels or []), facts

    def settings(self) -> object:
        return asdict(self.options)

    def estimates(self, n_labels: int, n_test: int) -> tuple[float, float]:
        """From the speed of pretraining, where it is known."""
        speed = _last(self.model.history, "tokens_per_second")
        if not speed:
            return 0.0, 0.0
        options, tokens = self.options, min(USUAL_TOKENS, self.options.max_tokens)
        batches = max(1, n_labels // options.batch_size)
        steps = COURSES[options.method].passes(options, batches) * batches
        return 0.0, tokens * (steps * options.batch_size + n_test / READING_PER_TRAINING) / speed


def build_methods(
    keys: Sequence[str], model: Model, raw_texts: Sequence[str], test_texts: Sequence[str], options: MethodOptions
) -> dict[str, StudyMethod]:
    """The methods of a study by their keys; nothing is learned yet.

    Raises:
        LangnetError: there is no such method.
    """
    unknown = [key for key in keys if key not in KINDS]
    if unknown:
        raise LangnetError(f"there is no method '{unknown[0]}'; choose from {', '.join(KINDS)}")
    draws = functools.cache(lambda: FrozenDraws(model, options.frozen_max_tokens, options.finetune.device))
    dim, epochs = options.word_vector_dim, options.word_vector_epochs
    makers: dict[str, Callable[[], StudyMethod]] = {
        "majority": lambda: NeighbourMethod(MajorityBaseline(), raw_texts, None),
        "tfidf": lambda: NeighbourMethod(TfidfBaseline(), raw_texts, None),
        "svd": lambda: NeighbourMethod(SvdBaseline(), raw_texts, None, pace=1.0),
        "word2vec": lambda: NeighbourMethod(
            WordVectorsBaseline(dim, epochs, options.workers),
            raw_texts,
            {"dim": dim, "epochs": epochs},
            pace=1.0 + dim * epochs / 400,
        ),
        "scratch": lambda: NetworkMethod(model, "scratch", options),
        "frozen": lambda: FrozenMethod(draws(), test_texts, options),
        "unlabelled": lambda: FrozenMethod(draws(), test_texts, options, raw_texts),
        "finetune": lambda: NetworkMethod(model, "finetune", options),
    }
    return {key: makers[key]() for key in keys}


def _last(history: Sequence[dict[str, Any]], name: str) -> float:
    """The last value of that name in a history; 0 where there is none."""
    values = [record[name] for record in history if name in record]
    return float(np.asarray(values[-1])) if values else 0.0
