"""What a lock covers: the Pythons and the kinds of machine that it was made for (PEP 751, ``environments``)."""

from __future__ import annotations

from packaging.markers import Marker
from packaging.version import Version

from pyvstore.lockfile.document import LockDocument
from pyvstore.model.environment import TargetEnvironment


def covers(document: LockDocument, environment: TargetEnvironment) -> bool:
    """Tell whether the lock is meant for ``environment``; whether its packages have wheels for it is another matter."""
    return covers_python(document, environment) and covers_machine(document, environment)


def covers_python(document: LockDocument, environment: TargetEnvironment) -> bool:
    """Tell whether the lock's ``requires-python`` holds."""
    return document.requires_python is None or document.requires_python.contains(python_version(environment))


def covers_machine(document: LockDocument, environment: TargetEnvironment) -> bool:
    """Tell whether one of the lock's ``environments`` holds, if it names any."""
    return not document.environments or any(_holds(marker, environment) for marker in document.environments)


def python_version(environment: TargetEnvironment) -> Version:
    """Return the version of the target's Python."""
    # A Python built from a checkout calls itself `3.14.0+`, which is no version.
    text = environment.markers["python_full_version"]
    return Version(f"{text}local" if text.endswith("+") else text)


def _holds(marker: Marker, environment: TargetEnvironment) -> bool:
    return marker.evaluate(environment.markers, context="requirement")
