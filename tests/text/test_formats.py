"""Tables and texts as people really write them; streams that are damaged, cut off or too good to be true."""

import bz2
import csv
import gzip
import io
import json
import lzma
import random
import tracemalloc

import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from langnet.errors import LangnetError
from langnet.text.compression import decompressed, guarded
from langnet.text.formats import Decoded, decode, format_of, looks_binary, open_bytes, read_rows, text_stream


def rows(name, data, **settings):
    data = data.encode() if isinstance(data, str) else data
    return [(row.cells, row.line) for row in read_rows(io.BytesIO(data), name, **settings)]


def test_suffixes():
    assert [format_of(name) for name in ("a.CSV.gz", "x/b.txt", "c.tar.gz", "d.png", "e", "f.v1.0.jsonl", ".txt")] == [
        ".csv", ".txt", ".tar", "", "", ".jsonl", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "expected", "bad"),
    [
        (b"a\xffb", "a\ufffdb", 1),
        (b"\xe4\xbd", "\ufffd\ufffd", 2),  # a sign that is cut off
        ("written \ufffd as such".encode(), "written \ufffd as such", 0),
        (b"\xed\xa0\x80", "\ufffd" * 3, 3),  # a surrogate is no UTF-8
        ("Grüße".encode("utf-8-sig"), "Grüße", 0),
        ("Grüße".encode("utf-16"), "Grüße", 0),
        ("Grüße".encode("utf-32"), "Grüße", 0),
        (b"", "", 0),
    ],
)
def test_every_bad_byte_is_replaced_and_counted(data, expected, bad):
    assert decode(data) == Decoded(expected, bad)
    count = Decoded("", 0)
    assert "".join(text_stream(io.BytesIO(data), count)) == expected
    assert count.bad_bytes == bad


def test_bad_bytes_of_tables_are_counted():
    count = Decoded("", 0)
    assert rows("a.csv", b"text\na\xff\n", count=count) == [({"text": "a\ufffd"}, 2)]
    assert rows("a.jsonl", b'{"text": "\xff\xfe"}', count=count) == [({"text": "\ufffd\ufffd"}, 1)]
    assert rows("a.json", b'[{"text": "\xff"}]', count=count) == [({"text": "\ufffd"}, 1)]
    assert count.bad_bytes == 4


@pytest.mark.parametrize(
    "data",
    [
        '[{"text": "a"}, {"text": "b ] }"}]',
        '[\n {"text":\n "a"},\n\n {"text": "b ] }"}\n]\n',
        '{"text": "a"}\n{"text": "b ] }"}\n',
        '\ufeff[{"text": "a"},{"text": "b ] }"},]',
    ],
)
def test_json_arrays_and_sequences(data):
    assert [cells["text"] for cells, _ in rows("a.json", data)] == ["a", "b ] }"]


def test_json_objects_longer_than_what_is_read_at_once():
    texts = ["x" * 300_000, "short", "é" * 150_000]
    assert [cells["text"] for cells, _ in rows("a.json", json.dumps([{"text": text} for text in texts]))] == texts


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.json", '[\n{"text": "a"},\n{"text": }]', r"a\.json, line 3: not valid JSON"),
        ("a.json", '[{"text": "a"}, {"text": "b"', r"a\.json, line 1: not valid JSON"),
        ("a.json", '[{"text": "a"}, {"text": "b"},\n', r"a\.json is cut off: the array .* is never closed"),
        ("a.json", f'[{json.dumps({"text": "a" * 70_000})}, {{"text": "b"}}', r"a\.json is cut off"),
        ("a.json", "[1, 2]", "item 1: expected an object"),
        ("a.json", '{"a":' * 100_000, "line 1"),
        ("a.jsonl", '{"a": 1}\n\n{"a": 1,}\n', r"a\.jsonl, line 3"),
        ("a.jsonl", "[" * 100_000, "line 1"),
        ("a.csv", 'text\n"never closed\n', r"a\.csv, line 2"),
        ("a.csv", "a,b\n1\n", "line 2: 1 cells where the header has 2"),
        ("a.tsv", "a\tb\n1\t2\t3\n", "line 2: 3 cells where the header has 2"),
        ("a.txt", "", "not a table"),
    ],
)
def test_bad_tables_name_file_and_line(name, data, message):
    with pytest.raises(LangnetError, match=message) as caught:
        rows(name, data)
    assert "\n" not in str(caught.value)


def test_tab_separated_with_and_without_quotes():
    data = (
        "text\tlabel\n"
        '"quoted ""so""\twith a tab"\t1\n'
        '"two\nlines"\t2\n'
        '"It is," he said\t3\n'
        '"never closed\t4\n'
        'in the "middle"\t5\r\n'
        "\n"
        'last "\t"6\n'
    )
    found = rows("a.tsv", data)
    assert [cells["text"] for cells, _ in found] == [
        'quoted "so"\twith a tab', "two\nlines", '"It is," he said', '"never closed', 'in the "middle"', 'last "',
    ]  # fmt: skip
    assert [cells["label"] for cells, _ in found] == ["1", "2", "3", "4", "5", '"6']
    assert [line for _, line in found] == [2, 3, 5, 6, 7, 9]


def test_what_csv_writers_quote_comes_back_from_tab_separated():
    generator = random.Random(0)
    texts = ["".join(generator.choices('ab"\t\n ', k=generator.randint(1, 12))) for _ in range(300)]
    held = io.StringIO()
    writer = csv.writer(held, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([["text", "label"], *([text, "x"] for text in texts)])
    assert [cells["text"] for cells, _ in rows("a.tsv", held.getvalue())] == texts


def test_parquet_from_a_stream_without_seeking_and_only_the_wanted_columns(tmp_path):
    held = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a", "b"], "image": [b"x", b"y"]}), held)
    path = tmp_path / "a.parquet.gz"
    path.write_bytes(gzip.compress(held.getvalue()))
    with open_bytes(path) as stream:
        assert [row.cells for row in read_rows(stream, str(path), ("text",))] == [{"text": "a"}, {"text": "b"}]
    with open_bytes(path) as stream:
        assert set(next(read_rows(stream, str(path), ("body",))).cells) == {"text", "image"}


PACKERS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("suffix", PACKERS)
def test_compressed_streams_whole_joined_and_cut_off(tmp_path, suffix):
    pack, data = PACKERS[suffix], random.Random(0).randbytes(150_000).hex().encode()
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(pack(data) + pack(b"more"))
    with open_bytes(path) as stream:
        assert stream.read() == data + b"more"
    path.write_bytes(pack(data)[:-500])
    with open_bytes(path) as stream, pytest.raises((EOFError, OSError)):
        stream.read()
    path.write_bytes(b"")
    assert decompressed(io.BytesIO(pack(b"")), path.name).read() == b""


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_bomb_is_refused_before_it_fills_the_memory(suffix):
    packed = PACKERS[suffix](bytes(60_000_000))
    tracemalloc.start()
    stream = guarded(decompressed(io.BytesIO(packed), f"a{suffix}"), len(packed), "a bomb")
    with pytest.raises(LangnetError, match="a bomb grows"):
        for _ in iter(lambda: stream.read(1 << 16), b""):
            pass
    assert tracemalloc.get_traced_memory()[1] < 45_000_000
    tracemalloc.stop()


def test_binary_files_are_told_from_text():
    for head in (b"%PDF-1.7", b"PK\x03\x04word", b"\x89PNG\r\n", bytes(range(32))):
        assert looks_binary(head)
    for text in ("plain", "你好\n", "", "one nul \x00 in much text"):
        assert not looks_binary(text.encode())
    assert not looks_binary("UTF-16".encode("utf-16"))
