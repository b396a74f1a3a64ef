"""What an index said, kept on disk.

Layout, below the directory that the store gives::

    pages/<index>/<project>         one project's page, grouped by version, with its validator
    metadata/<index>/3f/3fa9…       METADATA of one wheel, by the wheel's sha256, for ever
    kept/<sha256>.whl               a wheel that had to be fetched whole to read its METADATA

``<index>`` is a digest of the index's URL: what one index says never answers for another, not even about a wheel with
the same hash.

Interruption and concurrency: files appear by rename, whole. A file that cannot be understood is an absent one. Writing
that fails (a full or read-only disk) is silent: a cache may always be empty.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.utils import NormalizedName

from pyvstore.fs.files import make_directories, write_atomic
from pyvstore.fs.removal import remove_file
from pyvstore.index.page import ProjectPage
from pyvstore.index.spec import IndexSpec

_FORMAT = 1
_DEFAULT_MAX_AGE_SECONDS = 600
_LONGEST_MAX_AGE_SECONDS = 24 * 3600
_KEPT_SECONDS = 24 * 3600
_LONGEST_FILE_NAME = 100
_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
_max_age = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})").search


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedPage:
    """A page as it was, and whether it is still to be believed unasked.

    Attributes:
        page: the page.
        is_fresh: younger than the server allowed.
        headers: what of the answer's headers matters here: its validators and how long it may be kept.
    """

    page: ProjectPage
    is_fresh: bool
    headers: Mapping[str, str]

    @property
    def validators(self) -> dict[str, str]:
        """Request headers that ask whether the page changed; empty when the server gave nothing to ask with."""
        return {asked: self.headers[given] for given, asked in _VALIDATORS.items() if given in self.headers}


class IndexCache:
    """The cache of one index."""

    def __init__(self, directory: str, spec: IndexSpec) -> None:
        self.directory = directory
        self._spec = spec

    # ── pages ────────────────────────────────────────────────────────────────────────────────────────────────

    def read_page(self, name: NormalizedName) -> CachedPage | None:
        """Return the cached page of a project, or None."""
        data = _read(self._page_path(name))
        try:
            first, _, body = data.partition(b"\n")
            header = json.loads(first)
            if header["format"] != _FORMAT or header["crc"] != zlib.crc32(body) or header["name"] != name:
                return None
            if header["index"] != self._spec.root:
                return None
            lines = body.split(b"\n") if header["versions"] else []
            page = ProjectPage.from_lines(self._spec.root, header, lines)
            headers = {str(key): str(value) for key, value in header["headers"].items()}
            age = time.time() - header["fetched_at"]
            # An age below zero means that a clock was wrong, then or now.
            is_fresh = 0 <= age < max_age_seconds(headers.get("cache-control", ""))
            return CachedPage(page=page, is_fresh=is_fresh, headers=headers)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def doubt_page(self, name: NormalizedName) -> None:
        """Let the cached page of a project, if there is one, not be believed unasked any more."""
        cached = self.read_page(name)
        if cached is not None and cached.is_fresh:
            self.write_page(cached.page, cached.headers, fetched_at=0.0)

    def write_page(self, page: ProjectPage, headers: Mapping[str, str], *, fetched_at: float | None = None) -> None:
        """Keep ``page``, that came with these answer headers (lower-case names), now or at another time."""
        header, lines = page.to_lines()
        body = b"\n".join(lines)
        header |= {
            "format": _FORMAT,
            "index": self._spec.root,
            "crc": zlib.crc32(body),
            "fetched_at": time.time() if fetched_at is None else fetched_at,
            "headers": {key: headers[key] for key in ("cache-control", *_VALIDATORS) if key in headers},
        }
        _write(self._page_path(page.name), json.dumps(header, separators=(",", ":")).encode() + b"\n" + body)

    def _page_path(self, name: NormalizedName) -> str:
        # Names like `con` and `nul` are devices on Windows; and no name may grow beyond what file systems allow.
        short = name if len(name) <= _LONGEST_FILE_NAME else hashlib.sha256(name.encode()).hexdigest()
        return os.path.join(self.directory, "pages", self._spec.key, f"page-{short}")

    # ── metadata ─────────────────────────────────────────────────────────────────────────────────────────────

    def read_metadata(self, sha256: str) -> bytes | None:
        """Return METADATA of the wheel with this hash, or None."""
        checksum, _, data = _read(self._metadata_path(sha256)).partition(b"\n")
        return data if data and checksum == hashlib.sha256(data).hexdigest().encode() else None

    def write_metadata(self, sha256: str, data: bytes) -> None:
        """Keep METADATA of the wheel with this hash."""
        _write(self._metadata_path(sha256), hashlib.sha256(data).hexdigest().encode() + b"\n" + data)

    def correct(self, sha256: str, metadata: bytes) -> bool:
        """Keep ``metadata``, which the wheel with this hash itself holds, if something else was said of it before.

        Return whether that was so; False where nothing was kept.
        """
        said = self.read_metadata(sha256)
        if said is None or said == metadata:
            return False
        self.write_metadata(sha256, metadata)
        return True

    def _metadata_path(self, sha256: str) -> str:
        return os.path.join(self.directory, "metadata", self._spec.key, sha256[:2], sha256)

    # ── whole wheels ─────────────────────────────────────────────────────────────────────────────────────────

    def kept_directory(self) -> str:
        """Return the directory for whole wheels, made if missing and freed of what nobody came for in a day."""
        directory = os.path.join(self.directory, "kept")
        make_directories(directory, mode=0o700)
        with contextlib.suppress(OSError), os.scandir(directory) as entries:
            for entry in entries:
                if abs(time.time() - entry.stat(follow_symlinks=False).st_mtime) > _KEPT_SECONDS:
                    remove_file(entry.path)
        return directory


def kept_path(directory: str, sha256: str) -> str:
    """Return where below the cache's ``directory`` the wheel with this hash is, if it was kept."""
    return os.path.join(directory, "kept", f"{sha256}.whl")


def max_age_seconds(cache_control: str) -> int:
    """Return for how long an answer with this ``Cache-Control`` need not be asked for again."""
    text = cache_control.lower()
    if "no-store" in text or "no-cache" in text:
        return 0
    match = _max_age(text)
    return min(int(match[1]), _LONGEST_MAX_AGE_SECONDS) if match else _DEFAULT_MAX_AGE_SECONDS


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def _write(path: str, data: bytes) -> None:
    with contextlib.suppress(OSError):
        try:
            write_atomic(path, data)
        except FileNotFoundError:
            make_directories(os.path.dirname(path))
            write_atomic(path, data)
