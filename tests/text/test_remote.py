"""Files and data sets elsewhere: the file systems of fsspec and a web server on this machine; never the network."""

import gzip
import importlib.util
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import pytest

from langnet.errors import LangnetError
from langnet.text.corpus import CorpusOptions, CorpusReport, fingerprint, read_documents
from tests.object_stores import Hub, Store, serving


def read(source, **options):
    report = CorpusReport()
    found = read_documents([source], CorpusOptions(**options), report)
    return [document.text for document in found], report


@pytest.fixture
def store():
    system = fsspec.filesystem("memory")
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("in.txt", "in a zip")
    files = {
        "/bucket/a.txt": b"one \xff",
        "/bucket/b.jsonl.gz": gzip.compress(b'{"text": "two"}'),
        "/bucket/deep/c.csv": b"text,n\nthree,1\n",
        "/bucket/d.png": b"x",
        "/bucket/z.zip": held.getvalue(),
    }
    for name, data in files.items():
        system.pipe(name, data)
    yield system
    system.rm("/bucket", recursive=True)


def test_object_stores(store):
    texts, report = read("memory://bucket")
    assert texts == ["one \ufffd", "two", "three", "in a zip"]
    assert (report.files, report.skipped_files, report.bad_bytes) == (4, 1, 1)
    assert read("memory://bucket/*.gz")[0] == ["two"]
    assert read("memory://bucket/deep/c.csv")[0] == ["three"]
    assert read("memory://bucket/z.zip!in.txt")[0] == ["in a zip"]
    assert fingerprint(["memory://bucket"], CorpusOptions()) is None


def test_what_is_not_there(store):
    for source in ("memory://bucket/none.txt", "memory://bucket/*.md"):
        with pytest.raises(LangnetError, match="nothing at memory://bucket"):
            read(source)
    with pytest.raises(LangnetError, match="no column 'body'; the columns are 'text', 'n'"):
        read("memory://bucket/deep/c.csv", text_column="body")


def test_a_missing_package_is_named(monkeypatch):
    def refuse(*_):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", refuse)
    with pytest.raises(LangnetError, match=r"pip install 'langnet\[s3\]'"):
        read("s3://bucket/a.txt")


def test_web_addresses(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"text": "from the web"}\n{"text": "twice"}'))
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("in.txt", "in a zip")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            if not self.path.startswith("/short"):
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            return self.wfile.write(b"too short")

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        assert read(f"{address}/a.jsonl.gz?download=1")[0] == ["from the web", "twice"]
        assert read(f"{address}/z.zip!in.txt")[0] == ["in a zip"]
        with pytest.raises(LangnetError, match="9 of 1,000 bytes"):
            read(f"{address}/short.txt")
        with pytest.raises(LangnetError, match=r"none\.txt"):
            read(f"{address}/none.txt")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    with pytest.raises(LangnetError, match=r"cannot read http://127\.0\.0\.1"):
        read(f"{address}/a.jsonl.gz")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("hf://datasets/owner/name", ("owner/name", None, "train")),
        ("hf://datasets/owner/name:test", ("owner/name", None, "test")),
        ("hf://datasets/owner/name:20231101.yo", ("owner/name", "20231101.yo", "train")),
        ("hf://datasets/owner/name:plain:other", ("owner/name", "plain", "other")),
        ("hf://datasets/name", ("name", None, "train")),
    ],
)
def test_data_sets_of_the_hub(monkeypatch, address, expected):
    import datasets

    asked = []

    def load(name, config=None, *, split, streaming):
        assert streaming
        asked.append((name, config, split))
        return iter([{"text": "a"}, {"text": None}, {"text": "b"}])

    monkeypatch.setattr(datasets, "load_dataset", load)
    assert read(address)[0] == ["a", "", "b"]
    assert asked == [expected]
    with pytest.raises(LangnetError, match="no column 'body'; the columns are 'text'"):
        read(address, text_column="body")


def test_a_data_set_that_cannot_be_opened(monkeypatch):
    import datasets

    def load(*_, **__):
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(LangnetError, match=r"cannot read hf://datasets/owner/name: no route$"):
        read("hf://datasets/owner/name")


READ = """
import json, sys
from langnet.errors import LangnetError
from langnet.text.corpus import CorpusOptions, CorpusReport, read_documents
for source in sys.argv[1:]:
    try:
        print(json.dumps([d.text for d in read_documents([source], CorpusOptions(), CorpusReport())]))
    except LangnetError as error:
        print(json.dumps(str(error)))
"""


def read_elsewhere(sources, **environment):
    """What another process reads, since the libraries look at the environment when they are imported."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HF_", "FSSPEC_"))}
    done = subprocess.run(
        [sys.executable, "-c", READ, *sources], capture_output=True, text=True, timeout=120, check=True,
        env=kept | {"NO_PROXY": "127.0.0.1", "AWS_EC2_METADATA_DISABLED": "true"} | environment,
    )  # fmt: skip
    return dict(zip(sources, map(json.loads, done.stdout.splitlines()), strict=True))


def zipped(name, content):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, content)
    return held.getvalue()


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("s3fs") is None, reason="needs s3fs: pip install 'langnet[s3]'")
def test_a_bucket_of_s3():
    files = {
        "texts/a.txt": b"one \xff",
        "texts/b.jsonl.gz": gzip.compress(b'{"text": "two"}'),
        "texts/deep/c.csv": b"text,n\nthree,1\n",
        "texts/d.png": b"x",
        "z.zip": zipped("in.txt", "in a zip"),
        "large.txt": b"a line of text\n" * 1_000_000,
        "forbidden.txt": b"no",
    }
    expected = {
        "s3://bucket/texts": ["one \ufffd", "two", "three"],
        "s3://bucket/texts/*.gz": ["two"],
        "s3://bucket/texts/deep/c.csv": ["three"],
        "s3://bucket/z.zip!in.txt": ["in a zip"],
        "s3://bucket/none.txt": "there is nothing at s3://bucket/none.txt; check the address",
        "s3://elsewhere/a.txt": "there is nothing at s3://elsewhere/a.txt; check the address",
    }
    keys = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "secret-key"}
    with serving(Store, files) as (address, asked):
        sources = [*expected, "s3://bucket/large.txt", "s3://bucket/forbidden.txt"]
        found = read_elsewhere(sources, AWS_ENDPOINT_URL=address, **keys)
        assert sum(map(len, found.pop("s3://bucket/large.txt"))) == 15_000_000
        assert "AWS_ACCESS_KEY_ID" in found.pop("s3://bucket/forbidden.txt")
        assert found == expected
        assert all("secret-key" not in question for question in asked)
        public = read_elsewhere(["s3://bucket/texts/*.gz"], FSSPEC_S3_ENDPOINT_URL=address, FSSPEC_S3_ANON="true")
        assert public == {"s3://bucket/texts/*.gz": ["two"]}
        refused = read_elsewhere(["s3://bucket/texts"], AWS_ENDPOINT_URL=address, HOME=os.devnull)
        assert "credentials; set AWS_ACCESS_KEY_ID" in refused["s3://bucket/texts"]


@pytest.mark.slow
def test_a_data_set_and_files_of_the_hub(tmp_path):
    card = "---\nconfigs:\n"
    for name, files in (("default", ["train", "test"]), ("yo", ["dev"])):
        card += f"- config_name: {name}\n  data_files:\n"
        card += "".join(f"  - split: {split}\n    path: data/{name}-{split}.jsonl\n" for split in files)
    files = {
        "README.md": f"{card}---\n".encode(),
        "data/default-train.jsonl": b'{"text": "one"}\n{"text": "two"}\n',
        "data/default-test.jsonl": b'{"text": "three"}\n',
        "data/yo-dev.jsonl": b'{"text": "four"}\n',
        "raw/a.txt": b"plain",
        "raw/b.jsonl.gz": gzip.compress(b'{"text": "zipped"}'),
    }
    home = "hf://datasets/owner/name"
    expected = {
        home: ["one", "two"],
        f"{home}:test": ["three"],
        f"{home}:yo:dev": ["four"],
        f"{home}/raw/a.txt": ["plain"],
        f"{home}/raw": ["plain", "zipped"],
        f"{home}/raw/*.gz": ["zipped"],
        f"{home}/none.txt": f"there is nothing at {home}/none.txt; check the address",
        "hf://datasets/owner/none": "there is nothing at hf://datasets/owner/none; check the address",
    }
    with serving(Hub, files) as (address, _):
        unknown = f"{home}:zu:train"
        found = read_elsewhere([*expected, unknown], HF_ENDPOINT=address, HF_HOME=str(tmp_path))
    assert "'zu' not found. Available: ['default', 'yo']" in found.pop(unknown)
    assert found == expected
