"""Bytes on a socket."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from typing_extensions import override

from tests.support.loopback.messages import Reply, Request


class Server(ThreadingHTTPServer):
    """Passes requests on; `closing` ends what would go on for ever."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    reply_to: Callable[[Request], Reply | None]
    closing: threading.Event

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._connected: set[socket.socket] = set()

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        self._connected.add(request)
        super().process_request(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        self._connected.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Close those that stand, as a process that dies does."""
        for connection in list(self._connected):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class Server6(Server):
    """On IPv6."""

    address_family = socket.AF_INET6


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

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
        reply = self.server.reply_to(request)
        if reply is None:
            self.close_connection = True
            return
        self._send(reply)

    def do_CONNECT(self) -> None:
        """Log whom a client wants to reach through us, and refuse."""
        self.server.reply_to(Request(self.command, self.path, {"x-proxied-for": self.path}))
        self.close_connection = True
        self._send(Reply(501))

    do_HEAD = do_GET  # noqa: N815 - the name is the server's

    def _send(self, reply: Reply) -> None:
        if reply.raw is not None:
            self.close_connection = True
            self.wfile.write(reply.raw)
            self.wfile.flush()
            return
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
        closing = self.server.closing
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
        self.close_connection = self.close_connection or reply.close or reply.stall or reply.reset
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.server.close_request(self.connection)
