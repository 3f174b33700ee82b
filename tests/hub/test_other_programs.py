"""Models of transformers and graphs for onnxruntime, held against those programs; skipped where they are missing."""

import json
import os

import numpy as np
import pytest
import torch

from langnet.hub.exporters.table import export_model
from langnet.hub.importers.table import import_path
from langnet.recipes.model import load
from tests.conftest import sentences
from tests.hub.gpt_files import language_model

pytestmark = pytest.mark.slow
TEXTS = [
    "Hello world", " Hello  world\n\nnew line\t tab", "naïve café — “quotes” it's don't WE'LL", "日本語。中文",
    "हिन्दी भाषा", "Ẹ kú àárọ̀, báwo ni?", "😀👩‍👩‍👧 🇳🇬 emoji", "", "  \n", "UPPER lower 12345 3.14", "العربية עברית",
    "한국어", "a\u200db \u00a0 c\ufeff", "e\u0301 é", "\x00\x01 control", "x" * 300, "\r\n\r\n",
]  # fmt: skip
LETTERS = "abcdefghijklmnopqrstuvwxyz.,'-0123456789"


def moved(model):
    """The model with every gain and bias away from where it starts, so that none can be left out unseen."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.05)
    return model.eval()


def gpt2(folder):
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator([*sentences(50, seed=1).texts, *TEXTS], trainer)
    held = json.loads(backend.to_str())["model"]
    tokenizer = transformers.GPT2Tokenizer(vocab=held["vocab"], merges=[tuple(pair) for pair in held["merges"]])
    size = {"n_positions": 48, "n_embd": 32, "n_layer": 3, "n_head": 4}
    model = moved(transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=len(held["vocab"]), **size)))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model, transformers.AutoTokenizer.from_pretrained(folder)


def openai_gpt(folder):
    transformers = pytest.importorskip("transformers")
    entries = [
        "<unk>",
        *LETTERS,
        *(f"{letter}</w>" for letter in LETTERS),
        "th",
        "the</w>",
        "or",
        "wor",
        "ll",
        "\n</w>",
    ]
    merges = [("t", "h"), ("th", "e</w>"), ("o", "r"), ("w", "or")]
    tokenizer = transformers.OpenAIGPTTokenizer(vocab={e: i for i, e in enumerate(entries)}, merges=merges)
    size = {"n_positions": 48, "n_embd": 32, "n_layer": 3, "n_head": 4}
    config = transformers.OpenAIGPTConfig(vocab_size=len(entries), afn="gelu", **size)
    model = moved(transformers.OpenAIGPTLMHeadModel(config))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model, transformers.AutoTokenizer.from_pretrained(folder)


def held_together(model, theirs, their_tokenizer, n_rows):
    for text in TEXTS:
        assert model.tokenizer.encode(text) == their_tokenizer(text, add_special_tokens=False)["input_ids"], text
    ids = torch.from_numpy(np.random.default_rng(0).integers(0, n_rows, (3, 40)))
    with torch.no_grad():
        expected = theirs(ids, output_hidden_states=True)
        encoding = model.encoder(ids)
        logits = model.encoder.logits(encoding.top)[..., :n_rows]
    for mine, other in zip(encoding.layers, expected.hidden_states, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(logits, expected.logits[..., :n_rows], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("make", [gpt2, openai_gpt])
@pytest.mark.parametrize("form", ["safetensors", "shards", "bin"])
def test_models_that_transformers_wrote(make, form, tmp_path):
    theirs, their_tokenizer = make(tmp_path / "theirs")
    if form == "shards":
        (tmp_path / "theirs" / "model.safetensors").unlink()
        theirs.save_pretrained(tmp_path / "theirs", max_shard_size="50KB")
        assert (tmp_path / "theirs" / "model.safetensors.index.json").is_file()
    if form == "bin":
        (tmp_path / "theirs" / "model.safetensors").unlink()
        torch.save(theirs.state_dict(), tmp_path / "theirs" / "pytorch_model.bin")
    imported = import_path(tmp_path / "theirs")
    assert imported.report.unused == []
    imported.write(tmp_path / "ours")
    held_together(load(tmp_path / "ours"), theirs, their_tokenizer, theirs.config.vocab_size)


@pytest.mark.parametrize("make", [gpt2, openai_gpt])
def test_imported_models_go_back(make, tmp_path):
    transformers = pytest.importorskip("transformers")
    make(tmp_path / "theirs")
    import_path(tmp_path / "theirs").write(tmp_path / "ours")
    export_model(tmp_path / "ours", "transformers", tmp_path / "back")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "back").eval()
    their_tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "back")
    held_together(load(tmp_path / "ours"), theirs, their_tokenizer, theirs.config.vocab_size)


@pytest.mark.parametrize("family", ["gpt-2", "gpt-2018"])
def test_own_models_in_transformers(family, tmp_path):
    transformers = pytest.importorskip("transformers")
    model = load(language_model(tmp_path / "ours", family))
    export_model(tmp_path / "ours", "transformers", tmp_path / "out")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    their_tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    ids = torch.arange(30)[None]
    with torch.no_grad():
        torch.testing.assert_close(
            model.encoder.logits(model.encoder(ids).top), theirs(ids).logits, atol=1e-4, rtol=1e-4
        )
    for text in TEXTS:
        ids = model.tokenizer.encode(text)
        assert ids == their_tokenizer(text, add_special_tokens=False)["input_ids"], text
        marked = [model.tokenizer.start_id, *ids, model.tokenizer.extract_id]
        assert their_tokenizer.decode(marked, skip_special_tokens=True) == model.tokenizer.decode(ids)


@pytest.mark.parametrize("family", ["gpt", "gpt-2", "gpt-2018"])
def test_onnx(family, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    model = load(language_model(tmp_path / "ours", family))
    told = export_model(tmp_path / "ours", "onnx", tmp_path / "out")
    assert f"encoder.onnx of {family}" in told
    session = onnxruntime.InferenceSession(os.fspath(tmp_path / "out" / "encoder.onnx"))
    generator = np.random.default_rng(0)
    for shape in ((1, 1), (3, 17), (2, 32)):
        ids = generator.integers(0, 290, shape)
        mask = np.arange(shape[1]) < generator.integers(1, shape[1] + 1, (shape[0], 1))
        (found,) = session.run(None, {"ids": ids, "mask": mask})
        with torch.no_grad():
            expected = torch.stack(model.encoder(torch.from_numpy(ids)).layers).numpy() * mask[None, :, :, None]
        np.testing.assert_allclose(found, expected, atol=1e-4)
