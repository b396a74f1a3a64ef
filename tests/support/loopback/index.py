"""The index as a whole."""

from __future__ import annotations

import ssl
import threading
from types import TracebackType
from urllib.parse import quote

from typing_extensions import Self, override

from tests.support.loopback.faults import Faults
from tests.support.loopback.messages import Reply, Request
from tests.support.loopback.server import Handler, Server, Server6
from tests.support.loopback.shelf import Shelf


class LoopbackIndex(Shelf, Faults):
    """The server, as a context manager. Options say what kind of index it is; they may be changed while it runs.

    Args:
        html: serve HTML pages only.
        ranges: honour ``Range``.
        compress: gzip pages for clients that accept it.
        etag: give pages a validator and answer 304.
        max_age: ``Cache-Control: max-age=…`` on pages.
        credentials: (user, password) without which the answer is 401.
        api_version: what pages claim.
        tls: what to wrap the listening socket with; then `root` begins with ``https``.

    It also answers requests that reach it as a proxy would get them; ``x-proxied-for`` in the log names their host.
    """

    def __init__(
        self,
        *,
        html: bool = False,
        ranges: bool = True,
        compress: bool = False,
        etag: bool = True,
        max_age: int | None = None,
        credentials: tuple[str, str] | None = None,
        api_version: str = "1.4",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        Shelf.__init__(self)
        Faults.__init__(self)
        self.html = html
        self.ranges = ranges
        self.compress = compress
        self.etag = etag
        self.max_age = max_age
        self.credentials = credentials
        self.api_version = api_version
        self.requests: list[Request] = []
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.reply_to = self.reply_to
        self._server.closing = self._closing
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            # The handshake belongs to the connection's own thread, or one slow client would hold up all others.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.host = "127.0.0.1"
        self._servers = [self._server]

    def __enter__(self) -> Self:
        self._serve(self._server)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def stop(self) -> None:
        """Die: nobody listens any more, and connections that stand are closed."""
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()
        self._servers.remove(self._server)

    def start_again(self) -> None:
        """Come back at the same place."""
        self._listen(("127.0.0.1", self.port), Server)

    def listen_on_ipv6_too(self) -> bool:
        """Listen on the same port of ``::1``; return whether this machine has it."""
        try:
            self._listen(("::1", self.port), Server6)
        except OSError:
            return False
        return True

    def _listen(self, address: tuple[str, int], kind: type[Server]) -> None:
        server = kind(address, Handler)
        server.reply_to, server.closing = self.reply_to, self._closing
        self._servers.append(server)
        if kind is Server:
            self._server = server
        self._serve(server)

    @staticmethod
    def _serve(server: Server) -> None:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self._server.server_address[1])

    @property
    @override
    def root(self) -> str:
        """``http://127.0.0.1:<port>``, or as `host` says."""
        return f"{self._scheme}://{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The index root, with a trailing slash and without credentials."""
        return f"{self.root}/simple/"

    @property
    def url_with_credentials(self) -> str:
        """The index root with user and password in it."""
        user, password = self.credentials or ("user", "secret")
        return f"{self._scheme}://{quote(user)}:{quote(password)}@127.0.0.1:{self.port}/simple/"

    # ── the log ──────────────────────────────────────────────────────────────────────────────────────────────

    def count(self, prefix: str = "/") -> int:
        """Return how many requests had a path beginning with ``prefix``."""
        return sum(1 for request in list(self.requests) if request.path.startswith(prefix))

    def paths(self) -> list[str]:
        """Return the requested paths in order of arrival."""
        return [request.path for request in list(self.requests)]

    def forget_requests(self) -> None:
        """Empty the log."""
        self.requests.clear()

    def reply_to(self, request: Request) -> Reply | None:
        """Return the answer, faults applied; None drops the connection."""
        self.requests.append(request)
        return self.spoil(request, self.honest_reply(request))
