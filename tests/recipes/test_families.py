"""What a user does with a model works on every family of encoders: transfer, folders, scores, text, long documents."""

import numpy as np
import pytest
import torch

from langnet.estimators import TextFeatures
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.model import load
from langnet.recipes.pretrain import PretrainOptions, adapt, pretrain
from langnet.transfer.groups import model_groups

OTHERS = ["awd-lstm"]  # `tiny_model` is a gpt, and the other tests of this folder are about it


@pytest.fixture(scope="module", params=OTHERS)
def model(request, tiny_labelled):
    options = PretrainOptions(request.param, "tiny", context=24, steps=30, batch_tokens=384, seed=0)
    return pretrain(tiny_labelled.texts, options, texts=True)


@pytest.mark.parametrize(
    "options",
    [
        FinetuneOptions("frozen", document_features=False),
        FinetuneOptions("finetune", epochs=1, gradual_unfreezing=True, auxiliary_lm=0.5, layer_decay=2.6),
        FinetuneOptions("finetune", epochs=1, head_first=False, pooling="concat", learned_tokens=10),
    ],
    ids=["frozen", "remedies", "concat"],
)
def test_transfers_saves_loads_predicts_the_same(tmp_path, model, tiny_labelled, options):
    train, test = tiny_labelled.subset(30, 0), tiny_labelled.rows(range(300, 360))
    classifier = finetune(model, train.texts, train.labels, options)
    probabilities = classifier.predict_proba([*test.texts, "", "word " * 3000])
    assert np.isfinite(probabilities).all()
    classifier.save(tmp_path / "c")
    np.testing.assert_allclose(load(tmp_path / "c").predict_proba(test.texts), probabilities[:-2], atol=5e-3)
    if options.method == "frozen":
        assert np.mean(np.array(classifier.predict(test.texts)) == np.array(test.labels)) > 0.8


def test_the_language_model_in_its_folder(tmp_path, model, tiny_labelled):
    model.save(tmp_path / "lm")
    again = load(tmp_path / "lm")
    texts = ["The film was a joy.", "", "The story. " * 900]
    scores = again.score_texts(texts)
    assert [s.log_probability for s in scores] == pytest.approx([s.log_probability for s in model.score_texts(texts)])
    assert again.generate("The film", tokens=8, seed=1) == model.generate("The film", tokens=8, seed=1)
    adapted = adapt(again, tiny_labelled.texts[:50], PretrainOptions(steps=3, document_vectors=False), texts=True)
    assert adapted.family == model.family
    features = TextFeatures(tmp_path / "lm", document_vectors=False).fit(texts)
    assert features.transform(texts).shape == (3, len(features.get_feature_names_out()))
    assert len(features.get_feature_names_out()) == sum(model.encoder.layer_dims)


def test_a_text_scores_as_the_logits_say(model):
    text = "The film was a joy."
    ids = torch.tensor([[model.tokenizer.start_id, *model.tokenizer.encode(text), model.tokenizer.extract_id]])
    with torch.no_grad():
        shares = model.encoder.logits(model.encoder(ids[:, :-1]).top)[0].double().log_softmax(1)
    expected = shares.gather(1, ids[0, 1:, None]).sum().item()
    assert model.score_texts([text])[0].log_probability == pytest.approx(expected, rel=1e-4)


def test_the_layers_of_discriminative_rates(model, tiny_labelled):
    train = tiny_labelled.subset(10, 0)
    network = finetune(model, train.texts, train.labels, FinetuneOptions("frozen")).network
    rates = [group.rate for group in model_groups(network, 2.6) if group.name not in ("head", "scalar mix")]
    assert sorted(set(rates)) == pytest.approx([2.6**-power for power in range(model.encoder.n_layers, -1, -1)])
