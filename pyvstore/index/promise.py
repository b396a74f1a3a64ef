"""What was promised about a file, and the refusal when it is another."""

from __future__ import annotations

from typing import Protocol

from pyvstore.errors import LOCK_ANEW, FetchError
from pyvstore.index.urls import printable, redact

TELL_THE_INDEX = "run the same command again later; if it stays so, tell those who run the index"
"""The hint where a server does what nobody but its people can mend."""


class Downloadable(Protocol):
    """What must be known of a file to fetch it: `Artifact` and `Pin` both fit."""

    @property
    def name(self) -> str:
        """Project, for messages."""

    @property
    def filename(self) -> str:
        """A plain file name."""

    @property
    def url(self) -> str:
        """Where it is."""

    @property
    def sha256(self) -> str | None:
        """Lower-case hex, or None: then the hash is only computed."""

    @property
    def size_bytes(self) -> int | None:
        """None where it is not known."""


def check(artifact: Downloadable, sha256: str, size_bytes: int) -> None:
    """Compare a complete file with what was promised; raises FetchError(code="hash-mismatch")."""
    if artifact.sha256 not in {None, sha256} or artifact.size_bytes not in {None, size_bytes}:
        raise mismatch(artifact, sha256, size_bytes)


def mismatch(artifact: Downloadable, sha256: str | None, size_bytes: int) -> FetchError:
    """Return the refusal of a file; ``sha256`` is None when its size alone was enough to refuse it."""
    causes = []
    if artifact.sha256 is not None:
        causes.append(f"expected sha256 {printable(artifact.sha256)}")
    if sha256 is not None:
        causes.append(f"received sha256 {sha256}")
    if artifact.size_bytes not in {None, size_bytes}:
        causes.append(f"expected {artifact.size_bytes} bytes, received {size_bytes} or more")
    causes.append(f"from {redact(artifact.url)}")
    return FetchError(
        f"{printable(artifact.name)}: {printable(artifact.filename)} is not the file that was promised",
        code="hash-mismatch",
        causes=causes,
        hint=f"nothing was kept; if the index replaced the file on purpose, {LOCK_ANEW}",
    )
