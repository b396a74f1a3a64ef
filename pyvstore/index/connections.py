"""HTTP/1.1 on httpx: connections kept alive and shared by threads, TLS, proxies, time-outs.

The one module that knows httpx, which is imported and set up when something is first sent and not before: that costs a
tenth of a second, and most commands send nothing. httpx takes the proxies from the environment itself. Passwords for
servers it is never told: `transport` decides to whom they go, hop by hop, and so it follows the redirects too.

Interruption: a read that hangs in one thread is ended from another (`Reply.abort`, `Connections.close`) by shutting
its socket down. A thread that still waits for a connection or for the head of an answer is left to its time-outs; it is
a daemon.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from typing_extensions import Self

from pyvstore.index.patience import Patience
from pyvstore.index.urls import printable

if TYPE_CHECKING:
    import ssl

    import httpx


_LOCATION = "pyvstore-location"


class ConnectionLostError(Exception):
    """No answer, or only a part of one; trying again may help."""


class UntrustedServerError(Exception):
    """The server's certificate is not accepted; trying again does not help."""


class Reply:
    """An answer whose body is still to be read; a context manager that closes itself.

    Attributes:
        status: the HTTP status.
        headers: lower-case name → value.
        url: what was asked for.
    """

    def __init__(self, url: str, response: httpx.Response, open_replies: set[Reply], is_over: threading.Event) -> None:
        self.url = url
        self.status = response.status_code
        self.headers: Mapping[str, str] = {
            **{key.lower(): value for key, value in response.headers.items()},
            **response.extensions[_LOCATION],
        }
        self._response = response
        self._open_replies = open_replies
        self._is_over = is_over
        open_replies.add(self)

    def chunks(self, size_bytes: int | None = None) -> Iterator[bytes]:
        """Yield the body as it was sent, once, in chunks of ``size_bytes`` (None: as it arrives).

        Raises ConnectionLostError when it ends before its announced end, or stalls, or was aborted.
        """
        import httpx

        try:
            yield from self._response.iter_raw(size_bytes)
        except (httpx.TransportError, httpx.StreamError) as error:
            raise ConnectionLostError(_reason(error)) from error

    def abort(self) -> None:
        """Make a read that hangs in another thread fail."""
        import socket

        connected = self._response.extensions["network_stream"].get_extra_info("socket")
        with contextlib.suppress(OSError):
            # Not the method of a TLS socket: that one would go on to read ciphertext as if it were the body.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back; it is used again only if the body was read to its end."""
        self._open_replies.discard(self)
        self._response.close()
        if self._is_over.is_set():
            # It was still being made when all connections were closed, and nobody else knows of it.
            self._response.extensions["network_stream"].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Connections:
    """A pool of connections to all servers and proxies; safe for many threads."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._client: httpx.Client | None = None
        self._replies: set[Reply] = set()
        self._is_over = threading.Event()
        self._mutex = threading.Lock()

    def send(self, url: str, headers: Mapping[str, str]) -> Reply:
        """Ask for ``url``; return once the head of the answer is there.

        Raises ConnectionLostError or UntrustedServerError.
        """
        import ssl

        import httpx

        client = self._opened()
        try:
            request = httpx.Request("GET", url, headers=dict(headers), extensions={"timeout": client.timeout.as_dict()})
            return Reply(url, client.send(request, stream=True), self._replies, self._is_over)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            cause: BaseException | None = error
            while cause is not None:
                if isinstance(cause, ssl.SSLCertVerificationError):
                    raise UntrustedServerError(cause.verify_message or str(cause)) from error
                cause = cause.__cause__ or cause.__context__
            raise ConnectionLostError(_reason(error)) from error
        except (UnicodeError, RuntimeError) as error:  # a URL that nothing can encode; or closed by another thread
            raise ConnectionLostError(str(error)) from error

    def close(self) -> None:
        """End what is under way, and close all connections."""
        self._is_over.set()
        for reply in list(self._replies):
            reply.abort()
        with self._mutex:
            client = self._client
        if client is not None:
            client.close()

    def _opened(self) -> httpx.Client:
        import httpx

        with self._mutex:
            if self._client is None:
                try:
                    self._client = httpx.Client(
                        verify=system_trust(),
                        timeout=httpx.Timeout(self._patience.stall_seconds, connect=self._patience.connect_seconds),
                        event_hooks={"response": [_hide_location]},
                        # Who asks decides how much at a time: a thread never waits for another's connection.
                        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
                    )
                except (ValueError, ImportError, httpx.InvalidURL) as error:
                    raise ConnectionLostError("the proxy that the environment names cannot be used") from error
            return self._client


def _hide_location(response: httpx.Response) -> None:
    """Keep from httpx where a redirect leads: it would read that though it must not follow, and fail at what is odd."""
    location = response.headers.pop("location", None)
    response.extensions[_LOCATION] = {} if location is None else {"location": location}


def system_trust() -> ssl.SSLContext:
    """Return a context that trusts what ``SSL_CERT_FILE``/``SSL_CERT_DIR`` name, else what the system trusts."""
    import ssl

    named = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
    # Where OpenSSL's own file is the system's, truststore would read it again for each connection, which takes 40 ms.
    is_openssls = sys.platform not in {"darwin", "win32"} and ssl.get_default_verify_paths().cafile is not None
    if not (named or is_openssls):
        with contextlib.suppress(ImportError, NotImplementedError, AttributeError):
            import truststore

            return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context()


def _reason(error: Exception) -> str:
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ProxyError):
        return f"the proxy refused: {printable(str(error), 100)}"
    problem = str(error)
    if problem.startswith("[Errno "):  # the number is for programs
        problem = problem.partition("] ")[2]
    return printable(problem, 100) or type(error).__name__
