"""Estimators of tasks beside classification that learn from items without labels too."""

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.base import clone

import langnet
from langnet import QuestionAnswerer, TextMultiLabelClassifier, TextPairClassifier, TextPairRegressor, TextRegressor
from langnet.errors import LangnetError
from langnet.estimators import task_estimator
from langnet.estimators.task_estimator import TaskEstimator
from langnet.text.chains import Document
from langnet.text.frames import Frame, FramedSentence
from langnet.text.multiple_choice import MultipleChoice
from langnet.text.pairs import Pair
from langnet.text.questions import Question
from langnet.text.tagged_sentences import Sentence
from langnet.text.text_items import TextItem
from langnet.text.translations import Translation
from langnet.text.tree_files import ParseItem
from langnet.transfer.pseudo_labels import PseudoLabelOptions
from tests.conftest import BAD, GOOD
from tests.recipes.kind_items import pairs
from tests.recipes.test_further_items import judged

WORDS, TREE = ["Ann", "sings"], "(S (NP (NNP Ann)) (VP (VBZ sings)))"


@dataclass
class Case:
    """What an estimator learns from, a further item, and the same as its kind has it."""

    kind: str
    X: list
    y: list
    more: object
    item: object


CASES = {
    "ConstituencyParser": Case("parse", [WORDS], [TREE], ["a", "b"], ParseItem(("a", "b"))),
    "CoreferenceResolver": Case("corefer", [[WORDS]], [[[(0, 0), (1, 1)]]], [["a"], ["b"]], ("a", "b")),
    "QuestionAnswerer": Case(
        "answer", [("Who?", "Ann.")], ["Ann"], ("q?", "b"), Question("q?", "b", None, "0", "", "X")
    ),
    "RoleLabeler": Case("label_roles", [WORDS], [{1: [("A0", 0, 1)]}], ["a", "b"], FramedSentence(("a", "b"))),
    "SequenceTagger": Case("tag", [WORDS], [["B-PER", "O"]], ["a", "b"], Sentence(("a", "b"))),
    "TextChooser": Case("choose", [("c", ["a", "b"])], [1], ("d", ["a"]), MultipleChoice("d", ("a",))),
    "TextMultiLabelClassifier": Case("multilabel", ["a"], [["x"]], "b", TextItem("b")),
    "TextPairClassifier": Case("entail", [("a", "b"), ("b", "a")], [0, 1], ("c", "d"), Pair("c", "d")),
    "TextPairRegressor": Case("similarity", [("a", "b")], [0.5], ("c", "d"), Pair("c", "d")),
    "TextRegressor": Case("regress", ["a"], [0.5], "b", TextItem("b")),
    "Translator": Case("translate", ["a"], ["b"], "c", Translation("c")),
}


def test_no_estimator_of_a_task_is_forgotten():
    assert {one.__name__ for one in TaskEstimator.__subclasses__()} == set(CASES)


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_items_reach_the_recipe_without_labels(name, tiny_model, monkeypatch):
    case, reached = CASES[name], {}

    class Reached(Exception):
        pass

    def transfer(base, kind, items, options, *, unlabelled, progress):
        reached.update(kind=kind, items=items, unlabelled=unlabelled, options=options.finetune.pseudo_labels)
        raise Reached

    monkeypatch.setattr(task_estimator, "transfer", transfer)
    few = PseudoLabelOptions(for_training=0.25)
    estimator = getattr(langnet, name)(tiny_model, unlabelled=[case.more], pseudo_labels=few)
    copied = clone(estimator)
    assert copied.get_params()["unlabelled"] == [case.more]
    with pytest.raises(Reached):
        copied.fit(case.X, case.y)
    (item,) = reached["unlabelled"]
    expected = Document(case.item, (0, 1), None, "0") if name == "CoreferenceResolver" else case.item
    assert (reached["kind"], item, reached["options"]) == (case.kind, expected, few)
    with pytest.raises(Reached):
        copied.set_params(unlabelled=None, pseudo_labels=None).fit(case.X, case.y)
    assert (reached["unlabelled"], reached["options"]) == (None, PseudoLabelOptions())
    with pytest.raises(ValueError, match=r"^unlabelled: "):
        copied.set_params(unlabelled="text").fit(case.X, case.y)


def test_given_predicates_are_kept():
    (item,) = langnet.RoleLabeler()._items([(WORDS, [1])])
    assert item == FramedSentence(tuple(WORDS), (Frame(1),))


@pytest.mark.parametrize(
    ("estimator", "X"), [(TextRegressor, ["a b", "c d"]), (TextPairRegressor, [("a", "b"), ("c", "d")])]
)
def test_numbers_say_nothing_of_how_sure_they_are(estimator, X, tiny_model):
    with pytest.raises(LangnetError, match=r"does not say how sure its guesses are, .* leave --unlabelled out"):
        estimator(tiny_model, unlabelled=X).fit(X, [1.0, 2.0])


def test_learning_from_more_items(tiny_model, tiny_labelled):
    """Words that no labelled text has stand beside words that some have, in the unlabelled ones."""
    few, test = judged(slice(4), 8), judged(slice(4, None), 40, 1)
    texts, y = [item.text for item in few], [item.label for item in few]
    asked, truth = [item.text for item in test], np.array([item.label[0] for item in test])

    def right(more):
        made = TextMultiLabelClassifier(tiny_model, "frozen", document_features=False, unlabelled=more).fit(texts, y)
        return np.mean(made.classes_[made.predict_proba(asked).argmax(1)] == truth), made

    (alone, first), (both, second) = right(None), right(tiny_labelled.texts[:200])
    assert both > max(0.85, alone + 0.1)
    assert "pseudo_labelled" not in first.model_.facts["finetune"]
    assert 80 <= second.model_.facts["finetune"]["pseudo_labelled"] <= 100


@pytest.mark.parametrize("labels", [[2, 10], ["b", "a"]])
def test_labels_of_any_type(tiny_model, tiny_labelled, labels):
    X = [(pair.first, pair.second) for pair in pairs(tiny_labelled)[:24]]
    how = {"method": "frozen", "epochs": 1, "head_epochs": 1}
    fitted = TextPairClassifier(tiny_model, **how, unlabelled=X[8:]).fit(X[:8], labels * 4)
    assert set(fitted.predict(X)) <= set(labels)
    assert 0 < fitted.model_.facts["finetune"]["pseudo_labelled"] <= 8


def test_questions_without_an_answer_are_guessed_too(tiny_model):
    passage = f"The film was {GOOD[0]}. The music was {BAD[0]}."
    X, y = [("How was the film?", passage), ("How was the king?", passage)] * 6, [GOOD[0], None] * 6
    how = {"method": "frozen", "epochs": 1, "head_epochs": 4, "hidden": 8}
    fitted = QuestionAnswerer(tiny_model, **how, unlabelled=X).fit(X, y)
    assert 0 < fitted.model_.facts["finetune"]["pseudo_labelled"] <= 6
