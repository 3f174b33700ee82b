"""Files and data sets elsewhere: the file systems of fsspec and a web server on this machine; never the network."""

import gzip
import io
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import pytest

from langnet.errors import LangnetError
from langnet.text.corpus import CorpusOptions, CorpusReport, fingerprint, read_documents


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
    with pytest.raises(LangnetError, match="pip install s3fs"):
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
