"""What is wrong with a table is said with its file and line, and nothing of it is read as something else."""

import io
import json

import pytest

from langnet.errors import LangnetError
from langnet.text.columns import read_columns
from langnet.text.corpus import CorpusOptions, CorpusReport, read_documents
from langnet.text.formats import read_rows
from langnet.text.labelled import read_labelled
from langnet.text.pairs import read_pairs
from langnet.text.tagged_sentences import TagColumns

LATIN = "schön".encode("latin1")


def write(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf8"))
    return path


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        ("a.csv", b"text,label\nb,x\n" + LATIN + b",y\n", 3),
        ("a.tsv", b"text\tlabel\n" + LATIN + b"\ty\n", 2),
        ("a.jsonl", b'{"text": "b", "label": "x"}\n{"text": "' + LATIN + b'", "label": "y"}\n', 2),
        ("a.json", b'[{"text": "b", "label": "x"},\n{"text": "' + LATIN + b'", "label": "y"}]\n', 2),
    ],
)
def test_bytes_that_are_not_utf8(tmp_path, name, data, line):
    with pytest.raises(LangnetError, match=f"{name} is not UTF-8 at line {line}; convert it: iconv -f ENCODING -t utf"):
        read_labelled(write(tmp_path / name, data))
    report = CorpusReport()  # raw text goes on, and counts them
    assert "sch\ufffdn" in [d.text for d in read_documents([tmp_path / name], CorpusOptions(), report)]
    assert report.bad_bytes == 1


def test_bytes_that_are_not_utf8_in_other_files(tmp_path):
    for label in ("x", "y"):
        (tmp_path / "classes" / label).mkdir(parents=True)
        write(tmp_path / "classes" / label / "a.txt", b"fine\n" + (LATIN if label == "y" else b""))
    with pytest.raises(LangnetError, match=r"y/a.txt is not UTF-8 at line 2"):
        read_labelled(tmp_path / "classes")
    with pytest.raises(LangnetError, match=r"a.conll is not UTF-8 at line 3"):
        list(read_columns(io.BytesIO(b"a X\n\n" + LATIN + b" Y\n"), tmp_path / "a.conll", TagColumns()))
    with pytest.raises(LangnetError, match=r"sick.txt is not UTF-8 at line 2"):
        read_pairs([write(tmp_path / "sick.txt", b"premise\thypothesis\tlabel\na\t" + LATIN + b"\tx\n")])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_read(tmp_path, encoding):
    found = read_labelled(write(tmp_path / "a.csv", "text,label\nschön,x\n".encode(encoding)))
    assert (found.texts, found.labels) == (["schön"], ["x"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": ["a", "b"], "label": "x"}, "line 1: the column 'text' holds a list where text is expected"),
        ({"text": "a", "label": ["x"]}, "line 1: the column 'label' holds a list where text is expected"),
        ({"text": "a", "label": {"x": 1}}, "line 1: the column 'label' holds an object where text is expected"),
        ({"text": "a", "label": None}, "line 1: the column 'label' is empty"),
    ],
)
def test_values_that_are_no_text(tmp_path, row, message):
    with pytest.raises(LangnetError, match=message):
        read_labelled(write(tmp_path / "a.jsonl", json.dumps(row)))
    assert read_labelled(write(tmp_path / "b.jsonl", '{"text": "a", "label": 1}')).labels == ["1"]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_a_name_twice_in_the_header(tmp_path, name):
    text = "text,label,text\na,x,b\n".replace(",", "\t" if name == "a.tsv" else ",")
    with pytest.raises(LangnetError, match=f"{name}, line 1: two columns are called 'text'; rename one of them"):
        read_labelled(write(tmp_path / name, text))
    with pytest.raises(LangnetError, match="no column 'label'"):  # columns without a name are no such
        read_labelled(write(tmp_path / name, text.replace("text\n", "\n").replace("label", "")))


def test_usual_names_of_the_text(tmp_path):
    path = write(tmp_path / "sst.tsv", "sentence\tlabel\na film\t1\n")
    assert read_labelled(path).texts == ["a film"]
    assert read_labelled(write(tmp_path / "a.csv", "sentence,text,label\na,b,1\n")).texts == ["b"]
    with pytest.raises(LangnetError, match="no column 'body'"):
        read_labelled(path, "body")


def test_rows_are_known_by_their_first_line(tmp_path):
    rows = read_rows(io.BytesIO(b'text,label\n"a\nb",x\n\nc,y\n'), "a.csv")
    assert [row.line for row in rows] == [2, 5]
    with pytest.raises(LangnetError, match=r"a.csv, line 3: a quote that begins in this row is never closed"):
        list(read_rows(io.BytesIO(b'text,label\na,x\n"b,y\nc,z\nd,z\n'), "a.csv"))
    with pytest.raises(LangnetError, match=r"a.csv, line 2: .* in line 3; check the quotes"):
        list(read_rows(io.BytesIO(b'text,label\n"a,x\nb"c,z\n'), "a.csv"))
    with pytest.raises(LangnetError, match=r"a.csv, line 2: the column 'label' is empty"):
        read_labelled(write(tmp_path / "a.csv", 'text,label\n"a\nb",\n'))


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.json"])
def test_a_binary_file_is_no_table(tmp_path, name):
    with pytest.raises(LangnetError, match=f"{name} is binary, and no table"):
        read_labelled(write(tmp_path / name, b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20))


def test_empty_files_are_named(tmp_path):
    paths = [write(tmp_path / name, b"") for name in ("a.csv", "b.csv")]
    with pytest.raises(LangnetError) as told:
        read_labelled(paths)
    assert str(told.value) == f"no labelled text in {paths[0]}, {paths[1]}"
