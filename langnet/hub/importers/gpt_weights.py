"""From the tensors of a GPT to an encoder of langnet: each weight by name, then rows for langnet's special tokens."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from langnet.encoders.gpt import GPT, GPTConfig
from langnet.errors import LangnetError
from langnet.hub.gpt_layout import PREFIX, SOFTMAX, Layout, named_size, rows_of
from langnet.hub.importers.gpt_tokenizer import END_OF_TEXT, find_tokenizer, read_tokenizer
from langnet.hub.importers.guard import origin
from langnet.hub.importers.imported import Imported, TensorTable, model_contents
from langnet.tasks.language_model import LanguageModel
from langnet.text.tokenizer import SPECIAL_TOKENS, Tokenizer


def gpt_contents(
    table: TensorTable, layout: Layout, config: GPTConfig, tokenizer_folder: Path, files: list[Path], format: str
) -> Imported:
    """A GPT out of its tensors and its tokenizer.

    Args:
        table: the tensors, by transformers' names with or without its prefix.
        layout: of the architecture.
        config: with the vocabulary's size that the file has.
        tokenizer_folder: where the tokenizer lies.
        files: that the tensors and the configuration came from, for the card.
        format: what the files are.

    Raises:
        LangnetError: tensors, configuration and tokenizer do not fit each other.
    """
    tokenizer_files = find_tokenizer(tokenizer_folder)
    tokenizer, n_own = read_tokenizer(tokenizer_files, layout.family)
    if n_own > config.vocabulary_size:
        raise LangnetError(
            f"{tokenizer_files[0]} has {n_own:,} entries, the model only {config.vocabulary_size:,} embeddings; "
            "they are of different models"
        )
    prefix = PREFIX if PREFIX + layout.tokens in table.tensors else ""
    state = {row.ours: row.to_ours(table.take(prefix + row.theirs, row.shape)) for row in rows_of(layout, config)}
    config = _with_softmax(table, config, state)
    notes = _fit_rows(state, config.vocabulary_size, n_own, tokenizer)
    config = GPTConfig(**{**vars(config), "vocabulary_size": tokenizer.vocabulary_size})
    with torch.device("meta"):  # shapes only: the weights are at hand
        encoder = GPT(config)
    encoder.load_state_dict(state, assign=True)
    encoder.eval()
    report = table.report(format, notes)
    report.unused = [name for name in report.unused if not _is_mask(name)]
    facts = {"imported": {"format": format, "files": origin([*files, *tokenizer_files]), "report": str(report)}}
    contents = model_contents(
        layout.family, encoder, LanguageModel(), tokenizer, facts, size=named_size(layout, config)
    )
    return Imported(contents, report)


def _with_softmax(table: TensorTable, config: GPTConfig, state: dict[str, Tensor]) -> GPTConfig:
    """Take the softmax where it has a matrix of its own, which a file may also hold of tied ones."""
    if SOFTMAX not in table.tensors:
        if config.tie_embeddings:
            return config
        raise LangnetError(f"{table.source} has no softmax ('{SOFTMAX}'), and its configuration ties it to nothing")
    softmax = table.take(SOFTMAX, (config.vocabulary_size, config.dim))
    if config.tie_embeddings and torch.equal(softmax, state["token_embedding.weight"]):
        return config
    state["softmax.weight"] = softmax
    return GPTConfig(**{**vars(config), "tie_embeddings": False})


def _fit_rows(state: dict[str, Tensor], n_rows: int, n_own: int, tokenizer: Tokenizer) -> list[str]:
    """Drop rows that no token has, and add one for each new special token; returns what to tell."""
    notes, n_new = [], tokenizer.vocabulary_size - n_own
    if n_rows > n_own:
        notes.append(f"{n_rows - n_own:,} rows of no token left out")
    end = tokenizer.backend.token_to_id(END_OF_TEXT)
    for name in ("token_embedding.weight", "softmax.weight"):
        if name in state:
            state[name] = torch.cat([state[name][:n_own], _new_rows(state[name][:n_own], n_own, end, tokenizer)])
    if n_new:
        ids = zip(SPECIAL_TOKENS, tokenizer.special_ids, strict=False)
        named = [token for token, index in ids if index >= n_own]
        like = f"; <start> and <extract> begin as {END_OF_TEXT}" if end is not None else ""
        notes.append(f"{n_new} new rows for {', '.join(named)}{like}; the mean of all rows elsewhere")
    return notes


def _new_rows(known: Tensor, n_own: int, end: int | None, tokenizer: Tokenizer) -> Tensor:
    """Rows (N, D) of the special tokens that the source lacks.

    Where Radford et al. 2018 (section 3.1) draw them at random, these are the mean of all known rows: its score is then
    the mean of all scores, so the new tokens take hardly any probability from the old ones, and nothing is random. What
    begins and ends a document starts as the token that did so in the source.
    """
    rows = []
    ids = dict(zip(SPECIAL_TOKENS, tokenizer.special_ids, strict=False))
    for token in sorted(ids, key=ids.__getitem__):
        if ids[token] >= n_own:
            copied = end is not None and token in ("<start>", "<extract>")
            rows.append(known[end] if copied else known.mean(0))
    return torch.stack(rows) if rows else known[:0]


def _is_mask(name: str) -> bool:
    """Whether a tensor is the causal mask that old versions of transformers stored with the weights."""
    return name.endswith((".attn.bias", ".attn.masked_bias"))
