"""Labels without a single labelled text: each label is put into words, and the likeliest words win.

Radford et al. 2018 (section 5) and Brown et al. 2020 compare the likelihood of each label's words behind the text. What
the words have without any text is a bias of the model; three corrections divide it out: the likelihood after the
template alone (Holtzman et al. 2021, "Surface form competition", equation 6), after content-free texts (Zhao et al.
2021, "Calibrate before use", section 5), or its mean over the texts to be labelled (Zhou et al. 2024, "Batch
calibration").
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import log_softmax, logsumexp

from langnet.errors import LangnetError
from langnet.evaluate.class_statistics import class_scores, class_statistics
from langnet.evaluate.likelihood import Continuation, Likelihood, Normalise, tie_warning, tied
from langnet.evaluate.likelihood_neighbours import UnigramModel, shortness
from langnet.evaluate.pseudo_likelihood import pseudo_note
from langnet.evaluate.report import class_rows
from langnet.evaluate.scoring import Neighbour, TaskReport, report_task
from langnet.recipes.model import Model
from langnet.text.masking import Hide

TEXT, LABEL = "{text}", "{label}"
DEFAULT_TEMPLATE = "{text} It was {label}"
CONTENT_FREE = ("N/A", "", "[MASK]")  # Zhao et al. 2021, section 5
Prior = Literal["none", "domain", "content-free", "batch"]
NO_LABEL = ""  # where the best two are equally probable


@dataclass(frozen=True)
class Verbaliser:
    """How a text and a label become one text.

    Attributes:
        words: of each label, one phrase or several of which any counts; a label's own name is a phrase like others.
        template: holds `{text}` and behind it `{label}`. What stands behind the label is judged with it.
    """

    words: Mapping[str, Sequence[str]]
    template: str = DEFAULT_TEMPLATE

    def __post_init__(self) -> None:
        if self.template.count(TEXT) != 1 or self.template.count(LABEL) != 1 or self._at(TEXT) > self._at(LABEL):
            raise LangnetError(f"the template '{self.template}' has to hold {TEXT} once and, behind it, {LABEL} once")
        if len(self.words) < 2:
            raise LangnetError(
                f"there have to be two labels or more, each with its words; given: {', '.join(self.words) or 'none'}"
            )
        owner: dict[str, str] = {}
        for label, phrases in self.words.items():
            if not phrases or not all(phrase.strip() for phrase in phrases):
                raise LangnetError(f"the label '{label}' has an empty phrase; give it words, as in --word {label}=good")
            for phrase in phrases:
                if owner.setdefault(phrase, label) != label:
                    raise LangnetError(f"the labels '{owner[phrase]}' and '{label}' share the words '{phrase}'")

    def _at(self, what: str) -> int:
        return self.template.index(what)

    @property
    def labels(self) -> list[str]:
        """The labels, sorted."""
        return sorted(self.words)

    @property
    def phrases(self) -> list[tuple[str, str]]:
        """Label and phrase of everything that is compared."""
        return [(label, phrase) for label in self.labels for phrase in self.words[label]]

    def written(self, text: str) -> list[Continuation]:
        """The text with each phrase; where it is too long, its beginning is what is left out."""
        head = self.template[: self._at(TEXT)]
        between = self.template[self._at(TEXT) + len(TEXT) : self._at(LABEL)]
        tail = self.template[self._at(LABEL) + len(LABEL) :]
        start = len(unicodedata.normalize("NFC", head))
        spare = (start, len(unicodedata.normalize("NFC", head + text)))
        return [Continuation(head + text + between, phrase + tail, spare) for _, phrase in self.phrases]

    def without_text(self, domain: str | None = None) -> list[Continuation]:
        """The phrases behind what the template says without a text, or behind `domain`."""
        whole = self.template[: self._at(LABEL)].replace(TEXT, "").lstrip()
        prompt = whole if domain is None else f"{domain.rstrip()} "
        tail = self.template[self._at(LABEL) + len(LABEL) :]
        return [Continuation(prompt, phrase + tail) for _, phrase in self.phrases]


@dataclass(frozen=True)
class ZeroOptions:
    """How labels are compared.

    Attributes:
        prior: what is divided out: `domain` the probability of the words behind the template alone, `content-free` the
            mean one behind texts without content, `batch` the mean one behind all the texts that are labelled together,
            or `none`. With `batch` a text's label depends on the others'.
        normalise: log-probabilities of the words whole, or a token or a byte.
        domain: what stands before the words for `domain`; None: the template without its text.
        content_free: the texts for `content-free`.
        pseudo: how tokens are hidden; None leaves it to `Model.way_of_scoring`.
    """

    prior: Prior = "domain"
    normalise: Normalise = "none"
    domain: str | None = None
    content_free: tuple[str, ...] = CONTENT_FREE
    pseudo: Hide | None = None


@dataclass(frozen=True)
class ZeroLabels:
    """What a model says of N texts.

    Attributes:
        labels: one a text; empty where the best two labels are equally probable.
        probabilities: (N, L), columns in the order of `names`.
        names: the labels, sorted.
        prior: (L,) what was divided out, probabilities that sum to one; None for nothing.
        n_shortened: texts whose beginning did not fit into the context.
    """

    labels: list[str]
    probabilities: np.ndarray
    names: list[str]
    prior: np.ndarray | None
    n_shortened: int


def zero_labels(
    model: Model,
    texts: Sequence[str],
    verbaliser: Verbaliser,
    options: ZeroOptions | None = None,
    on_text: Callable[[int], None] | None = None,
) -> ZeroLabels:
    """Label texts by the likelihood of each label's words; nothing is learned.

    Args:
        model: a language model.
        texts: to be labelled.
        verbaliser: the labels' words, and where they stand.
        options: how they are compared.
        on_text: called with the number of texts done.

    Raises:
        LangnetError: the model gives no probabilities, or its vocabulary lacks words of the labels.
    """
    scores, n_shortened = _scores(model, texts, verbaliser, options or ZeroOptions(), on_text)
    return _decide(model, scores, n_shortened, verbaliser, options or ZeroOptions())


def _scores(
    model: Model,
    texts: Sequence[str],
    verbaliser: Verbaliser,
    options: ZeroOptions,
    on_text: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, int]:
    """Log-probabilities (N, L), each row summing to one, and how many texts were shortened."""
    found = model.likelihoods([verbaliser.written(text) for text in texts], on_text, options.pseudo)
    if found:
        _require_known(verbaliser, found[0])
    scores = np.array([_by_label(one, verbaliser, options.normalise) for one in found]).reshape(
        -1, len(verbaliser.labels)
    )
    return scores, sum(one[0].n_left_out > 0 for one in found)


def _decide(
    model: Model, scores: np.ndarray, n_shortened: int, verbaliser: Verbaliser, options: ZeroOptions
) -> ZeroLabels:
    prior = _prior(model, scores, verbaliser, options)
    corrected = log_softmax(scores if prior is None else scores - prior, axis=1)  # (N, L)
    names, equal = verbaliser.labels, tied(corrected)
    labels = [NO_LABEL if tie else names[int(best)] for tie, best in zip(equal, corrected.argmax(1), strict=True)]
    return ZeroLabels(labels, np.exp(corrected), names, None if prior is None else np.exp(prior), n_shortened)


def _by_label(likely: Sequence[Likelihood], verbaliser: Verbaliser, normalise: Normalise) -> np.ndarray:
    """Log-probability of each label among the labels, (L,): that of any of its phrases."""
    values = np.array([one.score(normalise) for one in likely])
    owner = np.array([label for label, _ in verbaliser.phrases])
    return np.asarray(log_softmax([logsumexp(values[owner == label]) for label in verbaliser.labels]))


def _require_known(verbaliser: Verbaliser, likely: Sequence[Likelihood]) -> None:
    lacking = [phrase for (_, phrase), one in zip(verbaliser.phrases, likely, strict=True) if one.n_unknown]
    if lacking:
        raise LangnetError(
            f"the model's vocabulary lacks words of '{lacking[0]}', so it could only say how probable any unknown word "
            "is; put the label into other words"
        )


def _prior(model: Model, scores: np.ndarray, verbaliser: Verbaliser, options: ZeroOptions) -> np.ndarray | None:
    """The logarithm of what is divided out, (L,)."""
    if options.prior == "none" or not len(scores):
        return None
    if options.prior == "batch":
        return _mean(scores)
    blank = verbaliser.without_text(options.domain)
    asked = [blank] if options.prior == "domain" else [verbaliser.written(text) for text in options.content_free]
    likely = model.likelihoods(asked, pseudo=options.pseudo)
    return _mean(np.array([_by_label(one, verbaliser, options.normalise) for one in likely]))


def _mean(log_probabilities: np.ndarray) -> np.ndarray:
    """The logarithm of the mean of probabilities, over rows (N, L)."""
    return np.asarray(logsumexp(log_probabilities, axis=0) - np.log(len(log_probabilities)))


def evaluate_zero_labels(
    model: Model,
    texts: Sequence[str],
    gold: Sequence[str],
    verbaliser: Verbaliser,
    options: ZeroOptions | None = None,
    unigram_texts: Iterable[str] | None = None,
    on_text: Callable[[int], None] | None = None,
) -> tuple[TaskReport, ZeroLabels]:
    """Label texts and compare with the truth, beside what needs no model of language.

    The neighbours always say the same of every text: the most frequent label of the test texts, the label of the most
    frequent words, that of the shortest ones, and that which the model takes for most probable without a text. Where a
    prior is divided out, the labels without it stand beside them.

    Args:
        model: a language model.
        texts: labelled ones.
        gold: their labels.
        verbaliser: words for every label.
        options: how they are compared.
        unigram_texts: from which the frequencies of words are counted; None: the texts.
        on_text: called with the number of texts done.

    Raises:
        LangnetError: a label without words, or see `zero_labels`.
    """
    options = options or ZeroOptions()
    lacking = sorted(set(gold) - set(verbaliser.words))
    if lacking:
        raise LangnetError(
            f"there are no words for the label '{lacking[0]}'; give some, as in --word {lacking[0]}=good"
        )
    scores, n_shortened = _scores(model, texts, verbaliser, options, on_text)
    found = _decide(model, scores, n_shortened, verbaliser, options)
    neighbours = _neighbours(model, texts, gold, verbaliser, unigram_texts, options.pseudo)
    if options.prior != "none":
        plain = _decide(model, scores, 0, verbaliser, ZeroOptions("none"))
        neighbours.append(Neighbour("no correction", plain.labels, f"this model without {options.prior} correction"))
    methods = [found.labels, *(one.guesses for one in neighbours)]
    own, *others = class_statistics(gold, methods)
    report = report_task(
        ("labels by likelihood", "texts"), own, list(zip(neighbours, others, strict=True)), class_scores
    )
    report.details += [
        f"{row.name}: precision {row.precision:.3f}, recall {row.recall:.3f}; {row.n:,} texts, {row.n_predicted:,} said"
        for row in class_rows(list(gold), found.labels)
        if row.name != NO_LABEL
    ]
    report.details += pseudo_note(model.way_of_scoring(options.pseudo))
    _tell(report, found)
    return report, found


def _neighbours(
    model: Model,
    texts: Sequence[str],
    gold: Sequence[str],
    verbaliser: Verbaliser,
    unigram_texts: Iterable[str] | None,
    pseudo: Hide | None,
) -> list[Neighbour]:
    note = "frequencies in these texts themselves" if unigram_texts is None else "frequencies in the given texts"
    unigram = UnigramModel.of(texts if unigram_texts is None else unigram_texts, model.tokenizer)
    phrases = [phrase for _, phrase in verbaliser.phrases]
    frequent = unigram.scores([f" {phrase}" for phrase in phrases], model.tokenizer)
    (likely,) = model.likelihoods([verbaliser.without_text()], pseudo=pseudo)
    blank = np.array([one.log_probability for one in likely])
    counts = Counter(gold)
    majority = max(verbaliser.labels, key=lambda name: counts[name])

    def always(values: np.ndarray) -> list[str]:
        label = NO_LABEL if tied(values[None])[0] else verbaliser.phrases[int(values.argmax())][0]
        return [label] * len(texts)

    return [
        Neighbour("majority", [majority] * len(texts), "the most frequent label of these very texts"),
        Neighbour("unigram", always(frequent), f"always the label of the most frequent words; {note}"),
        Neighbour("the shortest", always(shortness(phrases)), "always the label of the shortest words"),
        Neighbour("words alone", always(blank), "this model without the texts"),
    ]


def _tell(report: TaskReport, found: ZeroLabels) -> None:
    if found.prior is not None:
        shares = ", ".join(f"{name} {value:.3f}" for name, value in zip(found.names, found.prior, strict=True))
        report.details.append(f"divided out: {shares}")
    report.warnings += tie_warning(found.labels.count(NO_LABEL), report.n)
    if found.n_shortened:
        report.details.append(
            f"{found.n_shortened:,} of {report.n:,} texts are longer than the context; their beginnings were not read"
        )
    said = [name for name in found.names if name not in found.labels]
    if said:
        report.warnings.append(f"never said: {', '.join(said[:5])}")


def label_rows(found: ZeroLabels, sources: Sequence[str]) -> list[dict[str, Any]]:
    """One row a text: source, predicted label, its probability, and those of all labels."""
    return [
        {
            "source": source,
            "predicted_label": label,
            "probability": round(float(row.max()), 4),
            **{f"p({name})": round(float(p), 6) for name, p in zip(found.names, row, strict=True)},
        }
        for source, label, row in zip(sources, found.labels, found.probabilities, strict=True)
    ]
