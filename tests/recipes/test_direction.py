"""A model that reads backward: the same weights on ids turned round, kept through folders, adaptation and transfer."""

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.evaluate.likelihood import Continuation
from langnet.hub.folder import list_models
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.model import load
from langnet.recipes.pretrain import PretrainOptions, adapt, pretrain
from langnet.tasks.generation import GenerationOptions, generate_ids

TEXTS = ["The film was a joy.", "The story. The music was awful."]


@pytest.fixture(scope="module", params=["awd-lstm", "gpt"])
def model(request, tiny_labelled):
    options = PretrainOptions(
        request.param, "tiny", context=24, steps=25, batch_tokens=384, direction="backward", seed=0
    )
    return pretrain(tiny_labelled.texts, options, texts=True)


def test_scores_are_those_of_turned_ids(model):
    forward = model.tokenizer.turned("forward")
    for text, score in zip(TEXTS, model.score_texts(TEXTS), strict=True):
        ids = torch.tensor([[forward.start_id, *forward.encode(text)[::-1], forward.extract_id]])
        with torch.no_grad():
            shares = model.encoder.logits(model.encoder(ids[:, :-1]).top)[0].double().log_softmax(1)
        expected = shares.gather(1, ids[0, 1:, None]).sum().item()
        assert score.log_probability == pytest.approx(expected, rel=1e-4)


def test_likelihoods_are_those_of_turned_ids(model):
    asked = [[Continuation("", text, ends=True) for text in TEXTS]]
    scores = [score.log_probability for score in model.score_texts(TEXTS)]
    assert [found.log_probability for found in model.likelihoods(asked)[0]] == pytest.approx(scores, rel=1e-5)
    with pytest.raises(LangnetError, match="no probability of an ending after its beginning"):
        model.likelihoods([[Continuation("The film", " was a joy.")]])


def test_it_learned_to_read_backward(model):
    """The end of a sentence is followed by a word of praise or blame, its beginning only by "The"."""
    (said,) = model.score_texts(["The film was a joy. The story was superb."])
    (turned,) = model.score_texts([".superb was story The .joy a was film The"])
    assert said.log_probability > turned.log_probability + 10


def test_the_folder_says_so(tmp_path, model, tiny_labelled):
    model.save(tmp_path / "lm")
    again = load(tmp_path / "lm")
    assert model.direction == again.direction == "backward"
    assert "| reads | backward: every text from its end to its beginning |" in again.card
    assert [summary.direction for summary in list_models(tmp_path)] == ["backward"]
    assert model.facts["pretrain"]["options"]["direction"] == "backward"
    scores = [s.log_probability for s in model.score_texts(TEXTS)]
    assert [s.log_probability for s in again.score_texts(TEXTS)] == pytest.approx(scores)
    adapted = adapt(again, tiny_labelled.texts[:60], PretrainOptions(steps=2), texts=True)
    assert adapted.direction == "backward"
    assert adapted.facts["pretrain"]["options"]["direction"] == "backward"


def test_text_comes_out_in_reading_order(model):
    text = model.generate("was a joy.", tokens=6, temperature=0)
    tokenizer = model.tokenizer
    ids = [tokenizer.start_id, *tokenizer.encode("was a joy.")]
    options = GenerationOptions(6, temperature=0)
    drawn = list(generate_ids(model.encoder, ids, options, tokenizer.extract_id, tokenizer.special_ids))
    assert text + "was a joy." == tokenizer.turned("forward").decode(drawn[::-1] + ids[:0:-1])
    assert "".join(model.stream("was a joy.", options)) == text
    assert model.generate(tokens=3, seed=1) == model.generate("", tokens=3, seed=1)


@pytest.mark.parametrize("method", ["frozen", "finetune"])
def test_transfer(tmp_path, model, tiny_labelled, method):
    train, test = tiny_labelled.subset(40, 0), tiny_labelled.rows(range(300, 360))
    classifier = finetune(model, train.texts, train.labels, FinetuneOptions(method, epochs=1))
    assert classifier.direction == "backward"
    found = classifier.predict_proba(test.texts)
    classifier.save(tmp_path / "c")
    np.testing.assert_allclose(load(tmp_path / "c").predict_proba(test.texts), found, atol=5e-3)
    assert np.mean(np.array(classifier.predict(test.texts)) == np.array(test.labels)) > 0.8
    last = classifier.examples(["The film was awful"])[0].ids
    assert classifier.tokenizer.decode(last[1:2]).strip() == "awful"  # what stands last is read first


def test_a_model_of_both_directions_is_refused(tiny_labelled):
    with pytest.raises(LangnetError, match="elmo reads texts in both directions at once; leave --direction out"):
        pretrain(tiny_labelled.texts, PretrainOptions("elmo", "tiny", direction="backward"), texts=True)
    with pytest.raises(LangnetError, match="no direction 'up'; choose forward or backward"):
        pretrain(tiny_labelled.texts, PretrainOptions(direction="up"), texts=True)
