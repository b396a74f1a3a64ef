"""Text that others wrote, made harmless for a terminal."""

from __future__ import annotations

import re

_SEQUENCE = re.compile(
    "(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"  # OSC and its like, up to BEL or ST
    "|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, movements
    "|\x1b[ -/]*[0-~]?"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """Return ``text`` without anything that a terminal acts on; newlines and tabs stay."""
    return text if text.isprintable() else _CONTROL.sub("", _SEQUENCE.sub("", text))


def one_line(text: str) -> str:
    """Return ``text`` harmless and on one line, so that it cannot pass for several messages of ours."""
    return " ".join(harmless(text).split("\n"))
