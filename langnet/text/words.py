"""Words of any language and where they stand.

A word is a run of letters, marks and digits; every other visible sign, and any Han character, is one by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import pre_tokenizers

from langnet.text.tokenizer import WORDS

_CUT = pre_tokenizers.Split(WORDS, "removed", invert=True)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where each word starts, and where it has ended."""
    return [span for _, span in _CUT.pre_tokenize_str(text)]


_BEFORE, _AFTER = frozenset("([{“‘«¿¡（「『《"), frozenset(".,;:!?)]}”’»%…。，、；：！？）」』》،؟؛।")
_CLOSE = (("\u2e80", "\u9fff"), ("\uf900", "\ufaff"), ("\uff00", "\uff60"), ("\U00020000", "\U0003ffff"))


def running_text(words: Sequence[str]) -> str:
    """Words as people write them, as far as signs tell: no blank before a comma, nor between Chinese words."""
    pairs = zip(words, [*words[1:], ""], strict=False)
    return "".join(f"{one} " if blank_between(one, other) else one for one, other in pairs)


def blank_between(one: str, other: str) -> bool:
    """Whether people write a blank between two words."""
    if not one or not other or other in _AFTER or one in _BEFORE:
        return False
    if other.casefold() == "n't" or (other[0] in "'’" and len(other) > 1):
        return False
    return not (_close(one[-1]) or _close(other[0]))


def _close(sign: str) -> bool:
    return any(low <= sign <= high for low, high in _CLOSE)
