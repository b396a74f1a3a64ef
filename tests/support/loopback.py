"""A package index on 127.0.0.1, honest or misbehaving on request, with a log of what was asked.

::

    with LoopbackIndex() as index:
        index.add(*build_wheel("demo", "1.0"))
        index.fail_once("/simple/demo/", 503)
        ...                                     # point the code under test at index.url
        assert index.count("/simple/demo/") == 2

It is a real threading HTTP/1.1 server with keep-alive. Pages are at ``/simple/<project>/``, files at
``/files/<filename>``, separate metadata at ``/files/<filename>.metadata``. Misbehaviour is named by request path; a
path without a leading slash is the name of a file.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import io
import json
import re
import ssl
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from packaging.utils import canonicalize_name
from typing_extensions import Self, override

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived; header names are lower case, the path is decoded and has no query.

    The header ``x-client-port`` is the log's own: requests with the same one came over one connection.
    """

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class Reply:
    """What is sent. ``body`` may be shorter than ``length`` says."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    length: int | None = None
    """Content-Length; None means the body's own, a negative one that none is sent."""
    stall: bool = False
    """After the body hold the connection open and say nothing more."""
    endless: bool = False
    """After the body go on for ever."""
    pause_seconds: float = 0
    """Between pieces of 16 KiB."""
    close: bool = False


Fault = Callable[[Request, Reply], "Reply | None"]
"""Changes a reply; None drops the connection without an answer."""


@dataclass(slots=True)
class _File:
    content: bytes
    entry: dict[str, Any]
    metadata: bytes | None


def metadata_of(wheel: bytes) -> bytes:
    """Return METADATA of a wheel."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA") and n.count("/") == 1)
        return archive.read(name)


def project_of(filename: str) -> str:
    """Return the normalised project name that a wheel's or sdist's file name begins with."""
    stem = filename.partition("-")[0] if filename.endswith(".whl") else filename.rpartition("-")[0]
    return str(canonicalize_name(stem))


class LoopbackIndex:
    """The server, as a context manager. Options say what kind of index it is; they may be changed while it runs.

    Args:
        html: serve HTML pages only.
        ranges: honour ``Range``.
        compress: gzip pages for clients that accept it.
        etag: give pages a validator and answer 304.
        max_age: ``Cache-Control: max-age=…`` on pages.
        credentials: (user, password) without which the answer is 401.
        api_version: what pages claim.
        tls: what to wrap the listening socket with; then `root` begins with ``https``.

    It also answers requests that reach it as a proxy would get them; ``x-proxied-for`` in the log names their host.
    """

    def __init__(
        self,
        *,
        html: bool = False,
        ranges: bool = True,
        compress: bool = False,
        etag: bool = True,
        max_age: int | None = None,
        credentials: tuple[str, str] | None = None,
        api_version: str = "1.4",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.html = html
        self.ranges = ranges
        self.compress = compress
        self.etag = etag
        self.max_age = max_age
        self.credentials = credentials
        self.api_version = api_version
        self.requests: list[Request] = []
        self.statuses: dict[str, dict[str, str]] = {}
        self._files: dict[str, _File] = {}
        self._projects: dict[str, list[str]] = {}
        self._faults: dict[str, list[tuple[Fault, list[int]]]] = {}
        self._mutex = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.index = self
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            # The handshake belongs to the connection's own thread, or one slow client would hold up all others.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self._server.server_address[1])

    @property
    def root(self) -> str:
        """``http://127.0.0.1:<port>``."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The index root, with a trailing slash and without credentials."""
        return f"{self.root}/simple/"

    @property
    def url_with_credentials(self) -> str:
        """The index root with user and password in it."""
        user, password = self.credentials or ("user", "secret")
        return f"{self._scheme}://{quote(user)}:{quote(password)}@127.0.0.1:{self.port}/simple/"

    # ── content ──────────────────────────────────────────────────────────────────────────────────────────────

    def add(
        self,
        filename: str,
        content: bytes,
        *,
        project: str | None = None,
        yanked: bool | str | None = None,
        requires_python: str | None = None,
        upload_time: str | None = None,
        core_metadata: bool | bytes = True,
        hash: bool = True,  # noqa: A002 - reads well at the call
        size: bool = True,
        url: str | None = None,
    ) -> str:
        """Offer a file; return its URL. ``core_metadata`` as bytes is served instead of the wheel's own."""
        name = project or project_of(filename)
        entry: dict[str, Any] = {"filename": filename, "url": url or f"{self.root}/files/{quote(filename)}"}
        entry["hashes"] = {"sha256": hashlib.sha256(content).hexdigest()} if hash else {}
        if size:
            entry["size"] = len(content)
        if requires_python is not None:
            entry["requires-python"] = requires_python
        if upload_time is not None:
            entry["upload-time"] = upload_time
        if yanked is not None:
            entry["yanked"] = yanked
        metadata: bytes | None = None
        if core_metadata is not False and filename.endswith(".whl"):
            metadata = metadata_of(content) if core_metadata is True else core_metadata
            entry["core-metadata"] = {"sha256": hashlib.sha256(metadata).hexdigest()}
        with self._mutex:
            self._files[filename] = _File(content, entry, metadata)
            names = self._projects.setdefault(str(canonicalize_name(name)), [])
            if filename not in names:
                names.append(filename)
        return str(entry["url"])

    def add_project(self, name: str) -> None:
        """Make a page without files (unless it has some)."""
        self._projects.setdefault(str(canonicalize_name(name)), [])

    def edit(self, filename: str, **changes: Any) -> None:
        """Change a file's JSON keys (``_`` for ``-``); None removes one. For pages that lie."""
        entry = self._files[filename].entry
        for key, value in changes.items():
            entry.pop(key.replace("_", "-"), None)
            if value is not None:
                entry[key.replace("_", "-")] = value

    def set_status(self, name: str, status: str, reason: str = "") -> None:
        """Give a project a PEP 792 status."""
        self.statuses[str(canonicalize_name(name))] = {"status": status, "reason": reason}

    # ── misbehaviour ─────────────────────────────────────────────────────────────────────────────────────────

    def misbehave(self, path: str, fault: Fault, *, times: int = 1_000_000) -> None:
        """Apply ``fault`` to the next ``times`` answers for ``path``."""
        path = path if path.startswith("/") else f"/files/{path}"
        self._faults.setdefault(path, []).append((fault, [times]))

    def behave(self) -> None:
        """Forget all misbehaviour."""
        self._faults.clear()

    def answer(
        self, path: str, body: bytes, *, status: int = 200, content_type: str = JSON_TYPE, times: int = 1_000_000
    ) -> None:
        """Answer exactly so (malformed and wrongly labelled pages)."""
        self.misbehave(path, lambda _q, _r: Reply(status, {"Content-Type": content_type}, body), times=times)

    def fail(self, path: str, status: int, *, times: int = 1_000_000, retry_after: str | None = None) -> None:
        """Answer with an error status."""
        headers = {"Retry-After": retry_after} if retry_after is not None else {}
        self.misbehave(path, lambda _q, _r: Reply(status, dict(headers)), times=times)

    def fail_once(self, path: str, status: int = 503) -> None:
        """Answer once with an error status."""
        self.fail(path, status, times=1)

    def drop(self, path: str, *, times: int = 1) -> None:
        """Close the connection without an answer."""
        self.misbehave(path, lambda _q, _r: None, times=times)

    def cut(self, path: str, after: int, *, times: int = 1) -> None:
        """Close the connection after ``after`` bytes of a body that was announced whole."""

        def fault(_request: Request, reply: Reply) -> Reply:
            reply.length, reply.body, reply.close = len(reply.body), reply.body[:after], True
            return reply

        self.misbehave(path, fault, times=times)

    def stall(self, path: str, after: int = 0, *, times: int = 1_000_000) -> None:
        """Send ``after`` bytes, then nothing more."""

        def fault(_request: Request, reply: Reply) -> Reply:
            reply.length, reply.body, reply.stall = len(reply.body), reply.body[:after], True
            return reply

        self.misbehave(path, fault, times=times)

    def slow(self, path: str, seconds: float, *, times: int = 1_000_000) -> None:
        """Wait before answering."""

        def fault(_request: Request, reply: Reply) -> Reply:
            self._closing.wait(seconds)
            return reply

        self.misbehave(path, fault, times=times)

    def trickle(self, path: str, pause_seconds: float) -> None:
        """Send the body in pieces of 16 KiB with pauses between them."""

        def fault(_request: Request, reply: Reply) -> Reply:
            reply.pause_seconds = pause_seconds
            return reply

        self.misbehave(path, fault)

    def endless(self, path: str) -> None:
        """Send a body that never ends (chunked, so that no length is announced)."""

        def fault(_request: Request, reply: Reply) -> Reply:
            reply.endless = True
            return reply

        self.misbehave(path, fault)

    def redirect(self, path: str, to: str, *, status: int = 302) -> None:
        """Send the client elsewhere."""
        self.misbehave(path, lambda _q, _r: Reply(status, {"Location": to}))

    def lie_in_content_range(self, path: str, value: str = "bytes 0-9/10") -> None:
        """Answer ranges with a false Content-Range."""

        def fault(_request: Request, reply: Reply) -> Reply:
            if reply.status == HTTPStatus.PARTIAL_CONTENT:
                reply.headers["Content-Range"] = value
            return reply

        self.misbehave(path, fault)

    def wrong_hash(self, filename: str) -> None:
        """Let the page name a hash that the file does not have."""
        self.edit(filename, hashes={"sha256": hashlib.sha256(b"another file").hexdigest()})

    def corrupt(self, path: str, *, times: int = 1_000_000) -> None:
        """Flip one bit of the first byte of every body."""

        def fault(_request: Request, reply: Reply) -> Reply:
            reply.body = bytes([reply.body[0] ^ 1]) + reply.body[1:]
            return reply

        self.misbehave(path, fault, times=times)

    # ── the log ──────────────────────────────────────────────────────────────────────────────────────────────

    def count(self, prefix: str = "/") -> int:
        """Return how many requests had a path beginning with ``prefix``."""
        return sum(1 for request in list(self.requests) if request.path.startswith(prefix))

    def paths(self) -> list[str]:
        """Return the requested paths in order of arrival."""
        return [request.path for request in list(self.requests)]

    def forget_requests(self) -> None:
        """Empty the log."""
        self.requests.clear()

    # ── answering ────────────────────────────────────────────────────────────────────────────────────────────

    def reply_to(self, request: Request) -> Reply | None:
        """Return the answer, faults applied; None drops the connection."""
        self.requests.append(request)
        reply: Reply | None = self._honest(request)
        with self._mutex:
            faults = []
            for fault, left in self._faults.get(request.path, ()):
                if left[0] > 0:
                    left[0] -= 1
                    faults.append(fault)
        for fault in faults:
            if reply is not None:
                reply = fault(request, reply)
        return reply

    def _honest(self, request: Request) -> Reply:
        if self.credentials is not None:
            token = base64.b64encode(":".join(self.credentials).encode()).decode()
            if request.headers.get("authorization") != f"Basic {token}":
                return Reply(401, {"WWW-Authenticate": 'Basic realm="index"'})
        if match := re.fullmatch(r"/simple/([^/]+)/?", request.path):
            return self._page(str(canonicalize_name(match[1])), request)
        if request.path.startswith("/files/"):
            return self._file(request)
        return Reply(404)

    def _page(self, name: str, request: Request) -> Reply:
        filenames = self._projects.get(name)
        if filenames is None:
            return Reply(404)
        entries = [self._files[filename].entry for filename in filenames]
        if not self.html and JSON_TYPE in request.headers.get("accept", ""):
            meta = {"api-version": self.api_version}
            page: dict[str, Any] = {"meta": meta, "name": name, "files": entries}
            if name in self.statuses:
                page["project-status"] = self.statuses[name]
            body, headers = json.dumps(page).encode(), {"Content-Type": JSON_TYPE}
        else:
            body, headers = self._html(name, entries).encode(), {"Content-Type": HTML_TYPE}
        if self.max_age is not None:
            headers["Cache-Control"] = f"max-age={self.max_age}, public"
        if self.etag:
            headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if request.headers.get("if-none-match") == headers["ETag"]:
                return Reply(304, headers)
        if self.compress and "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        return Reply(200, headers, body)

    def _html(self, name: str, entries: list[dict[str, Any]]) -> str:
        lines = [f'<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="{self.api_version}">']
        if name in self.statuses:
            for key, value in self.statuses[name].items():
                suffix = "" if key == "status" else f"-{key}"
                lines.append(f'<meta name="pypi:project-status{suffix}" content="{html.escape(value)}">')
        lines.append(f"<title>{name}</title></head><body>")
        for entry in entries:
            fragment = "".join(f"#{algorithm}={value}" for algorithm, value in entry.get("hashes", {}).items())
            extra = ""
            if "requires-python" in entry:
                extra += f' data-requires-python="{html.escape(entry["requires-python"])}"'
            if entry.get("yanked"):
                extra += f' data-yanked="{html.escape("" if entry["yanked"] is True else entry["yanked"])}"'
            if "core-metadata" in entry:
                extra += f' data-core-metadata="sha256={entry["core-metadata"]["sha256"]}"'
            lines.append(f'<a href="{html.escape(entry["url"])}{fragment}"{extra}>{entry["filename"]}</a><br>')
        return "\n".join([*lines, "</body></html>"])

    def _file(self, request: Request) -> Reply:
        name = request.path.removeprefix("/files/")
        file = self._files.get(name)
        if file is None:
            parent = self._files.get(name.removesuffix(".metadata"))
            metadata = parent.metadata if parent is not None and name.endswith(".metadata") else None
            return Reply(404) if metadata is None else Reply(200, {"Content-Type": "text/plain"}, metadata)
        headers = {"Content-Type": "application/octet-stream"}
        total = len(file.content)
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
        if not self.ranges or match is None or not (match[1] or match[2]):
            return Reply(200, headers, file.content)
        start = int(match[1]) if match[1] else max(0, total - int(match[2]))
        stop = min(int(match[2]) + 1, total) if match[1] and match[2] else total
        if start >= total:
            return Reply(416, {"Content-Range": f"bytes */{total}"})
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{total}"
        return Reply(206, headers, file.content[start:stop])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    index: LoopbackIndex

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the log is `LoopbackIndex.requests`."""

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        path = unquote(target.path)
        headers = {key.lower(): value for key, value in self.headers.items()}
        headers["x-client-port"] = str(self.client_address[1])
        if target.netloc:
            headers["x-proxied-for"] = target.netloc
        request = Request(self.command, path, headers)
        reply = self.server.index.reply_to(request)
        if reply is None:
            self.close_connection = True
            return
        self._send(reply)

    do_HEAD = do_GET  # noqa: N815 - the name is the server's

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for key, value in reply.headers.items():
            self.send_header(key, value)
        if reply.endless:
            self.send_header("Transfer-Encoding", "chunked")
        elif reply.status != HTTPStatus.NOT_MODIFIED and (reply.length is None or reply.length >= 0):
            self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
        self.end_headers()
        if self.command == "HEAD" or reply.status == HTTPStatus.NOT_MODIFIED:
            return
        closing = self.server.index._closing
        if reply.endless:
            piece = (reply.body or b"\0") * (65536 // max(1, len(reply.body)) + 1)
            while not closing.is_set():
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        elif reply.pause_seconds:
            for start in range(0, len(reply.body), 16384):
                self.wfile.write(reply.body[start : start + 16384])
                self.wfile.flush()
                if closing.wait(reply.pause_seconds):
                    break
        else:
            self.wfile.write(reply.body)
        self.wfile.flush()
        if reply.stall:
            closing.wait(timeout=60)
        self.close_connection = self.close_connection or reply.close or reply.stall
