"""gpt-2018 and gpt-2 as transformers reads them: AutoModelForCausalLM and AutoTokenizer load the folder.

Written without transformers: its files are JSON and safetensors.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from langnet.encoders.gpt import GPT
from langnet.errors import LangnetError
from langnet.hub.exporters.exported import Exporter, encoder_of, new_place
from langnet.hub.folder import FolderContents
from langnet.hub.gpt_layout import PREFIX, SOFTMAX, Layout, find_layout, fits, rows_of
from langnet.hub.json_text import to_json
from langnet.hub.weights import write_weights
from langnet.tasks.registry import build_task
from langnet.text.tokenizer import SPECIAL_TOKENS, Tokenizer


def write(contents: FolderContents, output: Path) -> str:
    """Write a language model as a folder of transformers.

    Raises:
        LangnetError: transformers has no such architecture, the model is no language model, or the folder exists.
    """
    family, encoder = encoder_of(contents)
    layout = find_layout(family)
    if layout is None or not isinstance(encoder, GPT) or not fits(layout, encoder):
        raise LangnetError(
            f"transformers has no architecture that computes what '{family}' does, only gpt-2018 and gpt-2; "
            "--format onnx writes gpt too"
        )
    if contents.labels is not None:
        raise LangnetError("this model is a classifier; export the language model that it came from")
    task = build_task(contents.config["task"], 1)
    if not task.gives_probabilities:
        raise LangnetError(f"this model learned '{task.name}', not the next token; --format onnx writes its encoder")
    tokenizer = Tokenizer.from_json(contents.tokenizer_json)
    if tokenizer.direction == "backward":
        raise LangnetError(
            "this model reads texts backward, which no tokenizer of transformers does; use langnet's own"
        )
    tensors = {
        PREFIX + row.theirs: row.to_theirs(encoder.get_parameter(row.ours)) for row in rows_of(layout, encoder.config)
    }
    if encoder.softmax is not None:
        tensors[SOFTMAX] = encoder.softmax.weight
    files = {
        "config.json": _config(layout, encoder, tokenizer),
        "tokenizer.json": _tokenizer(tokenizer),
        "tokenizer_config.json": _tokenizer_config(encoder),
    }
    with new_place(output) as folder:
        folder.mkdir()
        for name, held in files.items():
            (folder / name).write_bytes(to_json(held, name, indent=2))
        write_weights(folder / "model.safetensors", {name: t.detach().contiguous() for name, t in tensors.items()})
    return f"{layout.architecture} of transformers, {len(tensors)} tensors, {tokenizer.vocabulary_size:,} tokens"


EXPORTER = Exporter("transformers", "a folder for from_pretrained of transformers; gpt-2018 and gpt-2 only", write)


def _config(layout: Layout, encoder: GPT, tokenizer: Tokenizer) -> dict[str, Any]:
    config = encoder.config
    held = {
        "architectures": [layout.architecture],
        "model_type": layout.model_type,
        "vocab_size": config.vocabulary_size,
        "n_positions": config.context,
        "n_embd": config.dim,
        "n_layer": config.n_layers,
        "n_head": config.n_heads,
        layout.activation: "gelu" if layout.model_type == "openai-gpt" else "gelu_new",
        "resid_pdrop": config.dropout,
        "embd_pdrop": config.dropout,
        "attn_pdrop": config.dropout,
        "layer_norm_epsilon": 1e-5,
        "initializer_range": 0.02,
        "tie_word_embeddings": config.tie_embeddings,
        "bos_token_id": tokenizer.start_id,
        "eos_token_id": tokenizer.extract_id,
        "pad_token_id": tokenizer.pad_id,
        "dtype": "float32",
    }
    if layout.model_type == "gpt2":
        held["n_inner"] = config.feedforward
    elif config.feedforward != 4 * config.dim:
        raise LangnetError(
            f"OpenAIGPT of transformers has feed-forward layers of 4 times the width, not {config.feedforward}"
        )
    return held


def _tokenizer(tokenizer: Tokenizer) -> dict[str, Any]:
    """The tokenizer with its special tokens as transformers marks them, so that decoding can skip them."""
    held: dict[str, Any] = json.loads(tokenizer.backend.to_str())
    names = (*SPECIAL_TOKENS, *tokenizer.foreign)
    held["added_tokens"] = [
        {
            "id": index, "content": name, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True,
        }
        for index, name in sorted(zip(tokenizer.special_ids, names, strict=True))
    ]  # fmt: skip
    return held


def _tokenizer_config(encoder: GPT) -> dict[str, Any]:
    pad, _, start, _, extract = SPECIAL_TOKENS
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": encoder.config.context,
        "bos_token": start,
        "eos_token": extract,
        "pad_token": pad,
        "clean_up_tokenization_spaces": False,
    }
