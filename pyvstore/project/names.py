"""Names and limits that more than one module of the room needs."""

from __future__ import annotations

PYPROJECT_NAME = "pyproject.toml"
LOCK_NAME = "pylock.toml"
SIZE_LIMIT_BYTES = 16 * 1024 * 1024
LOCK_LIMIT_BYTES = 64 * 1024 * 1024
