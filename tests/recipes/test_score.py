"""What `score` says is what the softmax says, document by document; and a model writes text."""

import io
import math
import sys

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.evaluate.language_model import TextScore, sum_up
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.score import score_sources, score_stream
from langnet.text.corpus import CorpusOptions, Document


def by_hand(model, text):
    """Every token's log-softmax, in windows that overlap by half, in float64."""
    ids = [model.tokenizer.start_id, *model.tokenizer.encode(text), model.tokenizer.extract_id]
    context, total, scored, start = model.encoder.context, 0.0, 1, 0
    while scored < len(ids):
        end = min(start + context + 1, len(ids))
        window = torch.tensor([ids[start:end]])
        with torch.no_grad():
            logits = model.encoder.logits(model.encoder(window[:, :-1]).top)[0].double()
        picked = logits.log_softmax(-1)[torch.arange(end - start - 1), window[0, 1:]]
        total += float(picked[scored - start - 1 :].sum())
        scored, start = end, end - 1 - context // 2
    return total, len(ids) - 1


TEXTS = ["The film was moving.", "a", "", "The story was boring. " * 40, "The hero was superb. The script was awful."]


def test_log_probabilities(tiny_model):
    for text, score in zip(TEXTS, tiny_model.score_texts(TEXTS), strict=True):
        expected, n_tokens = by_hand(tiny_model, text)
        assert score.log_probability == pytest.approx(expected, rel=1e-4)
        assert score.n_tokens == n_tokens
        assert score.n_bytes == len(text.encode())


def test_the_log_probabilities_of_all_continuations_sum_to_one(tiny_model):
    """Over one step: every next token, the end among them, given the same beginning."""
    ids = torch.tensor([[tiny_model.tokenizer.start_id]])
    with torch.no_grad():
        shares = tiny_model.encoder.logits(tiny_model.encoder(ids).top)[0, 0].softmax(0)
    empty = tiny_model.score_texts([""])[0]
    assert empty.log_probability == pytest.approx(math.log(shares[tiny_model.tokenizer.extract_id]), rel=1e-4)


def test_what_was_learned_is_more_probable(tiny_model):
    good, bad = tiny_model.score_texts(["The film was moving.", "moving film The was."])
    assert good.log_probability > bad.log_probability + 2


def test_sums_and_interval():
    scores = [TextScore(-10.0 * math.log(2), 5, 4), TextScore(-30.0 * math.log(2), 11, 16)] * 20
    found = sum_up(scores)
    assert found.bits_per_byte == pytest.approx(800 / 400)
    assert found.perplexity == pytest.approx(2 ** (800 / 320))
    assert (found.n_tokens, found.n_bytes, found.n_documents) == (320, 400, 40)
    assert 1.875 < found.interval.low < 2 < found.interval.high < 2.5
    assert math.isnan(sum_up(scores[:1]).interval.low)
    assert sum_up(scores[:1]).to_dict()["interval"] is None


def test_sources(tiny_model, tmp_path):
    (tmp_path / "a.txt").write_text("The film was moving.\n\nThe film was boring.")
    (tmp_path / "b.txt").write_text("The script was clumsy.\x00")
    paths = [tmp_path / "a.txt", tmp_path / "b.txt"]
    found, total = score_sources(tiny_model, paths, CorpusOptions(documents="line"))
    texts = tiny_model.score_texts(["The film was moving.", "The film was boring.", "The script was clumsy."])
    assert [row.scores.n_documents for row in found] == [2, 1]
    bits = -sum(score.log_probability for score in texts) / math.log(2)
    assert total.bits_per_byte == pytest.approx(bits / sum(score.n_bytes for score in texts), rel=1e-5)


def test_a_stream_keeps_its_order(tiny_model, monkeypatch):
    monkeypatch.setattr("langnet.recipes.score.CHARACTERS_AT_ONCE", 30)
    order = np.random.default_rng(0).permutation(TEXTS * 3).tolist()
    found = list(score_stream(tiny_model, (Document(text, str(i)) for i, text in enumerate(order))))
    assert [document.source for document, _ in found] == [str(i) for i in range(len(order))]
    again = tiny_model.score_texts([text.strip() for text in order])
    np.testing.assert_allclose([s.log_probability for _, s in found], [s.log_probability for s in again], rtol=1e-4)


def test_nothing_to_score(tiny_model, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b" \n")))
    with pytest.raises(LangnetError, match="no text in -"):
        score_sources(tiny_model, ["-"])


def test_a_model_writes(tiny_model):
    text = tiny_model.generate("The film", tokens=30, temperature=0.5)
    assert text == tiny_model.generate("The film", tokens=30, temperature=0.5)
    assert any(word in text for word in ("was", "The", "."))


def test_a_classifier_neither_writes_nor_scores(tiny_model, tiny_labelled):
    classifier = finetune(tiny_model, tiny_labelled.texts[:40], tiny_labelled.labels[:40], FinetuneOptions("frozen"))
    with pytest.raises(LangnetError, match="classifier and cannot write"):
        classifier.generate("The")
    with pytest.raises(LangnetError, match="classifier and cannot score"):
        classifier.score_texts(["The"])
