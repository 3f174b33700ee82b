"""Files to parse: trees, columns, lists and plain text; and English words as the treebank cuts them."""

import gzip
import json

import pytest

from langnet.errors import LangnetError
from langnet.text.tree_files import ParseItem, read_parsed
from langnet.text.treebank_words import treebank_sentences

TREES = "(ROOT (S (NP (-NONE- *)) (VP (VB Go)) (. .)))\n\n(ROOT\n  (NP (NN Yes)))\n"


def file(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["a.ptb", "a.mrg", "a.txt", "a", "a.trees.gz"])
def test_trees(tmp_path, name):
    path = file(tmp_path, name, TREES)
    first, second = read_parsed([path])
    assert (first.words, first.tags, first.source) == (("Go", "."), ("VB", "."), f"{path}:1")
    assert str(first.tree) == TREES.splitlines()[0]
    assert second.source == f"{path}:3"
    first, _ = read_parsed([path], labelled=False)
    assert (first.words, first.tags, first.tree) == (("Go", "."), ("VB", "."), None)


CONLLU = "\n".join(
    [
        "# text = Don't go",
        "1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_",
        "1\tDo\tdo\tAUX\tVB\t_\t0\troot\t_\t_",
        "2\tn't\tnot\tPART\tRB\t_\t1\tadvmod\t_\t_",
        "3\tgo\tgo\tVERB\tVB\t_\t1\txcomp\t_\t_",
        "\n",
    ]
)


def test_columns(tmp_path):
    path = file(tmp_path, "a.conllu", CONLLU)
    assert read_parsed([path], labelled=False) == [
        ParseItem(("Do", "n't", "go"), ("VB", "RB", "VB"), None, f"{path}:3")
    ]
    (item,) = read_parsed([path], tags="UPOS", labelled=False)
    assert item.tags == ("AUX", "PART", "VERB")
    untagged = file(tmp_path, "b.conllu", CONLLU.replace("VB", "_").replace("RB", "_"))
    assert read_parsed([untagged], labelled=False)[0].tags is None
    plain = file(tmp_path, "c.conll", "Do VB\nn't RB\n\ngo VB\n")
    assert [item.words for item in read_parsed([plain], labelled=False)] == [("Do", "n't"), ("go",)]
    assert read_parsed([plain], tags="2", labelled=False)[0].tags == ("VB", "RB")


def test_lists(tmp_path):
    path = file(tmp_path, "a.jsonl", json.dumps({"tokens": ["Go", "home"], "tags": ["VB", "NN"]}) + "\n")
    assert read_parsed([path], labelled=False) == [ParseItem(("Go", "home"), None, None, f"{path}:1")]
    assert read_parsed([path], tags="tags", labelled=False)[0].tags == ("VB", "NN")


def test_plain_text(tmp_path):
    path = file(tmp_path, "a.txt", "(Applause.) It rained. He left.\n\nIt 's late .\n")
    found = [(" ".join(item.words), item.source) for item in read_parsed([path], labelled=False)]
    assert found == [
        ("( Applause . )", f"{path}:1"),
        ("It rained .", f"{path}:1"),
        ("He left .", f"{path}:1"),
        ("It 's late .", f"{path}:3"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "labelled", "message"),
    [
        ("a.txt", "It rained.\n", True, "holds no trees; trees are read from brackets"),
        ("a.ptb", "It rained.\n", False, "holds no trees"),
        ("a.conllu", CONLLU, True, "holds no trees"),
        ("a.ptb", "", True, "no trees found"),
        ("a.txt", "\n \n", False, "no sentences found"),
        ("a.ptb", "(S (NN a)\n", True, r"a\.ptb, line 1: the tree that begins here is not closed"),
        ("a.ptb", "\x00\x01\x02\x03\x04", True, "no plain text"),
        ("a.ptb.gz", None, True, "cannot read"),
    ],
)
def test_what_cannot_be_read(tmp_path, name, text, labelled, message):
    path = tmp_path / name
    if text is None:
        path.write_bytes(gzip.compress(TREES.encode() * 99)[:-20])
    else:
        path = file(tmp_path, name, text)
    with pytest.raises(LangnetError, match=message):
        read_parsed([path], labelled=labelled)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(LangnetError, match="there is no file"):
        read_parsed([tmp_path / "no.ptb"])
    with pytest.raises(LangnetError, match="is a folder"):
        read_parsed([tmp_path])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('He said "Don\'t go (yet)." She left.', ['He said " Do n\'t go ( yet ) . "', "She left ."]),
        ("It's 5% of $3.50, isn’t it?!", ["It 's 5 % of $ 3.50 , is n’t it ? !"]),
        ("Dr. A. Smith's dogs' food cannot wait... Or?", ["Dr. A. Smith 's dogs ' food can not wait ...", "Or ?"]),
        ("He lives in the U.S. now, at 3.30 p.m.", ["He lives in the U.S. now , at 3.30 p.m."]),
        ("He did n't say `` no '' , Mr. Brown .", ["He did n't say `` no '' , Mr. Brown ."]),
        ('"What?" he asked.', ['" What ? " he asked .']),
        ("¿Qué? «Nada», dijo.", ["¿ Qué ?", "« Nada » , dijo ."]),
        ("", []),
        ("-LRB- x -RRB-", ["-LRB- x -RRB-"]),
    ],
)  # fmt: skip
def test_english_words(line, expected):
    found = [" ".join(words) for words in treebank_sentences(line)]
    assert found == expected
    assert [" ".join(w) for one in found for w in treebank_sentences(one)] == expected, "what is cut stays as it is"
