"""The shelf of RECORD files: each is made once per entry and shape, and linked by every farm with that shape."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from pyvstore.fs.files import sweep_temporaries, write_atomic
from pyvstore.fs.removal import remove_empty_directory
from pyvstore.plan.records import RecordShape, installed_rows
from pyvstore.store.store import Store, StoreLibrary, store_error
from pyvstore.wheel.record import format_farm_record


def ensure_records(store: Store, shapes: Iterable[RecordShape], library: StoreLibrary) -> int:
    """Make every RECORD of ``shapes`` that the shelf lacks; return how many were made.

    Raises StoreError. Each appears whole, so a kill leaves fewer, never a half one.
    """
    shelf = store.shelf("records")
    missing = [shape for shape in shapes if not _is_there(os.path.join(shelf, shape.name))]
    if not missing:
        return 0
    try:
        with store.locked("records"):
            sweep_temporaries(shelf, [shape.name for shape in missing])
            for shape in missing:
                rows = installed_rows(shape, tuple(library.rows(shape.source).values()))
                record = f"{shape.dist_info}/RECORD"
                text = format_farm_record(links=shape.links, files=shape.files, rows=rows, record=record)
                remove_empty_directory(os.path.join(shelf, shape.name))
                write_atomic(os.path.join(shelf, shape.name), text, mode=0o444)
    except OSError as error:
        raise store_error("a RECORD could not be put into the store", error) from error
    return len(missing)


def _is_there(path: str) -> bool:
    """Whether there is a file with something in it: one that a power cut emptied is none."""
    try:
        status = os.lstat(path)
    except OSError:  # making it says what is wrong
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > 0
