"""HTTP/1.1 without a proxy, on the standard library's parser, with connections kept alive.

Every byte of a download passes here. The standard library reads a body straight from the socket into the caller's
buffer, which costs half of the processor time of a parser written in Python; on a machine whose other core unpacks
wheels that is the difference between waiting for the network and waiting for ourselves.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping

from typing_extensions import override

from pyvstore.index.patience import Patience
from pyvstore.index.reply import ConnectionLostError, Reply, UntrustedServerError
from pyvstore.index.urls import Origin, origin, request_target

_Address = tuple[socket.AddressFamily, tuple[object, ...]]


class DirectReply(Reply):
    """See `Reply`."""

    def __init__(
        self,
        url: str,
        reply: http.client.HTTPResponse,
        connection: http.client.HTTPConnection,
        release: Callable[[bool], None],
    ) -> None:
        super().__init__(url, reply.status, {key.lower(): value for key, value in reversed(reply.getheaders())})
        self._reply = reply
        self._socket: socket.socket | None = connection.sock
        self._release = release
        self._ended = reply.isclosed() or reply.length == 0

    @override
    def read_into(self, buffer: memoryview) -> int:
        try:
            count = self._reply.readinto(buffer)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ConnectionLostError(_reason(error)) from error
        return self._checked(count)

    @override
    def read_some(self) -> bytes:
        try:
            data = self._reply.read1(65536)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ConnectionLostError(_reason(error)) from error
        self._checked(len(data))
        return data

    @override
    def abort(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not the method of a TLS socket: that one would go on to read ciphertext as if it were the body.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    @override
    def close(self) -> None:
        self._reply.close()
        self._release(self._ended and not self._reply.will_close)

    def _checked(self, count: int) -> int:
        if count == 0 and self._reply.length:
            raise ConnectionLostError("the connection was closed in the middle")
        self._ended = count == 0 or self._reply.length == 0
        return count


class DirectConnections:
    """Idle connections by origin; each is used by one thread at a time."""

    def __init__(self, trust: Callable[[], ssl.SSLContext], patience: Patience) -> None:
        self._trust = trust
        self._patience = patience
        self._idle: dict[Origin, list[http.client.HTTPConnection]] = {}
        self._mutex = threading.Lock()
        self._closed = False
        self._addresses = _Addresses()

    def send(self, url: str, headers: Mapping[str, str]) -> DirectReply:
        """Ask for ``url``; return once the head of the answer is there.

        Raises ConnectionLostError or UntrustedServerError.
        """
        where, target = origin(url), request_target(url)
        while True:
            connection, is_fresh = self._take(where)
            try:
                connection.request("GET", target, headers=dict(headers))
                reply = connection.getresponse()
            except (OSError, http.client.HTTPException, ValueError) as error:
                connection.close()
                if isinstance(error, ssl.SSLCertVerificationError):
                    raise UntrustedServerError(error.verify_message or str(error)) from error
                if not is_fresh and not isinstance(error, TimeoutError):
                    continue  # the server had closed it while it was idle: that says nothing about the server
                raise ConnectionLostError(_reason(error)) from error
            except BaseException:
                connection.close()
                raise
            return DirectReply(url, reply, connection, self._releaser(where, connection))

    def close(self) -> None:
        """Close what is idle; what is in use is closed when it is given back."""
        with self._mutex:
            self._closed = True
            idle = [connection for group in self._idle.values() for connection in group]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _take(self, where: Origin) -> tuple[http.client.HTTPConnection, bool]:
        with self._mutex:
            if group := self._idle.get(where):
                return group.pop(), False
        trust = self._trust() if where.scheme == "https" else None
        return _Connection(where, self._addresses, trust, self._patience), True

    def _releaser(self, where: Origin, connection: http.client.HTTPConnection) -> Callable[[bool], None]:
        def release(reusable: bool) -> None:  # noqa: FBT001 - a callback with one argument
            with self._mutex:
                if reusable and not self._closed:
                    self._idle.setdefault(where, []).append(connection)
                    return
            connection.close()

        return release


class _Connection(http.client.HTTPConnection):
    def __init__(self, where: Origin, addresses: _Addresses, trust: ssl.SSLContext | None, patience: Patience) -> None:
        super().__init__(where.host, where.port, timeout=patience.stall_seconds)
        # The class knows only its own scheme's default port; a Host header with the other one confuses servers.
        self.default_port = http.client.HTTPS_PORT if trust is not None else http.client.HTTP_PORT
        self._where = where
        self._addresses = addresses
        self._trust = trust
        self._patience = patience

    @override
    def connect(self) -> None:
        problem: OSError | None = None
        for family, address in self._addresses.of(self._where):
            plain = socket.socket(family, socket.SOCK_STREAM)
            try:
                plain.settimeout(self._patience.connect_seconds)
                plain.connect(address)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.sock = (
                    plain if self._trust is None else self._trust.wrap_socket(plain, server_hostname=self._where.host)
                )
            except OSError as error:
                plain.close()
                problem = error
                if isinstance(error, ssl.SSLCertVerificationError):
                    break
            else:
                self.sock.settimeout(self._patience.stall_seconds)
                return
        raise problem or OSError(f"{self._where.host} has no address")


class _Addresses:
    """A host's addresses, asked for once, however many threads want to know at the same time."""

    def __init__(self) -> None:
        self._known: dict[Origin, list[_Address]] = {}
        self._mutexes: dict[Origin, threading.Lock] = {}
        self._mutex = threading.Lock()

    def of(self, where: Origin) -> list[_Address]:
        """Return the addresses; raises OSError."""
        with self._mutex:
            mutex = self._mutexes.setdefault(where, threading.Lock())
        with mutex:
            known = self._known.get(where)
            if known is None:
                found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
                known = self._known[where] = [(family, address) for family, _, _, _, address in found]
            return known


def system_trust() -> ssl.SSLContext:
    """Return a context that trusts what the system trusts, or what ``SSL_CERT_FILE``/``SSL_CERT_DIR`` name."""
    import os

    if not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        with contextlib.suppress(ImportError, NotImplementedError, AttributeError):
            import truststore

            return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context()


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection was closed in the middle"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the connection was closed without an answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"not HTTP ({type(error).__name__})" if isinstance(error, http.client.HTTPException) else str(error)
