"""What a bucket of S3 and a data set of the Hugging Face hub answer, by a server on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from xml.sax.saxutils import escape

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Service(BaseHTTPRequestHandler):
    """A handler with the little that both need; `files` maps names to contents."""

    protocol_version = "HTTP/1.1"
    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        parts = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(parts.path)
        self.answer(path, dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)))

    def answer(self, path: str, query: dict[str, str]) -> None:
        raise NotImplementedError

    def send(self, content: bytes, kind: str = "application/json", status: int = 200, **headers: str) -> None:
        """One answer; of a HEAD request only its head."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_file(self, content: bytes, **headers: str) -> None:
        """A file, or the range of it that is asked for."""
        wanted = self.headers.get("Range", "")
        if not wanted:
            return self.send(content, "application/octet-stream", Accept_Ranges="bytes", **headers)
        first, last = wanted.removeprefix("bytes=").split("-")
        start, stop = int(first), min(int(last or len(content)) + 1, len(content))
        spread = f"bytes {start}-{stop - 1}/{len(content)}"
        return self.send(content[start:stop], "application/octet-stream", 206, Content_Range=spread, **headers)


class Store(Service):
    """A bucket by path-style addresses: listing (ListObjectsV2), HEAD, GET with ranges."""

    def answer(self, path: str, query: dict[str, str]) -> None:
        self.asked.append(self.headers.get("Authorization", ""))
        bucket, _, key = path.strip("/").partition("/")
        if bucket != "bucket":
            return self._error(404, "NoSuchBucket")
        if not key and self.command == "GET":
            return self._list(query.get("prefix", ""), query.get("delimiter", ""))
        if key not in self.files and key:
            return self._error(404, "NoSuchKey")
        if "forbidden" in key:
            return self._error(403, "AccessDenied")
        stamp = {"Last_Modified": "Tue, 24 Nov 2026 10:00:00 GMT", "ETag": _etag(self.files.get(key, b""))}
        return self.send_file(self.files.get(key, b""), **stamp)

    def _error(self, status: int, code: str) -> None:
        text = f"<Error><Code>{code}</Code><Message>{code}, says the store</Message></Error>"
        self.send(text.encode(), "application/xml", status)

    def _list(self, prefix: str, delimiter: str) -> None:
        keys, folders = [], set()
        for name in sorted(self.files):
            inside, cut, _ = name.removeprefix(prefix).partition(delimiter or "\0")
            if not name.startswith(prefix):
                continue
            if cut:
                folders.add(prefix + inside + cut)
            else:
                keys.append(name)
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-24T10:00:00.000Z</LastModified>"
            f"<ETag>{_etag(self.files[key])}</ETag><Size>{len(self.files[key])}</Size></Contents>"
            for key in keys
        )
        items += "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in folders)
        head = "<Name>bucket</Name><IsTruncated>false</IsTruncated>"
        text = f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{head}{items}</ListBucketResult>'
        self.send(text.encode(), "application/xml")


class Hub(Service):
    """The data set `owner/name` of the Hugging Face hub: its facts, its tree, its files."""

    def answer(self, path: str, query: dict[str, str]) -> None:
        if path.startswith("/api/datasets/owner/name/tree/"):
            folder = path.removeprefix("/api/datasets/owner/name/tree/").partition("/")[2]
            return self.send(json.dumps(self._tree(folder, query.get("recursive", "").lower() == "true")).encode())
        if path.startswith("/api/datasets/owner/name"):
            files = [{"rfilename": name} for name in self.files]
            facts = {"id": "owner/name", "sha": COMMIT, "private": False, "gated": False, "disabled": False}
            facts |= {"tags": [], "downloads": 0, "likes": 0, "siblings": files, "_id": "0", "author": "owner"}
            return self.send(json.dumps(facts | {"lastModified": "2026-11-24T10:00:00.000Z"}).encode())
        name = path.removeprefix("/datasets/owner/name/resolve/").partition("/")[2]
        if path.startswith("/datasets/owner/name/resolve/") and name in self.files:
            content = self.files[name]
            return self.send_file(content, X_Repo_Commit=COMMIT, ETag=_etag(content))
        code = "EntryNotFound" if path.startswith("/datasets/owner/name/") else "RepoNotFound"
        return self.send(b'{"error": "not there"}', status=404, X_Error_Code=code)

    def do_POST(self) -> None:
        """Facts on some paths."""
        self.asked.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.path.startswith("/api/datasets/owner/name/paths-info/"):
            return self.send(b"{}", status=404)
        try:
            wanted = json.loads(body)["paths"]
        except ValueError:
            wanted = urllib.parse.parse_qs(body.decode())["paths"]
        found = [self._entry(name) for name in wanted if name in self.files or self._is_folder(name)]
        return self.send(json.dumps(found).encode())

    def _is_folder(self, name: str) -> bool:
        return any(file.startswith(name.rstrip("/") + "/") for file in self.files)

    def _entry(self, name: str) -> dict[str, Any]:
        if name not in self.files:
            return {"type": "directory", "path": name, "oid": "0" * 40}
        content = self.files[name]
        return {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}

    def _tree(self, folder: str, recursive: bool) -> list[dict[str, Any]]:
        prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
        names = set()
        for file in self.files:
            if file.startswith(prefix):
                parts = file.removeprefix(prefix).split("/")
                names.add(prefix + parts[0])
                if recursive:
                    names |= {prefix + "/".join(parts[:depth]) for depth in range(1, len(parts) + 1)}
        return [self._entry(name) for name in sorted(names)]


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


@contextmanager
def serving(service: type[Service], files: dict[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """The service's address, and the list of what it is asked."""
    asked: list[str] = []
    handler = type(service.__name__, (service,), {"files": files, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
