"""Every format and every kind of bad input."""

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import tracemalloc
import zipfile

import pytest
import zstandard

from langnet.errors import LangnetError
from langnet.text.clean import DuplicateFilter, clean_text
from langnet.text.corpus import (
    CorpusOptions,
    CorpusReport,
    clean_documents,
    fingerprint,
    read_documents,
    split_of,
    total_bytes,
)

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


def test_folders_are_walked_in_order_and_hidden_files_left_out(tmp_path):
    for name in ("b/2.txt", "b/10.txt", "a/z.md", ".git/x.txt", "b/.hidden.txt", "c/d/e.text", "c/picture.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    texts, report, _ = read([tmp_path])
    assert texts == ["a/z.md", "b/10.txt", "b/2.txt", "c/d/e.text"]
    assert (report.files, report.skipped_files) == (4, 1)
    assert read([str(tmp_path / "**" / "*.txt")])[0] == ["b/10.txt", "b/2.txt"]
    (tmp_path / "pictures").mkdir()  # a folder without text, as an empty one
    assert read([str(tmp_path / "*")])[0] == texts, "folders that a pattern names are gone into"
    assert read([str(tmp_path / "**")])[0].count("a/z.md") == 1, "whose folders are gone into already"


def test_globs_leave_out_what_is_no_text(tmp_path):
    (tmp_path / "a").write_text("no suffix")
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n")
    texts, report, _ = read([tmp_path / "*"])
    assert (texts, report.skipped_files) == (["no suffix"], 1)
    with pytest.raises(LangnetError, match=r"none of the files that match .* is text"):
        read([tmp_path / "*.png"])
    with pytest.raises(LangnetError, match=r"b\.png is no plain text"):
        read([tmp_path / "b.png"])


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("secret")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)  # root, who may run the tests, may read everything
    with pytest.raises(LangnetError, match=r"cannot read .*a\.txt: Permission denied"):
        read([path])


def test_cells_that_are_no_text(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": 12}\n{"text": null}\n{"text": "a"}\n{"text": ["a"]}\n')
    with pytest.raises(LangnetError, match=r"a\.jsonl, line 4: the column 'text' holds a list"):
        read([tmp_path])
    (tmp_path / "a.jsonl").write_text('{"text": 12}\n{"text": null}\n{"text": "a"}\n')
    texts, report, sources = read([tmp_path])
    assert (texts, report.empty) == (["12", "a"], 1)
    assert sources[1] == f"{tmp_path / 'a.jsonl'}:3"


def test_long_headers_are_cut_in_the_message(tmp_path):
    (tmp_path / "a.csv").write_text(",".join(f"{n}{'x' * 500}" for n in range(40)) + "\n" + "," * 39)
    with pytest.raises(LangnetError, match="and 28 more") as caught:
        read([tmp_path])
    assert len(str(caught.value)) < 700 + len(str(tmp_path))


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv", ".parquet", ".txt"])
def test_memory_does_not_grow_with_the_corpus(tmp_path, suffix):
    def rows():
        return ({"text": f"document {n} " + "word " * 400} for n in range(4_000))  # 8 MB

    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        schema = pyarrow.schema([("text", pyarrow.string())])
        with pyarrow.parquet.ParquetWriter(path, schema) as writer:
            writer.write_table(pyarrow.Table.from_pylist(list(rows()), schema), row_group_size=500)
    elif suffix in (".csv", ".tsv", ".txt"):
        with path.open("w") as file:
            file.writelines(["text\n"] + [row["text"] + "\n" for row in rows()])
    else:
        with path.open("w") as file:
            file.write("[" if suffix == ".json" else "")
            for n, row in enumerate(rows()):
                file.write(("," if n and suffix == ".json" else "") + json.dumps(row) + "\n")
            file.write("]" if suffix == ".json" else "")
    options, report = CorpusOptions(documents="line"), CorpusReport()
    tracemalloc.start()
    try:
        for _ in clean_documents(read_documents([path], options, report), options, report):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.documents == 4_000 + (suffix == ".txt")
    assert report.bytes > 8_000_000
    assert peak < 4_000_000


def test_a_large_document_survives(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"long \xff\x00\n" * 300_000)
    texts, report, _ = read([path])
    assert len(texts[0]) == 7 * 300_000 - 1
    assert (report.bad_bytes, report.nulls) == (300_000, 300_000)


def test_reading_twice_gives_the_same(tmp_path):
    for n in range(20):
        (tmp_path / f"{n}.txt").write_text(f"text {n % 15}")
    first, second = read([tmp_path]), read([tmp_path])
    assert (first[0], first[2]) == (second[0], second[2])
    assert first[1] == second[1]
    assert first[1].duplicates == 5
    (tmp_path / "7.txt").write_text("another")
    assert read([tmp_path])[1].checksum != first[1].checksum


def test_fingerprint_changes_with_what_it_names(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one")
    names = [fingerprint([tmp_path], CorpusOptions())]
    assert fingerprint([tmp_path], CorpusOptions()) == names[0]
    assert total_bytes([tmp_path]) == 3
    names.append(fingerprint([tmp_path], CorpusOptions(min_characters=2)))
    path.write_text("more")
    names.append(fingerprint([tmp_path], CorpusOptions()))
    os.utime(path, (1, 1))
    names.append(fingerprint([tmp_path], CorpusOptions()))
    (tmp_path / "b.txt").write_text("two")
    names.append(fingerprint([tmp_path], CorpusOptions()))
    assert len(set(names)) == 5
    assert fingerprint(["-"], CorpusOptions()) is None
    with pytest.raises(LangnetError, match="no file"):
        fingerprint([tmp_path / "none"], CorpusOptions())


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
