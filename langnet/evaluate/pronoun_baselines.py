"""What the choice of a name for a pronoun has to beat: both names, the nearer one, and where the names stand.

Of GAP's questions (Webster et al. 2018), whose F1 counts the names that are said to be meant: to say both is worth more
there than to toss a coin. The nearer name is their token distance.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from langnet.text.chains import Chain, Document, PronounChoice, Span


def both_names(document: Document) -> Chain:
    """The pronoun and both names."""
    asked = _asked(document)
    return _chain(asked, (True, True))


def nearer_name(document: Document) -> Chain:
    """The pronoun and the name that fewer words lie between."""
    asked = _asked(document)
    a, b = (_distance(name, asked.pronoun) for name in (asked.a, asked.b))
    return _chain(asked, (a <= b, b < a))


class PlaceRules:
    """A logistic regression of where both names stand, which knows no word but the pronoun.

    Args:
        train: documents with a question and its answer each.
    """

    def __init__(self, train: Sequence[Document]):
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        features = np.concatenate([_features(document) for document in train])
        answers = np.array([says for document in train for says in _asked(document).gold or (False, False)])
        self.constant = bool(answers[0]) if len(set(answers.tolist())) == 1 else None
        self.model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        if self.constant is None:
            self.model.fit(features, answers)

    def chain(self, document: Document) -> Chain:
        """The pronoun, and the names that more probably are meant than not."""
        if self.constant is not None:
            return _chain(_asked(document), (self.constant, self.constant))
        first, second = self.model.predict(_features(document)).tolist()
        return _chain(_asked(document), (first, second))


def _asked(document: Document) -> PronounChoice:
    assert document.choice is not None
    return document.choice


def _chain(asked: PronounChoice, says: tuple[bool, bool]) -> Chain:
    meant = {name for name, is_it in zip((asked.a, asked.b), says, strict=True) if is_it}
    return tuple(sorted({asked.pronoun, *meant}))


def _distance(name: Span, pronoun: Span) -> int:
    return pronoun[0] - name[1] if name < pronoun else name[0] - pronoun[1]


def _features(document: Document) -> np.ndarray:
    """Of A with B beside it, and of B with A beside it, (2, F)."""
    asked = _asked(document)
    at = bisect_right(document.sentences, asked.pronoun[0])  # the number of its sentence
    own = {}
    for name in (asked.a, asked.b):
        sentence = bisect_right(document.sentences, name[0])
        own[name] = [
            name < asked.pronoun,
            np.log1p(_distance(name, asked.pronoun)),
            at - sentence,
            sentence == at,
            name[0] - document.sentences[sentence - 1],  # subjects stand early in many languages
            document.words.count(document.words[name[1]]),
        ]
    pronoun = document.words[asked.pronoun[0]].lower()
    shared = [pronoun in ("he", "she"), asked.pronoun[0] - document.sentences[at - 1]]
    pairs = ((asked.a, asked.b), (asked.b, asked.a))
    return np.array(
        [[*own[one], *own[other], one < other, own[one][1] < own[other][1], *shared] for one, other in pairs],
        dtype=float,
    )
