"""Ways of putting a list of requirements into the text of a pyproject.toml.

tomlkit keeps comments and order, and `pyvstore.project.array` keeps the text of the list itself. No way fits every file
that is valid TOML, so `edited_texts` offers all that apply, best looking first, and vouches for none of them:
`pyvstore.project.document` takes the first that means what it should.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name

from pyvstore.project.array import edit_array, new_array, parse_array, quote

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PROJECT_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What an edit is asked for.

    Attributes:
        keys: the keys that lead to the list.
        current: its members, None where it is missing.
        requirements: the strings that it shall have.
        newline: the document's line ending.
    """

    keys: tuple[str, ...]
    current: Sequence[object] | None
    requirements: Sequence[str]
    newline: str


def edited_texts(text: str, change: Change) -> Iterator[str]:
    """Yield the texts that each way of editing ``text`` comes to, best looking first; none may be trusted unread."""
    ways = (_inserted, _appended, _assigned) if change.current is None else (_replaced,)
    for way in ways:
        edited = _attempt(way, text, change)
        if edited is not None:
            yield edited


def _attempt(way: Callable[[str, Change], str | None], text: str, change: Change) -> str | None:
    # tomlkit takes a tenth of a second to import, which a command that edits nothing must not pay.
    from tomlkit.exceptions import TOMLKitError

    try:
        return way(text, change)
    # tomlkit answers valid but unusual files (dotted keys, tables out of order) with errors of many types.
    except (TOMLKitError, ValueError, AttributeError, LookupError, TypeError, RecursionError):
        return None


def _replaced(text: str, change: Change) -> str | None:
    """Change the array that is there."""
    import tomlkit

    document = tomlkit.parse(text)
    container: Any = document
    for key in change.keys[:-1]:
        container = container[key]
    name = change.keys[-1]
    array = parse_array(container[name].as_string(), change.current or ())
    column = len(_format_key(name)) + len(" = ")
    new = edit_array(array, change.requirements, key=_project_key, newline=change.newline, column=column)
    container[name] = tomlkit.parse(f"x = {new}")["x"]
    return document.as_string()


def _inserted(text: str, change: Change) -> str | None:
    """Add the key, or its table, below the last plain key of the nearest table that is there."""
    import tomlkit
    from tomlkit.items import AoT, Comment, Item, Null, Table, Whitespace

    document = tomlkit.parse(text)
    container: Any = document
    missing = list(change.keys)
    while len(missing) > 1 and missing[0] in container:
        container = container[missing.pop(0)]
    if not isinstance(container, Table):
        return None
    anchor: Item | None = None
    for _, item in container.value.body:
        if not isinstance(item, (Table, AoT, Comment, Whitespace, Null)):
            anchor = item
    if anchor is None:
        return None
    # What trails a value is written out as it stands, which puts the new lines exactly there; tomlkit's own way of
    # adding a key swallows blank lines and takes over comments that belong to the table below.
    gap = change.newline if len(missing) > 1 else ""
    anchor.trivia.trail = (anchor.trivia.trail or change.newline) + gap + _block(change, missing)
    return document.as_string()


def _appended(text: str, change: Change) -> str | None:
    """Add the table at the end of the file."""
    if text and not text.endswith("\n"):
        text += change.newline
    return text + (change.newline if text else "") + _block(change, change.keys)


def _assigned(text: str, change: Change) -> str | None:
    """Add the list where tomlkit puts it: for inline tables, dotted keys and tables without a key."""
    import tomlkit

    document = tomlkit.parse(text)
    container: Any = document
    for key in change.keys[:-1]:
        container = container.setdefault(key, {})
    inline = "[" + ", ".join(map(quote, change.requirements)) + "]"
    block = new_array(change.requirements, newline=change.newline)
    is_inline = isinstance(container, tomlkit.items.InlineTable)
    container[change.keys[-1]] = tomlkit.parse(f"x = {inline if is_inline else block}")["x"]
    return document.as_string()


def _block(change: Change, missing: Sequence[str]) -> str:
    """Return the lines that hold the new key, under a header when more than the key is missing."""
    newline = change.newline
    header = ""
    if len(missing) > 1:
        header = f"[{'.'.join(map(_format_key, change.keys[:-1]))}]{newline}"
    return f"{header}{_format_key(change.keys[-1])} = {new_array(change.requirements, newline=newline)}{newline}"


def _project_key(requirement: str) -> str:
    match = _PROJECT_NAME.match(requirement)
    return canonicalize_name(match[1]) if match else requirement


def _format_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else quote(key)
