"""Pseudo-log-probabilities equal those of a loop over tokens; words; windows; what has none says so."""

import math
import unicodedata

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.evaluate import hidden_tokens
from langnet.evaluate.likelihood import Continuation
from langnet.evaluate.pseudo_likelihood import PseudoScore, pseudo_scores, sum_up_pseudo
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.recipes.score import pseudo_score_sources
from langnet.tasks.rows import overlapping
from langnet.text.prepare import PrepareOptions
from langnet.text.spelling import Spelling
from langnet.text.tokenizer import word_spans

MODELS = [
    "gpt masked bpe",
    "gpt causal+masked bytes",
    "gpt-2 masked unigram",
    "awd-lstm masked bpe",
    "elmo masked words",
]
TEXTS = ["Films, unbelievably", "a", "", "It wasn't\n12345 — Zürich!"]
CONTEXT = 64


def small(family, objective, kind, texts, **more):
    prepare = PrepareOptions(tokenizer=kind, vocabulary_size=None if kind == "bytes" else 300)
    sizes = {"context": CONTEXT, "steps": 2, "batch_tokens": 128, "document_vectors": False, "prepare": prepare}
    return pretrain(texts, PretrainOptions(family, "tiny", objective=objective, **{**sizes, **more}), texts=True)


@pytest.fixture(scope="module", params=MODELS)
def model(request, tiny_labelled):
    found = small(*request.param.split(), tiny_labelled.texts[:40])
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():  # what was learned in two steps is nearly the same everywhere
        for parameter in found.encoder.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.2)
    return found


def guess(model, ids, place, hidden, spelling):
    """Log-softmax of the token at a place with some places hidden: one row, one softmax, in float64."""
    read = torch.tensor([[model.tokenizer.mask_id if i in hidden else int(t) for i, t in enumerate(ids)]])
    target = int(ids[place])
    if spelling:
        characters = spelling.characters(read[0].numpy()).astype(np.int64)
        read, target = torch.from_numpy(characters)[None], int(spelling.predictable(torch.tensor([target]))[0])
    shifted = model.network.task.name == "causal_masked_language_model"
    encoder = model.encoder
    with torch.no_grad():
        state = encoder(read, causal=False if shifted else None).top[0, place - shifted]
        halves = state.double().chunk(2) if encoder.bidirectional else [state.double()]
        scores = sum(encoder.output_weight().double() @ half for half in halves)
        if encoder.output_bias() is not None:
            scores = scores + encoder.output_bias().double()
    return float(scores.log_softmax(0)[target])


def tokens_of(model, text):
    """Ids between start and end, the word of each of the text's own (None outside words), and the spelling."""
    text, tokenizer = unicodedata.normalize("NFC", text), model.tokenizer
    (_, places), *_ = tokenizer.encode_with_offsets([text])
    spans = word_spans(text)
    words = [next((i for i, (a, b) in enumerate(spans) if a < end <= b), None) for _, end in places]
    if model.encoder.characters:
        documents, spelling = Spelling.of_texts([text], tokenizer)
        return documents[0], words, spelling
    return [tokenizer.start_id, *tokenizer.encode(text), tokenizer.extract_id], words, None


def by_hand(model, text, hide, first=0):
    """A loop over the tokens, from the text's own token `first` on."""
    ids, words, spelling = tokens_of(model, text)
    total = 0.0
    for place in range(1 + first, len(ids) - 1):
        later = range(place + 1, len(ids) - 1)
        same = [i for i in later if words[i - 1] is not None and words[i - 1] == words[place - 1]]
        total += guess(model, ids, place, {place, *(same if hide == "word" else [])}, spelling)
    return total, len(ids) - 2 - first


@pytest.mark.parametrize("hide", ["word", "token"])
def test_texts_by_hand(model, hide):
    for text, score in zip(TEXTS, model.pseudo_scores(TEXTS, hide), strict=True):
        expected, n_tokens = by_hand(model, text, hide)
        assert score.pseudo_log_probability == pytest.approx(expected, rel=1e-5, abs=1e-5)
        assert (score.n_tokens, score.n_bytes) == (n_tokens, len(text.encode()))
    assert [score.n_words for score in model.pseudo_scores(TEXTS)] == [3, 1, 0, 6]


@pytest.mark.parametrize("hide", ["word", "token"])
def test_endings_by_hand(model, hide):
    prompt = "The film was"
    endings = [" unbelievably moving.", " bad", "n't. It was Zürich"]
    (found,) = model.likelihoods([[Continuation(prompt, ending) for ending in endings]], pseudo=hide)
    for ending, one in zip(endings, found, strict=True):
        (_, places), *_ = model.tokenizer.encode_with_offsets([prompt + ending])
        first = next(i for i, (_, end) in enumerate(places) if end > len(prompt))
        expected, n_tokens = by_hand(model, prompt + ending, hide, first)
        assert one.log_probability == pytest.approx(expected, rel=1e-5)
        assert (one.n_tokens, one.n_bytes, one.n_left_out) == (n_tokens, len(ending.encode()), 0)


def test_words_hide_what_would_give_them_away(model):
    """The two ways differ where a word has several tokens, and there only."""
    for text in ("unbelievably", "."):
        ids, _, _ = tokens_of(model, text)
        word, token = (model.pseudo_scores([text], hide)[0].pseudo_log_probability for hide in ("word", "token"))
        assert (word == pytest.approx(token, rel=1e-6)) == (len(ids) == 3)


def test_batches_change_nothing(model, monkeypatch):
    texts = [*TEXTS, "The story was boring. " * 2]
    together = [score.pseudo_log_probability for score in model.pseudo_scores(texts)]
    read = []
    original = model.encoder.forward
    monkeypatch.setattr(hidden_tokens, "TOKENS_AT_ONCE", 100)
    monkeypatch.setattr(
        model.encoder,
        "forward",
        lambda ids, *rest, **named: (read.append(ids.shape[:2].numel()), original(ids, *rest, **named))[1],
    )
    alone = [model.pseudo_scores([text])[0].pseudo_log_probability for text in reversed(texts)][::-1]
    assert together == pytest.approx(alone, rel=1e-5)
    assert max(read) <= 100


def test_long_texts_are_read_in_windows(model):
    """Each token once, in the row that shows most around it; rows as long as the context."""
    if model.encoder.context is None:
        pytest.skip("this encoder has no limit")
    text = "The unbelievable story was boring. The hero wasn't superb. " * (1 if model.tokenizer.kind == "bytes" else 2)
    text += "zzz " * max(0, (70 - len(model.tokenizer.encode(text))) // 3)
    ids, words, _ = tokens_of(model, text)
    assert len(ids) > CONTEXT
    rows, places = overlapping(np.array(ids), CONTEXT)
    owners, _ = overlapping(np.array([-9, *(-1 - i if w is None else w for i, w in enumerate(words)), -8]), CONTEXT)
    total = 0.0
    for row, column in places[1:-1]:
        own = owners[row]
        total += guess(model, rows[row], column, {i for i in range(column, len(own)) if own[i] == own[column]}, None)
    (score,) = model.pseudo_scores([text])
    assert score.n_tokens == len(ids) - 2
    assert score.pseudo_log_probability == pytest.approx(total, rel=1e-5)


def test_prompts_lose_their_beginning_and_endings_have_to_fit(model):
    prompt, ending = "The film was a joy. " * 30, " moving"
    if model.encoder.context is None:
        pytest.skip("this encoder has no limit")
    ((one,),) = model.likelihoods([[Continuation(prompt, ending)]], pseudo="word")
    n_tokens = len(tokens_of(model, prompt + ending)[0])
    assert one.n_left_out == n_tokens - CONTEXT
    with pytest.raises(LangnetError, match=f"and the model reads {CONTEXT}"):
        model.likelihoods([[Continuation("", prompt)]], pseudo="word")
    with pytest.raises(LangnetError, match="nothing to predict in the ending ''"):
        model.likelihoods([[Continuation("The film", "", ends=True)]], pseudo="word")
    assert model.likelihoods([], pseudo="word") == []


def test_backward_models_hide_what_they_read_later(tiny_labelled):
    model = small("gpt", "masked", "bytes", tiny_labelled.texts[:20], direction="backward")
    assert model.tokenizer.direction == "backward"
    text = "ab c"
    ids = np.array([model.tokenizer.start_id, *model.tokenizer.encode(text), model.tokenizer.extract_id])
    expected = [guess(model, ids, place, hidden, None) for place, hidden in ((1, {1}), (2, {2}), (3, {3, 4}), (4, {4}))]
    (score,) = model.pseudo_scores([text])
    assert score.pseudo_log_probability == pytest.approx(sum(expected), rel=1e-5)
    ((end,),) = model.likelihoods([[Continuation("ab", " c")]])
    assert end.log_probability == pytest.approx(sum(expected[:2]), rel=1e-5)


def test_sums():
    scores = [PseudoScore(-10.0, 5, 2, 20, 1), PseudoScore(-30.0, 15, 3, 60)] * 20
    found = sum_up_pseudo(scores)
    assert found.pseudo_perplexity == pytest.approx(math.exp(2))
    assert found.per_word == pytest.approx(math.exp(8))
    assert found.per_byte == pytest.approx(math.exp(0.5))
    assert (found.n_tokens, found.n_words, found.n_bytes, found.n_documents) == (400, 100, 1600, 40)
    assert found.note.startswith("5.0 % of words unknown")
    uneven = sum_up_pseudo([PseudoScore(-10.0, 5, 2, 20), PseudoScore(-90.0, 15, 3, 60)] * 20)
    assert math.exp(4) < uneven.interval.low < uneven.pseudo_perplexity == math.exp(5) < uneven.interval.high
    assert sum_up_pseudo(scores[:1]).to_dict()["interval"] is None
    assert not [name for name in found.to_dict() if "bits" in name]


def test_what_was_learned_is_guessed_better(tiny_labelled):
    model = small("gpt", "masked", "words", tiny_labelled.texts[:100], steps=60, batch_tokens=256, context=16)
    good, bad = model.pseudo_scores(["The film was moving.", "moving film The was."])
    assert good.pseudo_log_probability > bad.pseudo_log_probability + 2


def test_only_models_that_guess_hidden_tokens_have_them(tiny_model, tmp_path):
    with pytest.raises(LangnetError, match=r"'language_model' and has not learned to guess hidden .* leave --pseudo"):
        tiny_model.pseudo_scores(["a text"])
    with pytest.raises(LangnetError, match="no <mask>"):
        pseudo_scores(tiny_model.encoder, tiny_model.tokenizer, ["a text"])
    (tmp_path / "raw.txt").write_text("a text")
    with pytest.raises(LangnetError, match="leave --pseudo out"):
        pseudo_score_sources(tiny_model, [tmp_path / "raw.txt"])
