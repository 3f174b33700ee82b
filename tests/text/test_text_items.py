"""Sets of labels and numbers as tables write them, and what is refused."""

import io
import json

import pytest

from langnet.errors import LangnetError
from langnet.text.text_items import LIST, LabelLayout, TextColumns, read_label_sets, read_numbers


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        (tmp_path / name).write_text(content, encoding="utf8")
        return [tmp_path / name]

    return write


def sets(items):
    return [item.label for item in items]


def test_labels_with_a_separator(write):
    source = write("a.csv", 'text,labels\none,b;a\ntwo,\nthree," a ;;a;"\n')
    items = read_label_sets(source)
    assert sets(items) == [("a", "b"), (), ("a",)]
    assert items[0].source.endswith("a.csv:2")
    assert items[0].layout == LabelLayout("labels", ";")
    assert items[1].cells == {"text": "two", "labels": ""}
    other = write("b.tsv", "text\ttags\nx\ta b|c\n")
    assert sets(read_label_sets(other, TextColumns(separator="|"))) == [("a b", "c")]


def test_labels_as_lists(write):
    rows = [{"text": "x", "topics": ["b", 1]}, {"text": "y", "topics": []}, {"text": "z", "topics": "a;b"}]
    items = read_label_sets(write("a.jsonl", "\n".join(map(json.dumps, rows))))
    assert sets(items) == [("1", "b"), (), ("a", "b")]
    assert items[0].layout == LabelLayout("topics", LIST)
    cells = 'text,labels\nx,"[""a;b"", ""c""]"\ny,[]\n'
    assert sets(read_label_sets(write("b.csv", cells))) == [("a;b", "c"), ()]
    # With a separator that is named, a cell is what it says.
    assert sets(read_label_sets(write("c.csv", "text,labels\nx,[1]\n"), TextColumns(separator=";"))) == [("[1]",)]


def test_labels_as_columns_of_0_and_1(write):
    source = write("a.csv", "comment_text,rude,threat\nx,1,0\ny,0,0\nz,true,1.0\n")
    items = read_label_sets(source, TextColumns(label="threat, rude"))
    assert sets(items) == [("rude",), (), ("rude", "threat")]
    assert items[0].layout.columns == ("threat", "rude")
    # A single column may have a comma in its name.
    named = write("b.csv", 'text,"a,b"\nx,1;2\n')
    assert sets(read_label_sets(named, TextColumns(label="a,b"))) == [("1", "2")]


@pytest.mark.parametrize(
    ("name", "content", "columns", "message"),
    [
        ("a.csv", "text,a,b\nx,1,2\n", TextColumns(label="a,b"), "line 2: the column 'b' is '2', and has to be 0 or 1"),
        ("a.csv", "text,a\nx,1\n", TextColumns(label="a,b"), "there is no column 'b'"),
        ("a.csv", "text,topic\nx,1\n", TextColumns(), "there is no column 'labels'"),
        ("a.jsonl", '{"text": "x", "labels": null}', TextColumns(), "line 1: the column 'labels' is missing"),
        ("a.jsonl", '{"text": "x", "labels": [["a"]]}', TextColumns(), r"holds \[\"a\"\] within a list"),
        ("a.jsonl", '{"text": "x", "labels": [null]}', TextColumns(), "holds null within a list"),
        ("a.jsonl", '{"text": "x", "labels": {"a": 1}}', TextColumns(), "no JSON list of labels"),
        ("a.csv", "text,labels\nx,a;b\n", TextColumns(separator=LIST), "'a;b', which is no JSON list"),
        ("a.csv", "text,labels,language\nx,a,en\n", TextColumns(where={"language": "de"}), "with language=de"),
        ("a.txt", "x\n", TextColumns(), "is no table"),
    ],
)
def test_what_is_no_set_of_labels(write, name, content, columns, message):
    with pytest.raises(LangnetError, match=message):
        read_label_sets(write(name, content), columns)


def test_numbers(write):
    source = write("a.csv", "review,stars\nx,4\ny,-1e2\n")
    assert sets(read_numbers(source)) == [4.0, -100.0]
    assert read_numbers(source)[0].layout.column == "stars"
    assert sets(read_numbers(write("b.jsonl", '{"text": "x", "label": 2.5}'))) == [2.5]
    for cell, message in (("four", "is 'four', which is no number"), ("", "is empty"), ("nan", "no number")):
        with pytest.raises(LangnetError, match=message):
            read_numbers(write("c.csv", f"text,score\nx,1\ny,{cell}\n"))


def test_what_is_to_be_predicted_needs_no_labels(write, monkeypatch):
    source = write("a.csv", "text,n\nx,1\n")
    items = read_label_sets(source, labelled=False)
    assert items[0].label is None
    assert items[0].layout == LabelLayout("labels", ";")
    assert read_label_sets(source, TextColumns(label="a,b"), labelled=False)[0].layout.columns == ("a", "b")
    assert read_label_sets(write("b.jsonl", '{"text": "x"}'), labelled=False)[0].layout.separator == LIST
    lines = read_numbers(write("c.txt", "one\n\ntwo\n"), labelled=False)
    assert [item.text for item in lines] == ["one", "", "two"]
    assert lines[0].layout.column == "score"

    class Standard:
        buffer = io.BytesIO(b"a fine film\n")

    monkeypatch.setattr("sys.stdin", Standard())
    assert [item.text for item in read_numbers(["-"], labelled=False)] == ["a fine film"]
