"""Index URLs: checked, brought to one spelling, and parted from their credentials at the first touch.

An index URL ends up in lockfiles, errors and logs; a password in it must not. So everything that passes on holds
`IndexLocation`, whose ``url`` has no user part and whose credentials do not print. No message here repeats a URL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_PRINTABLE = re.compile(r"[!-~]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexLocation:
    """Where an index is, and who we are there.

    Attributes:
        url: ``http``, ``https`` or ``file``; lower-case scheme and host, no credentials, no default port, one trailing
            slash.
        username, password: percent-decoded; None where the URL had none.
    """

    url: str
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


def parse_index_url(text: str) -> IndexLocation:
    """Return the location that ``text`` means.

    Variables are not expanded: a repository could send the values of a person's environment to a host of its choice.

    Raises:
        ValueError: with a reason that goes after "the URL …" and does not repeat the URL.
    """
    if not _PRINTABLE.fullmatch(text):
        raise ValueError("is empty or has characters that a URL cannot have")
    if "${" in text or "$(" in text:
        raise ValueError("names a variable, and variables are never expanded in URLs")
    if "\\" in text:
        raise ValueError("has a backslash")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("is malformed") from None
    if parts.scheme not in {"http", "https", "file"}:
        raise ValueError("must begin with https://, http:// or file://")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ValueError("must not have a query or a fragment")
    host = parts.hostname or ""
    path = parts.path.rstrip("/") + "/"
    if parts.scheme == "file":
        if host not in {"", "localhost"} or parts.username is not None or port is not None or path == "/":
            raise ValueError("must be file:/// and an absolute path")
        return IndexLocation(url=f"file://{path}")
    if not host:
        raise ValueError("has no host")
    shown_host = f"[{host}]" if ":" in host else host
    shown_port = "" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return IndexLocation(
        url=f"{parts.scheme}://{shown_host}{shown_port}{path}",
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )
