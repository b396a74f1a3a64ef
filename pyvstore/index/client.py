"""One index: its pages, its files' METADATA, its files.

Everything here blocks and may be called from many threads; `IndexSource` is what overlaps it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import TypeVar

from packaging.utils import NormalizedName
from typing_extensions import Self

from pyvstore.errors import FetchError
from pyvstore.events import SILENT, Reporter
from pyvstore.index.cache import CachedPage, IndexCache
from pyvstore.index.credentials import Keyring
from pyvstore.index.download import Download, Downloader
from pyvstore.index.grouping import MalformedPageError
from pyvstore.index.metadata import MetadataReader
from pyvstore.index.page import PAGE_BYTES_LIMIT, ProjectPage
from pyvstore.index.patience import PATIENT, Patience
from pyvstore.index.promise import Downloadable
from pyvstore.index.simple_html import parse_html_page
from pyvstore.index.simple_json import parse_json_page
from pyvstore.index.spec import IndexSpec
from pyvstore.index.transport import Answer, Transport
from pyvstore.index.urls import file_path, printable, redact
from pyvstore.model.artifact import Artifact

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1, */*;q=0.01"
_JSON_TYPE = "application/vnd.pypi.simple.v1+json"
_HTML_TYPES = frozenset({"application/vnd.pypi.simple.v1+html", "text/html", "application/xhtml+xml"})
_is_name = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?").fullmatch

_CHECK_URL = "check the URL of the index: it must be the root of a simple API"

F = TypeVar("F", bound=Downloadable)


class IndexClient:
    """A client of one index; a context manager.

    Args:
        index: which.
        cache_dir: the store's shelf for what indexes said; shared by all indexes and processes.
        offline: use what is cached, whatever its age, and nothing else (a ``file:`` index is always there).
        reporter: hears of downloads.
        refresh: ask once for each page though it is fresh.
        patience: time-outs and retries.
        transport: shared with clients of other indexes; then closing it is the caller's.
    """

    def __init__(
        self,
        index: IndexSpec,
        cache_dir: str,
        *,
        offline: bool = False,
        reporter: Reporter = SILENT,
        refresh: bool = False,
        patience: Patience = PATIENT,
        transport: Transport | None = None,
    ) -> None:
        self.index = index
        self.offline = offline
        self._refresh = refresh
        self._asked: set[NormalizedName] = set()
        self._unasked: set[NormalizedName] = set()
        self._owns_transport = transport is None
        self._transport = transport or open_transport((index,), reporter=reporter, patience=patience)
        self._cache = IndexCache(cache_dir, index)
        self._downloader = Downloader(self._transport, cache_dir, offline=offline, reporter=reporter)
        self._metadata = MetadataReader(self._transport, self._cache, self._downloader, offline=offline)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections; what is under way in other threads fails."""
        if self._owns_transport:
            self._transport.close()

    def distrust(self) -> bool:
        """From now on ask for every page once, however fresh; return whether any was believed without asking so far.

        For whoever is about to say no because of what a page does not have: it may have it by now.
        """
        self._refresh = True
        return not self.offline and bool(self._unasked)

    def page(self, name: NormalizedName) -> ProjectPage:
        """Return a project's page, from the cache while it is fresh.

        Raises FetchError: ``no-such-project`` (another index may have it), ``index-forbidden`` (no other index must be
        asked), ``index-page`` (what arrived is no page), ``offline``, ``index-unreachable``, ``index-status``.
        """
        if not _is_name(name):
            raise FetchError(f"{printable(name)} is not a project name", code="no-such-project")
        if self.index.root.startswith("file:"):
            return self._local_page(name)
        cached = self._cache.read_page(name)
        if cached is not None and (self.offline or (cached.is_fresh and (name in self._asked or not self._refresh))):
            if name not in self._asked:
                self._unasked.add(name)
            return cached.page
        if self.offline:
            raise FetchError(
                f"the page of {name} on {self._shown} is not cached",
                code="offline",
                hint="run again without `--offline`",
            )
        page = self._remote_page(name, cached)
        self._asked.add(name)
        return page

    def metadata(self, artifact: Artifact) -> bytes:
        """Return METADATA of a wheel; see `MetadataReader.read`."""
        return self._metadata.read(artifact)

    def download(self, artifact: Downloadable, directory: str) -> Download:
        """See `Downloader.download`."""
        return self._downloader.download(artifact, directory)

    def download_all(self, artifacts: Sequence[F], directory: str) -> Iterator[tuple[F, Download]]:
        """See `Downloader.download_all`."""
        return self._downloader.download_all(artifacts, directory)

    @property
    def _shown(self) -> str:
        return printable(self.index.name) or redact(self.index.root)

    def _remote_page(self, name: NormalizedName, cached: CachedPage | None) -> ProjectPage:
        headers = {"Accept": _ACCEPT, "Accept-Encoding": "gzip"}
        if cached is not None:
            headers |= cached.validators
        answer = self._transport.get(self.index.page_url(name), headers, limit=PAGE_BYTES_LIMIT)
        if answer.status == HTTPStatus.NOT_MODIFIED and cached is not None:
            # A 304 may leave out what has not changed.
            self._cache.write_page(cached.page, {**cached.headers, **answer.headers})
            return cached.page
        if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            raise self._absent(name)
        if answer.status != HTTPStatus.OK:
            raise FetchError(f"{redact(answer.url)} answered {answer.status}", code="index-status", hint=_CHECK_URL)
        page = self._parsed(name, answer)
        self._cache.write_page(page, answer.headers)
        return page

    def _parsed(self, name: NormalizedName, answer: Answer) -> ProjectPage:
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            if kind == _JSON_TYPE:
                return parse_json_page(name, self.index.root, answer.url, answer.body)
            if kind in _HTML_TYPES:
                return parse_html_page(name, self.index.root, answer.url, answer.body)
        except MalformedPageError as error:
            raise _not_a_page(answer.url, str(error)) from error
        raise _not_a_page(answer.url, f"its type is {printable(kind, 60) or 'not given'}")

    def _local_page(self, name: NormalizedName) -> ProjectPage:
        url = self.index.page_url(name)
        try:
            with open(os.path.join(file_path(url), "index.html"), "rb") as stream:
                data = stream.read(PAGE_BYTES_LIMIT + 1)
        except (FileNotFoundError, NotADirectoryError):
            raise self._absent(name) from None
        except OSError as error:
            raise FetchError(
                f"{redact(url)} cannot be read",
                code="index-forbidden",
                causes=(error.strerror or "",),
                hint="see whether you may read that file, then run the same command again",
            ) from error
        if len(data) > PAGE_BYTES_LIMIT:
            raise _not_a_page(url, f"it is larger than {PAGE_BYTES_LIMIT} bytes")
        try:
            return parse_html_page(name, self.index.root, url, data)
        except MalformedPageError as error:
            raise _not_a_page(url, str(error)) from error

    def _absent(self, name: NormalizedName) -> FetchError:
        return FetchError(f"{self._shown} has no project named {name}", code="no-such-project")


def open_transport(
    indexes: Sequence[IndexSpec], *, reporter: Reporter = SILENT, patience: Patience = PATIENT
) -> Transport:
    """Return a transport that knows the credentials of ``indexes``; nothing is connected yet."""
    keyring = Keyring(reporter)
    for index in indexes:
        keyring.add(index.root, index.credentials)
    return Transport(patience, keyring)


def _not_a_page(url: str, why: str) -> FetchError:
    return FetchError(
        f"{redact(url)} did not answer with a package page",
        code="index-page",
        causes=(printable(why),),
        hint=_CHECK_URL,
    )
