"""Questions that a language model answers by likelihood alone: minimal pairs, fillings of a place, acceptability."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from langnet.errors import LangnetError
from langnet.evaluate.class_statistics import class_scores, class_statistics
from langnet.evaluate.language_model import TextScore
from langnet.evaluate.likelihood import Continuation, Likelihood, Normalise, hits, tie_warning, tied
from langnet.evaluate.likelihood_neighbours import UnigramModel, shortness
from langnet.evaluate.pseudo_likelihood import pseudo_note
from langnet.evaluate.scoring import Neighbour, TaskReport, break_down, report_task
from langnet.recipes.model import Model
from langnet.text.choices import Choice, Judged, MinimalPair, grouped
from langnet.text.masking import Hide

Scoring = Literal["auto", "full", "partial", "pmi"]
AcceptabilityScore = Literal["none", "tokens", "bytes", "slor"]
OWN_TEXTS = "frequencies in these texts themselves"
GIVEN_TEXTS = "frequencies in the given texts"
ACCEPTABLE, UNACCEPTABLE = "acceptable", "unacceptable"


@dataclass(frozen=True)
class Answers:
    """What a model answers.

    Attributes:
        report: its scores beside its neighbours'.
        rows: one a question, for JSON.
    """

    report: TaskReport
    rows: list[dict[str, Any]]


def hit_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Accuracy of sums (..., 2): hits and questions."""
    return {"accuracy": sums[..., 0] / sums[..., 1]}


def zero_pairs(
    model: Model,
    pairs: Sequence[MinimalPair],
    normalise: Normalise = "none",
    unigram_texts: Iterable[str] | None = None,
    on_question: Callable[[int], None] | None = None,
    pseudo: Hide | None = None,
) -> Answers:
    """Whether the acceptable sentence of each pair is the more probable one (Warstadt et al. 2020: BLiMP).

    Both are read as documents of their own. Of a model that reads both ways, the mean of both directions counts; of a
    masked one the pseudo-log-probability (Salazar et al. 2020).

    Args:
        model: a language model.
        pairs: see `langnet.text.choices.read_minimal_pairs`.
        normalise: whole log-probabilities, as published, or those a token or a byte.
        unigram_texts: from which the unigram neighbour learns; None: the pairs.
        on_question: called with the number of pairs done.
        pseudo: how tokens are hidden; None leaves it to `Model.way_of_scoring`.

    Raises:
        LangnetError: the model gives no probabilities, or there are no pairs.
    """
    _require(pairs, "pairs")
    sentences = [(pair.good, pair.bad) for pair in pairs]
    scores = _pair_scores(model, sentences, normalise, on_question, pseudo)  # (N, 2)
    both = [text for pair in sentences for text in pair]
    unigram = UnigramModel.of(both if unigram_texts is None else unigram_texts, model.tokenizer)
    note = OWN_TEXTS if unigram_texts is None else GIVEN_TEXTS
    gold = [0] * len(pairs)
    others = [
        (Neighbour("chance", ()), _chance([2] * len(pairs))),
        (Neighbour("the shorter sentence", ()), _hits(shortness(both).reshape(-1, 2), gold)),
        (Neighbour("unigram", (), note), _hits(unigram.scores(both, model.tokenizer, normalise).reshape(-1, 2), gold)),
    ]
    own = _hits(scores, gold)
    report = report_task(("minimal pairs", "pairs"), own, others, hit_scores)
    report.breakdowns = [break_down(name, parts, own, hit_scores) for name, parts in grouped(pairs)]
    report.details += pseudo_note(model.way_of_scoring(pseudo))
    _tell_ties(report, scores)
    rows = [
        {"source": pair.source, **pair.groups, "margin": round(float(good - bad), 6), "right": bool(hit)}
        for pair, (good, bad), hit in zip(pairs, scores, own[:, 0], strict=True)
    ]
    return Answers(report, rows)


def _pair_scores(
    model: Model,
    pairs: Sequence[tuple[str, str]],
    normalise: Normalise,
    on_question: Callable[[int], None] | None,
    pseudo: Hide | None,
) -> np.ndarray:
    """Scores (N, 2) of which the difference counts."""
    questions: list[list[Continuation]] = []
    if model.way_of_scoring(pseudo):
        questions = [[Continuation("", text) for text in pair] for pair in pairs]
    elif normalise == "none" and not model.encoder.bidirectional:
        # What both begin with is equally probable in both, so only what follows needs a softmax.
        for pair in pairs:
            start = pair[0].rfind(" ", 0, _common(*pair)) + 1
            questions.append([Continuation(text[:start], text[start:], ends=True) for text in pair])
    if questions:
        likely = model.likelihoods(questions, on_question, pseudo)
        return np.array([[one.score(normalise) for one in two] for two in likely])
    distinct = list(dict.fromkeys(text for pair in pairs for text in pair))
    found = dict(zip(distinct, model.score_texts(distinct), strict=True))
    lengths = {"none": lambda s: 1, "tokens": lambda s: s.n_tokens, "bytes": lambda s: max(1, s.n_bytes)}
    return np.array([[found[t].log_probability / lengths[normalise](found[t]) for t in pair] for pair in pairs])


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@dataclass(frozen=True)
class ChoiceOptions:
    """How alternatives are compared.

    Attributes:
        scoring: `full` is the probability of the alternative and what follows it, given what stands before; `partial`
            that of what follows alone, given the text with the alternative (Trinh & Le 2018), which leaves out how
            frequent the alternative itself is; `pmi` is the full one less what the alternative has without the content
            before it (Holtzman et al. 2021). `auto` is partial where words follow, pmi where a question says what
            remains without its content, as COPA's do, else full.
        normalise: log-probabilities whole, or a token or a byte.
        pseudo: how tokens are hidden; None leaves it to `Model.way_of_scoring`.
    """

    scoring: Scoring = "auto"
    normalise: Normalise = "none"
    pseudo: Hide | None = None


def choose(
    model: Model,
    questions: Sequence[Choice],
    options: ChoiceOptions | None = None,
    on_question: Callable[[int], None] | None = None,
) -> list[np.ndarray]:
    """The score of every alternative of every question, (A,) each; the highest is the answer.

    Raises:
        LangnetError: the model gives no probabilities; partial scoring where nothing follows the place.
    """
    options = options or ChoiceOptions()
    ways = [_way(one, options.scoring) for one in questions]
    asked: list[list[Continuation]] = []
    for one, way in zip(questions, ways, strict=True):
        asked.append([_written(one, alternative, way) for alternative in one.alternatives])
        if way == "pmi":
            asked.append([Continuation(one.domain, alternative + one.after) for alternative in one.alternatives])
    found = iter(model.likelihoods(asked, on_question, options.pseudo))
    scores = []
    for way in ways:
        own = np.array([one.score(options.normalise) for one in next(found)])
        if way == "pmi":
            own = own - np.array([one.score(options.normalise) for one in next(found)])
        scores.append(own)
    return scores


def _way(question: Choice, scoring: Scoring) -> Scoring:
    if scoring == "partial" and not question.goes_on:
        raise LangnetError(
            f"{question.source or question.before}: no words follow the place, so partial scoring has nothing to judge "
            "by; take full or pmi"
        )
    if scoring != "auto":
        return scoring
    return "partial" if question.goes_on else "pmi" if question.domain else "full"


def _written(question: Choice, alternative: str, way: Scoring) -> Continuation:
    """An alternative in its place; what is left out where all is too long are the first words before it."""
    spare = (0, len(question.before))
    if way == "partial":
        return Continuation(question.before + alternative, question.after, spare)
    return Continuation(question.before, alternative + question.after, spare)


def zero_choices(
    model: Model,
    questions: Sequence[Choice],
    options: ChoiceOptions | None = None,
    unigram_texts: Iterable[str] | None = None,
    on_question: Callable[[int], None] | None = None,
) -> Answers:
    """Fill places in texts with the most probable of several alternatives: cloze, Winograd schemas, COPA.

    Args:
        model: a language model.
        questions: with their answers; see `langnet.text.choices.read_choices`.
        options: how alternatives are compared.
        unigram_texts: from which the unigram neighbour learns; None: the questions.
        on_question: called with the number of questions done, those without content counted too.

    Raises:
        LangnetError: the model gives no probabilities, or there are no questions.
    """
    _require(questions, "questions")
    options = options or ChoiceOptions()
    scores = choose(model, questions, options, on_question)
    gold = [-1 if one.gold is None else one.gold for one in questions]
    own = _hits(scores, gold)
    neighbours = _choice_neighbours(model, questions, gold, unigram_texts, options.pseudo)
    report = report_task(("alternatives", "questions"), own, neighbours, hit_scores)
    report.breakdowns = [break_down(name, parts, own, hit_scores) for name, parts in grouped(questions)]
    used = [_way(one, options.scoring) for one in questions]
    report.details.append("scoring: " + ", ".join(f"{way} {used.count(way):,}" for way in sorted(set(used))))
    report.details += pseudo_note(model.way_of_scoring(options.pseudo))
    _tell_ties(report, scores)
    return Answers(report, answer_rows(questions, scores))


def answer_rows(questions: Sequence[Choice], scores: Sequence[np.ndarray]) -> list[dict[str, Any]]:
    """One row a question, for JSON: the alternative, or nothing where the best two are equal, and all scores."""
    return [
        {
            "source": one.source,
            "answer": None if tied(own[None])[0] else int(own.argmax()),
            "alternative": None if tied(own[None])[0] else one.alternatives[int(own.argmax())],
            "scores": [round(float(value), 6) for value in own],
        }
        for one, own in zip(questions, scores, strict=True)
    ]


def _choice_neighbours(
    model: Model,
    questions: Sequence[Choice],
    gold: Sequence[int],
    unigram_texts: Iterable[str] | None,
    pseudo: Hide | None,
) -> list[tuple[Neighbour, np.ndarray]]:
    texts = [one.before + alternative + one.after for one in questions for alternative in one.alternatives]
    unigram = UnigramModel.of(texts if unigram_texts is None else unigram_texts, model.tokenizer)
    note = OWN_TEXTS if unigram_texts is None else GIVEN_TEXTS
    frequent = [unigram.scores(one.alternatives, model.tokenizer) for one in questions]
    options = ChoiceOptions("full", pseudo=pseudo)
    alone = choose(model, [Choice(one.domain, one.alternatives) for one in questions], options)
    return [
        (Neighbour("chance", ()), _chance([len(one.alternatives) for one in questions])),
        (Neighbour("the shortest", ()), _hits([shortness(one.alternatives) for one in questions], gold)),
        (Neighbour("unigram", (), note), _hits(frequent, gold)),
        (Neighbour("alternatives alone", (), "this model, without the text before and after"), _hits(alone, gold)),
    ]


def zero_acceptability(
    model: Model,
    test: Sequence[Judged],
    dev: Sequence[Judged],
    score: AcceptabilityScore = "slor",
    unigram_texts: Iterable[str] | None = None,
    pseudo: Hide | None = None,
) -> Answers:
    """Call sentences acceptable whose score lies above a threshold, which is the best one on other sentences.

    Args:
        model: a language model.
        test: sentences to be judged.
        dev: sentences by which the thresholds, the neighbours' too, are chosen.
        score: log-probability, whole or a token or a byte, or `slor`: that less the sentence's unigram log-probability,
            a token (Pauls & Klein 2012; Lau et al. 2017), which takes length and rare words out.
        unigram_texts: from which unigrams learn; None: the dev sentences.
        pseudo: how tokens are hidden; None leaves it to `Model.way_of_scoring`.

    Raises:
        LangnetError: the model gives no probabilities, there is nothing to judge, or dev sentences of one kind only.
    """
    _require(test, "sentences")
    if len({one.acceptable for one in dev}) < 2:
        raise LangnetError("--dev has sentences of one kind only; the threshold needs acceptable and unacceptable ones")
    texts = [one.sentence for one in (*dev, *test)]
    unigram = UnigramModel.of(
        [one.sentence for one in dev] if unigram_texts is None else unigram_texts, model.tokenizer
    )
    frequent = unigram.scores(texts, model.tokenizer)
    methods = {
        "this model": _acceptability(model, texts, frequent, score, pseudo),
        "length": shortness(texts),
        "unigram": unigram.scores(texts, model.tokenizer, "tokens"),
    }
    truth = np.array([one.acceptable for one in dev])
    thresholds = {name: best_threshold(values[: len(dev)], truth) for name, values in methods.items()}
    guessed = {name: values[len(dev) :] > thresholds[name] for name, values in methods.items()}
    guessed["majority"] = np.full(len(test), truth.mean() >= 0.5)
    names = ["this model", "majority", "length", "unigram"]
    labels = [[ACCEPTABLE if yes else UNACCEPTABLE for yes in guessed[name]] for name in names]
    gold = [ACCEPTABLE if one.acceptable else UNACCEPTABLE for one in test]
    own, *others = class_statistics(gold, labels)
    note = "frequencies in the dev sentences" if unigram_texts is None else GIVEN_TEXTS
    neighbours = [
        (Neighbour(name, (), note if name == "unigram" else ""), o) for name, o in zip(names[1:], others, strict=True)
    ]
    report = report_task(("acceptability", "sentences"), own, neighbours, _mcc_first)
    report.details.append(f"threshold {thresholds['this model']:.4f} on {len(dev):,} dev sentences, score: {score}")
    report.details += pseudo_note(model.way_of_scoring(pseudo))
    rows = [
        {"source": one.source, "sentence": one.sentence, "score": round(float(value), 6), "label": label}
        for one, value, label in zip(test, methods["this model"][len(dev) :], labels[0], strict=True)
    ]
    return Answers(report, rows)


def _mcc_first(sums: np.ndarray) -> dict[str, np.ndarray]:
    found = class_scores(sums)
    return {"mcc": found["mcc"], **found}


def _acceptability(
    model: Model, texts: Sequence[str], frequent: np.ndarray, score: AcceptabilityScore, pseudo: Hide | None
) -> np.ndarray:
    """The model's score of each text, (N,)."""
    found: Sequence[TextScore | Likelihood]
    if model.way_of_scoring(pseudo):
        found = [whole for (whole,) in model.likelihoods([[Continuation("", text)] for text in texts], pseudo=pseudo)]
    else:
        found = model.score_texts(texts)
    total = np.array([one.log_probability for one in found])
    if score == "none":
        return total
    if score == "bytes":
        return total / np.array([max(1, one.n_bytes) for one in found])
    tokens = np.array([one.n_tokens for one in found])
    return total / tokens if score == "tokens" else (total - frequent) / tokens


def best_threshold(scores: np.ndarray, acceptable: np.ndarray) -> float:
    """The threshold above which sentences count as acceptable that has the highest Matthews correlation.

    Args:
        scores: (N,).
        acceptable: (N,) the truth.

    Returns:
        A value between two scores, or minus infinity where nothing is better than to accept all.
    """
    order = np.argsort(scores, kind="stable")
    values, truth = scores[order], acceptable[order].astype(float)
    rejected_good = np.concatenate([[0.0], np.cumsum(truth)])  # (N + 1,) with the first k rejected
    rejected_bad = np.concatenate([[0.0], np.cumsum(1 - truth)])
    good, bad, n = truth.sum(), (1 - truth).sum(), len(truth)
    hit, false = good - rejected_good, bad - rejected_bad
    spread = good * bad * (hit + false) * (n - hit - false)
    mcc = np.where(spread > 0, (hit * rejected_bad - false * rejected_good) / np.sqrt(np.maximum(spread, 1e-300)), 0.0)
    possible = np.concatenate([[True], values[1:] > values[:-1], [False]])  # equal scores are not told apart
    best = int(np.where(possible, mcc, -np.inf).argmax())
    return float("-inf") if best == 0 else float((values[best - 1] + values[best]) / 2)


def _hits(scores: Sequence[np.ndarray] | np.ndarray, gold: Sequence[int]) -> np.ndarray:
    """Statistics (N, 2) for `hit_scores`."""
    right = hits(list(scores), gold)
    return np.stack([right, np.ones_like(right)], axis=1)


def _chance(alternatives: Sequence[int]) -> np.ndarray:
    """What a guess at random has on average, (N, 2)."""
    return np.array([[1 / count, 1.0] for count in alternatives])


def _tell_ties(report: TaskReport, scores: Sequence[np.ndarray] | np.ndarray) -> None:
    count = sum(bool(tied(own[None])[0]) for own in scores)
    report.warnings += tie_warning(count, report.n)


def _require(items: Sequence[object], what: str) -> None:
    if not len(items):
        raise LangnetError(f"there are no {what} to answer")
