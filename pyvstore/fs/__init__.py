"""The only hand that changes the disk.

=============  ==============================================================================================
`files`        small files and directories: written whole under another name, then renamed; modes are ours
`remembered`   small values with a checksum: whole as they were written, or absent
`links`        directory and file links, replaced atomically
`removal`      deleting what we made; never follows a link
`locks`        advisory locks between processes (shared and exclusive); the lock file is never the data
`journal`      several small files that change together
=============  ==============================================================================================

Interruption: every function either happens or leaves, at worst, one file whose name ends in `TEMPORARY_SUFFIX`;
such a file is never read, and whoever owns the directory sweeps it.

Permissions: modes are set explicitly (`chmod` on the open file), because a umask of 000 or 077 must change nothing.
"""
