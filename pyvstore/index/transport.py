"""Ask for a URL and get an answer: redirects, credentials, retries, time-outs, caps.

What every answer passes through, so that no caller can forget it:

- credentials go to their own origin only, at every hop;
- a redirect never leads from https to http, nor to anything that is not http(s);
- 429, 5xx, refused, cut and stalled connections are tried again a bounded number of times; 401 and 403 never;
- a body has a limit, after decompression too, and a time limit however lively it is.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import pyvstore
from pyvstore.errors import FetchError
from pyvstore.index.connections import ConnectionLostError, Connections, Reply, UntrustedServerError
from pyvstore.index.credentials import Keyring
from pyvstore.index.patience import Patience
from pyvstore.index.promise import TELL_THE_INDEX
from pyvstore.index.urls import origin, printable, redact, resolve

RETRIED = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REDIRECT_LIMIT = 10
_FORBIDDEN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A whole answer; ``url`` is where it came from after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class _BadAnswerError(Exception):
    """An answer that no caller wants, and asking again would not change it."""


class ClosedError(Exception):
    """The transport was closed while this was under way."""


class Transport:
    """All HTTP of one index client; safe for many threads. Nothing is connected or imported before the first use."""

    def __init__(self, patience: Patience, keyring: Keyring) -> None:
        self.patience = patience
        self._keyring = keyring
        self._connections = Connections(patience)
        self._closed = threading.Event()

    def get(self, url: str, headers: Mapping[str, str], *, limit: int, code: str = "index-page") -> Answer:
        """Return the whole answer for ``url``, whatever its status, with retries; ``limit`` is in bytes.

        Raises FetchError: ``index-forbidden`` (401, 403), ``index-unreachable``, ``index-status`` (429 and 5xx that
        stayed), ``untrusted-server``, ``bad-redirect``; and ``code`` for a body that is too large or badly encoded.
        """
        attempt = 1
        while True:
            retry_after: str | None = None
            try:
                with self.open(url, headers) as reply:
                    if reply.status not in RETRIED:
                        body = self._read(reply, limit)
                        return Answer(status=reply.status, headers=reply.headers, body=body, url=reply.url)
                    failure = failed(url, f"it answered {reply.status}", "index-status")
                    retry_after = reply.headers.get("retry-after")
            except ConnectionLostError as error:
                failure = failed(url, str(error))
            except _BadAnswerError as error:
                raise FetchError(
                    f"{redact(url)} cannot be read", code=code, causes=(str(error),), hint=TELL_THE_INDEX
                ) from None
            attempt += 1
            if attempt > self.patience.attempts:
                raise failure
            self.pause(attempt, retry_after)

    def open(self, url: str, headers: Mapping[str, str]) -> Reply:
        """Ask once for ``url``, following redirects; return the answer with its body still to be read.

        Raises ConnectionLostError, and FetchError for what trying again does not help.
        """
        current = url
        for _ in range(_REDIRECT_LIMIT):
            if self._closed.is_set():
                raise ClosedError
            where = origin(current)
            sent = {"User-Agent": f"pyvstore/{pyvstore.__version__}", "Accept-Encoding": "identity", **headers}
            if authorization := self._keyring.authorization(where):
                sent["Authorization"] = authorization
            try:
                reply = self._connections.send(current, sent)
            except UntrustedServerError as error:
                raise FetchError(
                    f"{printable(where.host)} is not trusted",
                    code="untrusted-server",
                    causes=(printable(str(error)),),
                    hint="set SSL_CERT_FILE to a file that holds the certificate authority, if you trust it",
                ) from error
            if reply.status in _FORBIDDEN:
                reply.close()
                raise forbidden(current, reply.status)
            if reply.status not in _REDIRECTS:
                return reply
            reply.close()
            current = _next_hop(current, reply.headers.get("location", ""))
        raise FetchError(f"{redact(url)} redirects in circles", code="bad-redirect", hint=TELL_THE_INDEX)

    def pause(self, attempt: int, retry_after: str | None = None) -> None:
        """Wait before attempt number ``attempt``; raises ClosedError when the transport is closed meanwhile."""
        if self._closed.wait(self.patience.pause_before(attempt, retry_after)):
            raise ClosedError

    def close(self) -> None:
        """Wake who waits, and close the connections."""
        self._closed.set()
        self._connections.close()

    def _read(self, reply: Reply, limit: int) -> bytes:
        deadline = time.monotonic() + self.patience.page_seconds
        encoding = reply.headers.get("content-encoding", "").strip().lower()
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 32) if encoding in {"gzip", "x-gzip"} else None
        if inflate is None and encoding not in {"", "identity"}:
            raise _BadAnswerError(f"its encoding is {printable(encoding, 20)}")
        pieces: list[bytes] = []
        size = 0
        for chunk in reply.chunks():
            data = chunk
            if inflate is not None:
                if inflate.eof:
                    break  # whatever else comes is no part of it
                try:
                    # One more byte than may come: a bomb is noticed without being unpacked.
                    data = inflate.decompress(chunk, limit + 1 - size)
                except zlib.error:
                    raise _BadAnswerError("it is not what its encoding says") from None
            pieces.append(data)
            size += len(data)
            if size > limit:
                raise _BadAnswerError(f"it is larger than {limit} bytes")
            if time.monotonic() > deadline:
                raise ConnectionLostError("it did not end in time")
        if inflate is not None and not inflate.eof and size:
            raise ConnectionLostError("the connection was closed in the middle")
        return b"".join(pieces)


def forbidden(url: str, status: int) -> FetchError:
    """Return the refusal for 401 and 403."""
    return FetchError(
        f"{redact(url)} may not be read (the server answered {status})",
        code="index-forbidden",
        hint="put the user and password for this host into your netrc file",
    )


def failed(url: str, problem: str, code: str = "index-unreachable") -> FetchError:
    """Return the failure after the last attempt."""
    return FetchError(
        f"{redact(url)} cannot be read",
        code=code,
        causes=(printable(problem),),
        hint="try again; with `--offline` only what is cached is used",
    )


def _next_hop(current: str, location: str) -> str:
    target = resolve(current, location) if location else None
    if target is None or (origin(current).scheme == "https" and not target.startswith("https:")):
        shown = redact(location) if location else "nowhere"
        raise FetchError(
            f"{redact(current)} redirects to {shown}, which is not followed",
            code="bad-redirect",
            hint="check the URL of the index; if it is right, tell those who run the index",
        )
    return target
