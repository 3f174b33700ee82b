"""Masked models where texts are scored: what is given, named, and refused."""

import json
import math

import pytest

from langnet.errors import LangnetError
from langnet.recipes.evaluate import evaluate_language_model
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.recipes.score import pseudo_score_sources
from langnet.text.corpus import CorpusOptions
from langnet.text.prepare import PrepareOptions

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
