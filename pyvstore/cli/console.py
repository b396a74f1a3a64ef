"""Where text goes and how it looks. Talk goes to stderr, data to stdout; colour only adds, it never says."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping

TYPE_CHECKING = False  # the constant that type checkers know; importing `typing` would cost more than a no-op sync
if TYPE_CHECKING:
    from typing import TextIO

_STYLES = {"green": "32", "red": "1;31", "yellow": "33", "cyan": "36", "dim": "2", "bold": "1"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """Return foreign text without the control characters that terminals act on; newlines and tabs stay."""
    return _CONTROL.sub("", text)


def wants_color(stream: TextIO, choice: str, environ: Mapping[str, str]) -> bool:
    """Decide about colour: ``--color`` first, then NO_COLOR, FORCE_COLOR, TERM and whether ``stream`` is a terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"


class Console:
    """Two streams, a colour choice and a loudness.

    ``verbosity`` is -1 for quiet, 0, or 1 and more for ``-v``. Writing to a closed stream is not an error: nobody is
    listening.
    """

    def __init__(self, *, verbosity: int = 0, color: str = "auto", environ: Mapping[str, str] = os.environ) -> None:
        self.verbosity = verbosity
        self.color = wants_color(sys.stderr, color, environ)
        self.is_terminal = sys.stderr.isatty() and environ.get("TERM") != "dumb"

    def styled(self, text: str, style: str) -> str:
        """Return ``text`` in ``style`` if colours are on."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.color else text

    def talk(self, text: str = "") -> None:
        """Say something on stderr unless quiet."""
        if self.verbosity >= 0:
            self.insist(text)

    def insist(self, text: str) -> None:
        """Say something on stderr even when quiet."""
        _write(sys.stderr, text + "\n")

    def data(self, text: str) -> None:
        """Give data on stdout."""
        _write(sys.stdout, text + "\n")


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.replace("·", ",").encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)
    stream.flush()


def duration(seconds: float) -> str:
    """Return ``9 ms``, ``0.41 s``, ``12.3 s`` or ``3 min 5 s``."""
    if seconds < 0.1:
        return f"{max(1, round(seconds * 1000))} ms"
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def size(size_bytes: int) -> str:
    """Return ``812 B``, ``17.4 MB``, ``1.2 GB`` (decimal units)."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def count(number: int, noun: str) -> str:
    """Return ``1 package`` or ``3 packages``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
