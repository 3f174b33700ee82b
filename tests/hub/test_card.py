"""A card says what the facts say, calls the rest not recorded, and leaves a card alone that a person wrote."""

from langnet.hub.card import MARK, CardFacts, is_own, write_card
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.model import load

SCORES = {"bits_per_byte": 2.1234, "perplexity": 31.2, "n_tokens": 5000, "n_bytes": 20_000, "n_documents": 12}
FACTS = {
    "corpus": {"documents": 1234, "characters": 99_000, "bytes": 100_000, "files": 3, "duplicates": 7, "empty": 0},
    "pretrain": {"tokens": 4096, "steps": 8, "minutes": 1.5, "options": {"seed": 4}, "machine": "a laptop"},
    "validation": {**SCORES, "interval": [2.0, 2.25]},
}
TRANSFER = {
    "examples": 100,
    "pseudo_labelled": 0,
    "options": {"method": "frozen", "seed": 1},
    "layer_weights": [0.25, 0.75],
    "frozen_choice": {"strength": 8.0, "log_loss": 0.5},
    "training_texts": {"labels": {"pos": 60, "neg": 40}},
}


def test_a_language_model():
    card = write_card(CardFacts("my-lm", "gpt", "tiny", {"layers": "2"}, facts=FACTS))
    for said in (
        "# my-lm", "family gpt, size tiny", "| layers | 2 |", "1,234 documents", "7 duplicates",
        "4,096 tokens in 8 steps", "1.5 minutes", "a laptop",
        "2.123 bits per byte (95 % interval 2.000 to 2.250 over documents)",
        "Languages: not recorded", "12 documents, 5,000 tokens, 20,000 bytes", 'langnet.load("my-lm")',
    ):  # fmt: skip
        assert said in card, said


def test_a_classifier_claims_no_score():
    card = write_card(
        CardFacts("c", "gpt", None, {}, ["neg", "pos"], 2048, {**FACTS, "finetune": TRANSFER}, "classify")
    )
    for said in (
        "A text classifier of 2 labels", "linear head on frozen features, from 100 labelled texts", "strength 8",
        "0.250, 0.750", "`pos` (60)", "Nothing on new texts", "more than 2,048 tokens", "langnet evaluate c test.csv",
    ):  # fmt: skip
        assert said in card, said
    assert "2.123" not in card  # the language model's score is not the classifier's


def test_what_was_transferred():
    options = {"method": "finetune", "seed": 1, "layers": 2}
    run = {"examples": 100, "options": options}
    card = write_card(CardFacts("c", "gpt", None, {}, ["a", "b"], 2048, {**FACTS, "finetune": run}, "classify"))
    assert "Fine-tuning of all weights, from 100 labelled texts" in card
    assert "its embeddings and lowest 2 layers were taken" in card


def test_what_is_not_known_is_not_claimed():
    card = write_card(CardFacts("x", "gpt", None, {}))
    assert "**Pretraining.** Not recorded." in card
    assert "nothing is known" in card
    assert "None" not in card
    transferred = write_card(CardFacts("x", "gpt", None, {}, ["a"], facts={"finetune": {"examples": 3}}, task="tag"))
    assert "Transfer, from 3 labelled texts" in transferred
    assert "A model for the task `tag` of 1 labels" in transferred
    nothing_held_out = {**FACTS, "validation": {**SCORES, "n_bytes": 0, "bits_per_byte": 0.0, "interval": None}}
    assert "nothing is known" in write_card(CardFacts("x", "gpt", None, {}, facts=nothing_held_out))


def test_two_stages():
    adapted = {**FACTS, "pretrain": {**FACTS["pretrain"], "tokens": 999}, "adapted_from": FACTS}
    card = write_card(CardFacts("x", "gpt", "tiny", {}, facts=adapted))
    assert card.index("4,096 tokens") < card.index("**Adaptation to other text.**") < card.index("999 tokens")


def test_saving_writes_it_and_keeps_a_person_s_own(tiny_model, tiny_labelled, tmp_path):
    tiny_model.save(tmp_path / "lm")
    model = load(tmp_path / "lm")
    assert MARK in model.card
    assert "# lm" in model.card
    classifier = finetune(model, tiny_labelled.texts[:30], tiny_labelled.labels[:30], FinetuneOptions("frozen"))
    classifier.save(tmp_path / "classifier")
    assert "A text classifier of 2 labels" in load(tmp_path / "classifier").card
    model.card = "# Mine\n"
    assert is_own(model.card)
    model.save(tmp_path / "own")
    assert load(tmp_path / "own").card == "# Mine\n"
    tuned = finetune(
        load(tmp_path / "own"), tiny_labelled.texts[:30], tiny_labelled.labels[:30], FinetuneOptions("frozen")
    )
    tuned.save(tmp_path / "tuned")
    assert "Mine" not in load(tmp_path / "tuned").card  # what was said of the language model need not hold for it
