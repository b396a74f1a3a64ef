"""A wheel's file name: ``{distribution}-{version}(-{build})?-{python}-{abi}-{platform}.whl``."""

from __future__ import annotations

from typing import NamedTuple

from packaging.tags import Tag
from packaging.utils import BuildTag, InvalidWheelFilename, NormalizedName, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from pyvstore.errors import WheelError
from pyvstore.wheel.names import component_fault, shown


class WheelName(NamedTuple):
    """The parts of a wheel's file name. ``build`` is ``()`` or (number, rest)."""

    name: NormalizedName
    version: Version
    build: BuildTag
    tags: frozenset[Tag]


def parse_filename(filename: str) -> WheelName:
    """Parse a bare file name (no directories); raises WheelError (``wheel-filename``)."""
    fault = component_fault(filename) or ("contains a slash" if "/" in filename else None)
    if fault is not None:
        raise WheelError(f"{shown(filename)} is not a wheel's file name", code="wheel-filename", causes=[fault])
    try:
        return WheelName(*parse_wheel_filename(filename))
    except (InvalidWheelFilename, InvalidVersion) as error:
        raise WheelError(
            f"{shown(filename)} is not a wheel's file name", code="wheel-filename", causes=[str(error)]
        ) from error
