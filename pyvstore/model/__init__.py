"""The values that every stage speaks in. Pure: no disk, no network, no clock, no terminal.

=================  ==========================================================================
`artifact`         a file that an index offers: wheel or source distribution
`entry`            an entry's key, its directory name, and the way back
`environment`      what a *target* Python is: marker values and tags (never the tool's own)
`manifest`         what an entry holds: its files, its fold tree, its launchers, its native reach
=================  ==========================================================================

Paths inside a prefix are POSIX strings relative to it (``lib/python/site-packages/numpy``). Entries have one geometry
for every Python, and the farm maps it to the interpreter's (``lib/python3.12/site-packages/numpy``).
"""
