"""The shelf of RECORD files: each is made once per entry and shape, and linked by every farm with that shape."""

from __future__ import annotations

import os
from collections.abc import Iterable

from pyvstore.fs.files import write_atomic
from pyvstore.plan.records import RecordShape, installed_rows
from pyvstore.store.store import Store, StoreLibrary, store_error
from pyvstore.wheel.record import format_farm_record


def ensure_records(store: Store, shapes: Iterable[RecordShape], library: StoreLibrary) -> int:
    """Make every RECORD of ``shapes`` that the shelf lacks; return how many were made.

    Raises StoreError. Each appears whole, so a kill leaves fewer, never a half one.
    """
    shelf = store.shelf("records")
    made = 0
    for shape in shapes:
        path = os.path.join(shelf, shape.name)
        if os.path.lexists(path):
            continue
        rows = installed_rows(shape, tuple(library.rows(shape.source).values()))
        text = format_farm_record(links=shape.links, files=shape.files, rows=rows, record=f"{shape.dist_info}/RECORD")
        try:
            write_atomic(path, text, mode=0o444)
        except OSError as error:
            raise store_error("a RECORD could not be put into the store", error) from error
        made += 1
    return made
