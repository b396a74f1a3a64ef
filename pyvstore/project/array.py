"""The text of one TOML array, taken apart so that single entries can change and all else stays.

An entry owns what stands around its value::

    [                           before ┐
        # why numpy is here            │ whitespace, line breaks and comments ahead of the value
        "numpy>=2",  # and this        ┘ value; between (before the comma); comma; after (to the end of the line)
    ]                           tail

Removing an entry takes the comment on its own line along and leaves the comment lines above it, which may be about
more than one entry. Replacing an entry by another for the same project keeps everything around it.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

LINE_LIMIT = 88
"""A one-line array that would grow beyond this column is laid out with one entry a line."""
INDENT = "    "

_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_COMMENT = re.compile(r"#[^\n]*")
_COMMENTS = re.compile(r".*#[^\r\n]*", re.DOTALL)
"""In text made of whitespace and comments: all up to the end of the last comment."""
_REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\r\n]*)?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of an array with the text around it.

    ``text`` is the value parsed, None where it is not a string; ``fresh`` entries were not in the file.
    """

    value: str
    text: str | None
    before: str = ""
    between: str = ""
    comma: bool = False
    after: str = ""
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class ArrayText:
    """An array as written: its entries and what stands between the last of them and the closing bracket."""

    entries: tuple[Entry, ...]
    tail: str

    def format(self) -> str:
        """Return the text; the exact inverse of `parse_array`."""
        parts = [
            f"{entry.before}{entry.value}{entry.between}{',' if entry.comma else ''}{entry.after}"
            for entry in self.entries
        ]
        return f"[{''.join(parts)}{self.tail}]"


def parse_array(text: str, values: Sequence[object]) -> ArrayText:
    """Take apart ``text``, a valid TOML array whose parsed members are ``values``: strings and inline tables.

    Raises ValueError when the two do not agree in number.
    """
    entries: list[Entry] = []
    position = 1
    while True:
        blank = _BLANK.match(text, position)
        before = blank.group() if blank else ""
        position += len(before)
        if text[position : position + 1] in {"]", ""}:
            break
        start, position = position, _end_of_value(text, position)
        value = text[start:position]
        member = values[len(entries)] if len(entries) < len(values) else None
        entry = Entry(value=value, text=member if isinstance(member, str) else None, before=before)
        blank = _BLANK.match(text, position)
        between = blank.group() if blank else ""
        if text[position + len(between) : position + len(between) + 1] == ",":
            position += len(between) + 1
            entry = replace(entry, between=between, comma=True)
        rest = _REST_OF_LINE.match(text, position)
        after = rest.group() if rest else ""
        # On a shared line the space belongs to what follows; only a comment, or a line's end, belongs to this entry.
        if "#" in after or text[position + len(after) : position + len(after) + 1] in {"\r", "\n"}:
            position += len(after)
            entry = replace(entry, after=after)
        entries.append(entry)
    if len(entries) != len(values):
        raise ValueError(text)
    return ArrayText(tuple(entries), before)


def _end_of_value(text: str, position: int) -> int:
    """Return where the string or the inline table that starts at ``position`` ends."""
    depth = 0
    while position < len(text):
        token = _STRING.match(text, position) or _COMMENT.match(text, position)
        if token is None:
            depth += {"{": 1, "}": -1}.get(text[position], 0)
        position = token.end() if token else position + 1
        if depth == 0:
            return position
    raise ValueError(text)


def new_array(strings: Sequence[str], *, newline: str) -> str:
    """Return the text of a fresh array: ``[]``, or one entry a line."""
    return _one_entry_a_line([quote(string) for string in strings], newline)


def edit_array(
    array: ArrayText, strings: Sequence[str], *, key: Callable[[str], str], newline: str, column: int
) -> str:
    """Return the array's text with its strings replaced by ``strings``; members that are no strings stay.

    Args:
        array: as it was.
        strings: what it shall hold, in order.
        key: what two strings have in common when one is the successor of the other (the project's name).
        newline: the document's line ending.
        column: where the opening bracket stands in its line.
    """
    if not array.entries and "#" not in array.tail:
        return new_array(strings, newline=newline)
    entries, tail = _merge(array, strings, key)
    multi_line = "\n" in array.format()
    text = _lay_out(array, entries, tail, newline=newline if multi_line else "").format()
    if "\n" not in text and column + len(text) > LINE_LIMIT:
        return _one_entry_a_line([entry.value for entry in entries], newline)
    return text


def _one_entry_a_line(values: Sequence[str], newline: str) -> str:
    if not values:
        return "[]"
    return "[" + "".join(f"{newline}{INDENT}{value}," for value in values) + newline + "]"


def _merge(array: ArrayText, strings: Sequence[str], key: Callable[[str], str]) -> tuple[list[Entry], str]:
    """Return the entries in their new order, fresh ones still bare, and the tail."""
    survivors = _pair([entry.text for entry in array.entries if entry.text is not None], strings, key)
    entries: list[Entry] = []
    carried = ""
    index = done = 0
    for entry in array.entries:
        kept = entry
        if entry.text is not None:
            successor = survivors.get(index)
            index += 1
            if successor is None:
                comments = _COMMENTS.match(entry.before)
                carried += comments.group() if comments else ""
                continue
            entries += _fresh(strings[done:successor], carried)
            carried = "" if successor > done else carried
            done = successor + 1
            if strings[successor] != entry.text:
                kept = replace(entry, value=quote(strings[successor]), text=strings[successor])
        entries.append(replace(kept, before=carried + kept.before))
        carried = ""
    entries += _fresh(strings[done:], carried)
    return entries, array.tail if len(strings) > done else carried + array.tail


def _fresh(strings: Sequence[str], comments: str) -> list[Entry]:
    """Return bare entries; the first has the comments that removed entries left behind above it."""
    return [
        Entry(quote(text), text, before=comments if position == 0 else "", fresh=True)
        for position, text in enumerate(strings)
    ]


def _pair(old: Sequence[str], new: Sequence[str], key: Callable[[str], str]) -> dict[int, int]:
    """Return which old index lives on as which new index (both ascend): the same text, else the same key."""
    pairs: dict[int, int] = {}
    exact = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, low, high, new_low, new_high in exact.get_opcodes():
        if tag == "equal":
            pairs.update(zip(range(low, high), range(new_low, new_high), strict=True))
        elif tag == "replace":
            old_keys = [key(text) for text in old[low:high]]
            new_keys = [key(text) for text in new[new_low:new_high]]
            alike = difflib.SequenceMatcher(None, old_keys, new_keys, autojunk=False)
            for block in alike.get_matching_blocks():
                pairs.update((low + block.a + step, new_low + block.b + step) for step in range(block.size))
    return pairs


def _lay_out(array: ArrayText, entries: Sequence[Entry], tail: str, *, newline: str) -> ArrayText:
    """Give fresh entries the layout of their neighbours and each entry its comma; ``newline`` is "" on one line."""
    line_start = newline + _indentation(array) if newline else " "
    trailing_comma = array.entries[-1].comma if array.entries else True
    laid: list[Entry] = []
    in_comment = False
    for entry in entries:
        before = entry.before + line_start if entry.fresh else entry.before
        if not newline and not laid:
            before = array.entries[0].before
        # What follows a comment must begin on a new line, or it would become part of the comment.
        if in_comment and not before.lstrip(" \t").startswith(("\n", "\r")):
            before = line_start + before.lstrip(" \t")
        if _ends_in_comment(before):
            before = before.rstrip(" \t") + line_start
        comma = len(laid) < len(entries) - 1 or trailing_comma
        between, after = (entry.between, entry.after) if comma else ("", entry.between + entry.after)
        laid.append(replace(entry, before=before, between=between, comma=comma, after=after))
        in_comment = _ends_in_comment(after)
    closes_on_own_line = bool(newline and entries and entries[-1].fresh)
    if ((in_comment or closes_on_own_line) and "\n" not in tail) or _ends_in_comment(tail):
        tail += newline
    return ArrayText(tuple(laid), tail)


def _ends_in_comment(blank: str) -> bool:
    """Tell whether text made of whitespace and comments is still inside a comment at its end."""
    return "#" in blank.rpartition("\n")[2]


def _indentation(array: ArrayText) -> str:
    for entry in array.entries:
        if "\n" in entry.before:
            return entry.before.rpartition("\n")[2]
    return INDENT


def quote(text: str) -> str:
    """Return ``text`` as a TOML string: double quotes, or single ones where that saves escapes."""
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
