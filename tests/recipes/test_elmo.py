"""ELMo through the recipes: from raw text to a model, saved, loaded, resumed, adapted, transferred."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.hub.folder import write_folder
from langnet.hub.importers.table import import_path
from langnet.recipes import pretrain as pretrain_recipe
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.model import load
from langnet.recipes.pretrain import PretrainOptions, Run, adapt, pretrain
from langnet.text.prepare import PrepareOptions
from langnet.training.checkpoint import write_checkpoint

OPTIONS = PretrainOptions(
    "elmo",
    "tiny",
    context=16,
    steps=25,
    batch_tokens=256,
    learning_rate=0.01,
    document_vectors=False,
    prepare=PrepareOptions(vocabulary_size=30),
)


@pytest.fixture(scope="module")
def model(tiny_labelled):
    return pretrain(tiny_labelled.texts, OPTIONS, texts=True)


def test_it_learns_in_both_directions(model):
    scores = model.facts["validation"]
    assert max(scores["perplexities"]) < 12  # of 30 words
    assert scores["perplexity"] == pytest.approx(np.sqrt(np.prod(scores["perplexities"])))


def test_saved_and_loaded_it_is_the_same(model, tmp_path):
    loaded = load(model.save(tmp_path / "lm"))
    texts = ["The film was superb.", "Unheard-of words: zyzzyva!", ""]
    for before, after in zip(model.score_texts(texts), loaded.score_texts(texts), strict=True):
        assert before.directions == after.directions
        assert before.log_probability == pytest.approx(sum(before.directions) / 2)


@torch.no_grad()
def test_unknown_words_are_told_apart(model):
    """Both are unknown to the softmax, not to the encoder."""
    assert {"zyzzyva", "quux"}.isdisjoint(model.tokenizer.words())
    first, second = (model.score_texts([f"The {word} was superb."])[0] for word in ("zyzzyva", "quux"))
    assert first.directions != second.directions
    assert model.score_texts(["The zyzzyva was superb."])[0] == first


def test_a_text_scores_the_same_beside_others(model):
    texts = ["The film was superb.", "Short.", " ".join(["The ending was clumsy."] * 40)]
    alone = [model.score_texts([text])[0].log_probability for text in texts]
    together = [score.log_probability for score in model.score_texts(texts)]
    assert together == pytest.approx(alone, rel=1e-5)


def test_frozen_and_fine_tuned(model, tiny_labelled, tmp_path):
    texts, labels = tiny_labelled.texts[:60], tiny_labelled.labels[:60]
    for method in ("frozen", "finetune"):
        options = FinetuneOptions(method=method, epochs=1, learning_rate=1e-5, max_tokens=32)
        made = finetune(model, texts, labels, options)
        assert len(made.network.layer_weights()) == 3
        loaded = load(made.save(tmp_path / method))
        np.testing.assert_allclose(loaded.predict_proba(texts[:5]), made.predict_proba(texts[:5]), atol=1e-6)
        assert (np.array(made.predict(texts)) == np.array(labels)).mean() > 0.8


def test_a_resumed_run_ends_where_the_whole_does(model, tiny_labelled, tmp_path, monkeypatch):
    class Stop(Exception):
        pass

    def stop_at_ten(folder, network, optimizers, state, *rest):
        write_checkpoint(folder, network, optimizers, state, *rest)
        if state["step"] >= 10:
            raise Stop

    monkeypatch.setattr("langnet.training.loop.write_checkpoint", stop_at_ten)
    loop_config = pretrain_recipe._loop_config
    monkeypatch.setattr(
        pretrain_recipe, "_loop_config", lambda *given: replace(loop_config(*given), checkpoint_minutes=0.0)
    )
    with pytest.raises(Stop):
        pretrain(tiny_labelled.texts, OPTIONS, Run(tmp_path), texts=True)
    monkeypatch.undo()
    resumed = pretrain(tiny_labelled.texts, OPTIONS, Run(tmp_path, resume=True), texts=True)
    for name, tensor in model.network.state_dict().items():
        assert torch.equal(tensor, resumed.network.state_dict()[name]), name


def test_adapted(model, tiny_labelled):
    options = PretrainOptions(context=16, steps=2, batch_tokens=64, document_vectors=False)
    adapted = adapt(model, tiny_labelled.texts[:40], options, texts=True)
    assert adapted.facts["validation"]["perplexities"]
    with pytest.raises(LangnetError, match="has no language-model loss beside a task"):
        finetune(model, ["a", "b"], ["x", "y"], FinetuneOptions(auxiliary_lm=0.5))
    with pytest.raises(LangnetError, match="cannot write text"):
        model.generate("The")


def test_imported(tmp_path, tiny_labelled):
    """The original program's files, through a folder, to a classifier."""
    settings = {
        "lstm": {"dim": 8, "projection_dim": 4, "n_layers": 2, "cell_clip": 3, "proj_clip": 3},
        "char_cnn": {"activation": "relu", "embedding": {"dim": 4}, "filters": [[1, 4], [3, 8]]},
    }
    settings["char_cnn"] |= {"max_characters_per_token": 50, "n_characters": 262, "n_highway": 1}
    settings["lstm"]["use_skip_connections"] = True
    (tmp_path / "options.json").write_text(json.dumps(settings))
    generator = np.random.default_rng(0)
    shapes = {"char_embed": (261, 4), "CNN/W_cnn_0": (1, 1, 4, 4), "CNN/W_cnn_1": (1, 3, 4, 8)}
    shapes |= {"CNN/b_cnn_0": (4,), "CNN/b_cnn_1": (8,), "CNN_proj/W_proj": (12, 4), "CNN_proj/b_proj": (4,)}
    shapes |= {f"CNN_high_0/W_{kind}": (12, 12) for kind in ("carry", "transform")}
    shapes |= {f"CNN_high_0/b_{kind}": (12,) for kind in ("carry", "transform")}
    for cell in [f"RNN_{d}/RNN/MultiRNNCell/Cell{i}/LSTMCell" for d in (0, 1) for i in (0, 1)]:
        shapes |= {f"{cell}/W_0": (8, 32), f"{cell}/B": (32,), f"{cell}/W_P_0": (8, 4)}
    with h5py.File(tmp_path / "weights.hdf5", "w") as file:
        for name, shape in shapes.items():
            file[name] = generator.normal(0, 0.5, shape).astype("f4")
    imported = import_path(tmp_path)
    assert "23 of 23 tensors" in str(imported.report)
    write_folder(tmp_path / "my-elmo", imported.contents)
    model = load(tmp_path / "my-elmo")
    made = finetune(model, tiny_labelled.texts[:40], tiny_labelled.labels[:40], FinetuneOptions(method="frozen"))
    assert len(made.predict(["The film was superb."])) == 1
    for fails in (
        lambda: model.score_texts(["a"]),
        lambda: model.generate("a"),
        lambda: adapt(model, ["a"], texts=True),
    ):
        with pytest.raises(LangnetError, match="came without its softmax"):
            fails()
