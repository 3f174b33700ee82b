"""Co-training: a teacher that few labels suffice for guesses, and a student that reads every word learns from that.

Blum & Mitchell 1998: where two sets of words each tell a document's class, a weak rule on the first labels examples
for the second, and since the words that the rule does not read are new evidence, the student ends well above its
teacher. The first set is a view (`langnet.encoders.word_classes`): words of one kind, in a few dimensions, where a
hundred labels find nearly what a hundred thousand would. A teacher that reads all words already, as latent semantic
analysis does, can teach little: its student repeats what it got wrong.

Which views teach, cross-validation on the labelled documents says. Where no view tells the classes apart as well as the
whole space of document vectors does (topics, which live in nouns, names and terms of all kinds), that teaches too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import sparse
from scipy.special import softmax
from threadpoolctl import threadpool_limits
from torch import Tensor

from langnet.encoders.document_vectors import DocumentVectors
from langnet.errors import LangnetError
from langnet.transfer.cross_validation import Splits, best_temperature, class_scores, held_out_scores, stratified_splits

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

WHOLE = -1  # the whole space of document vectors, beside the numbers of the views


@dataclass(frozen=True)
class CoTrainingOptions:
    """How teacher and student learn.

    Attributes:
        view_strengths: inverse regularisations that are tried on each view.
        whole_strength: inverse regularisation of the teacher on the whole space.
        n_teachers: so many views, those that do best on held-out labelled documents, teach together.
        tolerance: standard errors by which the best view's held-out accuracy may stay behind the whole space's without
            the whole space teaching too.
        vote: weight of the whole space's own classifier beside the student, both at the same spread of scores; it
            votes where it has not taught, since then its mistakes are others.
        part: of the unlabelled documents, the most confidently guessed, from which the student learns.
        student_strength: inverse regularisation of the student.
        iterations: of the student's optimiser at most.
    """

    view_strengths: tuple[float, ...] = (2.0, 8.0)
    whole_strength: float = 8.0
    n_teachers: int = 2
    tolerance: float = 3.0
    vote: float = 0.5
    part: float = 0.57
    student_strength: float = 1.0
    iterations: int = 60


@dataclass
class Documents:
    """What co-training reads of m documents.

    Attributes:
        terms: (m, F) weighted terms, rows of unit length.
        whole: (m, K) document vectors.
        views: (m, n_views, K') views of the word classes.
    """

    terms: sparse.csr_matrix
    whole: np.ndarray
    views: np.ndarray

    @classmethod
    def read(cls, ids: Sequence[np.ndarray], space: DocumentVectors) -> Documents:
        """Read documents, given as token ids, in a space that has views.

        Raises:
            LangnetError: the space has none.
        """
        if space.views is None:
            raise LangnetError("this model has no word classes; pretrain it anew, or adapt it to the target text")
        terms = space.terms(ids)
        return cls(terms, space.project(terms), space.views.transform(ids))

    def features(self, view: int) -> np.ndarray:
        """What a teacher on that view reads, (m, K)."""
        return self.whole if view == WHOLE else self.views[:, view]

    def __len__(self) -> int:
        return len(self.whole)


@dataclass(frozen=True)
class Teacher:
    """A rule on one view, and how it did on held-out labelled documents.

    Attributes:
        view: its number; `WHOLE` for the whole space.
        strength: inverse regularisation.
        temperature: what its scores are divided by.
        log_loss: on held-out documents at that temperature, in nats.
        correct: (r n,) whether each held-out guess was right, documents in the same order for every teacher.
    """

    view: int
    strength: float
    temperature: float
    log_loss: float
    correct: np.ndarray

    def guess(self, labelled: Documents, classes: np.ndarray, unlabelled: Documents) -> np.ndarray:
        """Scores of the unlabelled documents, (m, C), at the held-out temperature; each class at mean zero."""
        model = _logistic(self.strength).fit(labelled.features(self.view), classes)
        scores = class_scores(model.decision_function(unlabelled.features(self.view)))  # (m, C)
        scores = scores - scores.mean(1, keepdims=True)
        return (scores - scores.mean(0)) / self.temperature


@dataclass(frozen=True)
class Student:
    """What was learned.

    Attributes:
        space: the document vectors, and behind them the student's scores, one dimension a class.
        weight: (C, K + C) of a linear head on that space.
        bias: (C,) of that head.
        teachers: the views that taught; `WHOLE` is the whole space.
        guesses: (m, C) probabilities of all unlabelled documents.
    """

    space: DocumentVectors
    weight: np.ndarray
    bias: np.ndarray
    teachers: tuple[int, ...]
    guesses: np.ndarray

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Probabilities of the classes, (N, C), of documents as `space` transforms them, (N, K + C)."""
        return softmax(features @ self.weight.T + self.bias, axis=1)


def co_train(
    space: DocumentVectors,
    labelled: Documents,
    classes: np.ndarray,
    n_classes: int,
    unlabelled: Documents,
    seed: int,
    options: CoTrainingOptions | None = None,
) -> Student:
    """Choose teachers, guess, and let the student learn.

    Args:
        space: of document vectors with views, in which the documents were read.
        labelled: n documents.
        classes: (n,) their class ids.
        n_classes: C; a class with a single document leaves no choice: the whole space teaches.
        unlabelled: m documents.
        seed: of the folds of cross-validation.
        options: how.
    """
    options = options or CoTrainingOptions()
    with threadpool_limits(1):  # threads that wait for each other cost small fits more than they bring
        views, whole = choose_teachers(labelled, classes, n_classes, seed, options)
        guesses = [teacher.guess(labelled, classes, unlabelled) for teacher in views]  # each (m, C)
        scores = np.mean(guesses, axis=0) if guesses else np.zeros((len(unlabelled), n_classes))
        if whole is not None:
            scores = scores + whole.guess(labelled, classes, unlabelled)
        share = np.bincount(classes, minlength=n_classes) / len(classes)
        probabilities = torch.from_numpy(scores).softmax(1)
        index = most_confident(probabilities, share, options.part).numpy()
        guessed = probabilities.argmax(1).numpy()[index]
        terms = sparse.vstack([labelled.terms, unlabelled.terms[index]], format="csr")
        model = _logistic(options.student_strength, options.iterations).fit(terms, np.concatenate([classes, guessed]))
    by_class, bias = _linear(model)  # (C, F), (C,)
    weights = np.ascontiguousarray(by_class.T)  # (F, C)
    # The student knows its own guesses too well: what its scores are worth, the labelled documents say.
    temperature, _ = best_temperature(labelled.terms @ weights + bias, classes)
    head, shift = np.zeros((n_classes, space.unit_dim + n_classes)), np.zeros(n_classes)
    head[:, space.unit_dim :] = np.eye(n_classes) / temperature
    scores = unlabelled.terms @ weights + bias  # (m, C)
    if whole is None and options.vote:
        voter, offset = _linear(_logistic(options.whole_strength).fit(labelled.whole, classes))  # (C, K), (C,)
        votes = unlabelled.whole @ voter.T + offset  # (m, C)
        scale = options.vote * _spread(scores / temperature) / _spread(votes)
        head[:, : space.unit_dim], shift = scale * voter, scale * offset
        head, shift = head / (1 + options.vote), shift / (1 + options.vote)
    guesses = softmax(np.concatenate([unlabelled.whole, scores], axis=1) @ head.T + shift, axis=1)
    teachers = tuple(teacher.view for teacher in [*views, *filter(None, [whole])])
    return Student(space.with_scores(weights, bias), head, shift, teachers, guesses)


def _linear(model: LogisticRegression) -> tuple[np.ndarray, np.ndarray]:
    """Weights (C, K) and bias (C,) of one score a class, where scikit-learn has one for two classes."""
    if len(model.classes_) > 2:
        return model.coef_, model.intercept_
    return np.concatenate([-model.coef_, model.coef_]) / 2, np.array([-1, 1]) * model.intercept_[0] / 2


def _spread(scores: np.ndarray) -> float:
    """Standard deviation of scores (m, C), each document's at mean zero."""
    return max(float((scores - scores.mean(1, keepdims=True)).std()), 1e-9)


def choose_teachers(
    labelled: Documents, classes: np.ndarray, n_classes: int, seed: int, options: CoTrainingOptions
) -> tuple[list[Teacher], Teacher | None]:
    """The best views on held-out labelled documents, best first, and the whole space where it is better beyond chance.

    The rule of one standard error (Breiman et al. 1984, section 3.4.3) with another number of them: of teachers that
    cannot be told apart, the one that reads less, since its student has more to add.
    """
    if np.bincount(classes, minlength=n_classes).min() < 2:  # nothing to choose by
        return [], Teacher(WHOLE, options.whole_strength, 1.0, float("nan"), np.zeros(0, dtype=bool))
    splits = stratified_splits(classes, n_classes, seed)
    whole = _judge(labelled, WHOLE, (options.whole_strength,), classes, splits)
    views = [
        _judge(labelled, view, options.view_strengths, classes, splits)
        for view in range(labelled.views.shape[1])
        if labelled.views[:, view].any()
    ]
    views = sorted(views, key=lambda teacher: teacher.log_loss)[: options.n_teachers]
    if not views:
        return [], whole
    behind = whole.correct.astype(float) - views[0].correct
    error = behind.std() / np.sqrt(len(classes))  # repeats of cross-validation are no new documents
    return views, whole if behind.mean() > options.tolerance * error else None


def _judge(
    labelled: Documents,
    view: int,
    strengths: Sequence[float],
    classes: np.ndarray,
    splits: Splits,
) -> Teacher:
    """The best of the strengths on held-out documents."""
    found = []
    for strength in strengths:
        scores, gold = held_out_scores(labelled.features(view), classes, strength, splits)
        temperature, loss = best_temperature(scores, gold)
        found.append(Teacher(view, strength, temperature, loss, scores.argmax(1) == gold))
    return min(found, key=lambda teacher: teacher.log_loss)


def _logistic(strength: float, iterations: int = 500) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=iterations)


def most_confident(probabilities: Tensor, share: np.ndarray, part: float) -> Tensor:
    """The numbers of the most confident documents of each class, ascending.

    Args:
        probabilities: (m, C).
        share: (C,) the wanted proportion of each class.
        part: of the m documents, how many are chosen in all; fewer where a class has too few guesses.
    """
    guesses = probabilities.argmax(1)  # (m,)
    chosen = []
    for label, wanted in enumerate(share):
        own = (guesses == label).nonzero().squeeze(1)  # (k,)
        count = min(len(own), round(part * wanted * len(probabilities)))
        order = probabilities[own, label].argsort(descending=True, stable=True)
        chosen.append(own[order[:count]])
    return torch.cat(chosen).sort().values
