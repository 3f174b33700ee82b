"""Every kind of supervised task by name; nothing else lists them."""

from __future__ import annotations

from typing import Any

from langnet.errors import LangnetError
from langnet.recipes.kinds.answer import Answers
from langnet.recipes.kinds.choose import MultipleChoiceKind
from langnet.recipes.kinds.classify import Classification
from langnet.recipes.kinds.corefer import Coreference
from langnet.recipes.kinds.entail import Entailment
from langnet.recipes.kinds.kind import Kind
from langnet.recipes.kinds.label_roles import RoleLabeling
from langnet.recipes.kinds.multilabel import MultiLabelClassification
from langnet.recipes.kinds.parse import Parsing
from langnet.recipes.kinds.regress import Regression
from langnet.recipes.kinds.similarity import SimilarityRating
from langnet.recipes.kinds.tag import Tagging
from langnet.recipes.kinds.translate import Translating

_ALL: list[Kind[Any, Any]] = [
    MultiLabelClassification(),
    Regression(),
    Entailment(),
    SimilarityRating(),
    MultipleChoiceKind(),
    Tagging(),
    RoleLabeling(),
    Parsing(),
    Answers(),
    Coreference(),
    Translating(),
]
KINDS = {kind.name: kind for kind in _ALL}
CLASSIFICATION = Classification()  # among several tasks; alone it has a recipe of its own


def find_kind(name: str, together: bool = False) -> Kind[Any, Any]:
    """The kind of this name.

    Args:
        name: of the task.
        together: whether it is one of several, so that it may be `classify`.

    Raises:
        LangnetError: there is none.
    """
    if together and name == CLASSIFICATION.name:
        return CLASSIFICATION
    if name not in KINDS:
        raise LangnetError(f"there is no task '{name}'; choose one of classify, {', '.join(KINDS)}")
    return KINDS[name]
