"""The error tree: every refusal says what happened, why, and the exact next command.

::

    PyvstoreError                exit  what it means
    ├── UsageError                  2  the command line or a setting is wrong
    ├── ProjectError                1  pyproject.toml, the project folder, its edits
    ├── ResolutionError             1  the requirements have no answer
    ├── LockfileError               1  pylock.toml is stale, malformed, or does not fit this machine
    ├── FetchError                  1  an index or a download failed
    ├── WheelError                  1  an archive that must not be unpacked, or that lies
    ├── StoreError                  1  the store cannot be read, written or trusted
    ├── FarmError                   1  the project's `.venv` cannot be made or is not ours
    ├── InterpreterError            1  no Python fits
    ├── BuildError                  1  a version would need a build
    └── InternalError             255  a bug of ours

A leaf is a *code* (``lock-stale``), stable and searchable, not a class: callers tell families apart, people tell codes
apart. Foreign exceptions (httpx, resolvelib, packaging, OSError) are translated once, at the edge of the room that
called the library. Only `cli` prints errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

LOCK_ANEW = "remove pylock.toml, then run `pyvstore lock`"
"""The hint where a lockfile answers pyproject.toml but is of no use: locking alone would leave it as it is."""


class PyvstoreError(Exception):
    """A refusal or failure that the tool expected and can explain.

    Args:
        message: one sentence without a final full stop; what happened.
        code: stable kebab-case code, e.g. ``hash-mismatch``.
        causes: the chain of reasons, outermost first; each may have several lines.
        hint: the next thing to do, with the exact command where there is one.
    """

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "error"

    def __init__(
        self, message: str, *, code: str | None = None, causes: Sequence[str] = (), hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.causes = tuple(causes)
        self.hint = hint


class UsageError(PyvstoreError):
    """The command line or a setting is wrong; nothing was done."""

    exit_code = 2
    default_code = "usage"


class ProjectError(PyvstoreError):
    """The project folder or its pyproject.toml cannot be used as it is."""

    default_code = "project"


class ResolutionError(PyvstoreError):
    """No set of versions answers the requirements.

    Attributes:
        unknown: the names that no index has a project for.
        projects: normalised names of all that the refusal is about: as long as what an index says of them is the same,
            so is the refusal. Empty where that is not known.
    """

    default_code = "no-solution"
    unknown: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()


class LockfileError(PyvstoreError):
    """pylock.toml is missing, stale, malformed or does not cover this environment."""

    default_code = "lock"


class FetchError(PyvstoreError):
    """A page, a piece of metadata or a file could not be had, or was not what was promised."""

    default_code = "fetch"


class WheelError(PyvstoreError):
    """A wheel is malformed, hostile or contradicts itself."""

    default_code = "wheel"


class StoreError(PyvstoreError):
    """The store cannot be read, written or trusted."""

    default_code = "store"


class FarmError(PyvstoreError):
    """The project's environment cannot be made, or what stands in its place is not ours."""

    default_code = "farm"


class InterpreterError(PyvstoreError):
    """No Python on this machine fits, or the one named does not answer."""

    default_code = "interpreter"


class BuildError(PyvstoreError):
    """A distribution would have to be built from source."""

    default_code = "build"


class InternalError(PyvstoreError):
    """A bug of ours."""

    exit_code = 255
    default_code = "internal"
