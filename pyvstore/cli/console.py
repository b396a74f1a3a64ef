"""Where text goes and how it looks. Talk goes to stderr, data to stdout; colour only adds, it never says."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # the constant that type checkers know; importing `typing` would cost more than a no-op sync
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

_STYLES = {"green": "32", "red": "1;31", "yellow": "33", "cyan": "36", "dim": "2", "bold": "1"}
_PLAIN = {" · ": ", ", "→": "->", "…": "..."}


def wants_color(stream: TextIO | None, choice: str, environ: Mapping[str, str]) -> bool:
    """Decide about colour: ``--color`` first, then NO_COLOR, FORCE_COLOR, TERM and whether ``stream`` is a terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return _is_terminal(stream, environ)


def _is_terminal(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    return stream is not None and stream.isatty() and environ.get("TERM") != "dumb"


class Console:
    """Two streams, a colour choice and a loudness.

    ``verbosity`` is -1 for quiet, 0, or 1 and more for ``-v``. Writing to a stream that is closed, or whose reader went
    away, is not an error: nobody is listening. Talk never fails; data that cannot be written (a full disk) does.
    """

    def __init__(self, *, verbosity: int = 0, color: str = "auto", environ: Mapping[str, str] = os.environ) -> None:
        self.verbosity = verbosity
        self.color = wants_color(sys.stderr, color, environ)
        self.is_terminal = _is_terminal(sys.stderr, environ)

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
        """Give data on stdout; raises PyvstoreError (``output``) when it cannot be written."""
        error = _write(sys.stdout, text + "\n")
        if error is not None and not isinstance(error, BrokenPipeError):
            from pyvstore.errors import PyvstoreError

            raise PyvstoreError(
                "the output cannot be written",
                code="output",
                causes=[error.strerror or str(error)],
                hint="see where standard output leads",
            ) from error


def _write(stream: TextIO | None, text: str) -> OSError | None:
    """Write and flush; return what went wrong, after which the stream leads nowhere."""
    if stream is None:  # closed before we were started
        return None
    try:
        stream.write(encodable(text, stream.encoding or "ascii"))
        stream.flush()
    except OSError as error:
        mute(stream)
        return error
    return None


def encodable(text: str, encoding: str) -> str:
    """Return ``text`` as ``encoding`` can write it: our signs as plain ones, foreign characters as escapes."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        if not encoding.lower().startswith("utf"):
            for sign, plain in _PLAIN.items():
                text = text.replace(sign, plain)
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def mute(stream: TextIO) -> None:
    """Lead a stream that failed nowhere: what it still holds would fail again when Python ends."""
    try:
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, stream.fileno())
        os.close(descriptor)
    except (OSError, ValueError):
        pass


def duration(seconds: float) -> str:
    """Return ``9 ms``, ``0.41 s``, ``12.3 s`` or ``3 min 5 s``."""
    if seconds < 0.0995:
        return f"{max(1, round(seconds * 1000))} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def size(size_bytes: int) -> str:
    """Return ``812 B``, ``17.4 MB``, ``1.2 GB`` (decimal units)."""
    amount = float(size_bytes)
    if amount < 1000:
        return f"{size_bytes} B"
    for unit in ("kB", "MB"):
        amount /= 1000
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if amount >= 99.95 else f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} GB"


def count(number: int, noun: str) -> str:
    """Return ``1 package`` or ``3 packages``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
