"""A request as it came, and a reply before it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived; header names are lower case, the path is decoded and has no query.

    The header ``x-client-port`` is the log's own: requests with the same one came over one connection.
    """

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class Reply:
    """What is sent. ``body`` may be shorter than ``length`` says."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    length: int | None = None
    """Content-Length; None means the body's own, a negative one that none is sent."""
    stall: bool = False
    """After the body hold the connection open and say nothing more."""
    endless: bool = False
    """After the body go on for ever."""
    pause_seconds: float = 0
    """Between pieces of 16 KiB."""
    close: bool = False
    reset: bool = False
    """After the body reset the connection instead of closing it."""
    raw: bytes | None = None
    """What goes on the wire instead of all of this."""


Fault = Callable[[Request, Reply], "Reply | None"]
"""Changes a reply; None drops the connection without an answer."""
