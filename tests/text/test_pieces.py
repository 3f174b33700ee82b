"""Long documents come in consecutive pieces; memory does not grow with a document's length."""

import gzip
import io
import json
import subprocess
import sys
import unicodedata

import pytest

from langnet.errors import LangnetError
from langnet.text import formats
from langnet.text.corpus import CorpusOptions, CorpusReport, read_documents
from langnet.text.pieces import Pieces, cut_text
from langnet.text.prepare import PrepareOptions, prepare_corpus


@pytest.mark.parametrize(
    ("text", "longest", "pieces"),
    [
        ("short", 10, ["short"]),
        ("", 10, [""]),
        ("one two\n\nthree four", 12, ["one two", "\n\nthree four"]),
        ("one two three\nfour", 16, ["one two three", "\nfour"]),
        ("one two three", 9, ["one two", " three"]),
        ("unbroken", 3, ["unb", "rok", "en"]),
        ("a\u0301" * 4, 5, ["a\u0301a\u0301", "a\u0301a\u0301"]),
        ("\n\n" + "x" * 9, 6, ["\n\nxxxx", "xxxxx"]),  # an early blank line would make a tiny piece
    ],
)
def test_where_a_text_is_cut(text, longest, pieces):
    assert cut_text(text, longest) == pieces


@pytest.mark.parametrize("text", ["क्षत्रिय की पुस्तक " * 50, "红楼梦" * 300, "ẹ̀kọ́ọ̀" * 90, "👩‍👩‍👧" * 60, "\u0301" * 300])
def test_pieces_make_the_whole_again(text):
    pieces = cut_text(text, 101)
    assert "".join(pieces) == text
    assert max(map(len, pieces)) <= 101
    if not text.startswith("\u0301"):
        assert not any(unicodedata.category(piece[0])[0] == "M" for piece in pieces)
    cutter = Pieces(101)
    streamed = [piece for start in range(0, len(text), 17) for piece in cutter.add(text[start : start + 17])]
    assert cutter.was_cut
    assert "".join([*streamed, cutter.end()]) == text
    assert cutter.end() == ""


def read(path, **options):
    report = CorpusReport()
    found = list(read_documents([path], CorpusOptions(**options), report))
    return [(document.text, document.source.rpartition("/")[2]) for document in found], report


def test_files_lines_paragraphs_and_rows(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("one two three\nfour five\n\nsix\n", encoding="utf8")
    found, report = read(text, longest_document=14)
    assert found == [("one two three", "a.txt"), ("\nfour five", "a.txt"), ("\n\nsix\n", "a.txt")]
    assert report.cut == 1
    assert "1 long documents cut into pieces" in report.summary()
    found, report = read(text, documents="line", longest_document=10)
    expected = [("one two", 1), (" three\n", 1), ("four five\n", 2), ("\n", 3), ("six\n", 4)]
    assert found == [(piece, f"a.txt:{line}") for piece, line in expected]
    found, report = read(text, documents="paragraph", longest_document=14)
    assert found == [("one two three", "a.txt:1"), ("\nfour five\n", "a.txt:1"), ("six\n", "a.txt:4")]
    assert report.cut == 1
    table = tmp_path / "a.jsonl"
    table.write_text(json.dumps({"text": "one two three"}) + "\n" + json.dumps({"text": "four"}), encoding="utf8")
    found, report = read(table, longest_document=8)
    assert found == [("one two", "a.jsonl:1"), (" three", "a.jsonl:1"), ("four", "a.jsonl:2")]
    assert report.cut == 1
    assert read(table, longest_document=0)[0][0] == ("one two three", "a.jsonl:1")


def test_letters_and_bad_bytes_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "_SLICE", 7)
    content = "ẹ̀kọ́ 红楼梦\r\n".encode() * 40 + b"\xff\xe1\xba end"
    (tmp_path / "a.txt").write_bytes(content)
    found, report = read(tmp_path / "a.txt")
    expected = formats.decode(content)
    assert ([found[0][0]], report.bad_bytes, report.cut) == ([expected.text], expected.bad_bytes, 0)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", '{"text": "a"}\n{"text": "' + "b" * 200 + '"}'),
        ("a.json", '[{"text": "a"},\n{"text": "' + "b" * 200 + '"}]'),
        ("a.csv", "text\n" + "b" * 200 + "\n"),
        ("a.tsv", "text\n" + "b" * 200 + "\n"),
    ],
)
def test_a_row_without_end_is_refused(tmp_path, monkeypatch, name, content):
    monkeypatch.setattr(formats, "LARGEST_ROW", 100)
    monkeypatch.setattr(formats, "_JSON_CHARACTERS", 32)
    (tmp_path / name).write_text(content, encoding="utf8")
    with pytest.raises(LangnetError, match=rf"{name}, line 2: longer than 100 characters"):
        read(tmp_path / name)


def test_standard_input_is_read_once_and_not_kept(tmp_path, monkeypatch):
    def prepare():
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one sun two moons\n" * 30)))
        options = PrepareOptions("bytes", corpus=CorpusOptions(documents="line", drop_duplicates=False))
        return prepare_corpus(["-"], tmp_path / "out", options)

    assert prepare().report.documents == 30
    assert "standard-input.txt" not in {path.name for path in (tmp_path / "out").iterdir()}
    stamp = (tmp_path / "out/train/index.json").stat().st_mtime_ns
    assert prepare().report.documents == 30
    assert (tmp_path / "out/train/index.json").stat().st_mtime_ns == stamp, "the same text is not prepared again"


# The process may use so many bytes beside what it has when its libraries are loaded.
LIMITED = """
import resource, sys
from pathlib import Path
from langnet.text.corpus import *
from langnet.text.prepare import *
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + int(sys.argv[3]),) * 2)
options, report = CorpusOptions(), CorpusReport()
if sys.argv[2] == "read":
    for _ in clean_documents(read_documents([sys.argv[1]], options, report), options, report):
        pass
else:
    from langnet.text.tokenizer import Tokenizer
    prepare = PrepareOptions(corpus=options)
    report = prepare_corpus([sys.argv[1]], Path(sys.argv[1] + ".out"), prepare, Tokenizer.train(["a"], "bytes")).report
print(report.documents, report.cut, report.characters)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "line.txt"])
@pytest.mark.parametrize("stage", ["read", "prepare"])
def test_a_document_longer_than_the_memory(tmp_path, name, stage):
    size = 1_000 if stage == "read" else 100  # megabytes
    block = "".join(f"The film number {n} was long, and {n * 7919 % 10007} people saw it.\n" for n in range(20_000))
    block = block.replace("\n", " ") if name == "line.txt" else block
    with gzip.open(tmp_path / name, "wt", 1) if name.endswith(".gz") else (tmp_path / name).open("w") as file:
        for number in range(size * 1_000_000 // len(block)):
            file.write(f"{number} {block}")
    limit = 200_000_000 if stage == "read" else 700_000_000  # 200 MB of it are the map of the shards
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path / name, stage, str(limit)],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    documents, cut, characters = map(int, done.stdout.split())
    assert cut == 1
    assert documents >= size // 10 - 1
    assert characters > 0.99 * size * 1_000_000
