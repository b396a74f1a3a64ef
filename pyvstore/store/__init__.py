"""The store: every package once per machine, complete or absent, never changed.

::

    <home>/                      $PYVSTORE_HOME, else the platform's user data directory
    └── v1/
        ├── entries/<key>/       one distribution, laid out as a small prefix; sealed
        ├── records/<key>.<n>    RECORD files of farms, by what they depend on (see `plan.records`)
        ├── projects/<id>.json   farms that use this store: the roots of garbage collection
        ├── stage/               entries being made
        ├── tmp/                 downloads
        ├── index/               pages and metadata
        ├── interpreters/        what the Pythons of this machine are
        ├── selections/          what a lockfile means for an environment
        └── locks/               empty files

Publication: an entry is unpacked into ``stage/``, checked and sealed there, and appears by one rename. Existence means
completeness. Files are 0444 or 0555 and directories 0555, except each ``__pycache__``, which any project's first import
fills for all. The top directory is sealed after the rename (a sealed directory cannot change its parent); whoever next
looks at an entry finishes an interrupted seal.

Locking: ``locks/<key>`` is held while an entry is made; the loser of a race looks again and finds it. ``locks/store``
is held shared by whoever links to entries and exclusively by whoever removes them. Reading needs no lock.

Interruption: a kill leaves something in ``stage/`` or ``tmp/``, which the next maker of the same entry sweeps.

Compatibility: a newer format opens ``v2/`` beside ``v1/``; ``v1/`` is never rewritten in place.
"""
