"""Tokenizers of imported models: the same ids as where they come from, and langnet's special tokens behind them.

What differs: a special token's name in a text is text like any other here, while transformers reads "<|endoftext|>" in
a text as the token itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers

from langnet.errors import LangnetError
from langnet.hub.importers.guard import TOKENIZER_BYTES, read_object, read_text
from langnet.text.tokenizer import SPECIAL_TOKENS, Tokenizer

_FULL = "tokenizer.json"
_PAIRS = (("vocab.json", "merges.txt"), ("encoder_bpe_40000.json", "vocab_40000.bpe"))
END_OF_TEXT = "<|endoftext|>"
UNKNOWN = "<unk>"


def find_tokenizer(folder: Path) -> list[Path]:
    """The files of a tokenizer: tokenizer.json, or a vocabulary and its merges.

    Raises:
        LangnetError: there are none.
    """
    if (folder / _FULL).is_file():
        return [folder / _FULL]
    for names in _PAIRS:
        found = [folder / name for name in names]
        if all(path.is_file() for path in found):
            return found
    raise LangnetError(
        f"{folder} has no tokenizer that langnet reads: neither {_FULL} nor vocab.json with merges.txt; copy those "
        "files from where the weights come from, or name their folder with --vocabulary"
    )


def read_tokenizer(files: list[Path], family: str) -> tuple[Tokenizer, int]:
    """A tokenizer, and how many of its entries are the source's own; the rest are langnet's special tokens.

    Args:
        files: of `find_tokenizer`.
        family: `gpt-2018` or `gpt-2`, which decides how a vocabulary with merges cuts text.

    Raises:
        LangnetError: the files are damaged, no byte-pair encoding, or have gaps in their ids.
    """
    held = read_object(files[0], TOKENIZER_BYTES) if len(files) == 1 else _assembled(files, family)
    if not isinstance(held.get("model"), dict) or held["model"].get("type") != "BPE":
        raise LangnetError(f"{files[0]} is no byte-pair encoding, which GPT models have; it is another tokenizer")
    vocabulary = held["model"].get("vocab")
    if not isinstance(vocabulary, dict) or not all(type(index) is int for index in vocabulary.values()):
        raise LangnetError(f"{files[0]} has no vocabulary of tokens and ids; it is damaged or another file")
    foreign = _settle(held, vocabulary)
    if sorted(vocabulary.values()) != list(range(len(vocabulary))):
        raise LangnetError(f"{files[0]}: the ids of its {len(vocabulary):,} tokens have gaps; it is damaged")
    n_own = len(vocabulary)
    for token in SPECIAL_TOKENS:
        vocabulary.setdefault(token, len(vocabulary))
    foreign = [token for token in foreign if token not in SPECIAL_TOKENS]
    return Tokenizer(_backend(held, files), "imported", foreign), n_own


def _settle(held: dict[str, Any], vocabulary: dict[str, int]) -> list[str]:
    """Move added tokens into the vocabulary, where no text reaches them; returns those that are special."""
    special = [token for token in (END_OF_TEXT, UNKNOWN) if token in vocabulary]
    added = held.get("added_tokens") or []
    for token in added if isinstance(added, list) else []:
        if isinstance(token, dict) and isinstance(token.get("content"), str) and type(token.get("id")) is int:
            vocabulary.setdefault(token["content"], token["id"])
            if token.get("special") and token["content"] not in special:
                special.append(token["content"])
    held |= {"added_tokens": [], "post_processor": None, "truncation": None, "padding": None}
    return special


def _assembled(files: list[Path], family: str) -> dict[str, Any]:
    """What tokenizer.json would hold, from a vocabulary and its merges."""
    vocabulary = read_object(files[0], TOKENIZER_BYTES)
    merges = []
    for number, line in enumerate(read_text(files[1]).split("\n"), start=1):
        if (number == 1 and line.startswith("#version")) or not line.strip():
            continue
        pair = line.rstrip("\r").split(" ")
        if len(pair) != 2:
            raise LangnetError(f"{files[1]}, line {number}: {len(pair)} tokens where a merge has 2; it is another file")
        merges.append(pair)
    original = family == "gpt-2018"
    backend = Backend(models.BPE(end_of_word_suffix="</w>" if original else ""))
    if original:
        backend.normalizer = normalizers.BertNormalizer(lowercase=True)
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        backend.decoder = decoders.BPEDecoder(suffix="</w>")
    else:
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
    held: dict[str, Any] = json.loads(backend.to_str())
    held["model"] |= {"vocab": vocabulary, "merges": merges}
    if UNKNOWN in vocabulary:
        held["model"]["unk_token"] = UNKNOWN
    return held


def _backend(held: dict[str, Any], files: list[Path]) -> Backend:
    try:
        return Backend.from_str(json.dumps(held))
    except BaseException as error:  # its Rust code raises bare exceptions, and panics, which are no Exception
        if not isinstance(error, Exception) and "Panic" not in type(error).__name__:
            raise
        reason = " ".join(str(error).split())[:160]
        raise LangnetError(
            f"{' and '.join(map(str, files))}: no whole tokenizer ({reason}); download it again"
        ) from None
