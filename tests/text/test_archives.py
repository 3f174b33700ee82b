"""Members of archives: all of them, one of them, and archives that are damaged or lie."""

import gzip
import io
import tarfile
import zipfile

import pytest

from langnet.errors import LangnetError
from langnet.text.archives import split_member
from langnet.text.corpus import CorpusOptions, CorpusReport, read_documents

MEMBERS = {
    "in/a.txt": b"one",
    "in/b.jsonl": b'{"text": "two"}',
    "other/c.txt.gz": gzip.compress(b"three"),
    "d.png": b"\x89PNG",
    "__MACOSX/in/._a.txt": b"resource fork",
    "in/.hidden.txt": b"hidden",
    "inner.zip": b"PK",
    "README": b"no suffix",
}
MODES = {"tar": "w", "tar.gz": "w:gz", "tgz": "w:gz", "tar.bz2": "w:bz2", "tbz2": "w:bz2", "tar.xz": "w:xz"}


def write(path, members=MEMBERS):
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return path
    with tarfile.open(path, MODES[path.name.split(".", 1)[1]]) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def read(source):
    report = CorpusReport()
    return [document.text for document in read_documents([source], CorpusOptions(), report)], report


@pytest.mark.parametrize("kind", ["zip", *MODES])
def test_members(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}")
    texts, report = read(path)
    assert texts == ["one", "two", "three"]
    assert (report.files, report.skipped_files) == (3, 3)
    assert read(f"{path}!in/b.jsonl")[0] == ["two"]
    assert read(f"{path}!in")[0] == ["one", "two"]
    assert read(f"{path}!*/*.txt*")[0] == ["one", "three"]
    assert read(f"{path}!README")[0] == ["no suffix"]
    with pytest.raises(LangnetError, match=r"no member 'none\.txt'; it holds in/a\.txt"):
        read(f"{path}!none.txt")
    with pytest.raises(LangnetError, match="no plain text"):
        read(f"{path}!d.png")


def test_addresses_of_members():
    assert split_member("a/b.zip!c/d.txt") == ("a/b.zip", "c/d.txt")
    assert split_member("b.tar.gz!c!d") == ("b.tar.gz", "c!d")
    assert split_member("https://x/b.zip!c") == ("https://x/b.zip", "c")
    for plain in ("a.zip", "wow!.txt", "wow!/a.zip"):
        assert split_member(plain) == (plain, "")


def test_a_name_with_an_exclamation_mark_is_a_name(tmp_path):
    folder = tmp_path / "a.zip!b"
    folder.mkdir()
    (folder / "c.txt").write_text("text")
    assert read(folder)[0] == ["text"]


def test_an_archive_without_texts(tmp_path):
    path = write(tmp_path / "a.zip", {"d.png": b"x"})
    with pytest.raises(LangnetError, match=r"holds no file that langnet reads.*\.jsonl"):
        read(path)
    (tmp_path / "a.txt").write_text("text")  # beside other files it is only counted
    texts, report = read(tmp_path)
    assert (texts, report.skipped_files) == (["text"], 1)


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.xz", "tar.bz2"])
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_cut_off_archives(tmp_path, kind, part):
    import random

    path = write(tmp_path / f"a.{kind}", {f"{n}.txt": random.Random(n).randbytes(40_000).hex().encode() for n in "ab"})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(LangnetError, match=rf"cannot read.*a\.{kind}") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_a_flipped_byte_and_a_password(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello world")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"hello", b"hullo", 1))
    with pytest.raises(LangnetError, match=r"a\.zip!a\.txt.*CRC"):
        read(path)
    locked = bytearray(whole)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[whole.index(signature) + offset] |= 1  # the flag of encryption
    path.write_bytes(bytes(locked))
    with pytest.raises(LangnetError, match="password"):
        read(path)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_bomb_within_an_archive(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}", {"a.txt.gz": gzip.compress(b"0" * 40_000_000)})
    with pytest.raises(LangnetError, match="grows"):
        read(path)


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_bomb_of_many_small_members(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}", {f"{n}.txt": b"0" * 2_000_000 for n in range(12)})
    with pytest.raises(LangnetError, match="grows"):
        read(path)
