"""The start tags of an HTML text, in one pass whose time grows with the text and no faster.

The standard library's parser reads what has no end again from every place where it might begin: 50 kB of unclosed
quotes take it ten seconds, and a page may be much longer. Here every letter is looked at once, by the rules of HTML
(WHATWG, tokenization): what has no end goes to the end of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape

_RAW = frozenset({"script", "style"})
_tag_name = re.compile(r"<([A-Za-z][^\s/>]*)").match
_gap = re.compile(r"[\s/]*").match
_attribute = re.compile(r"([^\s/>][^\s/>=]*)(\s*=\s*)?").match
_plain_value = re.compile(r"[^\s>]*").match


def start_tags(text: str) -> Iterator[tuple[str, Mapping[str, str | None]]]:
    """Yield each start tag of ``text``: its name and its attributes, both in lower case.

    Values have their character references resolved; None stands for an attribute without a value. Of an attribute
    given twice the first counts. What is in comments, scripts and styles is no tag.
    """
    place = text.find("<")
    while place != -1:
        if match := _tag_name(text, place):
            name = match[1].lower()
            attributes, place = _attributes(text, match.end())
            if place == -1:
                return
            yield name, attributes
            if name in _RAW:
                place = _after(text, re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE), place)
        elif text.startswith("<!--", place):
            place = text.find("-->", place + 2)  # `<!-->` is a whole comment
        elif text.startswith(("<!", "<?", "</"), place):
            place = text.find(">", place + 2)
        else:
            place += 1
        place = -1 if place == -1 else text.find("<", place)


def _after(text: str, pattern: re.Pattern[str], place: int) -> int:
    match = pattern.search(text, place)
    return -1 if match is None else match.start()


def _attributes(text: str, place: int) -> tuple[Mapping[str, str | None], int]:
    """Return what is given from ``place`` to the end of the tag, and where that is; -1 when it has no end."""
    found: dict[str, str | None] = {}
    while True:
        gap = _gap(text, place)
        place = gap.end() if gap is not None else place
        if place >= len(text):
            return found, -1
        match = _attribute(text, place)
        if match is None:  # the `>`
            return found, place + 1
        place, value = match.end(), None
        if match[2] is not None:
            quote = text[place : place + 1]
            if quote in {'"', "'"}:
                end = text.find(quote, place + 1)
                if end == -1:
                    return found, -1
                value, place = text[place + 1 : end], end + 1
            elif plain := _plain_value(text, place):
                value, place = plain[0], plain.end()
        found.setdefault(match[1].lower(), None if value is None else _resolved(value))


def _resolved(value: str) -> str:
    """Resolve character references; a number that is longer than Python reads stays as it is written."""
    try:
        return unescape(value)
    except ValueError:
        return value
