"""What stands in ``bin/``: generated launchers, and scripts of wheels with their first line rewritten.

A kernel reads only the first 127 bytes of a first line (older ones), and splits it at spaces. Where the interpreter's
path does not fit, the file begins as a shell script that starts the interpreter on itself; to Python those lines are a
string.
"""

from __future__ import annotations

import codecs
import re

from pyvstore.model.manifest import EntryPoint

_SHEBANG_BYTES = 127
_FIRST_LINE_BYTES = 1024
_PYTHON_SCRIPT = re.compile(
    rb"#![ \t]*(?:[^\s]*/)?(?:env[ \t]+(?:-S[ \t]*)?(?:[^\s]*/)?)?pythonw?[0-9.]*(?:[ \t]+(.*))?", re.DOTALL
)
_SAFE_ARGUMENT = re.compile(rb"-[A-Za-z0-9_.:=]+")
_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_NEWLINE = re.compile(rb"\r\n|\r|\n")


def posix_launcher(entry_point: EntryPoint, python: str) -> bytes:
    """Return the script that calls ``entry_point`` with the interpreter ``python`` (an absolute path)."""
    first = entry_point.attribute.partition(".")[0]
    body = (
        "import sys\n"
        f"from {entry_point.module} import {first}\n"
        'if __name__ == "__main__":\n'
        f"    sys.exit({entry_point.attribute}())\n"
    )
    return _shebang(python, b"") + body.encode()


def windows_launcher(entry_point: EntryPoint, python: str, kind: str) -> tuple[str, bytes]:
    """Return (file name, content) of the ``.exe`` that calls ``entry_point``.

    Args:
        entry_point: what to call; a GUI one opens no console.
        python: absolute path of ``python.exe``.
        kind: ``win-amd64``, ``win-arm64``, ``win-arm`` or ``win-ia32``.

    Raises ValueError for another kind.
    """
    from installer.scripts import InvalidScript, Script

    script = Script(
        entry_point.name, entry_point.module, entry_point.attribute, "gui" if entry_point.gui else "console"
    )
    try:
        return script.generate(python, kind)  # type: ignore[arg-type]
    except InvalidScript as error:
        raise ValueError(f"no launcher for {kind}") from error


def is_python_script(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is a script whose interpreter is Python."""
    return _match_first_line(head) is not None


def _match_first_line(data: bytes) -> tuple[re.Match[bytes], bytes] | None:
    """Return the match of a Python script's first line and all that follows that line."""
    if not data.startswith(b"#!"):
        return None
    newline = _NEWLINE.search(data, 0, _FIRST_LINE_BYTES)
    end, following = (newline.start(), newline.end()) if newline else (len(data), len(data))
    match = _PYTHON_SCRIPT.fullmatch(data, 0, end) if end <= _FIRST_LINE_BYTES else None
    return None if match is None else (match, data[following:])


def rewrite_script(data: bytes, python: str, gui_python: str | None = None) -> bytes:
    """Return a wheel's script with ``python`` (an absolute path) as its interpreter; other files come back unchanged.

    One option of the first line is kept (``#!python -E``). ``#!pythonw`` takes ``gui_python`` where it is given. A
    script in another encoding than UTF-8 that needs the longer start becomes UTF-8, because its declaration would move
    too far down to be seen.
    """
    found = _match_first_line(data)
    if found is None:
        return data
    match, body = found
    argument = (match[1] or b"").strip()
    if not _SAFE_ARGUMENT.fullmatch(argument):
        argument = b""
    windowed = gui_python is not None and b"pythonw" in match[0]
    start = _shebang(gui_python if windowed and gui_python is not None else python, argument)
    return start + (_as_utf8(body) if start.count(b"\n") > 1 else body)


def _shebang(python: str, argument: bytes) -> bytes:
    """Return the first line, or lines, that start ``python`` on the file itself."""
    path = python.encode("utf-8", "surrogateescape")
    line = b"#!" + path + (b" " + argument if argument else b"") + b"\n"
    if len(line) <= _SHEBANG_BYTES and not any(space in path for space in (b" ", b"\t", b"\n", b"\r")):
        return line
    options = b" " + argument if argument else b""
    return b"#!/bin/sh\n'''exec' " + _quote(path) + options + b' "$0" "$@"\n' + b"' '''\n"


def _quote(path: bytes) -> bytes:
    """Quote ``path`` for the shell so that it can also stand in a Python string between triple apostrophes.

    ``$`` and the backtick go between apostrophes, for a backslash before them would be an invalid escape to Python; an
    apostrophe is followed by an empty string, so that three in a row never meet.
    """
    out = bytearray(b'"')
    for byte in path:
        if byte in b"$`":
            out += b"\"'" + bytes([byte]) + b"'\""
        elif byte in b'"\\':
            out += b"\\" + bytes([byte])
        elif byte == 0x27:
            out += b'\'""'
        else:
            out.append(byte)
    return bytes(out + b'"')


def _as_utf8(body: bytes) -> bytes:
    """Return ``body``, whose first line was line 2 of the file, without need of an encoding declaration."""
    match = _COOKIE.match(body)
    if match is None:
        return body
    try:
        codec = codecs.lookup(match[1].decode("ascii"))
        return body if codec.name == "utf-8" else body.decode(codec.name).encode()
    except (LookupError, UnicodeDecodeError):
        return body
