"""Names and modes that more than one module of the store needs."""

from __future__ import annotations

FORMAT_DIRECTORY = "v1"
SHELVES = ("entries", "records", "links", "projects", "stage", "tmp", "index", "interpreters", "selections", "locks")
MANIFEST_NAME = "pyvstore-manifest.jsonl"
SEALED_DIRECTORY = 0o555
