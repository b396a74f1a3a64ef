"""Answers of Pythons, kept by the identity of the binary, so that the usual case starts no process.

An answer is kept under the real path of the binary and is valid while that file has the same size, modification time
and inode, and while the machine is the same in everything that markers and tags depend on (kernel and C library; a home
directory may be shared between machines). Programs that only lead to a Python, such as shell scripts and the shims of
version managers, are never a key: what they start depends on where they are called.

The directory belongs to the caller and may be deleted at any time. A file that cannot be read counts as absent, one
that cannot be written is not missed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from pyvstore import __version__
from pyvstore.errors import InterpreterError
from pyvstore.fs.files import make_directories
from pyvstore.fs.remembered import read_remembered, write_remembered
from pyvstore.glance import fingerprint
from pyvstore.interpreter.probe import base_of, probe
from pyvstore.model.environment import Interpreter, PrefixLayout, TargetEnvironment

CACHE_FORMAT = 1


class InterpreterCache:
    """What the Pythons of this machine are; asks each only once.

    Args:
        directory: where answers are kept; made when it is needed. None keeps nothing.
    """

    def __init__(self, directory: str | None) -> None:
        self._directory = directory
        self._asked: dict[str, Interpreter | InterpreterError] = {}

    def get(self, executable: str) -> Interpreter:
        """Return what ``executable`` (absolute) is; raises InterpreterError as `probe` does.

        A refusal is remembered as long as this object lives, so that a Python that hangs is waited for once.
        """
        known = self._asked.get(executable) or self.read(executable)
        if known is None:
            try:
                known = probe(executable)
                self._write(executable, known)
            except InterpreterError as error:
                known = error
        self._asked[executable] = known
        if isinstance(known, InterpreterError):
            raise known
        return known

    def read(self, executable: str) -> Interpreter | None:
        """Return the kept answer for ``executable``, or None; starts no process."""
        if self._directory is None:
            return None
        base = base_of(executable)
        try:
            real = os.path.realpath(base)
            kept = read_remembered(self._file_for(real))
            if kept is None or kept["key"] != _key(real):
                return None
            return replace(_restore(kept["interpreter"]), executable=base)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _write(self, executable: str, interpreter: Interpreter) -> None:
        real = os.path.realpath(base_of(executable))
        # A script or a shim answers with another binary than itself, and with another one elsewhere.
        if self._directory is None or real != interpreter.real_executable:
            return
        with contextlib.suppress(OSError):
            kept = {"key": _key(real), "interpreter": asdict(interpreter)}
            make_directories(self._directory)
            write_remembered(self._file_for(real), kept)

    def _file_for(self, real: str) -> str:
        digest = hashlib.sha256(repr((real, _machine())).encode("utf-8", "surrogateescape")).hexdigest()
        return os.path.join(self._directory or "", f"{digest[:32]}.json")


def _key(real: str) -> list[str]:
    return [str(CACHE_FORMAT), __version__, real, fingerprint(real), *_machine()]


def _machine() -> tuple[str, ...]:
    """Return what markers and tags depend on besides the interpreter's binary."""
    library = ""
    with contextlib.suppress(AttributeError, ValueError, OSError):
        library = os.confstr("CS_GNU_LIBC_VERSION") or ""
    system = platform.uname()
    return system.system, system.release, system.version, system.machine, library


def _restore(data: Mapping[str, Any]) -> Interpreter:
    environment, layout = data["environment"], data["layout"]
    texts = {
        name: _text(data[name])
        for name in ("executable", "real_executable", "home", "implementation", "version", "fingerprint")
    }
    return Interpreter(
        **texts,
        layout=PrefixLayout(
            site_packages=_text(layout["site_packages"]),
            scripts=_text(layout["scripts"]),
            headers=_text(layout["headers"]),
            lib64_link=bool(layout["lib64_link"]),
        ),
        environment=TargetEnvironment(
            markers={_text(name): _text(value) for name, value in environment["markers"].items()},
            tags=tuple(map(_text, environment["tags"])),
        ),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
