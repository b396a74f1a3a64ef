"""What a connection gives back: the head of an answer, and its body still to be read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType

from typing_extensions import Self


class ConnectionLostError(Exception):
    """No answer, or only a part of one; trying again may help."""


class UntrustedServerError(Exception):
    """The server's certificate is not accepted; trying again does not help."""


class Reply(ABC):
    """An answer whose body is still to be read; a context manager that closes itself.

    Attributes:
        status: the HTTP status.
        headers: lower-case name → value.
        url: what was asked for, after redirects.
    """

    def __init__(self, url: str, status: int, headers: Mapping[str, str]) -> None:
        self.url = url
        self.status = status
        self.headers = headers

    @abstractmethod
    def read_into(self, buffer: memoryview) -> int:
        """Fill ``buffer`` from the body as sent; return how much, 0 at the end. Raises ConnectionLostError."""

    @abstractmethod
    def read_some(self) -> bytes:
        """Return what has arrived of the body as sent; b"" only at its end. Raises ConnectionLostError."""

    @abstractmethod
    def abort(self) -> None:
        """Make a read that hangs in another thread fail."""

    @abstractmethod
    def close(self) -> None:
        """Give the connection back; it is used again only if the body was read to its end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
