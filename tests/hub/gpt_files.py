"""A tiny GPT-2 as transformers writes it, made without transformers, and ways to write its weights."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from langnet.encoders.registry import build_encoder
from langnet.hub.exporters.table import export_model
from langnet.hub.importers.imported import ImportReport, imported_model
from langnet.tasks.language_model import LanguageModel
from langnet.text.tokenizer import Tokenizer
from tests.conftest import sentences

WEIGHTS = "model.safetensors"


def language_model(folder: Path, family: str = "gpt-2") -> Path:
    """A model folder of langnet, its weights drawn and gains and biases moved from where they start."""
    tokenizer = Tokenizer.train(sentences(30, seed=4).texts, vocabulary_size=300)
    encoder = build_encoder(family, "tiny", tokenizer.vocabulary_size, seed=1, context=32)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.05)
    imported_model(ImportReport("test", 0, 0), family, encoder, LanguageModel(), tokenizer, []).write(folder)
    return folder


def foreign_gpt2(folder: Path, special: bool = False) -> Path:
    """A folder of transformers; without `special`, its vocabulary lacks langnet's special tokens, as others do."""
    language_model(folder.with_name(folder.name + "-lm"))
    export_model(folder.with_name(folder.name + "-lm"), "transformers", folder)
    if not special:
        _forget_special_tokens(folder)
    return folder


def _forget_special_tokens(folder: Path) -> None:
    """Take the first five entries out of the vocabulary, and make the next one <|endoftext|>."""
    held = json.loads((folder / "tokenizer.json").read_text(encoding="utf8"))
    held["added_tokens"] = []
    names = sorted(held["model"]["vocab"], key=held["model"]["vocab"].__getitem__)[5:]
    vocabulary = {name: index for index, name in enumerate(names)}
    vocabulary["<|endoftext|>"] = len(vocabulary)
    held["model"]["vocab"] = vocabulary
    (folder / "tokenizer.json").write_text(json.dumps(held), encoding="utf8")
    tensors = load_file(folder / WEIGHTS)
    table = tensors["transformer.wte.weight"]
    tensors["transformer.wte.weight"] = torch.cat([table[5:], table[2:3]])
    config = json.loads((folder / "config.json").read_text(encoding="utf8"))
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": len(vocabulary)}), encoding="utf8")
    save_file(tensors, folder / WEIGHTS)


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf8")), **changes}), encoding="utf8")


def change_tensor(folder: Path, name: str, tensor: torch.Tensor | None) -> None:
    """Replace a tensor, or leave it out."""
    tensors = load_file(folder / WEIGHTS)
    tensors.pop(name)
    save_file(tensors if tensor is None else {**tensors, name: tensor}, folder / WEIGHTS)
