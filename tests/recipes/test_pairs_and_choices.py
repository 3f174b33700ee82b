"""From files to files: pairs and choices are learned, judged, and written beside the rows that they came in."""

import csv
import io
import json

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.kind import Columns, HeadOptions
from langnet.recipes.kinds.registry import find_kind
from langnet.recipes.kinds.written_rows import written_rows
from langnet.recipes.transfer import TransferOptions, evaluate_task, transfer
from langnet.tasks.choose import ChoiceGuess
from langnet.tasks.similarity import Rating
from langnet.tasks.task import ClassGuess
from langnet.text.multiple_choice import MultipleChoice
from langnet.text.pairs import Pair
from langnet.text.translations import Translation


def test_predictions_keep_the_rows_and_their_format(tmp_path):
    rows = 'id,premise,hypothesis,label\n1,"a, b",c,\n2,d,"e\nf",x\n'
    (tmp_path / "p.csv").write_text(rows, encoding="utf8")
    kind = find_kind("entail")
    items = kind.read([tmp_path / "p.csv"], Columns(), labelled=False)
    text = kind.written(items, [ClassGuess("yes", {"no": 0.25, "yes": 0.75})] * 2)
    found = list(csv.DictReader(io.StringIO(text)))
    own, new = ["id", "premise", "hypothesis", "label"], ["predicted_label", "probability", "p(no)", "p(yes)"]
    assert list(found[0]) == own + new
    assert [row["premise"] for row in found] == ["a, b", "d"]
    assert [row["label"] for row in found] == ["", "x"]
    assert found[1]["hypothesis"] == "e\nf"
    assert found[1]["predicted_label"] == "yes"


def test_tsv_jsonl_and_items_without_a_row():
    tsv = written_rows([Pair("a", "b", cells={"x": "1"}, format=".tsv")], [{"predicted_score": 2.5}])
    assert tsv == "x\tpredicted_score\n1\t2.5\n"
    assert json.loads(written_rows([Pair("a", "b", source="s1.dev:3")], [{"score": 1}])) == {
        "source": "s1.dev:3",
        "score": 1,
    }
    assert written_rows([], []) == ""
    kind = find_kind("choose")
    item = MultipleChoice("c", ("x", "y"), cells={"context": "c", "choices": ["x", "y"]})
    line = json.loads(kind.written([item], [ChoiceGuess((0.25, 0.75))]))
    assert line == {"context": "c", "choices": ["x", "y"], "predicted_choice": 1, "probabilities": [0.25, 0.75]}
    table = MultipleChoice("c", ("x", "y"), cells={"A": "x"}, format=".csv")
    assert kind.written([table], [ChoiceGuess((0.5, 0.5))]) == 'A,predicted_choice,probabilities\nx,0,"[0.5, 0.5]"\n'


def test_a_prediction_is_not_read_as_the_truth(tmp_path):
    sick = "pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment\n1\ta\tb\t4.5\tNEUTRAL\n"
    (tmp_path / "sick.txt").write_text(sick, encoding="utf8")
    kind, rating = find_kind("entail"), find_kind("similarity")
    items = kind.read([tmp_path / "sick.txt"], Columns(), labelled=False)
    (tmp_path / "judged.tsv").write_text(kind.written(items, [ClassGuess("ENTAILMENT", {"ENTAILMENT": 1.0})]))
    assert [item.label for item in kind.read([tmp_path / "judged.tsv"], Columns())] == ["NEUTRAL"]
    (tmp_path / "rated.tsv").write_text(rating.written(items, [Rating(1.0)]), encoding="utf8")
    assert "predicted_score" in (tmp_path / "rated.tsv").read_text()
    assert [item.label for item in rating.read([tmp_path / "rated.tsv"], Columns())] == [4.5]


def test_a_second_prediction_leaves_the_first():
    pair = Pair("a", "b", cells={"predicted_score": "1", "probability": "x"}, format=".csv")
    text = written_rows([pair], [{"predicted_score": 2, "probability": 0.5}])
    assert text == "predicted_score,probability,predicted_score_2,predicted_probability\n1,x,2,0.5\n"


@pytest.mark.parametrize("name", ["entail", "similarity", "choose", "multilabel", "regress"])
def test_the_name_of_the_file_says_the_format(name):
    kind = find_kind(name)
    for suffix in ("", ".txt", ".csv", ".tsv", ".jsonl", ".ndjson"):
        kind.check_output([], suffix)
    for suffix in (".docx", ".parquet", ".json", ".gz"):
        with pytest.raises(LangnetError, match=f"ends in {suffix} is not written; name it with .csv, .tsv, .jsonl"):
            kind.check_output([], suffix)


@pytest.mark.parametrize("name", ["tag", "label_roles", "parse", "corefer", "translate"])
def test_other_formats_are_not_called_tables(name):
    kind, item = find_kind(name), Translation("a", "b")
    kind.check_output([item], ".txt")
    for suffix in (".csv", ".parquet", ".gz", ".zip"):
        with pytest.raises(LangnetError, match=f"in the format that they came in, and not into {suffix}"):
            kind.check_output([item], suffix)
    if name == "label_roles":  # with probabilities, whatever came
        kind.check_output([item], ".jsonl")
    else:
        with pytest.raises(LangnetError, match=r"and not into \.jsonl"):
            kind.check_output([item], ".jsonl")


def test_objects_are_not_called_columns(tmp_path):
    """Rows of jsonl come back as jsonl, which no reader of columns reads."""
    (tmp_path / "a.jsonl").write_text('{"tokens": ["a"], "sentences": [["a"]]}\n')
    for name in ("tag", "label_roles", "corefer"):
        kind = find_kind(name)
        items = kind.read([tmp_path / "a.jsonl"], Columns(), labelled=False)
        kind.check_output(items, ".jsonl")
        with pytest.raises(LangnetError, match=r"in the format that they came in, and not into \.conll"):
            kind.check_output(items, ".conll")
    parser = find_kind("parse")
    parser.check_output(parser.read([tmp_path / "a.jsonl"], Columns(), labelled=False), ".ptb")


def test_one_file_has_one_format(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"tokens": ["a"]}\n')
    (tmp_path / "b.conll").write_text("a\tO\n")
    kind = find_kind("tag")
    items = kind.read([tmp_path / "a.jsonl", tmp_path / "b.conll"], Columns(), labelled=False)
    with pytest.raises(LangnetError, match="the sentences stand in different formats; predict on one file at a time"):
        kind.check_output(items)


def test_rows_come_out_as_the_name_says():
    kind, item = find_kind("similarity"), Pair("a", "b", cells={"x": "1"}, format=".tsv")
    said = {suffix: kind.written_as(suffix, [item], [Rating(2.5)]) for suffix in ("", ".txt", ".csv", ".jsonl")}
    assert said[""] == said[".txt"] == "x\tpredicted_score\n1\t2.5\n"
    assert said[".csv"] == "x,predicted_score\n1,2.5\n"
    assert json.loads(said[".jsonl"]) == {"x": "1", "predicted_score": 2.5}


def test_details_name_classes_ties_and_chance():
    pairs = [Pair("a", "b", "x"), Pair("a", "b", "y"), Pair("c", "d", "y")]
    guesses = [ClassGuess("x", {"x": 1.0})] * 3
    assert find_kind("entail").details(pairs, guesses) == ["x: 1 of 1 right", "y: 0 of 2 right"]
    items = [MultipleChoice("a", ("x", "y"), "", 0), MultipleChoice("a", ("x", "y", "z", "w"), "", 0)]
    lines = find_kind("choose").details(items, [ChoiceGuess((0.5, 0.5)), ChoiceGuess((1.0, 0, 0, 0))])
    assert lines[0] == "chance: 0.375"
    assert lines[1].startswith("1 questions with two alternatives as probable")


@pytest.mark.parametrize(
    ("family", "arrangement"),
    [("gpt", "packed"), pytest.param("awd-lstm", "separate", marks=pytest.mark.slow)],
)
def test_pairs_are_learned(tiny_labelled, family, arrangement):
    """Whether both texts have the same one of three words, which no word of either text tells alone."""
    from langnet.recipes.pretrain import PretrainOptions, pretrain

    options = PretrainOptions(family, "tiny", context=32, steps=20, batch_tokens=512, document_vectors=False)
    model = pretrain(tiny_labelled.texts[:200], options, texts=True)
    rng = np.random.default_rng(0)
    words = ["superb", "awful", "boring"]
    drawn = rng.integers(3, size=(300, 2))
    pairs = [Pair(f"The film was {words[a]}.", f"The music was {words[b]}.", str(a == b)) for a, b in drawn]
    finetune = FinetuneOptions("finetune", epochs=8, learning_rate=3e-3)
    made = transfer(
        model,
        "entail",
        pairs[:240],
        TransferOptions(finetune, HeadOptions(settings={"arrangement": arrangement}), head_epochs=4),
    )
    report, _ = evaluate_task(made, find_kind("entail"), pairs[240:], pairs[:240])
    assert report.rows[0].scores["accuracy"].value > 0.9


def test_choices_are_learned(tiny_model):
    rng = np.random.default_rng(0)
    items = []
    for good in rng.integers(2, size=160):
        words = ("superb", "awful") if rng.integers(2) else ("awful", "superb")
        wanted = "superb" if good else "awful"
        context = f"The film was {'wonderful' if good else 'dreadful'}."
        items.append(MultipleChoice(context, words, "", words.index(wanted)))
    finetune = FinetuneOptions("finetune", epochs=8, learning_rate=3e-3)
    made = transfer(tiny_model, "choose", items[:120], TransferOptions(finetune, head_epochs=2))
    report, _ = evaluate_task(made, find_kind("choose"), items[120:], items[:120])
    assert report.rows[0].scores["accuracy"].value > 0.9
    assert {row.name for row in report.rows[1:]} >= {"majority position", "longest alternative"}
