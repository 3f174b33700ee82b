"""Explanations add up where they have to: occlusion on additive models, gradients on linear heads, terms always."""

import copy
import dataclasses

import numpy as np
import pytest
import torch

from langnet.encoders.vectors import vectors_of
from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError
from langnet.recipes.explain import ExplainOptions, explain_items, explain_texts
from langnet.recipes.explain_documents import DocumentReading
from langnet.recipes.explain_units import units_of
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.model import Model
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.recipes.transfer import TransferOptions, transfer
from langnet.study.explain_page import explanation_page
from langnet.tasks.passages import question_examples
from langnet.tasks.word_contexts import WordContexts
from langnet.text.pairs import Pair
from langnet.transfer.features import TopLayer
from langnet.transfer.model import TaskModel
from tests.conftest import BAD, GOOD, THINGS
from tests.recipes.kind_items import ODD_TEXTS, TRAIN, pairs

TEXT = "The film was moving. The script was awful. The hero was a joy."


@pytest.fixture(scope="module")
def classifier(tiny_model, tiny_labelled):
    return finetune(tiny_model, tiny_labelled.texts[:80], tiny_labelled.labels[:80], FinetuneOptions("frozen"))


@pytest.fixture(scope="module")
def additive(tiny_labelled):
    """Word vectors under a mean and a linear head: each word adds its own part to the score, and nothing else."""
    words = sorted({word for phrase in [*GOOD, *BAD, *THINGS, "The was a"] for word in phrase.split()} | {"."})
    encoder, tokenizer = vectors_of(
        WordSpace(words, np.random.default_rng(0).normal(size=(len(words), 8)).astype("f4"))
    )
    model = Model("vectors", tokenizer, TaskModel(encoder, [(WordContexts(), 1.0)], TopLayer()))
    return finetune(model, tiny_labelled.texts[:80], tiny_labelled.labels[:80], FinetuneOptions("frozen"))


@pytest.mark.parametrize("unit", ["token", "word", "sentence"])
def test_occlusion_of_an_additive_model_sums_to_the_difference(additive, unit):
    (found,) = explain_texts(additive, [TEXT], ExplainOptions("occlusion", unit, "unknown"))
    assert found.total == pytest.approx(found.score - found.baseline, abs=1e-4)
    assert abs(found.total) > 0.1


def test_gradients_of_a_linear_model_sum_to_the_score(additive):
    """With one layer, not normalised, a mean and no bias, the score is linear in the embeddings."""
    task = additive.network.task
    network = TaskModel(additive.encoder, [(task, 1.0)])
    model = Model("vectors", additive.tokenizer, network, labels=additive.labels)
    kept = [task.center.clone(), task.output.bias.detach().clone()]
    with torch.no_grad():
        task.center.zero_()
        task.output.bias.zero_()
    try:
        (found,) = explain_texts(model, [TEXT], ExplainOptions("gradient"))
    finally:
        task.center.copy_(kept[0])
        with torch.no_grad():
            task.output.bias.copy_(kept[1])
    assert found.total == pytest.approx(found.score, abs=1e-4)


def test_occlusion_is_what_the_text_without_the_word_gives(classifier):
    (found,) = explain_texts(classifier, ["The film was awful."])
    words = [one.text for one in found.contributions]
    assert words == ["The", " film", " was", " awful", "."]
    with_it, without = classifier.predict_proba(["The film was awful.", "The film was."])
    label = classifier.labels.index(found.guess)
    assert found.probability == pytest.approx(with_it[label], abs=1e-4)
    assert found.contributions[3].probability == pytest.approx(with_it[label] - without[label], abs=1e-4)
    assert max(found.contributions, key=lambda one: one.score).text == " awful"


def test_terms_of_the_document_vectors_sum_to_what_the_vector_gives(classifier):
    (example,) = classifier.examples([TEXT])
    slope = np.random.default_rng(0).normal(size=len(example.features))
    by_token, terms = DocumentReading(classifier, TEXT, ExplainOptions("gradient"))._terms(slope)
    assert by_token.sum() == pytest.approx(float(slope @ example.features), abs=1e-4)
    assert abs(terms[0][1]) == max(abs(value) for _, value in terms)
    assert len({name for name, _ in terms}) == len(terms)


def test_a_head_on_document_vectors_alone_is_explained_whole(classifier):
    """Its score is linear in the vector, so the parts and what every text has sum to it."""
    task = copy.deepcopy(classifier.network.task)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        task.output.weight.normal_(generator=generator)
        task.output.weight[:, : classifier.encoder.mixed_dim] = 0
        task.output.bias.zero_()
        task.center.zero_()
    network = TaskModel(classifier.encoder, [(task, 1.0)], classifier.network.mix)
    model = dataclasses.replace(classifier, network=network)
    for unit in ("token", "word", "sentence"):
        (found,) = explain_texts(model, [TEXT], ExplainOptions("gradient", unit))
        assert found.total == pytest.approx(found.score, abs=1e-3)
        assert found.terms


def test_a_given_label(classifier):
    one, other = (explain_texts(classifier, [TEXT], ExplainOptions(label=name))[0] for name in ("pos", "neg"))
    assert one.score == pytest.approx(-other.score, abs=1e-5)
    assert one.probability + other.probability == pytest.approx(1)
    with pytest.raises(LangnetError, match="does not know the label 'blue'"):
        explain_texts(classifier, [TEXT], ExplainOptions(label="blue"))


@pytest.mark.parametrize("family", ["gpt", "gpt-2018", "awd-lstm", "elmo"])
def test_every_family_every_method_any_text(family, tiny_labelled):
    options = PretrainOptions(family, "tiny", context=32, steps=2, batch_tokens=256)
    base = pretrain(tiny_labelled.texts[:100], options, texts=True)
    model = finetune(
        base, tiny_labelled.texts[:40], tiny_labelled.labels[:40], FinetuneOptions("frozen", max_tokens=80)
    )
    texts = [text[:200] for text in ODD_TEXTS]
    for how in (
        ExplainOptions(),
        ExplainOptions(unit="sentence", occlude="unknown"),
        ExplainOptions(unit="token", occlude="pad"),
        ExplainOptions("gradient"),
    ):
        for text, found in zip(texts, explain_texts(model, texts, how), strict=True):
            assert np.isfinite(found.total)
            read = "".join(one.text for one in found.contributions if not one.special)
            if family != "elmo" and len(text) < 60:
                assert read == text
    gradient = explain_texts(model, [TEXT], ExplainOptions("gradient", "token"))[0]
    assert any(abs(one.score) > 0 for one in gradient.contributions)


def test_gradients_are_those_of_finite_differences(additive):
    """Slope times embedding, against a small change of each embedding along itself."""
    (found,) = explain_texts(additive, [TEXT], ExplainOptions("gradient", "token"))
    embedder, epsilon = additive.encoder.embedder, 1e-2
    ids = additive.token_ids([TEXT])[0]
    for place in (2, 4):
        token = int(ids[place])
        expected = 0.0
        for sign in (1, -1):
            with torch.no_grad():
                embedder.weight[token] *= 1 + sign * epsilon
            score = explain_texts(additive, [TEXT], ExplainOptions("gradient", label=found.guess))[0].score
            with torch.no_grad():
                embedder.weight[token] /= 1 + sign * epsilon
            expected += sign * score / (2 * epsilon)
        same = [one.score for one, at in zip(found.contributions, ids, strict=True) if at == token]
        assert sum(same) == pytest.approx(expected, abs=2e-3)


def test_other_tasks(tiny_model, tiny_labelled):
    items, short = pairs(tiny_labelled)[:12], Pair("The film was a joy.", "The story was a waste.")
    model = transfer(tiny_model, "entail", items, TransferOptions(FinetuneOptions("frozen", epochs=1, least_steps=1)))
    for how in (ExplainOptions(), ExplainOptions("gradient"), ExplainOptions(occlude="pad", unit="sentence")):
        (found,) = explain_items(model, [short], how)
        (guess,) = model.guess([short])
        assert found.guess == guess.label
        assert found.score == pytest.approx(np.log(guess.probability / (1 - guess.probability)), abs=1e-4)
        assert ["".join(one.text for one in part) for part in found.texts()] == [short.first, short.second]
        text = "".join(one.text for one in found.contributions if not one.special)
        assert text == short.first + short.second
    with pytest.raises(LangnetError, match="leave label and remove out"):
        explain_items(model, items[:1], ExplainOptions(occlude="remove"))
    with pytest.raises(LangnetError, match="cannot be asked why it labels texts"):
        explain_texts(model, ["a"])
    with pytest.raises(LangnetError, match="cannot be asked why it says something"):
        explain_items(tiny_model, items[:1])


@pytest.mark.parametrize("kind", ["choose", "answer", "tag", "similarity"])
def test_what_a_guess_owes_to_each_word(tiny_model, tiny_labelled, kind):
    """The score is the log-odds of the guess, or the number; a word's part what is lost with an unknown one there."""
    items = TRAIN[kind](tiny_labelled)[:12]
    model = transfer(tiny_model, kind, items, TransferOptions(FinetuneOptions("frozen", epochs=1, least_steps=1)))
    item = items[1]
    (guess,) = model.guess([item])
    (found,) = explain_items(model, [item])
    if kind == "similarity":
        assert model.network.task.settings.low <= guess.value <= model.network.task.settings.high
        assert found.guess == f"{guess.value:.4g}"
    elif kind != "tag":
        chance = max(guess.probabilities) if kind == "choose" else guess.probability
        assert found.score == pytest.approx(np.log(chance / (1 - chance)), abs=1e-3)
        assert found.guess == (item.alternatives[guess.index] if kind == "choose" else guess.text)
    texts = ["".join(one.text for one in part).strip() for part in found.texts()]
    if kind == "choose":
        assert texts == [f"{item.context}{item.question}", *item.alternatives], "what all begin with stands once"
    (other,) = explain_items(model, [item], ExplainOptions("gradient"))
    assert other.score == pytest.approx(found.score, abs=1e-3)
    assert [one.text for one in other.contributions] == [one.text for one in found.contributions]
    assert len({round(one.score, 9) for one in other.contributions}) > 3
    assert any(abs(one.score) > 0 for one in found.contributions)


def test_features_go_with_the_word(tiny_model, tiny_labelled):
    """What the head of a reader sees of a word beside its state is gone too where the word is replaced."""
    (example,) = question_examples(TRAIN["answer"](tiny_labelled)[:1], tiny_model.writer, 64, False)
    ids = example.ids.copy()
    ids[[2, example.n_question + 2 + 5]] = tiny_model.tokenizer.unknown_id
    other = example.with_ids(ids)
    assert not other.question_features[1].any()
    assert not other.passage_features[5].any()
    kept = np.arange(example.n_passage) != 5
    np.testing.assert_array_equal(other.passage_features[kept], example.passage_features[kept])
    assert example.passage_features[5].any()


def test_words_are_ranked_by_the_score(classifier):
    """A probability hardly moves where the model is sure."""
    (found,) = explain_texts(classifier, [TEXT])
    assert all(one.shown == one.score and one.probability is not None for one in found.contributions)


def test_units(tiny_model):
    text = "It wasn't bad!  Not at all… 电影很好。"
    ids = tiny_model.token_ids([text])[0]
    words = [unit.text for unit in units_of(tiny_model.tokenizer, ids) if not unit.special]
    assert words == ["It", " wasn't", " bad", "!", "  Not", " at", " all", "…", " 电", "影", "很", "好", "。"]
    sentences = [unit.text for unit in units_of(tiny_model.tokenizer, ids, "sentence") if not unit.special]
    assert sentences == ["It wasn't bad!", "  Not at all…", " 电影很好。"]
    for unit in ("token", "word", "sentence"):
        places = [place for one in units_of(tiny_model.tokenizer, ids, unit) for place in one.places]
        assert places == list(range(len(ids)))


def test_units_of_a_model_that_reads_backward_are_those_of_the_text(tiny_model):
    text = "It wasn't bad!  Not at all… 电影很好。"
    ids = tiny_model.token_ids([text])[0]
    turned = np.concatenate([ids[:1], ids[-2:0:-1], ids[-1:]])
    mirror = [0, *range(len(ids) - 2, 0, -1), len(ids) - 1]
    for unit in ("token", "word", "sentence"):
        expected = units_of(tiny_model.tokenizer, ids, unit)
        found = units_of(tiny_model.tokenizer.turned("backward"), turned, unit)
        assert [one.text for one in found] == [one.text for one in expected]
        assert [one.places for one in found] == [tuple(sorted(mirror[i] for i in one.places)) for one in expected]


def test_the_page_shows_any_text_and_loads_nothing(classifier):
    texts = ["<script>alert(1)</script> & 'awful' \"film\"", *[text[:100] for text in ODD_TEXTS]]
    page = explanation_page("a <b> model", explain_texts(classifier, texts), ["x.csv:1"] * len(texts))
    assert "<script" not in page
    assert "&lt;b&gt; model" in page
    assert page.count("<article") == len(texts)
    assert "http://" not in page.replace("http-equiv", "")
    assert "https://" not in page
    assert "src=" not in page
    assert "default-src &#x27;none&#x27;" in page
