"""Texts without labels through the recipes: fine-tuned, over many draws, written and loaded."""

import numpy as np
import pytest

from langnet.encoders.word_classes import WordClassOptions
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.frozen_draws import FrozenDraws
from langnet.recipes.model import load
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.transfer.pseudo_labels import PseudoLabelOptions

MOODS = (["good", "great", "fine", "superb", "lovely", "rich"], ["bad", "dull", "poor", "weak", "awful", "flat"])
THINGS = ["film", "plot", "cast", "end", "story", "music"]
CLASSES = WordClassOptions(levels=(3,), n_neighbours=20, smallest_class=3, least_count=2)


@pytest.fixture(scope="module")
def reviews() -> tuple[list[str], np.ndarray]:
    generator = np.random.default_rng(0)
    moods = generator.integers(2, size=600)

    def sentence(mood: int) -> str:
        first, second = (generator.choice(MOODS[m if generator.random() < 0.8 else 1 - m]) for m in (mood, mood))
        return f"the {first} {generator.choice(THINGS)} was {second} and they left ."

    return [" ".join(sentence(mood) for _ in range(8)) for mood in moods], moods


@pytest.fixture(scope="module")
def model(reviews):
    return pretrain(reviews[0], PretrainOptions(size="tiny", steps=2, context=64, word_classes=CLASSES), texts=True)


def test_frozen_with_unlabelled_texts_by_every_way(model, reviews, tmp_path):
    texts, moods = reviews
    labels, rest, test = [str(mood) for mood in moods[:30]], texts[30:400], texts[400:]
    classifier = finetune(model, texts[:30], labels, FinetuneOptions(method="frozen"), unlabelled=rest)
    found = classifier.predict_proba(test)
    assert (found.argmax(1) == moods[400:]).mean() > 0.9
    assert classifier.facts["finetune"]["co_training"]["teachers"]
    drawn, facts = FrozenDraws(model).fit_predict(texts[:30], labels, test, 0, (rest, PseudoLabelOptions()))
    np.testing.assert_allclose(drawn.probabilities, found, atol=1e-5)
    assert facts["teachers"] == classifier.facts["finetune"]["co_training"]["teachers"]
    classifier.save(tmp_path / "classifier")
    np.testing.assert_allclose(load(tmp_path / "classifier").predict_proba(test), found, atol=2e-3)


@pytest.mark.slow
def test_an_encoder_of_characters_has_document_vectors_of_words(reviews):
    texts, moods = reviews
    labels = [str(mood) for mood in moods[:30]]
    options = PretrainOptions(encoder="elmo", size="tiny", steps=1, batch_tokens=64, word_classes=CLASSES)
    elmo = pretrain(texts, options, texts=True)
    for settings in (FinetuneOptions(method="frozen"), FinetuneOptions(epochs=1, least_steps=1)):
        for unlabelled in (None, texts[30:200]):
            made = finetune(elmo, texts[:30], labels, settings, unlabelled=unlabelled)
            assert (made.predict_proba(texts[400:500]).argmax(1) == moods[400:500]).mean() > 0.8


def test_fine_tuning_learns_from_the_guesses(model, reviews):
    texts, moods = reviews
    labels = [str(mood) for mood in moods[:30]]
    options = FinetuneOptions(epochs=1, least_steps=2)
    classifier = finetune(model, texts[:30], labels, options, unlabelled=texts[30:400])
    assert 150 < classifier.facts["finetune"]["pseudo_labelled"] <= 185  # half of them, in the labels' proportions
    assert (classifier.predict_proba(texts[400:]).argmax(1) == moods[400:]).mean() > 0.85
