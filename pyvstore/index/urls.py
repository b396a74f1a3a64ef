"""URLs and other foreign text, made safe to keep and to show.

Three dangers are dealt with in this one place: credentials that a URL carries, control characters that a terminal would
obey, and a scheme that leads to the local disk.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from pyvstore.errors import FetchError

WEB_SCHEMES = frozenset({"http", "https"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_UNQUOTED = "!\"$%&'()*+,/:;<=>@^`{|}"
"""What is left as it is besides letters and digits: a `%` because it mostly begins what is encoded already."""

# C0, DEL, C1, line separators, and the marks that reorder text; ESC is among them, so no sequence survives.
_unusual = re.compile(r"[^!-~]|[;@#?\[\]\\]").search
_is_host = re.compile(r"[!-\[\]-~]*").fullmatch
_usual_host = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*/").match
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_SEQUENCE = re.compile(
    "(?:\x1b\\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"  # OSC … BEL or ST
    "|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI
    "|\x1b[ -/]*[0-~]?"
)


class Credentials(NamedTuple):
    """What is sent as HTTP basic authentication."""

    user: str
    password: str


class Origin(NamedTuple):
    """Who is spoken to; credentials belong to exactly one."""

    scheme: str
    host: str
    port: int


def printable(text: str, limit: int = 300) -> str:
    """Return ``text`` without terminal sequences and control characters, cut to ``limit`` characters."""
    clean = _CONTROL.sub(" ", _SEQUENCE.sub("", text)).strip()
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def split_credentials(url: str) -> tuple[str, Credentials | None]:
    """Return ``url`` without user and password, and those."""
    parts = split(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    user, _, password = userinfo.partition(":")
    return urlunsplit(parts._replace(netloc=host)), Credentials(unquote(user), unquote(password))


def redact(url: str) -> str:
    """Return what of ``url`` may be shown: no user, password, query or fragment, no control characters."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "<unreadable URL>"
    host = parts.netloc.rpartition("@")[2]
    return printable(urlunsplit((parts.scheme, host, parts.path, "", "")), 500)


def split(url: str) -> Parts:
    """Split ``url``; raises FetchError(code="bad-url") for what is none (a port that is no number, half an IPv6)."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise FetchError(f"{redact(url)} is not a URL", code="bad-url") from None
    return Parts(parts.scheme.lower(), parts.netloc, parts.path, parts.query, parts.fragment)


class Parts(NamedTuple):
    """A split URL; the scheme is lower case."""

    scheme: str
    netloc: str
    path: str
    query: str
    fragment: str


def origin(url: str) -> Origin:
    """Return scheme, host and port of a web URL; raises FetchError(code="bad-url")."""
    parts = split(url)
    if parts.scheme not in WEB_SCHEMES:
        raise FetchError(f"{redact(url)} is not an http(s) URL", code="bad-url")
    whole = urlsplit(urlunsplit(parts))
    if not whole.hostname:
        raise FetchError(f"{redact(url)} names no host", code="bad-url")
    return Origin(parts.scheme, whole.hostname, whole.port or _DEFAULT_PORTS[parts.scheme])


def is_plain(url: str) -> bool:
    """Return whether ``url`` is absolute and needs no `resolve` (the usual case, told without splitting it)."""
    return _usual_host(url) is not None and _unusual(url) is None


def resolve(base: str, reference: str) -> str | None:
    """Return the absolute URL that ``reference`` on the page ``base`` means, without credentials and fragment.

    It is in its canonical form: ASCII without spaces, as it may stand in a lockfile. None for what must not be
    followed: other schemes than ``http(s)``, ``file`` unless the page itself is one, and what nothing can encode.
    """
    try:
        parts = urlsplit(urljoin(base, reference.strip()))
        _ = parts.port
        host = _ascii_host(parts.netloc.rpartition("@")[2])
        path = quote(parts.path, safe=_UNQUOTED) or "/"
        query = quote(parts.query, safe=_UNQUOTED + "?[]")
    except ValueError:  # UnicodeError is one
        return None
    scheme = parts.scheme.lower()
    if scheme in WEB_SCHEMES:
        if not parts.hostname:
            return None
    elif scheme != "file" or not base.startswith("file:"):
        return None
    return urlunsplit((scheme, host, path, query, ""))


def _ascii_host(netloc: str) -> str:
    """Return host and port in ASCII; raises ValueError for what no host is written with."""
    if netloc.isascii():
        if not _is_host(netloc):
            raise ValueError(netloc)
        return netloc
    host, colon, port = netloc.partition(":")
    return host.encode("idna").decode("ascii") + colon + port


def file_path(url: str) -> str:
    """Return the local path of a ``file`` URL; raises FetchError(code="bad-url") when it names another machine."""
    from urllib.request import url2pathname

    parts = split(url)
    path = url2pathname(parts.path)
    if parts.netloc not in {"", "localhost"} or "\0" in path:
        raise FetchError(f"{redact(url)} is not a file of this machine", code="bad-url")
    return path
