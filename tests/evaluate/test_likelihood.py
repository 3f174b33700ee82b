"""Likelihoods of endings equal the softmax's, however they are batched and shared; ties are wrong."""

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.evaluate import likelihood
from langnet.evaluate.likelihood import Continuation, hits, likelihoods, tied
from langnet.evaluate.likelihood_neighbours import UnigramModel, shortness
from langnet.evaluate.scoring import resampled, scores_with_intervals
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.text.spelling import Spelling

FAMILIES = ["gpt", "gpt-2018", "awd-lstm", "elmo", "gpt causal+masked"]
PROMPTS = ["The film was", "", "The story was boring. The hero was", "The ending was a joy. " * 3 + "The acting was"]
ENDINGS = [" moving.", " dreadful.", " a waste. The script was clumsy.", " superb"]


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, tiny_labelled):
    family, _, objective = request.param.partition(" ")
    options = PretrainOptions(
        family, "tiny", context=64, steps=3, batch_tokens=256, document_vectors=False, objective=objective or None
    )
    return pretrain(tiny_labelled.texts[:100], options, texts=True)


def questions(prompts=PROMPTS):
    return [[Continuation(prompt, ending) for ending in ENDINGS] for prompt in prompts]


def by_hand(model, prompt, ending):
    """The log-softmax of every token that reaches beyond the prompt, one row at a time, in float64."""
    (ids, places), *_ = model.tokenizer.encode_with_offsets([prompt + ending])
    row = [model.tokenizer.start_id, *ids]
    read = torch.tensor([row[:-1]])
    if model.encoder.characters:
        documents, spelling = Spelling.of_texts([prompt + ending], model.tokenizer)
        read = torch.from_numpy(spelling.characters(documents[0][:-2]).astype(np.int64))[None]
    with torch.no_grad():
        causal = None if model.encoder.bidirectional else True
        logits = model.encoder.logits(model.encoder(read, causal=causal).top)[0].double().log_softmax(-1)
    first = 1 + next(i for i, (_, end) in enumerate(places) if end > len(prompt))
    return sum(float(logits[i - 1, row[i]]) for i in range(first, len(row))), len(row) - first


def test_every_family_by_hand(model):
    found = model.likelihoods(questions())
    for prompt, likely in zip(PROMPTS, found, strict=True):
        for ending, one in zip(ENDINGS, likely, strict=True):
            expected, n = by_hand(model, prompt, ending)
            assert one.log_probability == pytest.approx(expected, abs=2e-4)
            assert (one.n_tokens, one.n_bytes, one.n_left_out) == (n, len(ending.encode()), 0)
            assert one.score("tokens") == pytest.approx(expected / n, abs=2e-4)


def test_shared_beginnings_change_nothing(model, monkeypatch):
    shared = model.likelihoods(questions())
    monkeypatch.setattr(likelihood, "WORTH_SHARING", 10_000)
    monkeypatch.setattr(likelihood, "TOKENS_AT_ONCE", 40)
    alone = model.likelihoods(questions()[::-1])[::-1]
    for one, other in zip(shared, alone, strict=True):
        assert [a.log_probability for a in one] == pytest.approx([b.log_probability for b in other], abs=2e-4)


def test_a_beginning_is_read_once(tiny_model, monkeypatch):
    read = []
    original = tiny_model.encoder.forward
    monkeypatch.setattr(
        tiny_model.encoder,
        "forward",
        lambda ids, *rest, **named: (read.append(ids.numel()), original(ids, *rest, **named))[1],
    )
    prompt = "The film was moving. The hero was awful. The script was"
    likelihoods(
        tiny_model.encoder, tiny_model.tokenizer, [[Continuation(prompt, f" {w}") for w in ("funny", "boring")]]
    )
    length = len(tiny_model.tokenizer.encode(prompt))
    assert sum(read) < 2 * length


def test_the_end_of_the_document(tiny_model):
    texts = ["The film was moving.", "The hero was superb. The film was boring."]
    found = tiny_model.likelihoods([[Continuation("", text, ends=True) for text in texts]])[0]
    expected = tiny_model.score_texts(texts)
    assert [one.log_probability for one in found] == pytest.approx([e.log_probability for e in expected], rel=1e-4)
    assert [one.n_tokens for one in found] == [e.n_tokens for e in expected]


def test_a_long_text_keeps_its_end(tiny_model):
    """What is read is the template before the text, the text's last tokens, and all behind it."""
    context = tiny_model.encoder.context
    head, text, behind = "Review: ", "The story was boring. " * 40, "It was"
    found = tiny_model.likelihoods(
        [
            [
                Continuation(head + text + behind, f" {w}", (len(head), len(head + text)))
                for w in ("funny", "dreadful indeed")
            ]
        ]
    )[0]
    assert found[0].n_left_out == found[1].n_left_out > 0
    ids, places = tiny_model.tokenizer.encode_with_offsets([head + text + behind + " funny"])[0]
    start = next(i for i, (a, _) in enumerate(places) if a >= len(head))
    kept = [tiny_model.tokenizer.start_id, *ids[:start], *ids[start + found[0].n_left_out :]]
    assert len(kept) <= context + 1
    with torch.no_grad():
        shares = (
            tiny_model.encoder.logits(tiny_model.encoder(torch.tensor([kept[:-1]])).top)[0].double().log_softmax(-1)
        )
    n = found[0].n_tokens
    expected = sum(float(shares[len(kept) - 1 - i - 1, kept[len(kept) - 1 - i]]) for i in range(n))
    assert found[0].log_probability == pytest.approx(expected, abs=2e-4)


def test_what_cannot_be_judged(tiny_model):
    with pytest.raises(LangnetError, match="there is nothing to predict in the ending ''"):
        tiny_model.likelihoods([[Continuation("The film", "")]])
    with pytest.raises(LangnetError, match="the model reads 33"):
        tiny_model.likelihoods([[Continuation("The film", " was moving." * 50)]])
    assert tiny_model.likelihoods([]) == []


def test_ties_are_wrong():
    scores = [np.array([1.0, 0.0]), np.array([0.0, 0.0]), np.array([-2.0, -1.0]), np.array([np.nan, 0.0])]
    assert hits(scores, [0, 0, 0, 1]).tolist() == [1, 0, 0, 0]
    assert tied(np.array([[-100.0, -100.00001], [-100.0, -100.1]])).tolist() == [True, False]
    assert tied(np.array([[-100.0], [np.nan]])).tolist() == [False, True]  # nothing stands beside the only alternative


def test_unigrams(tiny_model):
    unigram = UnigramModel.of(["The film The film"] * 3, tiny_model.tokenizer)
    assert np.exp(unigram.log_shares).sum() == pytest.approx(1)
    often, rare = unigram.scores(["The film", "awful"], tiny_model.tokenizer, "tokens")
    assert often > rare
    assert shortness(["a", "é", "abc"]).tolist() == [-1, -2, -3]


def test_equal_examples_are_resampled_together():
    generator = np.random.default_rng(0)
    hit = (generator.random(2000) < 0.7).astype(float)
    statistics = np.stack([hit, np.ones_like(hit)], axis=1)
    sums = resampled(statistics, n_resamples=400)
    assert (sums[:, 1] == 2000).all()
    assert sums[:, 0].std() == pytest.approx(np.sqrt(2000 * hit.mean() * (1 - hit.mean())), rel=0.15)
    score = scores_with_intervals(statistics, lambda s: {"accuracy": s[..., 0] / s[..., 1]})["accuracy"]
    assert score.interval.low < score.value < score.interval.high
