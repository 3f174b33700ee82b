"""What an inspection finds and warns of."""

import json
from io import StringIO

import pytest
from rich.console import Console

from langnet.errors import LangnetError
from langnet.text.corpus import CorpusOptions
from langnet.text.inspect import inspect_corpus, inspect_texts

ENGLISH = "This is an ordinary English sentence about the weather, the sea and number {}."
CHINESE = "话说天下大势，分久必合，合久必分。周末七国分争，并入于秦。这是第{}回。"


def english(count, label=None, start=0):
    return [(ENGLISH.format(n), label) for n in range(start, start + count)]


def shown(report, width=80):
    console = Console(width=width, record=True, file=StringIO())
    console.print(report.render())
    return console.export_text()


def said(report):
    return "\n".join(report.warnings)


def test_counts_and_lengths():
    report = inspect_texts([("a b", None), ("a  B", None), ("a b", None), ("", None), ("c\x00" * 10, None)])
    counts = report.corpus
    assert (counts.documents, counts.empty, counts.duplicates, report.near_duplicates) == (5, 1, 1, 1)
    assert (counts.characters, counts.nulls) == (3 + 4 + 3 + 0 + 10, 10)
    assert (report.characters["longest"], report.words["longest"], report.words["50 %"]) == (10, 2, 2)
    assert "1 text is empty" in said(report)


def test_nothing_to_warn_of():
    report = inspect_texts(english(30, "a") + english(30, "b", start=30), test=english(5, "a", start=100))
    assert report.warnings == []
    assert "Nothing to warn about in 60 texts." in shown(report)


def test_languages():
    mixed = english(20) + [(CHINESE.format(n), None) for n in range(40)]
    report = inspect_texts(mixed)
    assert list(report.languages)[:2] == ["zh", "en"] or list(report.languages)[:2] == ["en", "zh"]
    assert sum(report.languages.values()) == pytest.approx(1)
    assert "several languages" in said(report)
    chinese = inspect_texts([(CHINESE.format(n), None) for n in range(40)])
    assert chinese.languages == {"zh": 1.0}
    assert chinese.words == {}  # nothing to count between blanks
    assert "words" not in shown(chinese)
    assert said(inspect_texts([("1234 5678 --- 99", None)])) == ""


def test_a_notice_in_front_does_not_decide_the_language():
    book = "This file is free for everybody. " * 30 + "".join(CHINESE.format(n) for n in range(200))
    assert next(iter(inspect_texts([(book, None)]).languages)) == "zh"


@pytest.mark.parametrize(
    ("texts", "warning"),
    [
        (english(95, "a") + english(7, "b", start=95), "one label dominates: 'a' is on 93% of the texts"),
        (english(20, "a") + english(3, "b", 20) + english(2, "c", 30), "2 classes have under 5 examples (b, c)"),
        (english(20, "a") + english(3, "b", 20), "1 class has under 5 examples (b)"),
        (english(20, "a"), "only one label, 'a'"),
        ([(ENGLISH.format(n), f"label {n}") for n in range(30)], "looks like free text"),
        (english(10, "a") + english(12, "b"), "10 texts occur with more than one label"),
        ([(f"<p>{text}</p>", None) for text, _ in english(20)], "100% of the texts contain HTML tags"),
        (english(20) + english(10), "10 texts repeat an earlier one exactly"),
        (english(20) + [(text.upper(), None) for text, _ in english(5)], "5 texts repeat an earlier one but for case"),
        ([("word " * 250_000, None)], "the longest text has 1,249,999 characters"),
    ],
)
def test_warnings(texts, warning):
    report = inspect_texts(texts)
    assert warning in said(report)
    assert all(len(line) <= 80 for line in shown(report).splitlines())


def test_overlap_with_a_test_set():
    test = [(text.upper().replace(" ", "  "), "a") for text, _ in english(12)] + english(8, "a", start=500)
    report = inspect_texts(english(50, "a"), test=test)
    assert (report.test_texts, report.test_overlap) == (20, 12)
    assert "train and test share 12 of 20 documents" in said(report)


def test_raw_files(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"An English line with a bad byte \xff and more words.\n\nAnother one of them.\n")
    (tmp_path / "b.png").write_bytes(b"x")
    report = inspect_corpus(tmp_path, CorpusOptions(documents="line"), test=[tmp_path])
    assert (report.corpus.documents, report.corpus.files, report.corpus.skipped_files) == (3, 1, 1)
    assert report.test_overlap == 2
    assert "1 byte is not UTF-8" in said(report)
    assert "3 texts in 1 file, " in shown(report)


def test_folders_of_classes(tmp_path):
    for name in ("pos", "neg"):
        (tmp_path / name).mkdir()
        for text, label in english(6, name):
            (tmp_path / name / f"{text[-3:-1].strip()}.txt").write_text(f"{label}: {text}")
    report = inspect_corpus([tmp_path], label_column="label")
    assert report.labels == {"neg": 6, "pos": 6}
    assert report.corpus.files == 12


def test_many_labels_and_wide_signs_fit_a_terminal():
    texts = [(ENGLISH.format(n), f"标签标签标签标签标签标签标签标签标签 {n % 40}") for n in range(400)]
    lines = shown(inspect_texts(texts)).splitlines()
    assert any(line.startswith("15 more") for line in lines)
    from rich.cells import cell_len

    assert max(cell_len(line) for line in lines) <= 80


def test_the_same_twice_and_for_json():
    texts = english(900) + [(CHINESE.format(n), None) for n in range(300)]
    first, second = inspect_texts(texts, seed=3).to_dict(), inspect_texts(texts, seed=3).to_dict()
    assert first == second
    assert json.loads(json.dumps(first)) == first


@pytest.mark.parametrize("texts", [[], [("", None), (" \n", None)]])
def test_nothing_to_inspect(texts):
    with pytest.raises(LangnetError, match="no text to inspect"):
        inspect_texts(texts)


def test_nothing_in_the_files(tmp_path):
    (tmp_path / "a.txt").write_text(" ")
    with pytest.raises(LangnetError, match=r"no text in .*a\.txt"):
        inspect_corpus(tmp_path / "a.txt")


def test_what_may_be_no_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\x7fELF\x02\x01" + bytes(2000) + b"some words")
    assert any("NULs and control characters" in line for line in inspect_corpus(tmp_path / "a.txt").warnings)
    (tmp_path / "a.txt").write_bytes(b"some words\x00 and a long line of others, wholly harmless. " * 3)
    assert not inspect_corpus(tmp_path / "a.txt").warnings


def test_cut_documents_are_told(tmp_path):
    (tmp_path / "a.txt").write_text("a text of some words " * 20)
    report = inspect_corpus(tmp_path / "a.txt", CorpusOptions(longest_document=100))
    assert any("1 text is so long that training reads it in pieces" in line for line in report.warnings)
