"""Pairs from tables, parallel files and the RTE challenges' XML."""

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from langnet.errors import LangnetError
from langnet.text.pairs import PairColumns, read_pairs, read_rated_pairs

DATA = Path(__file__).parents[2] / "data"
needs_data = pytest.mark.skipif(not (DATA / "sick").exists(), reason="the real sets are not in data/")


def write(path, text):
    path.write_text(text, encoding="utf8")
    return path


def test_snli_jsonl_leaves_out_pairs_without_a_gold_label(tmp_path):
    rows = [
        {"sentence1": "A man.", "sentence2": "Someone.", "gold_label": "entailment"},
        {"sentence1": "A man.", "sentence2": "Nobody.", "gold_label": "-"},
    ]
    path = write(tmp_path / "snli.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    (pair,) = read_pairs([path])
    assert (pair.first, pair.second, pair.label, pair.source) == ("A man.", "Someone.", "entailment", f"{path}:1")
    assert pair.cells == rows[0]
    assert pair.format == ".jsonl"
    assert len(read_pairs([path], labelled=False)) == 2


def test_class_minus_one_is_none_only_beside_classes_from_zero(tmp_path):
    def read(*labels):
        rows = [{"premise": "a", "hypothesis": "b", "label": label} for label in labels]
        (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return [pair.label for pair in read_pairs([tmp_path / "a.jsonl"])]

    assert read(0, -1, 2, 1) == ["0", "2", "1"]
    assert read(-1, 1) == ["-1", "1"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"context": "p", "hypothesis": "h", "label": "e", "reason": "r"}, ("p", "h", "e")),  # ANLI
        ({"question": "q", "title": "t", "answer": True, "passage": "p"}, ("q", "p", "True")),  # BoolQ
        ({"query": "q", "context": "c", "label": "SUPPORTS"}, ("c", "q", "SUPPORTS")),  # FEVER as inference
    ],
)
def test_columns_of_published_sets(tmp_path, row, expected):
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n")
    (pair,) = read_pairs([tmp_path / "a.jsonl"])
    assert (pair.first, pair.second, pair.label) == expected


def test_sick_is_a_text_file_with_tabs_and_two_labels(tmp_path):
    header = "pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment\n"
    path = write(tmp_path / "SICK.txt", header + "1\tA dog\tNo dog\t3.5\tCONTRADICTION\n")
    assert [pair.label for pair in read_pairs([path])] == ["CONTRADICTION"]
    (rated,) = read_rated_pairs([path])
    assert rated.label == 3.5
    assert rated.format == ".tsv"


def test_xnli_without_a_header_and_with_one_by_language(tmp_path):
    path = write(
        tmp_path / "dev-de.tsv", "Ja.\tDoch.\tneutral\nNein.\tDoch.\tcontradiction\nSo.\tSo ist es.\tneutral\n"
    )
    assert [(p.first, p.label, p.source) for p in read_pairs([path])] == [
        ("Ja.", "neutral", f"{path}:1"),
        ("Nein.", "contradiction", f"{path}:2"),
        ("So.", "neutral", f"{path}:3"),
    ]
    rows = "language\tgold_label\tsentence1\tsentence2\nde\tneutral\tJa.\tDoch.\nsw\tneutral\tNdiyo.\tLa.\n"
    path = write(tmp_path / "xnli.dev.tsv", rows)
    (pair,) = read_pairs([path], PairColumns(where={"language": "sw"}))
    assert pair.first == "Ndiyo."
    with pytest.raises(LangnetError, match="no pairs of texts found with language=xx"):
        read_pairs([path], PairColumns(where={"language": "xx"}))
    with pytest.raises(LangnetError, match="there is no column 'tongue'; the columns are 'language'"):
        read_pairs([path], PairColumns(where={"tongue": "sw"}))


def test_parallel_files_by_infersents_names_and_by_plus_signs(tmp_path):
    for name, lines in {"s1.dev": "a\nb\n", "s2.dev": "c\n\n", "labels.dev": "x\ny\n"}.items():
        write(tmp_path / name, lines)
    pairs = read_pairs([tmp_path / "s1.dev"])
    assert [(p.first, p.second, p.label) for p in pairs] == [("a", "c", "x"), ("b", "", "y")]
    joined = "+".join(str(tmp_path / name) for name in ("s1.dev", "s2.dev", "labels.dev"))
    assert read_pairs([joined]) == pairs
    both = "+".join(str(tmp_path / name) for name in ("s1.dev", "s2.dev"))
    assert len(read_pairs([both], labelled=False)) == 2
    with pytest.raises(LangnetError, match="no labels beside these texts"):
        read_pairs([both])
    with pytest.raises(LangnetError, match=r"there is no file '.*nowhere'"):
        read_pairs([f"{tmp_path / 's1.dev'}+{tmp_path / 'nowhere'}"])
    write(tmp_path / "labels.dev", "x\n")
    with pytest.raises(LangnetError, match=r"labels.dev has 1 lines and .*s1.dev 2"):
        read_pairs([tmp_path / "s1.dev"])
    write(tmp_path / "labels.dev", "x\n\n")
    with pytest.raises(LangnetError, match="line 2: the label is empty"):
        read_pairs([tmp_path / "s1.dev"])


RTE = """<?xml version="1.0"?><!DOCTYPE entailment-corpus SYSTEM "rte.dtd"><entailment-corpus>
<pair id="7" {label} task="IR"><t>Oil &amp; gas rose</t><h>Oil rose</h></pair></entailment-corpus>"""


def test_the_rte_challenges_xml_also_within_an_archive(tmp_path):
    first = write(tmp_path / "rte1.xml", RTE.format(label='value="TRUE"'))
    (pair,) = read_pairs([first])
    assert (pair.first, pair.label, pair.source) == ("Oil & gas rose", "TRUE", f"{first}:7")
    with zipfile.ZipFile(tmp_path / "rte.zip", "w") as archive:
        archive.writestr("rte/README", "not this")
        archive.writestr("rte/rte3.xml", RTE.format(label='entailment="NO"'))
    (pair,) = read_pairs([f"{tmp_path / 'rte.zip'}!rte/rte3.xml"])
    assert pair.label == "NO"
    for text, message in (
        (RTE.format(label=""), "has no label"),
        ("<a><pair><t>x</t></pair></a>", "no hypothesis"),
        ("<a>", "no valid XML"),
        ('<!DOCTYPE a [<!ENTITY x "xx">]><a>&x;</a>', "declares entities"),
    ):
        with pytest.raises(LangnetError, match=message):
            read_pairs([write(tmp_path / "bad.xml", text)])


def test_what_cannot_be_read_is_told(tmp_path):
    path = write(tmp_path / "p.csv", "premise,hypothesis,label\na,b,\n")
    with pytest.raises(LangnetError, match="line 2: the column 'label' is empty"):
        read_pairs([path])
    assert len(read_pairs([path], labelled=False)) == 1
    with pytest.raises(LangnetError, match="there is no column 'verdict'"):
        read_pairs([path], PairColumns(label="verdict"))
    with pytest.raises(LangnetError, match="the rating is 'good', which is no number"):
        read_rated_pairs([write(tmp_path / "r.csv", "sentence1,sentence2,score\na,b,good\n")])
    with pytest.raises(LangnetError, match="there is no file"):
        read_pairs([tmp_path / "nothing.csv"])


def test_a_compressed_table(tmp_path):
    with gzip.open(tmp_path / "p.csv.gz", "wt", encoding="utf8") as file:
        file.write("premise,hypothesis,label\na,b,x\n")
    (pair,) = read_pairs([tmp_path / "p.csv.gz"])
    assert pair.format == ".csv"


@needs_data
def test_the_real_sets_have_their_sizes():
    sizes = {
        "infersent_bundle/SNLI/s1.dev": 9842,
        "sick/SICK_trial.txt": 500,
        "xnli/dev-sw.tsv": 2490,
        "superglue_small/cb/val.jsonl": 56,
        "nltk_data/rte.zip!rte/rte3_dev.xml": 800,
    }
    assert {name: len(read_pairs([str(DATA / name)])) for name in sizes} == sizes
