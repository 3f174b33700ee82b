"""Import and export of GPT: what comes back is what went out, whatever way the weights were written."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from langnet.errors import LangnetError
from langnet.hub.exporters.exported import encoder_of
from langnet.hub.exporters.table import EXPORTERS, export_model
from langnet.hub.folder import read_folder
from langnet.hub.importers.imported import ImportOptions
from langnet.hub.importers.table import import_path
from langnet.recipes.model import load
from langnet.text.tokenizer import SPECIAL_TOKENS, Tokenizer
from tests.hub.gpt_files import WEIGHTS, change_config, change_tensor, foreign_gpt2, language_model

TEXTS = ["The film was moving.", "naïve café — “it's”\n\n\tnext", "日本語。हिन्दी Ẹ kú àárọ̀", "😀👩‍👩‍👧", "", " \n"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return foreign_gpt2(tmp_path_factory.mktemp("gpt") / "gpt2")


@pytest.fixture
def gpt2(made, tmp_path):
    return shutil.copytree(made, tmp_path / "gpt2")


def layers_by_hand(tensors, ids):
    """The last layer of GPT-2 in numpy and float64 (Radford et al. 2019, section 2.3), weights named as there."""
    weight = {name.removeprefix("transformer."): t.double().numpy() for name, t in tensors.items()}

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return scaled * weight[f"{name}.weight"] + weight[f"{name}.bias"]

    def linear(x, name):
        return x @ weight[f"{name}.weight"] + weight[f"{name}.bias"]

    T, heads = len(ids), 2
    x = weight["wte.weight"][ids] + weight["wpe.weight"][:T]
    for index in range(2):
        name = f"h.{index}"
        qkv = linear(norm(x, f"{name}.ln_1"), f"{name}.attn.c_attn").reshape(T, 3, heads, -1)
        q, k, v = qkv.transpose(1, 2, 0, 3)
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
        scores[:, np.triu(np.ones((T, T), dtype=bool), 1)] = -np.inf
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (shares / shares.sum(-1, keepdims=True)) @ v
        x = x + linear(mixed.transpose(1, 0, 2).reshape(T, -1), f"{name}.attn.c_proj")
        inner = linear(norm(x, f"{name}.ln_2"), f"{name}.mlp.c_fc")
        inner = 0.5 * inner * (1 + np.tanh(np.sqrt(2 / np.pi) * (inner + 0.044715 * inner**3)))
        x = x + linear(inner, f"{name}.mlp.c_proj")
    return norm(x, "ln_f")


def test_computes_what_the_paper_says(gpt2):
    ids = np.random.default_rng(0).integers(0, 250, 20)
    _, encoder = encoder_of(import_path(gpt2).contents)
    with torch.no_grad():
        found = encoder(torch.from_numpy(ids)[None]).top[0]
    np.testing.assert_allclose(found.numpy(), layers_by_hand(load_file(gpt2 / WEIGHTS), ids), atol=1e-4)


def test_new_rows_and_report(gpt2):
    imported = import_path(gpt2)
    assert str(imported.report) == (
        "GPT-2 of transformers: 28 of 28 tensors; 5 new rows for <pad>, <unknown>, <start>, <delimiter>, <extract>; "
        "<start> and <extract> begin as <|endoftext|>; the mean of all rows elsewhere"
    )
    known = load_file(gpt2 / WEIGHTS)["transformer.wte.weight"]
    rows = imported.contents.tensors["network.encoder.token_embedding.weight"]
    tokenizer = Tokenizer.from_json(imported.contents.tokenizer_json)
    assert tokenizer.special_ids == (*range(len(known), len(known) + 5), len(known) - 1)
    assert torch.equal(rows[: len(known)], known)
    for index in (tokenizer.start_id, tokenizer.extract_id):
        assert torch.equal(rows[index], known[-1])
    torch.testing.assert_close(rows[tokenizer.pad_id], known.mean(0))
    assert imported.contents.config["facts"]["imported"]["files"][WEIGHTS]["bytes"] > 0


def test_the_folder_is_what_save_writes(gpt2, tmp_path):
    import_path(gpt2).write(tmp_path / "a")
    model = load(tmp_path / "a")
    (tmp_path / "saved").mkdir()
    model.save(tmp_path / "saved" / "a")
    first, second = read_folder(tmp_path / "a"), read_folder(tmp_path / "saved" / "a")
    assert first.config == second.config
    assert first.tokenizer_json == second.tokenizer_json
    assert first.tensors.keys() == second.tensors.keys()
    assert first.card == second.card
    assert "GPT-2 of transformers: 28 of 28 tensors" in first.card
    assert "<|endoftext|>" not in model.generate("The film", tokens=40)
    for text in TEXTS:
        assert model.tokenizer.decode(model.tokenizer.encode(text)) == text


@pytest.mark.parametrize("family", ["gpt-2", "gpt-2018"])
def test_there_and_back(family, tmp_path):
    language_model(tmp_path / "lm", family)
    told = export_model(tmp_path / "lm", "transformers", tmp_path / "out")
    assert "of transformers" in told
    imported = import_path(tmp_path / "out")
    ours = read_folder(tmp_path / "lm")
    assert imported.report.notes == []
    assert all(torch.equal(imported.contents.tensors[name], tensor) for name, tensor in ours.tensors.items())
    first, second = Tokenizer.from_json(ours.tokenizer_json), Tokenizer.from_json(imported.contents.tokenizer_json)
    assert [first.encode(text) for text in TEXTS] == [second.encode(text) for text in TEXTS]
    imported.write(tmp_path / "again")
    export_model(tmp_path / "again", "transformers", tmp_path / "out2")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", WEIGHTS):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "out2" / name).read_bytes()


def as_shards(folder):
    tensors = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()
    names = sorted(tensors)
    where = {name: f"part-{index % 2}.safetensors" for index, name in enumerate(names)}
    for part in set(where.values()):
        save_file({name: tensors[name] for name in names if where[name] == part}, folder / part)
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": where}), encoding="utf8")


def as_torch(folder, zipped=True, prefix="transformer.", dtype=torch.float32):
    tensors = {k.replace("transformer.", prefix): v.to(dtype) for k, v in load_file(folder / WEIGHTS).items()}
    tensors["lm_head.weight"] = tensors[f"{prefix}wte.weight"]
    tensors[f"{prefix}h.0.attn.bias"] = torch.ones(1, 1, 32, 32).tril()
    (folder / WEIGHTS).unlink()
    torch.save(tensors, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)


@pytest.mark.parametrize(
    ("rewrite", "used"),
    [
        (as_shards, 28),
        (as_torch, 29),
        (lambda folder: as_torch(folder, zipped=False), 29),
        (lambda folder: as_torch(folder, prefix=""), 29),
    ],
    ids=["shards", "torch", "torch before 1.6", "without prefix"],
)
def test_ways_to_write_weights(gpt2, rewrite, used):
    expected = import_path(gpt2).contents.tensors
    rewrite(gpt2)
    imported = import_path(gpt2)
    assert imported.report.used == used
    assert imported.report.unused == []
    assert all(torch.equal(imported.contents.tensors[name], tensor) for name, tensor in expected.items())


def test_half_precision_is_told(gpt2):
    as_torch(gpt2, dtype=torch.bfloat16)
    assert "bfloat16 became float32" in str(import_path(gpt2).report)


def test_rows_without_a_token_are_left_out(gpt2):
    table = load_file(gpt2 / WEIGHTS)["transformer.wte.weight"]
    change_tensor(gpt2, "transformer.wte.weight", torch.cat([table, torch.ones(3, table.shape[1])]))
    change_config(gpt2, vocab_size=len(table) + 3)
    imported = import_path(gpt2)
    assert imported.report.notes[0] == "3 rows of no token left out"
    assert len(imported.contents.tensors["network.encoder.token_embedding.weight"]) == len(table) + 5


def test_a_softmax_of_its_own_and_an_unused_head(gpt2):
    tensors = load_file(gpt2 / WEIGHTS)
    softmax = torch.randn(tensors["transformer.wte.weight"].shape, generator=torch.Generator().manual_seed(0))
    save_file({**tensors, "lm_head.weight": softmax, "score.weight": torch.ones(2, 128)}, gpt2 / WEIGHTS)
    change_config(gpt2, tie_word_embeddings=False)
    imported = import_path(gpt2)
    assert imported.report.unused == ["score.weight"]
    assert "unused: score.weight" in str(imported.report)
    assert torch.equal(imported.contents.tensors["network.encoder.softmax.weight"][: len(softmax)], softmax)


def test_vocabulary_with_merges_and_elsewhere(gpt2, tmp_path):
    held = json.loads((gpt2 / "tokenizer.json").read_text(encoding="utf8"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (gpt2 / "tokenizer.json").unlink()
    (elsewhere / "vocab.json").write_text(json.dumps(held["model"]["vocab"]), encoding="utf8")
    merges = "\n".join(" ".join(pair) for pair in held["model"]["merges"])
    (elsewhere / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf8")
    with pytest.raises(LangnetError, match="has no tokenizer"):
        import_path(gpt2)
    imported = import_path(gpt2, ImportOptions(vocabulary=elsewhere))
    tokenizer = Tokenizer.from_json(imported.contents.tokenizer_json)
    assert all(tokenizer.decode(tokenizer.encode(text)) == text for text in TEXTS)


def authors_arrays(folder):
    """gpt-2018 as its authors wrote it; the vocabulary has the end-of-word sign."""
    language_model(folder.with_name("original"), "gpt-2018")
    export_model(folder.with_name("original"), "transformers", folder.with_name("exported"))
    tensors = load_file(folder.with_name("exported") / WEIGHTS)
    folder.mkdir()
    names = ["positions_embed.weight", "tokens_embed.weight"]
    for index in range(2):
        for part in ("attn.c_attn", "attn.c_proj", "ln_1", "mlp.c_fc", "mlp.c_proj", "ln_2"):
            names += [f"h.{index}.{part}.weight", f"h.{index}.{part}.bias"]
    letters = "abcdefghijklmnopqrstuvwxyz.'"
    entries = ["<unk>", *letters, *(f"{letter}</w>" for letter in letters), "th", "the</w>", "\n</w>"]
    (folder / "encoder_bpe_40000.json").write_text(json.dumps({e: i for i, e in enumerate(entries)}), encoding="utf8")
    (folder / "vocab_40000.bpe").write_text("#version: 0.2\nt h\nth e</w>\n", encoding="utf8")
    arrays = [tensors[f"transformer.{name}"].numpy() for name in names]
    arrays[1] = arrays[1][: len(entries)]
    shapes = [list(a.shape) if a.ndim == 1 or i < 2 else [1, *a.shape] for i, a in enumerate(arrays)]
    (folder / "params_shapes.json").write_text(json.dumps(shapes), encoding="utf8")
    whole = np.concatenate([array.ravel() for array in arrays])
    for index, part in enumerate(np.array_split(whole, 3)):
        np.save(folder / f"params_{index}.npy", part)
    return tensors


def test_the_authors_arrays(tmp_path):
    expected = authors_arrays(tmp_path / "model")
    imported = import_path(tmp_path / "model")
    assert str(imported.report).startswith("OpenAI GPT in its authors' arrays: 26 of 26 tensors; 5 new rows")
    qkv = imported.contents.tensors["network.encoder.blocks.1.attention.qkv"].flatten(0, 1).T
    assert torch.equal(qkv, expected["transformer.h.1.attn.c_attn.weight"])
    tokenizer = Tokenizer.from_json(imported.contents.tokenizer_json)
    assert tokenizer.foreign == ("<unk>",)
    names = {index: name for name, index in tokenizer.backend.get_vocab().items()}
    assert [names[i] for i in tokenizer.encode("The thé\nx. 5")] == [
        "the</w>", "the</w>", "x</w>", ".</w>", "<unk>",
    ]  # fmt: skip
    assert tokenizer.decode(tokenizer.encode("The theory")) == "the theory"


def test_exports_that_are_refused(tmp_path, gpt2):
    language_model(tmp_path / "plain", "gpt")
    with pytest.raises(LangnetError, match="no architecture that computes what 'gpt' does"):
        export_model(tmp_path / "plain", "transformers", tmp_path / "x")
    with pytest.raises(LangnetError, match="no format 'gguf'; choose one of transformers, onnx"):
        export_model(tmp_path / "plain", "gguf", tmp_path / "x")
    assert {path.name for path in tmp_path.iterdir()} == {"plain", "gpt2"}
    assert [exporter.name for exporter in EXPORTERS][:2] == ["transformers", "onnx"]


def test_special_tokens_names_stay_text(gpt2):
    tokenizer = Tokenizer.from_json(import_path(gpt2).contents.tokenizer_json)
    text = " ".join((*SPECIAL_TOKENS, "<|endoftext|>"))
    assert not set(tokenizer.encode(text)) & set(tokenizer.special_ids)
    assert tokenizer.decode(tokenizer.encode(text)) == text
