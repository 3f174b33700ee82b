"""The scikit-learn grammar: estimators that learn from texts, each in a file of its own."""

from langnet.estimators.question_answerer import QuestionAnswerer
from langnet.estimators.text_classifier import TextClassifier, TextFeatures

__all__ = ["QuestionAnswerer", "TextClassifier", "TextFeatures"]
