"""Words of running English text as the Penn Treebank cuts them, and its sentences; tokenised text stays as it is.

Punctuation, brackets and quotes at the edges of words are words, and so are the endings of `don't` and `it's`. A full
stop belongs to the last word of a sentence only where that is an abbreviation. Other languages that put spaces between
words have the same rules for punctuation.
"""

from __future__ import annotations

import re

_OPENERS = "\"'`“‘«„‚(<[{¿¡$€£¥"
_CLOSERS = "\"'”’»)>]},;:!?…%。！？،؟؛।"
_ENDS = ".!?…。！？؟।"
_CLITIC = re.compile(r"(?<=\w)(?:n['’]t|['’](?:s|m|d|ll|re|ve))$", re.IGNORECASE)
# Whole chunks that tokenised text consists of: cut-off endings, and signs alone.
_WHOLE = re.compile(r"(?:n['’]t|['’](?:s|m|d|ll|re|ve)|\W+)", re.IGNORECASE)
_TITLES = "mr mrs ms dr prof st gen sen rep gov capt col lt sgt rev hon vs etc no inc corp co ltd jr sr fig vol al dept"
_ABBREVIATION = re.compile(r"(?:\w|\w+(?:\.\w+)+|" + _TITLES.replace(" ", "|") + r")\.", re.IGNORECASE)


def treebank_sentences(line: str) -> list[list[str]]:
    """The sentences of a line of text, each as its words; a line that is tokenised already is one sentence."""
    chunks = line.split()
    if not chunks or any(chunk in {*_CLOSERS, "."} for chunk in chunks):
        return [treebank_words(chunks)] if chunks else []
    found: list[list[str]] = [[]]
    for chunk, following in zip(chunks, [*chunks[1:], ""], strict=True):
        found[-1].append(chunk)
        if following and _ends(chunk) and not following[0].islower():
            found.append([])
    return [treebank_words(own) for own in found if own]


def _ends(chunk: str) -> bool:
    """Whether a sentence may end with this chunk."""
    body = chunk.rstrip(_CLOSERS.translate({ord(sign): None for sign in _ENDS}))
    return body.endswith(tuple(_ENDS)) and not _ABBREVIATION.fullmatch(body.lstrip(_OPENERS))


def treebank_words(chunks: list[str]) -> list[str]:
    """The words of one sentence's chunks, which are what stands between its spaces."""
    found: list[str] = []
    for number, chunk in enumerate(chunks):
        found += _words(chunk, number == len(chunks) - 1)
    return found


def _words(chunk: str, last: bool) -> list[str]:
    if _WHOLE.fullmatch(chunk):
        return [chunk]
    before: list[str] = []
    after: list[str] = []
    while len(chunk) > 1 and chunk[0] in _OPENERS:
        before.append(chunk[0])
        chunk = chunk[1:]
    while len(chunk) > 1:
        dots = len(chunk) - len(chunk.rstrip("."))
        clitic = _CLITIC.search(chunk)
        if clitic:
            size = len(clitic[0])
        elif chunk[-1] in _CLOSERS:
            size = 1
        elif 1 < dots < len(chunk) or (dots == 1 and last and not _ABBREVIATION.fullmatch(chunk)):
            size = dots
        else:
            break
        after.append(chunk[-size:])
        chunk = chunk[:-size]
    body = ["can" if chunk[0] == "c" else "Can", "not"] if chunk.lower() == "cannot" else [chunk]
    return [*before, *body, *reversed(after)]
