"""Parse a project page in HTML (PEP 503, 592, 629, 658, 714, 792). Pure: bytes in, values out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from packaging.utils import NormalizedName

from pyvstore.index.grouping import MalformedPageError, group_files
from pyvstore.index.page import ProjectPage, Status
from pyvstore.index.simple_json import check_api_version
from pyvstore.index.tags import start_tags
from pyvstore.index.urls import printable

_META_PREFIX = "pypi:"


def parse_html_page(name: NormalizedName, index_url: str, page_url: str, data: bytes) -> ProjectPage:
    """Parse the page that ``page_url`` answered with.

    The file name is the last component of the link's path, not its text. Raises MalformedPageError: not HTML at all,
    or an API version that is not 1.x.
    """
    text = data.decode("utf-8", "replace")
    if not text.lstrip("\ufeff \t\r\n").startswith("<"):  # JSON under a wrong label must not pass as an empty page
        raise MalformedPageError("it is not HTML")
    read = _Read(text)
    check_api_version(read.meta.get("repository-version", "1.0"))
    try:
        base = urljoin(page_url, read.base) if read.base else page_url
    except ValueError:
        raise MalformedPageError("its base is not a URL") from None
    if base.startswith("file:") and not page_url.startswith("file:"):
        raise MalformedPageError("its base is a file of this machine")
    files = [raw for attributes in read.links if (raw := _raw_file(attributes)) is not None]
    groups, skipped = group_files(name, base, files)
    status = Status(
        printable(read.meta.get("project-status", "active"), 40),
        printable(read.meta.get("project-status-reason", "")),
    )
    unreadable = len(read.links) - len(files)
    return ProjectPage(
        name=name, index_url=index_url, base=base, groups=groups, skipped=skipped + unreadable, status=status
    )


class _Read:
    """What is read of a page: its links, its base, and what it says of itself."""

    def __init__(self, text: str) -> None:
        self.links: list[Mapping[str, str | None]] = []
        self.meta: dict[str, str] = {}
        self.base = ""
        for tag, attributes in start_tags(text):
            if tag == "a":
                if attributes.get("href"):
                    self.links.append(attributes)
            elif tag == "base" and not self.base:
                self.base = attributes.get("href") or ""
            elif tag == "meta":
                key = attributes.get("name") or ""
                if key.startswith(_META_PREFIX):
                    self.meta.setdefault(key.removeprefix(_META_PREFIX), attributes.get("content") or "")


def _raw_file(attributes: Mapping[str, str | None]) -> dict[str, Any] | None:
    """Return an anchor in the shape of PEP 691; None when its link cannot be read."""
    reference = attributes["href"] or ""
    try:
        parts = urlsplit(reference.strip())
    except ValueError:
        return None
    raw: dict[str, Any] = {
        "filename": unquote(parts.path.rpartition("/")[2]),
        "url": reference.strip().partition("#")[0],
        "hashes": _hashes(parts.fragment),
    }
    if requires_python := attributes.get("data-requires-python"):
        raw["requires-python"] = requires_python
    if "data-yanked" in attributes:
        raw["yanked"] = attributes["data-yanked"] or True
    for key in ("data-core-metadata", "data-dist-info-metadata"):
        if key in attributes:
            raw["core-metadata"] = _hashes(attributes[key] or "") or True
            break
    return raw


def _hashes(text: str) -> dict[str, str]:
    """Parse ``sha256=abc&egg=x``; what is no hash is left out."""
    known = ("sha256", "sha384", "sha512", "sha1", "sha224", "md5")
    pairs = (item.partition("=") for item in text.split("&"))
    return {key.lower(): value for key, _, value in pairs if key.lower() in known and value}
