"""Every format and every kind of bad input."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile

import pytest
import zstandard

from langnet.errors import LangnetError
from langnet.text.clean import DuplicateFilter, clean_text
from langnet.text.corpus import CorpusOptions, CorpusReport, clean_documents, read_documents, split_of

TEXTS = ["Ẹ káàárọ̀ o", "你好，世界", 'a "quoted", line']


def read(sources, **options):
    report = CorpusReport()
    settings = CorpusOptions(**options)
    found = list(clean_documents(read_documents(sources, settings, report), settings, report))
    return [document.text for document in found], report, [document.source for document in found]


def content(suffix):
    import csv

    import pyarrow
    import pyarrow.parquet

    rows = [{"text": text, "n": n} for n, text in enumerate(TEXTS)]
    if suffix == ".jsonl":
        return "\n".join(json.dumps(row) for row in rows).encode()
    if suffix == ".json":
        return json.dumps(rows).encode()
    if suffix == ".parquet":
        held = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), held)
        return held.getvalue()
    if suffix == ".txt":
        return "\n".join(TEXTS).encode()
    held = io.StringIO()
    writer = csv.DictWriter(held, ["text", "n"], delimiter="\t" if suffix == ".tsv" else ",")
    writer.writeheader()
    writer.writerows(rows)
    return held.getvalue().encode()


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".json", ".csv", ".tsv", ".parquet"])
@pytest.mark.parametrize("packed", ["", ".gz", ".bz2", ".xz", ".zst"])
def test_formats(tmp_path, suffix, packed):
    pack = {
        "": bytes,
        ".gz": gzip.compress,
        ".bz2": bz2.compress,
        ".xz": lzma.compress,
        ".zst": zstandard.ZstdCompressor().compress,
    }[packed]
    path = tmp_path / f"a{suffix}{packed}"
    path.write_bytes(pack(content(suffix)))
    expected = [clean_text(text).text for text in TEXTS]
    assert read([path], documents="line")[0] == expected
    assert read([tmp_path], documents="line")[0] == expected
    assert read([str(tmp_path / "a*")], documents="line")[0] == expected


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tgz", "tar.xz", "tar.zst"])
def test_archives(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    members = {
        "in/a.txt": b"one",
        "in/b.jsonl": b'{"text": "two"}',
        "in/c.txt.gz": gzip.compress(b"three"),
        "d.png": b"x",
    }
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
    else:
        held = io.BytesIO()
        with tarfile.open(
            fileobj=held, mode="w:gz" if kind in ("tar.gz", "tgz") else "w:xz" if kind == "tar.xz" else "w"
        ) as archive:
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        data = held.getvalue()
        path.write_bytes(zstandard.ZstdCompressor().compress(data) if kind == "tar.zst" else data)
    texts, _, sources = read([path])
    assert texts == ["one", "two", "three"]
    assert sources[0] == f"{path}!in/a.txt"


def test_what_is_mended_and_dropped_is_counted(tmp_path):
    (tmp_path / "a.txt").write_bytes(
        b"bad \xff\xfe bytes\n\nnul\x00s\x00 and \x07 bell\n\n \n\nsame\n\nsame\n\nlast\r\n"
    )
    texts, report, _ = read([tmp_path], documents="line")
    assert texts == ["bad \ufffd\ufffd bytes", "nuls and  bell", "same", "last"]
    assert (report.bad_bytes, report.nulls, report.control_characters, report.duplicates) == (2, 2, 1, 1)
    assert report.documents == 4
    assert "2 bad bytes" in report.summary()
    report = read([tmp_path])[1]
    assert (report.bad_bytes, report.nulls) == (2, 2)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes("Grüße\nzwei".encode(encoding))
    assert read([tmp_path])[0] == ["Grüße\nzwei"]
    assert read([tmp_path], documents="line")[0] == ["Grüße", "zwei"]


def test_paragraphs_and_minimum(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo\n\n\nthree\n \nx")
    assert read([tmp_path], documents="paragraph")[0] == ["one\ntwo", "three", "x"]
    texts, report, _ = read([tmp_path], documents="paragraph", min_characters=3)
    assert (texts, report.empty) == (["one\ntwo", "three"], 1)


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("Grüße".encode())))
    assert read(["-"])[0] == ["Grüße"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.jsonl", b'{"text": "a"}\n{"text": ', r"a\.jsonl.*2"),
        ("a.jsonl", b'{"body": "a"}', "'body'"),
        ("a.jsonl", b"[1]", "object"),
        ("a.csv", b"text,n\na,1\nb\n", r"a\.csv.*3"),
        ("a.csv", b"title,n\na,1\n", "'title', 'n'"),
        ("a.json", b"{", r"a\.json"),
        ("a.parquet", b"PAR1nonsense", r"a\.parquet"),
        ("a.txt.gz", b"not gzip", r"a\.txt\.gz"),
        ("a.txt.gz", gzip.compress(b"x" * 1000, mtime=0)[:-9], r"a\.txt\.gz"),
        ("a.txt.xz", b"not xz", r"a\.txt\.xz"),
        ("a.txt.zst", b"not zst", r"a\.txt\.zst"),
        ("a.zip", b"not zip", r"a\.zip"),
        ("a.tar", b"not tar" * 200, r"a\.tar"),
    ],
)
def test_bad_files_give_one_clear_line(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(LangnetError, match=message) as caught:
        read([tmp_path / name])
    assert "\n" not in str(caught.value)


def test_bad_paths_give_one_clear_line(tmp_path):
    for source in (tmp_path / "none.txt", tmp_path / "*.txt"):
        with pytest.raises(LangnetError, match="no file"):
            read([source])
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(LangnetError, match=r"\.txt.*\.jsonl"):
        read([tmp_path])


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "txt.gz"])
def test_bombs_are_refused(tmp_path, kind):
    path, data = tmp_path / f"a.{kind}", b"0" * 40_000_000
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.txt", data)
    elif kind == "tar.gz":
        with tarfile.open(path, "w:gz") as archive:
            info = tarfile.TarInfo("a.txt")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    else:
        path.write_bytes(gzip.compress(data))
    with pytest.raises(LangnetError, match="grows"):
        read([path])


def test_split_is_by_content_and_near_its_fraction():
    sides = [split_of(f"text {n}", 0.1) for n in range(3000)]
    assert 230 < sides.count("validation") < 370
    assert sides == [split_of(f"text {n}", 0.1) for n in range(3000)]
    assert sides != [split_of(f"text {n}", 0.1, seed=1) for n in range(3000)]
    assert {split_of("a", 0.0), split_of("b", 0.0)} == {"train"}


def test_duplicate_filter():
    seen = DuplicateFilter()
    assert [seen.is_new(text) for text in ("a", "b", "a")] == [True, True, False]
    assert seen.has("a")
    assert not seen.has("c")
    seen.close()
