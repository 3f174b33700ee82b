"""Masked models where texts are scored and questions answered without labels: what is given, named, and refused."""

import json
import math

import numpy as np
import pytest
from scipy.special import log_softmax

from langnet.errors import LangnetError
from langnet.evaluate.likelihood import Continuation
from langnet.recipes.evaluate import evaluate_language_model
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.recipes.score import pseudo_score_sources
from langnet.recipes.zero_choices import ChoiceOptions, choose, zero_acceptability, zero_choices, zero_pairs
from langnet.recipes.zero_labels import Verbaliser, ZeroOptions, evaluate_zero_labels, zero_labels
from langnet.text.choices import Choice, Judged, MinimalPair
from langnet.text.corpus import CorpusOptions
from langnet.text.prepare import PrepareOptions
from tests.conftest import BAD, GOOD, THINGS

LINES = ["The film was moving.", "The unbelievable script was clumsy.", "The film was a joy."]


def made(objective, tiny_labelled):
    options = PretrainOptions(
        "gpt", "tiny", objective=objective, context=32, steps=30, batch_tokens=256, document_vectors=False,
        prepare=PrepareOptions(vocabulary_size=300),
    )  # fmt: skip
    return pretrain(tiny_labelled.texts[:100], options, texts=True)


@pytest.fixture(scope="module")
def masked(tiny_labelled):
    return made("masked", tiny_labelled)


@pytest.fixture(scope="module")
def both(tiny_labelled):
    return made("causal+masked", tiny_labelled)


@pytest.fixture
def folder(tmp_path, masked, both):
    masked.save(tmp_path / "masked")
    both.save(tmp_path / "both")
    (tmp_path / "raw.txt").write_text("\n".join(LINES), encoding="utf8")
    return tmp_path


def scored(answered, folder, name, *arguments, code=0):
    return answered("score", folder / name, folder / "raw.txt", *arguments, code=code)


def test_a_masked_model_scores_lines_by_guessing_their_tokens(folder, answered, masked):
    for arguments, hide in (((), "word"), (("--pseudo", "word"), "word"), (("--pseudo", "token"), "token")):
        rows = [json.loads(row) for row in scored(answered, folder, "masked", "--lines", *arguments).splitlines()]
        assert [row["text"] for row in rows] == LINES
        for row, own in zip(rows, masked.pseudo_scores(LINES, hide), strict=True):
            assert row.keys() == {"source", "text", "pseudo_log_probability", "tokens", "words", "bytes"}
            assert row["pseudo_log_probability"] == pytest.approx(own.pseudo_log_probability, abs=1e-4)
            assert (row["tokens"], row["words"], row["bytes"]) == (own.n_tokens, own.n_words, own.n_bytes)


def test_the_table_is_named_pseudo(folder, answered, masked):
    said = scored(answered, folder, "masked", "--documents", "line", "--json", folder / "scores.json")
    assert "pseudo-" in said.splitlines()[0]
    assert "bits" not in said
    said = " ".join(said.split())
    assert "each token hidden with what follows in its word, and guessed from all others. No causal model's" in said
    found = json.loads((folder / "scores.json").read_text())["total"]
    nats = -sum(score.pseudo_log_probability for score in masked.pseudo_scores(LINES))
    n_bytes, n_words = sum(len(line.encode()) for line in LINES), 5 + 6 + 6
    assert found["pseudo_perplexity"] == pytest.approx(math.exp(nats / found["n_tokens"]), rel=1e-4)
    assert found["pseudo_perplexity_per_word"] == pytest.approx(math.exp(nats / n_words), rel=1e-4)
    assert found["pseudo_perplexity_per_byte"] == pytest.approx(math.exp(nats / n_bytes), rel=1e-4)
    assert (found["n_words"], found["n_bytes"], found["n_documents"]) == (n_words, n_bytes, 3)
    rows, total = pseudo_score_sources(masked, [folder / "raw.txt"], CorpusOptions(documents="line"))
    assert rows[0].scores == total
    assert total.pseudo_perplexity == pytest.approx(found["pseudo_perplexity"])


def test_both_ways_are_causal_unless_asked(folder, answered, both):
    first = json.loads(scored(answered, folder, "both", "--lines").splitlines()[0])
    assert first["log_probability"] == pytest.approx(both.score_texts(LINES[:1])[0].log_probability, abs=1e-4)
    first = json.loads(scored(answered, folder, "both", "--lines", "--pseudo", "token").splitlines()[0])
    assert "log_probability" not in first
    (own,) = both.pseudo_scores(LINES[:1], "token")
    assert first["pseudo_log_probability"] == pytest.approx(own.pseudo_log_probability, abs=1e-4)
    assert "bits/byte" in scored(answered, folder, "both")


def test_what_has_no_such_score_says_so_in_one_line(folder, answered, tiny_model, masked):
    tiny_model.save(folder / "causal")
    refused = [
        ("causal", ("--pseudo", "word"), "has not learned to guess hidden tokens"),
        ("causal", ("--pseudo", "token", "--lines"), "leave --pseudo out, or pretrain with --objective masked"),
        ("masked", ("--cache-window", 10), "a cache needs probabilities from the left"),
    ]
    for name, arguments, message in refused:
        said = scored(answered, folder, name, *arguments, code=2)
        assert message in said
        assert len(said.strip().splitlines()) == 1
    with pytest.raises(LangnetError, match=r"no probabilities, .* langnet score gives pseudo-log-probabilities"):
        evaluate_language_model(masked, [folder / "raw.txt"])


PAIRS = [
    MinimalPair(f"The {thing} was {word}.", f"was The {thing} {word}.", {"field": "order"})
    for thing in THINGS[:3]
    for word in [*GOOD[:2], *BAD[:2]]
]
TOLD = {"word": "each token hidden with what follows in its word", "token": "each token hidden alone"}


def told(report):
    return [line for line in report.details if "pseudo" in line]


@pytest.mark.parametrize(("normalise", "pseudo"), [("none", None), ("tokens", "word"), ("bytes", "token")])
def test_pairs_differ_by_their_pseudo_log_probabilities(masked, normalise, pseudo):
    found = zero_pairs(masked, PAIRS, normalise, pseudo=pseudo)
    for pair, row in zip(PAIRS, found.rows, strict=True):
        two = masked.pseudo_scores([pair.good, pair.bad], pseudo or "word")
        lengths = [{"none": 1, "tokens": one.n_tokens, "bytes": one.n_bytes}[normalise] for one in two]
        good, bad = (one.pseudo_log_probability / length for one, length in zip(two, lengths, strict=True))
        assert row["margin"] == pytest.approx(good - bad, abs=1e-4)
    assert TOLD[pseudo or "word"] in told(found.report)[0]


def test_what_was_learned_is_preferred(masked):
    assert zero_pairs(masked, PAIRS).report.rows[0].scores["accuracy"].value > 0.9


def test_choices_by_the_endings_pseudo_log_probability(masked):
    question = Choice("The film was ", ("moving", "a joy"), ". The hero was superb.", 0, domain="was ")

    def asked(before, after, hide="word"):
        endings = [[Continuation(before.format(word), after.format(word))] for word in question.alternatives]
        return [one.log_probability for (one,) in masked.likelihoods(endings, pseudo=hide)]

    full = asked(question.before, "{}" + question.after)
    partial = asked(question.before + "{}", question.after)
    domain = asked(question.domain, "{}" + question.after)
    for scoring, expected in (("full", full), ("partial", partial), ("pmi", np.subtract(full, domain))):
        (scores,) = choose(masked, [question], ChoiceOptions(scoring))
        np.testing.assert_allclose(scores, expected, rtol=1e-4)
    (scores,) = choose(masked, [question], ChoiceOptions("full", pseudo="token"))
    np.testing.assert_allclose(scores, asked(question.before, "{}" + question.after, "token"), rtol=1e-4)
    assert TOLD["token"] in told(zero_choices(masked, [question], ChoiceOptions(pseudo="token")).report)[0]


def test_labels_by_the_words_pseudo_log_probability(masked):
    verbaliser = Verbaliser({"pos": ["moving"], "neg": ["dreadful"]}, "{text} It was {label}.")
    for pseudo in (None, "token"):
        found = zero_labels(masked, LINES, verbaliser, ZeroOptions("none", pseudo=pseudo))
        for text, row in zip(LINES, found.probabilities, strict=True):
            asked = [Continuation(f"{text} It was ", f"{word}.") for word in ("dreadful", "moving")]
            (likely,) = masked.likelihoods([asked], pseudo=pseudo or "word")
            np.testing.assert_allclose(np.log(row), log_softmax([one.log_probability for one in likely]), atol=1e-3)
    report, _ = evaluate_zero_labels(masked, LINES, ["pos", "neg", "pos"], verbaliser, ZeroOptions(pseudo="token"))
    assert TOLD["token"] in told(report)[0]


def test_acceptability_by_the_pseudo_log_probability(masked):
    judged = [Judged(pair.good, True) for pair in PAIRS] + [Judged(pair.bad, False) for pair in PAIRS]
    found = zero_acceptability(masked, judged, judged, "none")
    own = masked.pseudo_scores([one.sentence for one in judged])
    assert [row["score"] for row in found.rows] == pytest.approx([s.pseudo_log_probability for s in own], abs=1e-4)
    assert TOLD["word"] in told(found.report)[0]


def test_both_ways_answer_causally_unless_asked(both, tiny_model):
    causal, pseudo = (zero_pairs(both, PAIRS[:3], pseudo=way) for way in (None, "word"))
    for pair, one, other in zip(PAIRS, causal.rows, pseudo.rows, strict=False):
        good, bad = (score.log_probability for score in both.score_texts([pair.good, pair.bad]))
        assert one["margin"] == pytest.approx(good - bad, abs=1e-3)
        good, bad = (score.pseudo_log_probability for score in both.pseudo_scores([pair.good, pair.bad]))
        assert other["margin"] == pytest.approx(good - bad, abs=1e-3)
    assert not told(causal.report)
    assert told(pseudo.report)
    with pytest.raises(LangnetError, match="has not learned to guess hidden tokens"):
        zero_pairs(tiny_model, PAIRS[:3], pseudo="word")


def test_zero_on_the_command_line(folder, answered):
    rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad} for pair in PAIRS[:2]]
    (folder / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    copa = {"premise": LINES[0], "choice1": "It was a joy.", "choice2": "It was.", "question": "effect", "label": 0}
    (folder / "copa.jsonl").write_text(json.dumps(copa))
    (folder / "labels.csv").write_text("text,label\nThe film was moving.,pos\nThe film was awful.,neg\n")
    (folder / "cola.csv").write_text("sentence,label\nThe film was moving.,1\nfilm The moving was.,0\n")
    words = ("--word", "pos=moving", "--word", "neg=awful")
    verbs = [("pairs", "pairs.jsonl"), ("choices", "copa.jsonl"), ("labels", "labels.csv", *words)]
    verbs.append(("acceptability", "cola.csv", "--dev", folder / "cola.csv"))
    for verb, source, *more in verbs:
        for name, way, expected in (("masked", (), "word"), ("both", ("--pseudo", "token"), "token")):
            said = answered("zero", verb, folder / name, folder / source, *more, *way)
            assert TOLD[expected] in " ".join(said.split())
    assert "pseudo" not in answered("zero", "pairs", folder / "both", folder / "pairs.jsonl")
