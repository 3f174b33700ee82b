"""Several labels or a number a text: learned, decided, written back as they were read, explained."""

import csv
import io
import json

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.recipes.explain import ExplainOptions, explain_items, explain_texts
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.kind import Columns, HeadOptions
from langnet.recipes.kinds.registry import find_kind
from langnet.recipes.model import load
from langnet.recipes.transfer import TransferOptions, evaluate_task, transfer
from langnet.tasks.multilabel import LabelSetGuess
from langnet.tasks.similarity import Rating
from langnet.text.text_items import TextItem
from tests.recipes.kind_items import label_sets, numbered

FROZEN = TransferOptions(FinetuneOptions("frozen"))


@pytest.fixture(scope="module")
def labeller(tiny_model, tiny_labelled):
    return transfer(tiny_model, "multilabel", label_sets(tiny_labelled)[:200], FROZEN)


@pytest.fixture(scope="module")
def rater(tiny_model, tiny_labelled):
    return transfer(tiny_model, "regress", numbered(tiny_labelled)[:200], FROZEN)


def test_sets_are_learned_from_frozen_features(labeller, tiny_labelled):
    items, kind = label_sets(tiny_labelled), find_kind("multilabel")
    report, guesses = evaluate_task(labeller, kind, items[200:], items[:200])
    own, majority = (row.scores["micro_f1"].value for row in report.rows[:2])
    assert own > 0.7 > majority
    assert {len(guess.labels) for guess in guesses} > {0, 1, 2}
    task = labeller.network.task
    assert len(set(task.thresholds)) == 1
    assert task.thresholds[0] != 0.5
    assert labeller.facts["finetune"]["frozen_choice"]["held_out_loss"] > 0
    assert any(line.startswith("film") for line in report.details)
    assert report.details[0].startswith("labels a text: true")


def test_numbers_are_learned_from_frozen_features(rater, tiny_labelled):
    items = numbered(tiny_labelled)
    report, guesses = evaluate_task(rater, find_kind("regress"), items[200:], items[:200])
    model, mean, tfidf = report.rows
    assert model.scores["pearson"].value > 0.9
    assert model.scores["rmse"].value < 0.5 * mean.scores["rmse"].value
    assert mean.scores["pearson"].value == 0
    assert tfidf.scores["pearson"].value > 0.5
    assert all(-5 <= guess.value <= 5 for guess in guesses)


@pytest.mark.parametrize("kind", ["multilabel", "regress"])
def test_fine_tuning_learns_more_than_it_began_with(tiny_model, tiny_labelled, kind):
    items = (label_sets if kind == "multilabel" else numbered)(tiny_labelled)
    options = FinetuneOptions(
        "finetune", epochs=3, learning_rate=2e-3, document_features=False, validation_fraction=0.2
    )
    made = transfer(tiny_model, kind, items[:160], TransferOptions(options))
    found = find_kind(kind)
    value = next(iter(found.scores(found.statistics(items[300:], [made.guess(items[300:])])[0].sum(0)).values()))
    assert value > 0.75
    assert any("validation" in key for record in made.history for key in record)


def test_where_all_would_be_held_out_all_is_learned_from(tiny_model):
    items = [TextItem("The film was a joy.", 1.0), TextItem("The film was awful.", 0.0)]
    options = FinetuneOptions("scratch", epochs=1, least_steps=1, seeds=1, validation_fraction=0.9)
    made = transfer(tiny_model, "regress", items, TransferOptions(options))
    assert made.facts["finetune"]["examples"] == 2


@pytest.mark.parametrize("settings", [{"pooling": "concat"}, {"thresholds": "half"}, {"thresholds": "each"}])
def test_settings_of_the_head(tiny_model, tiny_labelled, tmp_path, settings):
    items = label_sets(tiny_labelled)[:60]
    options = TransferOptions(FinetuneOptions("frozen", least_steps=5), HeadOptions(settings=settings), head_epochs=0.5)
    made = transfer(tiny_model, "multilabel", items, options)
    task = made.network.task
    assert task.shape.pooling == settings.get("pooling", "mean")
    assert task.settings.how == settings.get("thresholds", "one")
    half = "thresholds" not in settings or settings["thresholds"] == "half"
    assert (task.thresholds == 0.5).all() == half  # a head that learned by steps has nothing to choose them by
    assert (task.center.abs().sum() > 0).item()
    again = load(made.save(tmp_path / "m")).network.task
    assert again.shape == task.shape
    np.testing.assert_array_equal(again.thresholds, task.thresholds)


def test_nothing_to_learn(tiny_model):
    with pytest.raises(LangnetError, match="no text has a label"):
        transfer(tiny_model, "multilabel", [TextItem("a", ()), TextItem("b", ())], FROZEN)
    with pytest.raises(LangnetError, match="have to differ; found 2"):
        transfer(tiny_model, "regress", [TextItem("a", 2.0), TextItem("b", 2.0)], FROZEN)
    options = TransferOptions(head=HeadOptions(settings={"threshold": "one"}))
    with pytest.raises(LangnetError, match="has no setting 'threshold'"):
        transfer(tiny_model, "multilabel", [TextItem("a", ("x",))], options)


def test_labels_are_written_as_they_were_read(tmp_path):
    kind = find_kind("multilabel")
    guesses = [LabelSetGuess(("a", "b"), {"a": 0.9, "b": 0.8}), LabelSetGuess((), {"a": 0.1, "b": 0.2})]

    def written(name, content, columns=None):
        (tmp_path / name).write_text(content, encoding="utf8")
        columns = columns or Columns()
        known = kind.as_read(kind.read([tmp_path / name], columns), columns)
        return kind.written(kind.read([tmp_path / name], known, labelled=False), guesses)

    rows = list(csv.DictReader(io.StringIO(written("a.csv", "text,labels\nx,b;a\ny,\n"))))
    assert [row["predicted_labels"] for row in rows] == ["a;b", ""]
    assert rows[0]["p(b)"] == "0.8"
    rows = list(csv.DictReader(io.StringIO(written("b.csv", 'text,tags\nx,"[""a""]"\ny,[]\n', Columns(label="tags")))))
    assert [row["predicted_tags"] for row in rows] == ['["a", "b"]', "[]"]
    rows = list(csv.DictReader(io.StringIO(written("c.csv", "text,b,a\nx,1,0\ny,0,0\n", Columns(label="b,a")))))
    assert [(row["predicted_a"], row["predicted_b"]) for row in rows] == [("1", "1"), ("0", "0")]
    lines = written("d.jsonl", '{"text": "x", "labels": ["b"]}\n{"text": "y", "labels": []}').splitlines()
    assert [json.loads(line)["predicted_labels"] for line in lines] == [["a", "b"], []]
    # A label that holds the separator cannot be written with it.
    item = TextItem("x", cells={"text": "x"}, format=".csv")
    assert '"[""a;b""]"' in kind.written([item], [LabelSetGuess(("a;b",), {"a;b": 1.0})])
    assert find_kind("regress").written([item], [Rating(1 / 3)]) == "text,predicted_labels\nx,0.333333\n"


def test_explanations_by_label(labeller, rater):
    text = "The film was superb. The ending was superb."
    for method in ("occlusion", "gradient"):
        found = explain_texts(labeller, [text], ExplainOptions(method, label="film"))[0]
        assert found.guess == "film"
        assert 0.5 < found.probability <= 1
        best = max(found.contributions, key=lambda one: one.score)
        assert best.text.strip() == "film", [(c.text, c.score) for c in found.contributions]
    number = explain_texts(rater, [text], ExplainOptions("occlusion"))[0]
    assert number.probability is None
    assert float(number.guess) == pytest.approx(rater.guess([TextItem(text)])[0].value, rel=1e-3)
    assert number.score == pytest.approx(float(number.guess), abs=1.5)  # unless it was kept within its range
    assert explain_items(rater, [TextItem(text)], ExplainOptions("occlusion")) == [number]
    with pytest.raises(LangnetError, match="does not know the label 'x'; it gives numbers"):
        explain_texts(rater, [text], ExplainOptions(label="x"))
    with pytest.raises(LangnetError, match="does not know the label 'x'; it knows film, long"):
        explain_items(labeller, [TextItem(text)], ExplainOptions(label="x"))
