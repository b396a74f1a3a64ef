"""HTTP/1.1 through a proxy, on httpx: tunnels, proxy passwords, SOCKS where it is installed.

httpx is imported when a proxy is first spoken to and not before: it costs a tenth of a second.
"""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from typing_extensions import override

from pyvstore.index.patience import Patience
from pyvstore.index.reply import ConnectionLostError, Reply, UntrustedServerError
from pyvstore.index.urls import Origin, printable

if TYPE_CHECKING:
    import httpx

_CHUNK_BYTES = 64 * 1024


class ProxiedReply(Reply):
    """See `Reply`."""

    def __init__(self, url: str, response: httpx.Response) -> None:
        super().__init__(url, response.status_code, {key.lower(): value for key, value in response.headers.items()})
        self._response = response
        self._chunks: Iterator[bytes] = response.iter_raw(_CHUNK_BYTES)
        self._rest = b""

    @override
    def read_into(self, buffer: memoryview) -> int:
        data = self._rest or self.read_some()
        count = min(len(data), len(buffer))
        buffer[:count] = data[:count]
        self._rest = data[count:]
        return count

    @override
    def read_some(self) -> bytes:
        import httpx

        try:
            return next(self._chunks, b"")
        except (httpx.TransportError, httpx.StreamError) as error:
            raise ConnectionLostError(_reason(error)) from error

    @override
    def abort(self) -> None:
        """Do nothing: httpx's own time-outs end a read that hangs."""

    @override
    def close(self) -> None:
        self._response.close()


class ProxiedConnections:
    """Connections through one proxy."""

    def __init__(self, proxy: str, trust: Callable[[], ssl.SSLContext], patience: Patience) -> None:
        """Raises ConnectionLostError when ``proxy`` is no proxy's URL, or needs what is not installed."""
        import httpx

        timeout = httpx.Timeout(patience.stall_seconds, connect=patience.connect_seconds)
        try:
            self._client = httpx.Client(proxy=proxy, verify=trust(), trust_env=False, timeout=timeout)
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise ConnectionLostError("the proxy that the environment names cannot be used") from error

    def send(self, url: str, headers: Mapping[str, str]) -> Reply:
        """Ask for ``url``; raises ConnectionLostError or UntrustedServerError."""
        import httpx

        try:
            request = httpx.Request("GET", url, headers=dict(headers))
            return ProxiedReply(url, self._client.send(request, stream=True))
        except (httpx.TransportError, httpx.InvalidURL) as error:
            cause: BaseException | None = error
            while cause is not None:
                if isinstance(cause, ssl.SSLCertVerificationError):
                    raise UntrustedServerError(cause.verify_message or str(cause)) from error
                cause = cause.__cause__ or cause.__context__
            raise ConnectionLostError(_reason(error)) from error

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def proxy_for(where: Origin, environment: Mapping[str, str] | None = None) -> str | None:
    """Return the URL of the proxy through which ``where`` is to be reached; None when it is reached directly."""
    environment = os.environ if environment is None else environment
    named = any(key.lower().endswith("_proxy") and value for key, value in environment.items())
    if not named and sys.platform not in {"darwin", "win32"}:
        return None
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    proxy = proxies.get(where.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(f"{where.host}:{where.port}"):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _reason(error: Exception) -> str:
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ProxyError):
        return f"the proxy refused: {printable(str(error), 100)}"
    return printable(str(error), 100) or type(error).__name__
