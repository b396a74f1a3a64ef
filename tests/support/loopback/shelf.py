"""What an honest index offers: pages in JSON and HTML, files whole and in parts, separate metadata."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import io
import json
import re
import threading
import zipfile
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name

from tests.support.loopback.messages import HTML_TYPE, JSON_TYPE, Reply, Request


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


class Shelf:
    """The files and the answers about them; for the options see `LoopbackIndex`, which says where it is (`root`)."""

    def __init__(self) -> None:
        self.html = False
        self.ranges = True
        self.compress = False
        self.etag = True
        self.max_age: int | None = None
        self.credentials: tuple[str, str] | None = None
        self.api_version = "1.4"
        self.statuses: dict[str, dict[str, str]] = {}
        self._files: dict[str, _File] = {}
        self._projects: dict[str, list[str]] = {}
        self._shelf_mutex = threading.Lock()

    @property
    def root(self) -> str:
        """What the files' URLs begin with."""
        raise NotImplementedError

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
        with self._shelf_mutex:
            self._files[filename] = _File(content, entry, metadata)
            names = self._projects.setdefault(str(canonicalize_name(name)), [])
            if filename not in names:
                names.append(filename)
        return str(entry["url"])

    def add_project(self, name: str) -> None:
        """Make a page without files (unless it has some)."""
        self._projects.setdefault(str(canonicalize_name(name)), [])

    def withdraw(self, filename: str) -> None:
        """Take a file off its project's page; it can still be fetched by who knows where it is."""
        for names in self._projects.values():
            if filename in names:
                names.remove(filename)

    def edit(self, filename: str, **changes: Any) -> None:
        """Change a file's JSON keys (``_`` for ``-``); None removes one. For pages that lie."""
        entry = self._files[filename].entry
        for key, value in changes.items():
            entry.pop(key.replace("_", "-"), None)
            if value is not None:
                entry[key.replace("_", "-")] = value

    def content(self, filename: str) -> bytes:
        """Return a file as it is offered."""
        return self._files[filename].content

    def sha256(self, filename: str) -> str:
        """Return a file's true hash."""
        return hashlib.sha256(self.content(filename)).hexdigest()

    def set_status(self, name: str, status: str, reason: str = "") -> None:
        """Give a project a PEP 792 status."""
        self.statuses[str(canonicalize_name(name))] = {"status": status, "reason": reason}

    def wrong_hash(self, filename: str) -> None:
        """Let the page name a hash that the file does not have."""
        self.edit(filename, hashes={"sha256": hashlib.sha256(b"another file").hexdigest()})

    def honest_reply(self, request: Request) -> Reply:
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
