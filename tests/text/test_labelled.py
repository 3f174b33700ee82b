"""Labelled texts: strings for labels, nested subsets, and mistakes named with file and line."""

from collections import Counter
from io import StringIO
from itertools import pairwise

import pytest

from langnet.errors import LangnetError
from langnet.text.corpus import CorpusOptions, CorpusReport, read_documents
from langnet.text.inspect import inspect_corpus
from langnet.text.labelled import LabelledData, read_labelled
from langnet.text.pairs import PairColumns, read_pairs
from langnet.text.text_items import TextColumns, read_numbers


def data(n=200):
    return LabelledData([f"text {i}" for i in range(n)], ["a" if i % 4 else "b" for i in range(n)])


def test_subsets_are_nested_and_stratified():
    for seed in range(5):
        subsets = {n: data().subset(n, seed) for n in (2, 10, 40, 100, 200)}
        sizes = sorted(subsets)
        for small, large in pairwise(sizes):
            assert set(subsets[small].texts) < set(subsets[large].texts)
        for n, subset in subsets.items():
            assert len(set(subset.texts)) == n
            assert abs(Counter(subset.labels)["b"] - n / 4) <= 1
    assert data().subset(40, 0).texts == data().subset(40, 0).texts
    assert set(data().subset(40, 0).texts) != set(data().subset(40, 1).texts)


def test_split_is_a_partition():
    first, second = data().split(0.2, 0)
    assert (len(first), len(second)) == (160, 40)
    assert not set(first.texts) & set(second.texts)
    assert abs(Counter(second.labels)["b"] - 10) <= 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,label\nx,1\ny,2\n"),
        ("a.tsv", "text\tlabel\nx\t1\ny\t2\n"),
        ("a.jsonl", '{"text": "x", "label": 1}\n{"text": "y", "label": 2}\n'),
    ],
)
def test_tables(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    read = read_labelled(tmp_path / name)
    assert (read.texts, read.labels, read.label_names) == (["x", "y"], ["1", "2"], ["1", "2"])
    assert len(set(read.sources)) == 2


def test_a_folder_a_class(tmp_path):
    for label in ("pos", "neg"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.txt").write_text(f"a {label} text")
    read = read_labelled([tmp_path])
    assert sorted(zip(read.labels, read.texts, strict=True)) == [("neg", "a neg text"), ("pos", "a pos text")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,label\nx,\n", "line 2.*label"),
        ("a.csv", "text,class\nx,1\n", "'text', 'class'"),
        ("a.csv", "text,label\nx,1,2\n", "line 2"),
        ("a.csv", "text,label\n", "no labelled text"),
        ("a.jsonl", '{"text": "x", "label": null}\n', "line 1"),
        ("a.txt", "x", "no table"),
    ],
)
def test_mistakes(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(LangnetError, match=message):
        read_labelled(tmp_path / name)
    with pytest.raises(LangnetError, match="no file"):
        read_labelled(tmp_path / "none.csv")


def test_too_many_are_refused():
    with pytest.raises(LangnetError, match="only 200"):
        data().subset(201, 0)


def test_inspection_of_labelled_text(tmp_path):
    rows = [f"This is the English text number {i},good" for i in range(30)]
    rows += ["An odd one,bad", "AN  odd one,bad", "An odd one,bad", ",bad"]
    (tmp_path / "train.csv").write_text("\n".join(["text,label", *rows]))
    (tmp_path / "test.csv").write_text("text,label\nan odd one,bad\nnew,good\n")
    report = inspect_corpus(tmp_path / "train.csv", label_column="label", test=tmp_path / "test.csv")
    assert report.labels == {"good": 30, "bad": 4}
    assert (report.corpus.documents, report.corpus.empty, report.corpus.duplicates) == (34, 1, 1)
    assert (report.near_duplicates, report.test_texts, report.test_overlap) == (1, 2, 1)
    assert next(iter(report.languages)) == "en"
    said = "\n".join(report.warnings)
    for part in ("1 text is empty", "under 5 examples", "'good' is on 88%", "share 1 of 2"):
        assert part in said
    from rich.console import Console

    console = Console(width=80, record=True, file=StringIO())
    console.print(report.render())
    assert all(len(line) <= 80 for line in console.export_text().splitlines())


def test_inspection_of_nothing(tmp_path):
    (tmp_path / "a.csv").write_text("text\n")
    with pytest.raises(LangnetError, match="no text"):
        inspect_corpus(tmp_path / "a.csv")


HEADERLESS = {
    "news.csv": '"3","Fears, again","They are"\n"1","3","So be it"\n"3","",""\n',
    "news.tsv": "3\tFears, again\tThey are\n1\t3\tSo be it\n3\t\t\n",
}


@pytest.mark.parametrize("name", HEADERLESS)
def test_columns_by_number_are_those_of_a_table_without_header(tmp_path, name):
    file = tmp_path / name
    file.write_text(HEADERLESS[name], encoding="utf8")
    found = read_labelled(file, "2", "1")
    assert found.texts == ["Fears, again", "3", ""]
    assert found.labels == ["3", "1", "3"]
    assert [source.rsplit(":", 1)[1] for source in found.sources] == ["1", "2", "3"]
    (pair, *_) = read_pairs([file], PairColumns("2", "3", "1"))
    assert (pair.first, pair.second, pair.label) == ("Fears, again", "They are", "3")
    (item, *_) = read_numbers([file], TextColumns("3", "1"))
    assert (item.text, item.label) == ("They are", 3.0)
    corpus = CorpusOptions("2")
    assert [d.text for d in read_documents([file], corpus, CorpusReport())][:2] == ["Fears, again", "3"]
    with pytest.raises(LangnetError, match=r"line 1: there is no column '4'; the columns are '1', '2', '3'"):
        read_labelled(file, "4", "1")


def test_a_header_of_numbers_is_a_header(tmp_path):
    (tmp_path / "frame.csv").write_text("0,1\nyes,good\nno,bad\n", encoding="utf8")  # pandas, of columns without names
    found = read_labelled(tmp_path / "frame.csv", "1", "0")
    assert (found.texts, found.labels) == (["good", "bad"], ["yes", "no"])
