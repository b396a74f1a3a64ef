"""Parse a project page in JSON (PEP 691, 700, 714, 792). Pure: bytes in, values out."""

from __future__ import annotations

import json
from typing import Any

from packaging.utils import NormalizedName

from pyvstore.index.grouping import MalformedPageError, group_files
from pyvstore.index.page import ProjectPage, Status
from pyvstore.index.urls import printable

_NO_META: dict[str, Any] = {}


def parse_json_page(name: NormalizedName, index_url: str, page_url: str, data: bytes) -> ProjectPage:
    """Parse the page that ``page_url`` answered with.

    Raises MalformedPageError: not JSON, not UTF-8, nested too deeply, wrong types, or an API version that is not 1.x.
    """
    try:
        page = json.loads(data)
    except RecursionError:
        raise MalformedPageError("the JSON is nested too deeply") from None
    except (ValueError, UnicodeDecodeError):
        raise MalformedPageError("it is not JSON") from None
    if not isinstance(page, dict):
        raise MalformedPageError("it is not a JSON object")
    meta = page.get("meta", _NO_META)
    if not isinstance(meta, dict):
        raise MalformedPageError("meta is not a table")
    check_api_version(meta.get("api-version", "1.0"))
    files = page.get("files")
    if not isinstance(files, list):
        raise MalformedPageError("files is not a list")
    groups, skipped = group_files(name, page_url, files)
    return ProjectPage(
        name=name,
        index_url=index_url,
        base=page_url,
        groups=groups,
        skipped=skipped,
        status=_status(page.get("project-status")),
    )


def check_api_version(text: object) -> None:
    """Accept every 1.x; raises MalformedPageError for others (PEP 629)."""
    major, _, minor = text.partition(".") if isinstance(text, str) else ("", "", "")
    if not (major.isdecimal() and minor.isdecimal()):
        raise MalformedPageError(f"api-version is {printable(repr(text), 60)}")
    if major.lstrip("0") != "1":
        raise MalformedPageError(f"it speaks version {printable(str(text), 20)} of the simple API; known is 1.x")


def _status(value: object) -> Status:
    if value is None:
        return Status()
    if isinstance(value, dict):
        state, reason = value.get("status", "active"), value.get("reason")
        if isinstance(state, str) and isinstance(reason, str | None):
            return Status(printable(state, 40), printable(reason or ""))
    raise MalformedPageError("project-status is not a table of strings")
