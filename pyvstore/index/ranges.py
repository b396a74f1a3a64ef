"""Parts of a file that is elsewhere: by HTTP ranges, or on this machine.

The size comes with the first answer (``Content-Range``), so nothing has to be asked before.
"""

from __future__ import annotations

import hashlib
import os
import re
from http import HTTPStatus
from typing import Protocol

from pyvstore.errors import FetchError
from pyvstore.index.promise import TELL_THE_INDEX, Downloadable, check
from pyvstore.index.transport import Transport
from pyvstore.index.urls import printable, redact

_content_range = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})").fullmatch

WHOLE_LIMIT = 1024 * 1024
"""A server that sends the whole file instead of a part is listened to up to here."""


class NoRangesError(Exception):
    """The server does not give parts of this file."""


class PartialFile(Protocol):
    """A file of which parts can be read."""

    def tail(self, length: int) -> tuple[bytes, int]:
        """Return the last ``length`` bytes (or all, if there are fewer; or more) and the size of the file."""

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes ``[start, stop)``; known to lie within the file."""


class RemoteFile:
    """A file on a server."""

    def __init__(self, transport: Transport, artifact: Downloadable) -> None:
        self._transport = transport
        self._artifact = artifact

    def tail(self, length: int) -> tuple[bytes, int]:
        """See `PartialFile`. Raises NoRangesError, FetchError."""
        size = self._artifact.size_bytes
        if size == 0:
            raise NoRangesError
        wanted = f"-{length}" if size is None else f"{max(0, size - length)}-{size - 1}"
        _, data, total = self._get(wanted, length)
        return data, total

    def read(self, start: int, stop: int) -> bytes:
        """See `PartialFile`. Raises NoRangesError, FetchError."""
        first, data, _ = self._get(f"{start}-{stop - 1}", stop - start)
        return data[start - first : stop - first]

    def _get(self, wanted: str, length: int) -> tuple[int, bytes, int]:
        """Return (where the bytes begin, the bytes, size of the file) for a range as the header writes it."""
        artifact = self._artifact
        try:
            answer = self._transport.get(
                artifact.url, {"Range": f"bytes={wanted}"}, limit=max(length, WHOLE_LIMIT), code="index-metadata"
            )
        except FetchError as error:
            if error.code == "index-metadata":  # the whole file came, and it is long
                raise NoRangesError from error
            raise
        if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            raise FetchError(
                f"{printable(artifact.filename)} is not there",
                code="no-such-file",
                causes=(f"{redact(artifact.url)} answered {answer.status}",),
                hint=TELL_THE_INDEX,
            )
        if answer.status == HTTPStatus.OK:
            check(artifact, hashlib.sha256(answer.body).hexdigest(), len(answer.body))
            return 0, answer.body, len(answer.body)
        if answer.status != HTTPStatus.PARTIAL_CONTENT:
            raise NoRangesError
        said = answer.headers.get("content-range", "nothing")
        match = _content_range(said)
        if match is None:
            raise self._lie(said)
        first, last, size = (int(text) for text in match.groups())
        start, _, stop = wanted.partition("-")
        expected = (int(start), int(stop)) if start else (max(0, size - length), size - 1)
        if (first, last) != expected or len(answer.body) != last - first + 1 or artifact.size_bytes not in {None, size}:
            raise self._lie(said)
        return first, answer.body, size

    def _lie(self, said: str) -> FetchError:
        return FetchError(
            f"{redact(self._artifact.url)} answered with another part than it was asked for",
            code="index-metadata",
            causes=(f"Content-Range: {printable(said, 80)}",),
            hint=TELL_THE_INDEX,
        )


class LocalFile:
    """A file of this machine."""

    def __init__(self, path: str, filename: str) -> None:
        self._path = path
        self._filename = filename

    def tail(self, length: int) -> tuple[bytes, int]:
        """See `PartialFile`. Raises FetchError."""
        try:
            size = os.stat(self._path).st_size
        except OSError as error:
            raise self._absent(error) from error
        start = max(0, size - length)
        return self.read(start, size), size

    def read(self, start: int, stop: int) -> bytes:
        """See `PartialFile`. Raises FetchError."""
        try:
            with open(self._path, "rb") as stream:
                stream.seek(start)
                return stream.read(stop - start)
        except OSError as error:
            raise self._absent(error) from error

    def _absent(self, error: OSError) -> FetchError:
        return FetchError(
            f"{printable(self._filename)} is not there",
            code="no-such-file",
            causes=(error.strerror or "",),
            hint=TELL_THE_INDEX,
        )
