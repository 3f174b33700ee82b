"""Questions answered by likelihood: right answers on planted preferences, constant models with nothing right."""

import json
import zipfile

import numpy as np
import pytest
import torch

from langnet.cli.zero import TEMPLATE
from langnet.encoders.vectors import NO_LANGUAGE_MODEL, vectors_of
from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.model import Model
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.recipes.zero_choices import (
    ChoiceOptions,
    best_threshold,
    choose,
    zero_acceptability,
    zero_choices,
    zero_pairs,
)
from langnet.recipes.zero_labels import (
    DEFAULT_TEMPLATE,
    NO_LABEL,
    Verbaliser,
    ZeroOptions,
    evaluate_zero_labels,
    zero_labels,
)
from langnet.tasks.word_contexts import WordContexts
from langnet.text.choices import Choice, Judged, MinimalPair, read_choices, read_judged, read_minimal_pairs
from langnet.transfer.model import TaskModel
from tests.conftest import BAD, GOOD, THINGS

WORDS = {"pos": ["wonderful", "superb", "moving"], "neg": ["awful", "boring", "terrible"]}
PAIRS = [
    MinimalPair(f"The {thing} was {word}.", f"was The {thing} {word}.", {"field": "order"})
    for thing in THINGS
    for word in [*GOOD, *BAD]
]


@pytest.fixture(scope="module")
def constant(tiny_labelled):
    """A model that finds every token equally probable."""
    options = PretrainOptions(size="tiny", context=64, steps=1, batch_tokens=256, document_vectors=False)
    model = pretrain(tiny_labelled.texts[:50], options, texts=True)
    with torch.no_grad():
        model.encoder.token_embedding.weight.zero_()
    return model


def accuracy(report):
    return next(iter(report.rows[0].scores.values())).value


def named(report, name):
    return next(row for row in report.rows if row.name == name)


class TestPairs:
    def test_what_was_learned_is_preferred(self, tiny_model):
        found = zero_pairs(tiny_model, PAIRS)
        assert accuracy(found.report) > 0.95
        assert named(found.report, "chance").scores["accuracy"].value == 0.5
        assert named(found.report, "the shorter sentence").scores["accuracy"].value == 0  # equally long: ties
        (breakdown,) = found.report.breakdowns
        assert breakdown.title == "field"
        assert breakdown.rows[0][:2] == ("order", len(PAIRS))

    @pytest.mark.parametrize("normalise", ["none", "tokens", "bytes"])
    def test_margins_are_those_of_whole_documents(self, tiny_model, normalise):
        found = zero_pairs(tiny_model, PAIRS[:5], normalise)
        for pair, row in zip(PAIRS[:5], found.rows, strict=True):
            good, bad = tiny_model.score_texts([pair.good, pair.bad])
            length = {"none": (1, 1), "tokens": (good.n_tokens, bad.n_tokens), "bytes": (good.n_bytes, bad.n_bytes)}
            a, b = length[normalise]
            assert row["margin"] == pytest.approx(good.log_probability / a - bad.log_probability / b, abs=1e-3)

    def test_a_tie_is_wrong(self, constant, tiny_model):
        same = [MinimalPair("The film was moving.", "The film was moving.")] * 3
        assert accuracy(zero_pairs(tiny_model, same).report) == 0
        assert accuracy(zero_pairs(constant, PAIRS, "tokens").report) == 0
        assert "are ties" in zero_pairs(constant, PAIRS, "tokens").report.warnings[-1]

    def test_nothing_to_answer(self, tiny_model):
        with pytest.raises(LangnetError, match="there are no pairs"):
            zero_pairs(tiny_model, [])


class TestChoices:
    def test_full_partial_and_pmi_by_hand(self, tiny_model):
        one = Choice("The film was ", ("moving", "awful"), ". The hero was superb.", 0, domain="was ")

        def log(before, rest):
            """Of the tokens that reach beyond what stands before, by the softmax itself."""
            ids, places = tiny_model.tokenizer.encode_with_offsets([before + rest])[0]
            row = torch.tensor([[tiny_model.tokenizer.start_id, *ids]])
            with torch.no_grad():
                shares = tiny_model.encoder.logits(tiny_model.encoder(row[:, :-1]).top)[0].double().log_softmax(-1)
            return sum(float(shares[i, ids[i]]) for i, (_, end) in enumerate(places) if end > len(before))

        (full,) = choose(tiny_model, [one], ChoiceOptions("full"))
        np.testing.assert_allclose(full, [log(one.before, word + one.after) for word in one.alternatives], atol=1e-3)
        (partial,) = choose(tiny_model, [one], ChoiceOptions("partial"))
        np.testing.assert_allclose(partial, [log(one.before + word, one.after) for word in one.alternatives], atol=1e-3)
        (auto,) = choose(tiny_model, [one], ChoiceOptions())
        np.testing.assert_allclose(auto, partial, atol=1e-4)
        (pmi,) = choose(tiny_model, [one], ChoiceOptions("pmi"))
        (alone,) = choose(tiny_model, [Choice("was ", one.alternatives, one.after)], ChoiceOptions("full"))
        np.testing.assert_allclose(pmi, full - alone, atol=1e-3)

    def test_consistent_reviews_are_preferred(self, tiny_model):
        questions = [
            Choice(f"The {thing} was {good}. The film was {good}. The story was ", (bad, other), ".", 1)
            for thing, good, bad, other in zip(THINGS, GOOD, BAD, GOOD[1:] + GOOD[:1], strict=False)
        ]
        report = zero_choices(tiny_model, questions).report
        assert {row.name for row in report.rows} == {
            "this model", "chance", "the shortest", "unigram", "alternatives alone",
        }  # fmt: skip

    def test_a_constant_model_is_never_right(self, constant):
        questions = [Choice("The film was ", ("moving", "boring", "awful"), "", gold) for gold in range(3)]
        found = zero_choices(constant, questions, ChoiceOptions("full", "tokens"))
        assert accuracy(found.report) == 0
        assert [row["answer"] for row in found.rows] == [None] * 3

    def test_partial_needs_words_behind(self, tiny_model):
        with pytest.raises(LangnetError, match="no words follow the place"):
            choose(tiny_model, [Choice("The film was ", ("a", "b"), ".", 0)], ChoiceOptions("partial"))


class TestAcceptability:
    def test_order(self, tiny_model):
        judged = [Judged(one.good, True) for one in PAIRS] + [Judged(one.bad, False) for one in PAIRS]
        found = zero_acceptability(tiny_model, judged[::2], judged[1::2])
        assert found.report.rows[0].scores["mcc"].value > 0.9
        assert named(found.report, "majority").scores["mcc"].value == 0

    def test_a_constant_model_has_no_correlation(self, constant):
        judged = [Judged(one.good, True) for one in PAIRS] + [Judged(one.bad, False) for one in PAIRS]
        assert zero_acceptability(constant, judged[::2], judged[1::2], "tokens").report.rows[0].scores["mcc"].value == 0

    def test_the_threshold_is_the_best_one(self):
        generator = np.random.default_rng(0)
        truth = generator.random(60) < 0.6
        scores = np.round(truth + generator.normal(size=60), 1)
        from sklearn.metrics import matthews_corrcoef

        chosen = best_threshold(scores, truth)
        best = max(matthews_corrcoef(truth, scores > t) for t in [-np.inf, *np.unique(scores)])
        assert matthews_corrcoef(truth, scores > chosen) == pytest.approx(best)
        assert best_threshold(np.zeros(4), np.array([True, False, True, True])) == float("-inf")

    def test_dev_of_one_kind(self, tiny_model):
        with pytest.raises(LangnetError, match="one kind only"):
            zero_acceptability(tiny_model, [Judged("a", True)], [Judged("a", True)])


class TestLabels:
    def test_reviews(self, tiny_model, tiny_labelled):
        texts, gold = tiny_labelled.texts[:100], tiny_labelled.labels[:100]
        verbaliser = Verbaliser(WORDS, "{text} The film was {label}.")
        report, found = evaluate_zero_labels(tiny_model, texts, gold, verbaliser)
        assert {row.name for row in report.rows} >= {
            "majority",
            "unigram",
            "the shortest",
            "words alone",
            "no correction",
        }
        assert found.probabilities.sum(1) == pytest.approx(np.ones(100))
        assert report.n == 100

    @pytest.mark.parametrize("prior", ["none", "domain", "content-free", "batch"])
    def test_by_hand(self, tiny_model, prior):
        texts = ["The hero was superb.", "The script was clumsy. The ending was boring."]
        words = {"pos": ["moving", "funny"], "neg": ["awful"]}
        verbaliser = Verbaliser(words, "{text} It was {label}")
        found = zero_labels(tiny_model, texts, verbaliser, ZeroOptions(prior))

        def shares(prompt):
            from langnet.evaluate.likelihood import Continuation

            likely = tiny_model.likelihoods([[Continuation(prompt, word) for word in ("awful", "moving", "funny")]])[0]
            neg, *pos = (np.exp(one.log_probability) for one in likely)
            return np.array([neg, sum(pos)]) / (neg + sum(pos))

        scores = np.array([shares(f"{text} It was ") for text in texts])
        bias = {
            "none": lambda: np.ones(2),
            "domain": lambda: shares("It was "),
            "content-free": lambda: np.mean([shares(f"{t} It was ") for t in ("N/A", "", "[MASK]")], axis=0),
            "batch": lambda: scores.mean(0),
        }[prior]()
        expected = scores / bias
        np.testing.assert_allclose(found.probabilities, expected / expected.sum(1, keepdims=True), atol=1e-4)
        assert found.names == ["neg", "pos"]

    def test_a_constant_model_says_nothing(self, constant):
        words = {"a": ["moving"], "b": ["boring"]}
        report, found = evaluate_zero_labels(
            constant,
            ["The film was moving."] * 4,
            ["a", "b", "a", "a"],
            Verbaliser(words),
            ZeroOptions("none", "tokens"),
        )
        assert found.labels == [NO_LABEL] * 4
        assert accuracy(report) == 0

    def test_long_texts_keep_their_end(self, tiny_model):
        long = "The film was awful. " * 40 + "The hero was superb."
        found = zero_labels(tiny_model, [long, "short"], Verbaliser(WORDS))
        assert found.n_shortened == 1

    def test_braces_in_a_text_are_text(self, tiny_model):
        assert len(zero_labels(tiny_model, ["{label} {text} {0}"], Verbaliser(WORDS)).labels) == 1

    @pytest.mark.parametrize(
        ("words", "template", "told"),
        [
            (WORDS, "It was {label}", "has to hold {text} once"),
            (WORDS, "{label} {text}", "behind it"),
            ({"a": ["x"]}, DEFAULT_TEMPLATE, "two labels or more"),
            ({"a": ["x"], "b": ["x"]}, DEFAULT_TEMPLATE, "share the words 'x'"),
            ({"a": ["x"], "b": [" "]}, DEFAULT_TEMPLATE, "empty phrase"),
        ],
    )
    def test_mistakes(self, words, template, told):
        with pytest.raises(LangnetError) as error:
            Verbaliser(words, template)
        assert told in str(error.value)

    def test_a_label_without_words(self, tiny_model):
        with pytest.raises(LangnetError, match="no words for the label 'blue'"):
            evaluate_zero_labels(tiny_model, ["a"], ["blue"], Verbaliser(WORDS))

    def test_words_that_the_vocabulary_lacks(self, tiny_labelled):
        options = PretrainOptions("elmo", "tiny", steps=1, batch_tokens=256, document_vectors=False)
        model = pretrain(tiny_labelled.texts[:50], options, texts=True)
        assert len(zero_labels(model, ["The film"], Verbaliser({"a": ["film"], "b": ["story"]})).labels) == 1
        with pytest.raises(LangnetError, match="vocabulary lacks words of 'xylophone'"):
            zero_labels(model, ["The film"], Verbaliser({"a": ["film"], "b": ["xylophone"]}))


def test_who_gives_no_probabilities(tiny_model, tiny_labelled):
    encoder, tokenizer = vectors_of(WordSpace(["a", "b"], np.eye(2, dtype="f4")))
    vectors = Model("vectors", tokenizer, TaskModel(encoder, [(WordContexts(), 1.0)]))
    with pytest.raises(LangnetError) as error:
        zero_pairs(vectors, PAIRS)
    assert str(error.value) == NO_LANGUAGE_MODEL
    classifier = finetune(tiny_model, tiny_labelled.texts[:20], tiny_labelled.labels[:20], FinetuneOptions("frozen"))
    with pytest.raises(LangnetError, match="is a classifier and cannot say how probable"):
        zero_labels(classifier, ["a"], Verbaliser(WORDS))


def test_the_command_line_shows_the_default_template():
    assert TEMPLATE == DEFAULT_TEMPLATE


class TestReaders:
    def test_minimal_pairs(self, tmp_path):
        rows = [{"sentence_good": "A cat sleeps.", "sentence_bad": "A cat sleep.", "field": "syntax", "UID": "x"}] * 2
        text = "\n".join(map(json.dumps, rows))
        with zipfile.ZipFile(tmp_path / "blimp.zip", "w") as archive:
            archive.writestr("data/x.jsonl", text)
            archive.writestr("data/readme.txt", "no table")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "x.jsonl").write_text(text)
        for source in ("blimp.zip", "folder", "folder/x.jsonl"):
            pairs = read_minimal_pairs([tmp_path / source])
            assert [(pair.good, pair.bad, pair.groups) for pair in pairs] == [
                ("A cat sleeps.", "A cat sleep.", {"field": "syntax", "UID": "x"})
            ] * 2
        (tmp_path / "e.jsonl").write_text('{"sentence_good": "", "sentence_bad": "b"}')
        with pytest.raises(LangnetError, match="line 1: the column 'sentence_good' is empty"):
            read_minimal_pairs([tmp_path / "e.jsonl"])

    def test_copa(self, tmp_path):
        row = {"premise": "It rained.", "choice1": "I went.", "choice2": "The street is wet.", "question": "effect"}
        (tmp_path / "c.jsonl").write_text(json.dumps({**row, "label": 1}))
        (one,) = read_choices([tmp_path / "c.jsonl"])
        assert one.before == "It rained so "
        assert one.alternatives == ("I went.", "the street is wet.")
        assert (one.gold, one.domain, one.groups) == (1, "so ", {"question": "effect"})

    def test_blanks_and_lists(self, tmp_path):
        rows = [
            {
                "sentence": "The cup fits the box since the _ is small.",
                "option1": "cup",
                "option2": "box",
                "answer": "1",
            },
            {"text": "It costs snake_case and __", "choices": ["a lot", "little"], "label": "little"},
            {"text": "Once upon a", "choices": ["time", "tree", "day"], "label": 0},
        ]
        (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, rows)))
        first, second, third = read_choices([tmp_path / "c.jsonl"])
        assert (first.before, first.after, first.gold) == ("The cup fits the box since the ", " is small.", 0)
        assert first.goes_on
        assert (second.before, second.gold, second.goes_on) == ("It costs snake_case and ", 1, False)
        assert (third.before, third.gold) == ("Once upon a ", 0)

    def test_questions_of_other_sets(self, tmp_path):
        choices = {"text": ["rain", "snow"], "label": ["A", "B"]}
        rows = [
            {"question": "What falls?", "choices": choices, "answerKey": "B"},
            {"article": "It fell.", "question": "What fell was _ .", "options": ["rain", "snow"], "answer": "A"},
        ]
        (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, rows)))
        first, second = read_choices([tmp_path / "c.jsonl"])
        assert (first.before, first.alternatives, first.gold) == ("What falls? ", ("rain", "snow"), 1)
        assert (second.before, second.after, second.gold) == ("It fell. What fell was ", " .", 0)

    @pytest.mark.parametrize(
        ("row", "told"),
        [
            ({"text": "a _", "choices": ["x"], "label": 0}, "two or more are needed"),
            ({"text": "a _", "choices": ["x", "y"], "label": 2}, "number from 0 to 1"),
            ({"text": "a _", "choice1": "x", "choice2": "y", "answer": 0}, "number from 1 to 2"),
            ({"text": "a _", "choices": ["x", "y"]}, "there is no column 'answer'"),
        ],
    )
    def test_mistakes(self, tmp_path, row, told):
        (tmp_path / "c.jsonl").write_text(json.dumps(row))
        with pytest.raises(LangnetError) as error:
            read_choices([tmp_path / "c.jsonl"])
        assert told in str(error.value)
        assert "c.jsonl" in str(error.value)

    def test_judgements(self, tmp_path):
        (tmp_path / "cola.tsv").write_text('gj04\t1\t\tThe "sailors" rode.\ngj04\t0\t*\tThe sailors rides.\n')
        (tmp_path / "own.csv").write_text("sentence,label\nA dog barks.,1\nA dog bark.,0\n")
        found = read_judged([tmp_path / "cola.tsv", tmp_path / "own.csv"])
        assert [(one.sentence, one.acceptable) for one in found] == [
            ('The "sailors" rode.', True), ("The sailors rides.", False), ("A dog barks.", True),
            ("A dog bark.", False),
        ]  # fmt: skip
        (tmp_path / "bad.csv").write_text("sentence,label\nA dog barks.,yes\n")
        with pytest.raises(LangnetError, match="the judgement is 'yes'"):
            read_judged([tmp_path / "bad.csv"])
