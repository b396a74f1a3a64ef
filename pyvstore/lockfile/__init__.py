"""The answer written down: ``pylock.toml`` (PEP 751), read strictly and written canonically. Pure.

==============  ===========================================================================================
`document`      the values: `LockDocument`, its packages, files and dependency edges
`filenames`     wheel file names: checked, and taken apart into tags as text
`rows`          the rows that name files, checked
`tooltable`     what pyvstore writes beside the standard, checked
`parts`         which extras and groups are meant by what was asked for
`markers`       which parts want an entry where → its marker
`coverage`      for which machines and Pythons a lock is
`parse`         text → `LockDocument`, or an error that names the place
`select`        `LockDocument` and target environment → `Selection`, by the installer's rules of PEP 751
`floors`        how new a machine must be for the wheels of a lock
`refusal`       why a lock means nothing for a target
`freeze`        the resolver's answer → `LockDocument`
`write`         `LockDocument` → canonical text
`inputs`        what a lock was made from, and the digest of it
`freshness`     whether that is still what the project says, in sentences; versions to prefer at the next lock
==============  ===========================================================================================

A lockfile comes with a repository and is edited by strangers and by merges, so nothing in it is believed before `parse`
has checked it, and nothing in it becomes a path. What `parse` returns, `select` may use without looking again.
"""
