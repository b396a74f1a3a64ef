"""One file's bytes from the network to an open file: resumed, hashed, bounded.

The hash is computed in the thread that reads (hashing releases the interpreter lock), and the bytes are taken as they
were sent: what is compared is the file, not a decoding of it.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import BinaryIO

from pyvstore.errors import LOCK_ANEW, FetchError
from pyvstore.events import DownloadAdvanced, Reporter
from pyvstore.index.connections import ConnectionLostError, Reply
from pyvstore.index.promise import TELL_THE_INDEX, Downloadable, check, mismatch
from pyvstore.index.transport import RETRIED, ClosedError, Transport, failed
from pyvstore.index.urls import printable, redact

UNKNOWN_SIZE_LIMIT = 16 * 1024**3
"""No file whose size the index does not say is read beyond this."""

CHUNK_BYTES = 256 * 1024
_content_range = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)").fullmatch


class Body:
    """The fetching of one file; `abort` may be called from another thread."""

    def __init__(
        self,
        artifact: Downloadable,
        out: BinaryIO,
        transport: Transport,
        reporter: Reporter,
        cancelled: threading.Event,
    ) -> None:
        self._artifact = artifact
        self._out = out
        self._transport = transport
        self._reporter = reporter
        self._cancelled = cancelled
        self._limit = UNKNOWN_SIZE_LIMIT if artifact.size_bytes is None else artifact.size_bytes
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._etag: str | None = None
        self._pieces = 0
        self._reply: Reply | None = None

    def abort(self) -> None:
        """Make a read that hangs fail."""
        if (reply := self._reply) is not None:
            reply.abort()

    def fetch(self) -> tuple[str, int]:
        """Fill the file; return its sha256 and size, compared with what was promised. Raises FetchError."""
        deadline = time.monotonic() + self._transport.patience.download_seconds
        attempt, furthest = 1, 0
        while True:
            retry_after, code = None, "index-unreachable"
            try:
                status, headers = self._one_answer(deadline)
                if status not in RETRIED:
                    return self._judge()
                problem, code, retry_after = f"it answered {status}", "index-status", headers.get("retry-after")
            except ConnectionLostError as error:
                problem = str(error)
            if self._cancelled.is_set():
                raise ClosedError
            if time.monotonic() > deadline:
                raise failed(self._artifact.url, "it did not end in time", code)
            # Only ground that was never reached before earns new attempts, or starting over would go on for ever.
            attempt = 2 if self._size_bytes > furthest else attempt + 1
            furthest = max(furthest, self._size_bytes)
            if attempt > self._transport.patience.attempts:
                raise failed(self._artifact.url, problem, code)
            self._transport.pause(attempt, retry_after)

    def _one_answer(self, deadline: float) -> tuple[int, Mapping[str, str]]:
        """Ask once, for the rest; return with the file complete, or with a status that asks for patience."""
        headers = {}
        if self._size_bytes:
            headers["Range"] = f"bytes={self._size_bytes}-"
            if self._etag is not None:
                headers["If-Range"] = self._etag
        with self._transport.open(self._artifact.url, headers) as reply:
            if reply.status in RETRIED:
                return reply.status, reply.headers
            if self._size_bytes and not self._continues(reply):
                self._start_over()
                if reply.status != HTTPStatus.OK:
                    raise ConnectionLostError("the server does not resume")
            elif not self._size_bytes and reply.status != HTTPStatus.OK:
                raise _refused(self._artifact, reply)
            etag = reply.headers.get("etag", "")
            self._etag = etag if etag.startswith('"') else None
            self._check_length(reply)
            self._reply = reply
            if self._cancelled.is_set():  # an `abort` before now found nothing to abort
                raise ClosedError
            watch = threading.Timer(max(0.0, deadline - time.monotonic()), reply.abort)
            watch.daemon = True
            watch.start()
            try:
                self._read(reply)
            finally:
                watch.cancel()
                self._reply = None
            return reply.status, reply.headers

    def _continues(self, reply: Reply) -> bool:
        match = _content_range(reply.headers.get("content-range", ""))
        return reply.status == HTTPStatus.PARTIAL_CONTENT and match is not None and int(match[1]) == self._size_bytes

    def _check_length(self, reply: Reply) -> None:
        """Refuse a file of another size than promised before it is fetched."""
        length = reply.headers.get("content-length", "")
        promised = self._artifact.size_bytes
        if promised is None or not length.isdecimal() or "content-encoding" in reply.headers:
            return
        if self._size_bytes + int(length) != promised:
            raise mismatch(self._artifact, None, self._size_bytes + int(length))

    def _read(self, reply: Reply) -> None:
        self._pieces += 1
        for data in reply.chunks(CHUNK_BYTES):
            if self._cancelled.is_set():
                raise ClosedError
            self._size_bytes += len(data)
            if self._size_bytes > self._limit:
                raise mismatch(self._artifact, None, self._size_bytes)
            self._digest.update(data)
            self._out.write(data)
            self._reporter.emit(DownloadAdvanced(self._artifact.filename, len(data)))
        if self._artifact.size_bytes is not None and self._size_bytes < self._artifact.size_bytes:
            raise ConnectionLostError("the connection was closed in the middle")

    def _judge(self) -> tuple[str, int]:
        """Return sha256 and size of the complete file, compared with what was promised."""
        sha256 = self._digest.hexdigest()
        if self._pieces > 1 and self._artifact.sha256 not in {None, sha256}:
            # The file changed between two pieces, or a server put a piece in the wrong place.
            self._start_over()
            raise ConnectionLostError("the resumed download does not fit together")
        check(self._artifact, sha256, self._size_bytes)
        return sha256, self._size_bytes

    def _start_over(self) -> None:
        self._reporter.emit(DownloadAdvanced(self._artifact.filename, -self._size_bytes))
        self._out.seek(0)
        self._out.truncate()
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._pieces = 0
        self._etag = None


def _refused(artifact: Downloadable, reply: Reply) -> FetchError:
    if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return FetchError(
            f"{printable(artifact.filename)} is not on the index any more",
            code="no-such-file",
            causes=(f"{redact(artifact.url)} answered {reply.status}",),
            hint=LOCK_ANEW,
        )
    return FetchError(f"{redact(artifact.url)} answered {reply.status}", code="index-status", hint=TELL_THE_INDEX)
