"""The wheel format: bytes in, values out. Nothing here touches the disk, the network or the clock.

::

    archive bytes ─ directory ─ archive ─┐                       ┌─ fold_tree ─┐
                    names (which names)  ├─ contents ─ survey ───┤             ├─ manifest_format
    metadata  entry_points  record ──────┘  (geometry)           └─ native ────┘   (elf, macho, pe)
    tail      finds METADATA in the last bytes of a wheel that was not downloaded
    launcher  writes what stands in ``bin/``

A wheel is read in this order, and nothing is inflated before the first step is done:

1. `archive` compares the central directory with every local header, and the names, sizes and modes with what a wheel
   may hold. All problems are collected into one refusal.
2. `contents` parses METADATA, WHEEL, RECORD and the entry points, compares them with each other and with the file name,
   and gives every member its place in the entry.
3. The caller copies the payload; `contents` checks each file against RECORD while the bytes go by, and the `survey`
   notes what the manifest needs.

Wheels that break the specification are refused, except where people use such wheels every day and nothing depends on
the fault; those come with a *named warning*, ``(code, sentence)``.
"""
