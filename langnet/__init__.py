"""Pretrain a language model on raw text, transfer it to any task, and see what the pretraining bought.

The public names are the verbs `pretrain`, `adapt`, `finetune`, `ulmfit`, `average` and `load`, and the estimators of
`langnet.estimators`. They are imported when first used, so that `import langnet` and `langnet --help` are quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langnet.estimators import (
        ConstituencyParser,
        CoreferenceResolver,
        QuestionAnswerer,
        RoleLabeler,
        SequenceTagger,
        TextChooser,
        TextClassifier,
        TextFeatures,
        TextMultiLabelClassifier,
        TextPairClassifier,
        TextPairRegressor,
        TextRegressor,
        Translator,
    )
    from langnet.recipes.ensemble import average
    from langnet.recipes.finetune import finetune
    from langnet.recipes.model import load
    from langnet.recipes.pretrain import adapt, pretrain
    from langnet.recipes.ulmfit import ulmfit

__version__ = "0.1.0"

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
    "__version__",
    "adapt",
    "average",
    "finetune",
    "load",
    "pretrain",
    "ulmfit",
]

# Where each public name lives; the imports above say the same to type checkers and editors.
_HOMES = {
    "CoreferenceResolver": "langnet.estimators",
    "ConstituencyParser": "langnet.estimators",
    "TextChooser": "langnet.estimators",
    "SequenceTagger": "langnet.estimators",
    "QuestionAnswerer": "langnet.estimators",
    "RoleLabeler": "langnet.estimators",
    "TextClassifier": "langnet.estimators",
    "TextFeatures": "langnet.estimators",
    "TextPairClassifier": "langnet.estimators",
    "TextPairRegressor": "langnet.estimators",
    "TextMultiLabelClassifier": "langnet.estimators",
    "TextRegressor": "langnet.estimators",
    "Translator": "langnet.estimators",
    "adapt": "langnet.recipes.pretrain",
    "average": "langnet.recipes.ensemble",
    "finetune": "langnet.recipes.finetune",
    "load": "langnet.recipes.model",
    "pretrain": "langnet.recipes.pretrain",
    "ulmfit": "langnet.recipes.ulmfit",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'langnet' has no attribute {name!r}; public names: {', '.join(__all__)}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # the second use finds it without passing here
    return value


def __dir__() -> list[str]:
    """Public names, for tab completion."""
    return sorted(__all__)
