"""Which versions answer the requirements, for every environment that the project supports.

The supported environments are a finite set of *points* (`lattice`): platform classes times Python intervals, the latter
cut wherever metadata can tell two Pythons apart. A marker, a ``requires-python`` and the files of a release are each a
bit mask over that set (`universe`), so that intersection, complement and implication are single operations.

One search (`search`, on resolvelib through `provider`) answers a *region*, first the whole set. Requirements carry the
mask under which they hold; where no single version can serve a mask the search leaves with a split and the two halves
are answered apart (`engine`). A fixpoint over the found graph gives the exact mask of every version (`answer`), and an
independent pass proves the answer closed, unique and satisfied before it is handed out (`check`). Masks become the
shortest markers that agree with them on every point (`wording`). With one point all of this collapses to an ordinary
resolution.

Roots carry a *scope*: the project itself, an extra or a group. All are answered together; scopes that exclude each
other are axes of the lattice, so that each has points where it is active and its rivals are not.

What is on offer comes from a port (`source`), is looked at lazily and remembered per run (`catalogue`). A failure is
reduced to a smallest set of requirements that still fails (`conflict`) and told as paths from the project (`explain`).

=================  ======================================================================================
`source`           the port: releases of a project, metadata of a release, prefetch hooks
`policy`           what the user may choose: pre-releases, lowest versions, constraints, overrides, builds
`requirement`      a parsed ``Requires-Dist`` line; a requirement with its mask; a candidate
`boundaries`       the Python versions at which a text changes its mind
`lattice`          platform classes x Python intervals, as points
`universe`         texts to masks
`wording`          masks to markers and words
`offering`         the releases of one project
`catalogue`        everything that was looked at, remembered
`preferences`      what to try first
`passed_over`      what is older than people would expect, and why
`splitting`        when a region must be answered in parts
`diagnosis`        which versions would match, and why they cannot be used
=================  ======================================================================================

Order comes from the inputs' content alone: the same requirements, metadata and old pins give the same answer.
"""
