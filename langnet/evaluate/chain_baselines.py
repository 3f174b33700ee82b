"""Chains by rules: which words are mentions is counted in the training documents, and how they are linked is a rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from langnet.text.chains import Chain, Document, Span

LONGEST = 5  # words of a mention that is remembered
OFTEN = 0.5  # of the places where words stand they have to be a mention
PRONOUN_COUNT = 5  # of one word in small letters that is a mention: it then refers to whatever was mentioned last


class MentionRules:
    """Mentions are words that mostly were some in the training documents, and names: words in capitals, not first.

    Args:
        train: documents with their chains.
    """

    def __init__(self, train: Sequence[Document]):
        seen, mentions = Counter[str](), Counter[str]()
        for document in train:
            spans = {span for chain in document.chains or () for span in chain}
            mentions.update(document.text(span).casefold() for span in spans if span[1] - span[0] < LONGEST)
        for document in train:
            for first in range(len(document.words)):
                for last in range(first, min(first + LONGEST, len(document.words))):
                    text = document.text((first, last)).casefold()
                    if text in mentions:
                        seen[text] += 1
        self.known = {text for text, count in mentions.items() if count >= OFTEN * seen[text]}
        self.pronouns = {
            text for text in self.known if " " not in text and mentions[text] >= PRONOUN_COUNT and text.isalpha()
        } - {
            document.words[a].casefold()
            for document in train for chain in document.chains or () for a, b in chain
            if a == b and a not in document.sentences and document.words[a][:1].isupper() and len(document.words[a]) > 1
        }  # fmt: skip

    def mentions(self, document: Document) -> list[Span]:
        """The mentions of a document, the longest at each place, none within another."""
        words, starts = document.words, set(document.sentences)
        found, first = [], 0
        while first < len(words):
            ends = range(min(first + LONGEST, len(words)) - 1, first - 1, -1)
            last = next((b for b in ends if document.text((first, b)).casefold() in self.known), -1)
            if last < 0 and first not in starts and words[first][:1].isupper():
                last = first
                while last + 1 < len(words) and last + 1 not in starts and words[last + 1][:1].isupper():
                    last += 1
            if last >= 0:
                found.append((first, last))
            first = max(first, last) + 1
        return found

    def same_words(self, document: Document, singletons: bool) -> tuple[Chain, ...]:
        """Mentions of the same words are one thing."""
        groups: dict[str, list[Span]] = {}
        for span in self.mentions(document):
            groups.setdefault(document.text(span).casefold(), []).append(span)
        return _chains(groups.values(), singletons)

    def nearest(self, document: Document, singletons: bool) -> tuple[Chain, ...]:
        """As `same_words`, but that a pronoun is whatever was mentioned last."""
        chains: list[list[Span]] = []
        of: dict[str, list[Span]] = {}
        last: list[Span] | None = None
        for span in self.mentions(document):
            text = document.text(span).casefold()
            chain = last if text in self.pronouns and last is not None else of.get(text)
            if chain is None:
                chain = []
                chains.append(chain)
            chain.append(span)
            if text not in self.pronouns:
                of[text] = chain
            last = chain
        return _chains(chains, singletons)


def _chains(groups: Iterable[list[Span]], singletons: bool) -> tuple[Chain, ...]:
    return tuple(tuple(group) for group in groups if singletons or len(group) > 1)
