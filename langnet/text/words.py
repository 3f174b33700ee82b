"""Words of any language and where they stand.

A word is a run of letters, marks and digits; every other visible sign, and any Han character, is one by itself.
"""

from __future__ import annotations

from tokenizers import pre_tokenizers

from langnet.text.tokenizer import WORDS

_CUT = pre_tokenizers.Split(WORDS, "removed", invert=True)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where each word starts, and where it has ended."""
    return [span for _, span in _CUT.pre_tokenize_str(text)]
