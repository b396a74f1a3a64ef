"""Events as one JSON object a line on stdout: the type in snake case as ``event``, then the fields as they are."""

from __future__ import annotations

import dataclasses
import json
import re
import threading

from typing_extensions import override

from pyvstore.cli.console import Console
from pyvstore.errors import PyvstoreError
from pyvstore.events import Event, Reporter


class JsonReporter(Reporter):
    """Writes every event as it happens. Call `close` when the command has succeeded."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._failure: PyvstoreError | None = None

    @override
    def emit(self, event: Event) -> None:
        kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
        line = json.dumps({"event": kind, **dataclasses.asdict(event)}, ensure_ascii=True)
        with self._lock:
            if self._failure is None:
                try:
                    self._console.data(line)
                except PyvstoreError as error:  # the threads that tell us things could do nothing about it
                    self._failure = error

    def close(self) -> None:
        """Raise PyvstoreError (``output``) when events could not be written; the work is done all the same."""
        if self._failure is not None:
            raise self._failure
