"""The scikit-learn grammar over the recipes: estimators for texts, pairs, sentences, documents and questions."""

from langnet.estimators.chooser import TextChooser
from langnet.estimators.coreference_resolver import CoreferenceResolver
from langnet.estimators.pairs import TextPairClassifier, TextPairRegressor
from langnet.estimators.parser import ConstituencyParser
from langnet.estimators.question_answerer import QuestionAnswerer
from langnet.estimators.role_labeler import RoleLabeler
from langnet.estimators.tagger import SequenceTagger
from langnet.estimators.text_classifier import TextClassifier, TextFeatures
from langnet.estimators.texts import TextMultiLabelClassifier, TextRegressor
from langnet.estimators.translator import Translator

__all__ = [
    "ConstituencyParser",
    "CoreferenceResolver",
    "QuestionAnswerer",
    "RoleLabeler",
    "SequenceTagger",
    "TextChooser",
    "TextClassifier",
    "TextFeatures",
    "TextMultiLabelClassifier",
    "TextPairClassifier",
    "TextPairRegressor",
    "TextRegressor",
    "Translator",
]
