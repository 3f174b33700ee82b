"""What a transfer or an adaptation unlearns: the language model's bits per byte of a text, before it and after it.

Weights that learn a task from labels lose some of what raw text taught them (McCloskey & Cohen 1989: catastrophic
interference). The text is held out: nothing is learned from it, and nothing is chosen by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate.intervals import bootstrap_ratio
from langnet.evaluate.language_model import TextScore, sum_up
from langnet.recipes.model import Model
from langnet.recipes.raw_text import RawText
from langnet.recipes.score import score_stream
from langnet.tasks.language_model import LanguageModel
from langnet.text.corpus import CorpusReport, Document, read_documents
from langnet.text.tokenizer import Tokenizer
from langnet.transfer.model import TaskModel

# Objectives after which an encoder gives texts probabilities; of an imported model none is recorded.
_SCORING = ("causal", "bidirectional", "causal+masked")


@dataclass
class Forgetting:
    """A text and what the model before gives it.

    Attributes:
        base: the model that is transferred or adapted, as a language model.
        text: where the text comes from.
        documents: those that hold something.
        before: a score each.
    """

    base: Model
    text: RawText
    documents: list[Document] = field(default_factory=list)
    before: list[TextScore] = field(default_factory=list)

    @classmethod
    def begin(cls, base: Model, text: RawText | None) -> Forgetting | None:
        """Score the text before anything learns; None where none is given.

        Raises:
            LangnetError: the model gives texts no probability, or there is no text.
        """
        if text is None:
            return None
        found = cls(_as_language_model(base), text)
        read = read_documents(text.sources, text.corpus, CorpusReport())
        scored = [pair for pair in score_stream(found.base, read) if pair[1].n_bytes]
        if not scored:
            raise LangnetError(f"there is no text in {', '.join(map(str, text.sources))}; every document is empty")
        found.documents, found.before = [document for document, _ in scored], [score for _, score in scored]
        return found

    def facts(self, encoder: Encoder, tokenizer: Tokenizer) -> dict[str, Any]:
        """What is to be written down: bits per byte before, after, and their difference with its interval."""
        model = replace(self.base, tokenizer=tokenizer, network=TaskModel(encoder, [(LanguageModel(), 1.0)]))
        after = [score for _, score in score_stream(model, iter(self.documents))]
        return {"sources": list(self.text.sources), **_compared(self.before, after)}


def _compared(before: Sequence[TextScore], after: Sequence[TextScore]) -> dict[str, Any]:
    """The scores of the same texts by two models; the interval of the difference is over texts, in pairs."""
    first, second = sum_up(before), sum_up(after)
    nats = [one.log_probability - other.log_probability for one, other in zip(before, after, strict=True)]
    within = bootstrap_ratio(np.array(nats) / math.log(2), np.array([score.n_bytes for score in before]))
    return {
        "before": first.to_dict(),
        "after": second.to_dict(),
        "change": second.bits_per_byte - first.bits_per_byte,
        "interval": None if math.isnan(within.low) else [within.low, within.high],
    }


def _as_language_model(base: Model) -> Model:
    """The model as one that scores text, whatever task it has learned since.

    Raises:
        LangnetError: it gives texts no probability.
    """
    if base.is_language_model:
        base.require_language_model("score text, so what it forgets cannot be measured")
        return base
    objective = (base.facts.get("pretrain") or {}).get("objective", "causal")
    if not base.encoder.predicts_next or objective not in _SCORING:
        raise LangnetError(
            "what this model forgets cannot be measured: it holds no language model that gives texts probabilities; "
            "leave --forgetting out"
        )
    return replace(base, network=TaskModel(base.encoder, [(LanguageModel(), 1.0)]))
