"""fastai's AWD-LSTM: what PyTorch's LSTM computes from the same weights, and the words that it knew."""

import json
import pickle
from itertools import pairwise

import pytest
import torch
from torch import nn

from langnet.errors import LangnetError
from langnet.hub.importers.imported import ImportOptions
from langnet.hub.importers.table import import_path
from langnet.recipes.model import load

MARKS = ["xxunk", "xxpad", "xxbos", "xxeos", "xxfld", "xxrep", "xxwrep", "xxup", "xxmaj"]
WORDS = [*MARKS, "the", "film", "was", "good", "."]
WIDTHS = (8, 12, 12, 8)


def layers() -> list[nn.LSTM]:
    torch.manual_seed(0)
    return [nn.LSTM(below, above) for below, above in pairwise(WIDTHS)]


def state_dict(wrapper: str = "module.", prefix: str = "0.") -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    table = torch.randn(len(WORDS), WIDTHS[0], generator=generator)
    held = {f"{prefix}encoder.weight": table, f"{prefix}encoder_dp.emb.weight": table}
    for index, layer in enumerate(layers()):
        name = f"{prefix}rnns.{index}."
        weights = {key: value.detach() for key, value in layer.state_dict().items()}
        held[f"{name}weight_hh_l0_raw"] = weights["weight_hh_l0"]
        held[f"{name}{wrapper}weight_hh_l0"] = torch.zeros_like(weights["weight_hh_l0"])  # what a dropout left
        held |= {f"{name}{wrapper}{key}": weights[key] for key in ("weight_ih_l0", "bias_ih_l0", "bias_hh_l0")}
    if prefix:
        held |= {"1.decoder.weight": table, "1.decoder.bias": torch.randn(len(WORDS), generator=generator)}
    return held


@pytest.fixture
def folder(tmp_path):
    torch.save(state_dict(), tmp_path / "lm.pth")
    (tmp_path / "vocab.json").write_text(json.dumps(WORDS))
    return tmp_path


def test_computes_what_torch_computes(folder):
    imported = import_path(folder / "lm.pth")
    assert str(imported.report).startswith("AWD-LSTM of fastai: 14 of 19 tensors; 5 new rows")
    assert imported.report.unused == []
    imported.write(folder / "lm")
    model = load(folder / "lm")
    held = state_dict()
    ids = model.tokenizer.encode("The film was\nterrible .")
    assert [WORDS[i] for i in ids] == ["the", "film", "was", "xxunk", "."]
    x = held["0.encoder.weight"][ids][:, None]
    with torch.no_grad():
        for layer in layers():
            x, _ = layer(x)
        found = model.encoder.logits(model.encoder(torch.tensor([ids])).top)[0, :, : len(WORDS)]
    expected = x[:, 0] @ held["1.decoder.weight"].T + held["1.decoder.bias"]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    table = model.encoder.token_embedding.weight
    assert torch.equal(table[model.tokenizer.start_id], held["0.encoder.weight"][WORDS.index("xxbos")])
    assert "xx" not in model.generate("The film", tokens=30)


@pytest.mark.parametrize("change", [{"wrapper": ""}, {"prefix": ""}])
def test_other_names(folder, change):
    expected = import_path(folder / "lm.pth").contents.tensors
    torch.save({"model": state_dict(**change), "opt": {}}, folder / "other.pth")
    found = import_path(folder / "other.pth").contents.tensors
    assert all(torch.equal(found[k], expected[k]) for k in expected if "softmax_bias" not in k)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("itos.pkl", pickle.dumps(WORDS), "is a pickle, which can run any program"),
        ("vocab.json", b"{}", "is no list of words"),
        ("vocab.txt", b"the\nfilm\n", "the vocabulary has 2 words, .* 14 embeddings"),
        ("words.json", json.dumps([*WORDS[:-1], "<pad>"]).encode(), "langnet's special tokens"),
    ],
)
def test_vocabularies_that_are_refused(folder, name, content, message):
    (folder / name).write_bytes(content)
    with pytest.raises(LangnetError, match=message):
        import_path(folder / "lm.pth", ImportOptions(vocabulary=folder / name))


def test_a_vocabulary_is_needed(folder):
    (folder / "vocab.json").unlink()
    with pytest.raises(LangnetError, match="give --vocabulary FILE"):
        import_path(folder / "lm.pth")
    (folder / "itos.txt").write_text("\n".join(WORDS) + "\n")
    assert import_path(folder / "lm.pth").report.used == 14


def test_a_softmax_that_is_missing_or_has_a_matrix_of_its_own(folder):
    torch.save(state_dict(prefix=""), folder / "lm.pth")
    assert "no bias of the softmax" in str(import_path(folder / "lm.pth").report)
    torch.save(state_dict() | {"1.decoder.weight": torch.ones(len(WORDS), WIDTHS[0])}, folder / "lm.pth")
    with pytest.raises(LangnetError, match="was trained without tied weights"):
        import_path(folder / "lm.pth")


def test_a_missing_weight(folder):
    held = state_dict()
    del held["0.rnns.1.module.weight_ih_l0"]
    torch.save(held, folder / "lm.pth")
    with pytest.raises(LangnetError, match=r"lacks the tensor '0\.rnns\.1\.weight_ih_l0'"):
        import_path(folder / "lm.pth")
