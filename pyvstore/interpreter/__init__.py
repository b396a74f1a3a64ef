"""The Pythons of this machine: which there are, what each is, and which one a project gets.

=============  ==============================================================================================
`request`      what a person asked for (``3.12``, ``>=3.11``, ``pypy``, a path), as a value
`places`       where Pythons are: PATH, pyenv, other managers, the usual directories; pyenv's shims seen through
`target`       the one file that runs inside the other Python, and prints what it is
`probe`        running it, with a time limit, and making an `Interpreter` of the answer
`cache`        answers by the binary's identity, so that the usual case starts no process
`discover`     choosing, and saying what was found when nothing fits
=============  ==============================================================================================

The tool's own Python is never an answer by itself: whatever is found is asked what it is, and markers, tags and paths
are those that it gives. A virtual environment is never a base either; one that is found stands for the Python that it
was made from.

Nothing found here is trusted to work: links break, shims fail, interpreters of another architecture do not start, and
some never return. Each is a reason in the final error and no more.
"""
