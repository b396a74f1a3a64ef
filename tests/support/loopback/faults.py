"""How replies are spoilt."""

from __future__ import annotations

import threading
from http import HTTPStatus

from tests.support.loopback.messages import JSON_TYPE, Fault, Reply, Request


class Faults:
    """Misbehaviour by request path; a path without a leading slash is the name of a file."""

    def __init__(self) -> None:
        self._faults: dict[str, list[tuple[Fault, list[int]]]] = {}
        self._faults_mutex = threading.Lock()
        self._closing = threading.Event()

    def misbehave(self, path: str, fault: Fault, *, times: int = 1_000_000) -> None:
        """Apply ``fault`` to the next ``times`` answers for ``path``."""
        path = path if path.startswith("/") else f"/files/{path}"
        self._faults.setdefault(path, []).append((fault, [times]))

    def behave(self) -> None:
        """Forget all misbehaviour."""
        self._faults.clear()

    def answer(
        self, path: str, body: bytes, *, status: int = 200, content_type: str = JSON_TYPE, times: int = 1_000_000
    ) -> None:
        """Answer exactly so (malformed and wrongly labelled pages)."""
        self.misbehave(path, lambda _q, _r: Reply(status, {"Content-Type": content_type}, body), times=times)

    def fail(self, path: str, status: int, *, times: int = 1_000_000, retry_after: str | None = None) -> None:
        """Answer with an error status."""
        headers = {"Retry-After": retry_after} if retry_after is not None else {}
        self.misbehave(path, lambda _q, _r: Reply(status, dict(headers)), times=times)

    def fail_once(self, path: str, status: int = 503) -> None:
        """Answer once with an error status."""
        self.fail(path, status, times=1)

    def drop(self, path: str, *, times: int = 1) -> None:
        """Close the connection without an answer."""
        self.misbehave(path, lambda _q, _r: None, times=times)

    def cut(self, path: str, after: int, *, times: int = 1) -> None:
        """Close the connection after ``after`` bytes of a body that was announced whole."""

        def fault(_request: Request, reply: Reply) -> Reply:
            reply.length, reply.body, reply.close = len(reply.body), reply.body[:after], True
            return reply

        self.misbehave(path, fault, times=times)

    def reset(self, path: str, after: int, *, times: int = 1) -> None:
        """Reset the connection after ``after`` bytes of a body that was announced whole."""

        def fault(_request: Request, reply: Reply) -> Reply:
            reply.length, reply.body, reply.reset = len(reply.body), reply.body[:after], True
            return reply

        self.misbehave(path, fault, times=times)

    def say(self, path: str, raw: bytes, *, times: int = 1_000_000) -> None:
        """Put exactly these bytes on the wire, and close."""
        self.misbehave(path, lambda _q, _r: Reply(raw=raw), times=times)

    def label(self, path: str, *, times: int = 1_000_000, **headers: str | None) -> None:
        """Change headers of the honest answer (``_`` for ``-``); None leaves one out."""

        def fault(_request: Request, reply: Reply) -> Reply:
            for key, value in headers.items():
                name = key.replace("_", "-").title()
                reply.headers.pop(name, None)
                if value is not None:
                    reply.headers[name] = value
            return reply

        self.misbehave(path, fault, times=times)

    def stall(self, path: str, after: int = 0, *, times: int = 1_000_000) -> None:
        """Send ``after`` bytes, then nothing more."""

        def fault(_request: Request, reply: Reply) -> Reply:
            reply.length, reply.body, reply.stall = len(reply.body), reply.body[:after], True
            return reply

        self.misbehave(path, fault, times=times)

    def slow(self, path: str, seconds: float, *, times: int = 1_000_000) -> None:
        """Wait before answering."""

        def fault(_request: Request, reply: Reply) -> Reply:
            self._closing.wait(seconds)
            return reply

        self.misbehave(path, fault, times=times)

    def trickle(self, path: str, pause_seconds: float) -> None:
        """Send the body in pieces of 16 KiB with pauses between them."""

        def fault(_request: Request, reply: Reply) -> Reply:
            reply.pause_seconds = pause_seconds
            return reply

        self.misbehave(path, fault)

    def endless(self, path: str) -> None:
        """Send a body that never ends (chunked, so that no length is announced)."""

        def fault(_request: Request, reply: Reply) -> Reply:
            reply.endless = True
            return reply

        self.misbehave(path, fault)

    def redirect(self, path: str, to: str, *, status: int = 302) -> None:
        """Send the client elsewhere."""
        self.misbehave(path, lambda _q, _r: Reply(status, {"Location": to}))

    def lie_in_content_range(self, path: str, value: str = "bytes 0-9/10") -> None:
        """Answer ranges with a false Content-Range."""

        def fault(_request: Request, reply: Reply) -> Reply:
            if reply.status == HTTPStatus.PARTIAL_CONTENT:
                reply.headers["Content-Range"] = value
            return reply

        self.misbehave(path, fault)

    def corrupt(self, path: str, *, times: int = 1_000_000) -> None:
        """Flip one bit of the first byte of every body."""

        def fault(_request: Request, reply: Reply) -> Reply:
            reply.body = bytes([reply.body[0] ^ 1]) + reply.body[1:]
            return reply

        self.misbehave(path, fault, times=times)

    def spoil(self, request: Request, reply: Reply) -> Reply | None:
        """Return the reply with all faults for its path applied; None drops the connection."""
        with self._faults_mutex:
            faults = []
            for fault, left in self._faults.get(request.path, ()):
                if left[0] > 0:
                    left[0] -= 1
                    faults.append(fault)
        spoilt: Reply | None = reply
        for fault in faults:
            if spoilt is not None:
                spoilt = fault(request, spoilt)
        return spoilt
