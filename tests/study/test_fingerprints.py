"""A name for a model survives its folder, and changes with anything that matters."""

import copy
from dataclasses import replace

import torch

from langnet.recipes.model import load
from langnet.study.fingerprints import fingerprint, fingerprint_architecture, fingerprint_model, fingerprint_texts


def test_a_model_keeps_its_name_in_its_folder(tmp_path, tiny_model):
    tiny_model.save(tmp_path / "lm")
    assert fingerprint_model(load(tmp_path / "lm")) == fingerprint_model(tiny_model)


def test_other_weights_have_another_name(tiny_model):
    network = copy.deepcopy(tiny_model.network)
    changed = replace(tiny_model, network=network)
    with torch.no_grad():
        next(network.encoder.parameters()).view(-1)[7] += 1e-3
    assert fingerprint_model(changed) != fingerprint_model(tiny_model)
    assert fingerprint_architecture(changed) == fingerprint_architecture(tiny_model)
    assert fingerprint_model(replace(tiny_model, document_vectors=None)) != fingerprint_model(tiny_model)


def test_texts_and_settings():
    assert fingerprint_texts(["ab", "c"]) != fingerprint_texts(["a", "bc"])
    assert fingerprint_texts(["a"], ["b"]) != fingerprint_texts(["a", "b"])
    assert fingerprint_texts(["\ud800"]) == fingerprint_texts(["\ud800"])
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1}) != fingerprint({"a": 1, "b": 3})
