"""Fetch whole files, hashing as they arrive.

Before: a URL and what is promised about the file. After: a file in the caller's directory whose hash was compared, or
an error and nothing. A cut connection is resumed where it broke; what was put together from several answers is judged
by the hash of the whole.

If it dies midway, a file with `pyvstore.fs.files.TEMPORARY_SUFFIX` may remain in the directory.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, TypeVar

from pyvstore.errors import LOCK_ANEW, FetchError
from pyvstore.events import DownloadAdvanced, DownloadFinished, DownloadStarted, Reporter
from pyvstore.fs.files import create_file, rename, temporary_name
from pyvstore.fs.removal import remove_file
from pyvstore.fs.trouble import advice_on, cause_of
from pyvstore.index.body import CHUNK_BYTES, Body
from pyvstore.index.cache import kept_path
from pyvstore.index.promise import Downloadable, check
from pyvstore.index.transport import ClosedError, Transport
from pyvstore.index.urls import file_path, printable
from pyvstore.index.workers import Task, Workers

CONCURRENCY = 8
"""More at a time does not make one link faster, and each one competes for the processor with unpacking."""

AHEAD_LIMIT = 16
"""As many files at most are on their way or complete and not yet taken: who takes them slowly fills no disk."""

_SETTLE_SECONDS = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class Download:
    """A complete file; ``path`` is the caller's to move or remove."""

    path: str
    filename: str
    sha256: str
    size_bytes: int


F = TypeVar("F", bound=Downloadable)


class Downloader:
    """Fetches files for `IndexClient` and for those who have only a lockfile."""

    def __init__(
        self, transport: Transport, cache_dir: str, *, offline: bool, reporter: Reporter, concurrency: int = CONCURRENCY
    ) -> None:
        self._transport = transport
        self._cache_dir = cache_dir
        self._offline = offline
        self._reporter = reporter
        self._concurrency = concurrency

    def download(self, artifact: Downloadable, directory: str) -> Download:
        """Fetch one file into ``directory`` under its own name, replacing a file of that name.

        Raises FetchError: ``hash-mismatch`` (hash or size; both are named), ``no-such-file``, ``index-unreachable``,
        ``index-forbidden``, ``offline``, ``bad-filename``. Nothing is left then.
        """
        return self._download(artifact, directory, threading.Event(), set())

    def download_all(self, artifacts: Sequence[F], directory: str) -> Iterator[tuple[F, Download]]:
        """Yield each artifact with its file as it is complete, begun in the order of size, largest first.

        A file is begun only while fewer than `AHEAD_LIMIT` are ahead of the caller, who takes the next when it asks.
        The first error stops all others and is raised. Closing the iterator (an exception or an interrupt in the loop
        does) stops all at once; files that were yielded stay.
        """
        cancelled = threading.Event()
        open_bodies: set[Body] = set()
        finished: queue.SimpleQueue[tuple[F, Task[Download]]] = queue.SimpleQueue()
        workers = Workers(self._concurrency)
        tasks: list[Task[Download]] = []

        def begin(artifact: F) -> None:
            task: Task[Download] = Task(lambda: self._download(artifact, directory, cancelled, open_bodies))
            tasks.append(task)
            task.when_done(lambda: finished.put((artifact, task)))
            workers.submit(task)

        try:
            waiting = iter(sorted(artifacts, key=_largest_first))
            for artifact in islice(waiting, AHEAD_LIMIT):
                begin(artifact)
            for _ in artifacts:
                artifact, task = finished.get()
                download = task.result()
                if (following := next(waiting, None)) is not None:
                    begin(following)
                yield artifact, download
        finally:
            cancelled.set()
            workers.close()
            for body in list(open_bodies):
                body.abort()
            # Let those under way remove what they have, but never make the user wait for it.
            deadline = time.monotonic() + _SETTLE_SECONDS
            for task in tasks:
                task.wait(max(0.0, deadline - time.monotonic()))

    def _download(
        self, artifact: Downloadable, directory: str, cancelled: threading.Event, open_bodies: set[Body]
    ) -> Download:
        filename = artifact.filename
        if os.path.basename(filename) != filename or filename in {"", ".", ".."} or set(filename) & set("/\\:\0"):
            raise FetchError(f"{printable(filename)} is not a plain file name", code="bad-filename")
        path = os.path.join(directory, filename)
        temporary = temporary_name(path)
        try:
            sha256, size_bytes = self._obtain(artifact, temporary, cancelled, open_bodies)
            rename(temporary, path)
        except BaseException as error:
            with contextlib.suppress(OSError):
                remove_file(temporary)
            if isinstance(error, OSError):
                raise _cannot_write(artifact, path, error) from error
            raise
        return Download(path=path, filename=filename, sha256=sha256, size_bytes=size_bytes)

    def _obtain(
        self, artifact: Downloadable, path: str, cancelled: threading.Event, open_bodies: set[Body]
    ) -> tuple[str, int]:
        if artifact.sha256 is not None and (adopted := self._adopt(artifact.sha256, path)):
            return adopted
        is_local = artifact.url.startswith("file:")
        if self._offline and not is_local:
            raise FetchError(
                f"{printable(artifact.filename)} would have to be downloaded",
                code="offline",
                hint="run again without `--offline`",
            )
        self._reporter.emit(DownloadStarted(artifact.filename, artifact.size_bytes))
        with create_file(path, mode=0o644) as out:
            if is_local:
                sha256, size_bytes = self._copy(artifact, out, cancelled)
            else:
                body = Body(artifact, out, self._transport, self._reporter, cancelled)
                open_bodies.add(body)
                try:
                    sha256, size_bytes = body.fetch()
                finally:
                    open_bodies.discard(body)
        self._reporter.emit(DownloadFinished(artifact.filename, size_bytes))
        return sha256, size_bytes

    def _adopt(self, sha256: str, path: str) -> tuple[str, int] | None:
        """Take over a wheel that was fetched whole for its METADATA; it is hashed again."""
        kept = kept_path(self._cache_dir, sha256)
        try:
            rename(kept, path)
            with open(path, "rb") as stream:
                digest, size_bytes = _hash(stream)
        except OSError:  # none there, or on another file system
            return None
        if digest == sha256:
            return digest, size_bytes
        remove_file(path)
        return None

    def _copy(self, artifact: Downloadable, out: BinaryIO, cancelled: threading.Event) -> tuple[str, int]:
        digest, size_bytes = hashlib.sha256(), 0
        try:
            source = open(file_path(artifact.url), "rb")  # noqa: SIM115 - closed below; only its opening is judged
        except OSError as error:
            raise FetchError(
                f"{printable(artifact.filename)} is not there",
                code="no-such-file",
                causes=(error.strerror or "",),
                hint=LOCK_ANEW,
            ) from error
        with source:
            while data := source.read(CHUNK_BYTES):
                if cancelled.is_set():
                    raise ClosedError
                digest.update(data)
                out.write(data)
                size_bytes += len(data)
                self._reporter.emit(DownloadAdvanced(artifact.filename, len(data)))
        check(artifact, digest.hexdigest(), size_bytes)
        return digest.hexdigest(), size_bytes


def _cannot_write(artifact: Downloadable, path: str, error: OSError) -> FetchError:
    return FetchError(
        f"{printable(artifact.filename)} cannot be written",
        causes=(cause_of(error, path),),
        hint=advice_on(error, "set PYVSTORE_HOME to a place that you may write, or mend the permissions"),
    )


def _hash(stream: BinaryIO) -> tuple[str, int]:
    digest, size_bytes = hashlib.sha256(), 0
    while data := stream.read(CHUNK_BYTES):
        digest.update(data)
        size_bytes += len(data)
    return digest.hexdigest(), size_bytes


def _largest_first(artifact: Downloadable) -> tuple[bool, int, str]:
    """Files of unknown size come first: one of them may be the largest."""
    return artifact.size_bytes is not None, -(artifact.size_bytes or 0), artifact.filename
