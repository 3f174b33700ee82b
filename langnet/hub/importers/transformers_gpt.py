"""OpenAI GPT and GPT-2 as transformers writes them: config.json, weights in one file or several, and a tokenizer.

Weights are read from model.safetensors or pytorch_model.bin, or from the shards that an index beside them names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from langnet.encoders.gpt import GPTConfig
from langnet.errors import LangnetError
from langnet.hub.gpt_layout import LAYOUTS, Layout
from langnet.hub.importers.gpt_weights import gpt_contents
from langnet.hub.importers.guard import TOKENIZER_BYTES, beside, peek_object, read_object, whole_number
from langnet.hub.importers.imported import Imported, ImportOptions, TensorTable
from langnet.hub.importers.tensor_files import read_tensors

LOOKS_FOR = "config.json with the model_type gpt2 or openai-gpt, beside model.safetensors or pytorch_model.bin"
_CONFIG = "config.json"
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_INDEXES = tuple(f"{name}.index.json" for name in _WEIGHTS)
_MOST_SHARDS = 1000
_GELU_TANH = ("gelu_new", "gelu_pytorch_tanh", "gelu_fast")
_EPSILON = 1e-5


@dataclass(frozen=True)
class _Files:
    """The files of a model: its configuration, and the weights or the shards."""

    config: Path
    weights: list[Path]


def recognises(path: Path) -> bool:
    """Whether the path is the folder, the configuration or the weights of an OpenAI GPT or a GPT-2."""
    return _layout(peek_object(_folder(path) / _CONFIG)) is not None


def read(path: Path, options: ImportOptions) -> Imported:
    """Read a model; `options.vocabulary` names the tokenizer's folder where it lies elsewhere.

    Raises:
        LangnetError: a file is missing or damaged, or the configuration asks for what langnet's GPT does not do.
    """
    files = _find(path)
    held = read_object(files.config)
    layout = _layout(held)
    if layout is None:
        raise LangnetError(f"{files.config} is of the type {held.get('model_type')!r}; expected is gpt2 or openai-gpt")
    config = _config(files.config, held, layout)
    tensors: dict[str, Tensor] = {}
    for weights in files.weights:
        tensors |= read_tensors(weights)
    table = TensorTable(files.weights[0] if len(files.weights) == 1 else files.config.parent, tensors)
    folder = _tokenizer_folder(files.config.parent, options)
    kind = {"openai-gpt": "OpenAI GPT", "gpt2": "GPT-2"}[layout.model_type]
    return gpt_contents(table, layout, config, folder, [files.config, *files.weights], f"{kind} of transformers")


def _tokenizer_folder(folder: Path, options: ImportOptions) -> Path:
    if options.vocabulary is None:
        return folder
    return options.vocabulary if options.vocabulary.is_dir() else options.vocabulary.parent


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent if _names_weights(path) else path / "no folder"


def _names_weights(path: Path) -> bool:
    """Whether a file can stand for the folder that it lies in."""
    return path.is_file() and path.name in (_CONFIG, *_WEIGHTS, *_INDEXES)


def _layout(config: dict[str, Any]) -> Layout | None:
    """The layout of a configuration; old ones have no model_type, but all name their class."""
    architectures = config.get("architectures")
    first = str(architectures[0]) if isinstance(architectures, list) and architectures else ""
    for layout in LAYOUTS:
        stem = layout.architecture.removesuffix("LMHeadModel")
        if config.get("model_type") == layout.model_type or ("model_type" not in config and first.startswith(stem)):
            return layout
    return None


def _find(path: Path) -> _Files:
    folder = _folder(path)
    wanted = [path] if path.is_file() and path.name != _CONFIG else [folder / n for n in (*_WEIGHTS, *_INDEXES)]
    for found in wanted:
        if found.is_file():
            shards = _shards(found) if found.name in _INDEXES else [found]
            return _Files(folder / _CONFIG, shards)
    raise LangnetError(f"{folder} has a {_CONFIG} but no weights; looked for {', '.join((*_WEIGHTS, *_INDEXES))}")


def _shards(index: Path) -> list[Path]:
    """The files that an index names; all lie beside it."""
    names = read_object(index, TOKENIZER_BYTES).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise LangnetError(f"{index} has no weight_map; it is damaged or another file")
    shards = sorted({beside(index.parent, name, index) for name in names.values()})
    if len(shards) > _MOST_SHARDS:
        raise LangnetError(f"{index} names {len(shards):,} files; expected are at most {_MOST_SHARDS:,}")
    missing = [path.name for path in shards if not path.is_file()]
    if missing:
        raise LangnetError(
            f"{index} names {len(shards):,} files, of which {len(missing):,} are missing, the first is {missing[0]}; "
            "download them too"
        )
    return shards


def _config(path: Path, held: dict[str, Any], layout: Layout) -> GPTConfig:
    """The configuration in langnet's terms; what would be computed differently is refused."""
    number = {
        name: whole_number(path, held, name, largest)
        for name, largest in (("vocab_size", 1 << 24), ("n_embd", 1 << 16), ("n_layer", 1000), ("n_head", 1 << 12))
    }
    length = "n_positions" if "n_positions" in held else "n_ctx"
    context = whole_number(path, held, length, 1 << 20)
    inner = whole_number(path, held, "n_inner", 1 << 20) if held.get("n_inner") else 4 * number["n_embd"]
    activation = held.get(layout.activation, "gelu_new")
    usual = (*_GELU_TANH, "gelu") if layout.model_type == "openai-gpt" else _GELU_TANH  # OpenAI's gelu is the tanh's
    unlike = [
        f"{name} {value!r}"
        for name, value, fits in (
            (layout.activation, activation, activation in usual),
            ("layer_norm_epsilon", held.get("layer_norm_epsilon", _EPSILON), _is_epsilon(held)),
            ("scale_attn_weights", held.get("scale_attn_weights"), held.get("scale_attn_weights", True) is True),
            ("scale_attn_by_inverse_layer_idx", True, not held.get("scale_attn_by_inverse_layer_idx")),
            ("add_cross_attention", True, not held.get("add_cross_attention")),
        )
        if not fits
    ]
    if unlike:
        raise LangnetError(f"{path}: {', '.join(unlike)} is not what langnet's {layout.family} computes")
    dropout = held.get("resid_pdrop", 0.1)
    return GPTConfig(
        vocabulary_size=number["vocab_size"],
        context=context,
        dim=number["n_embd"],
        n_layers=number["n_layer"],
        n_heads=number["n_head"],
        feedforward=inner,
        tie_embeddings=held.get("tie_word_embeddings", True) is not False,
        **{**layout.fixed, "dropout": float(dropout) if _is_share(dropout) else 0.1},
    )


def _is_epsilon(held: dict[str, Any]) -> bool:
    value = held.get("layer_norm_epsilon", _EPSILON)
    return isinstance(value, float) and abs(value - _EPSILON) < _EPSILON / 100


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
